/** The states of a requirement in reports: word, sign and tone. Colour is never the only sign. */

import type { State } from '../../bench/verdicts/rollup.ts'

export type { State }

/** Worst first. */
export const states = [
  'fail',
  'inconclusive',
  'not run',
  'marginal',
  'pass',
  'played by the bench',
  'by person',
  'uncovered',
  'information',
] as const satisfies readonly State[]

/** What a state looks like: its sign, the same in ASCII, a CSS-safe name, and what it means. */
export interface StateLook {
  readonly sign: string
  readonly ascii: string
  readonly name: string
  readonly means: string
}

export const looks: Readonly<Record<State, StateLook>> = {
  fail: { sign: '✗', ascii: 'x', name: 'fail', means: 'A check saw a limit broken.' },
  inconclusive: {
    sign: '?',
    ascii: '?',
    name: 'inconclusive',
    means: 'It ran, but could not be judged; the reason and who is to blame for it are given.',
  },
  marginal: { sign: '≈', ascii: '~', name: 'marginal', means: 'Within its limits, but only just.' },
  pass: {
    sign: '✓',
    ascii: '+',
    name: 'pass',
    means: 'Each of its clauses passed a check, and the evidence is in the log.',
  },
  'played by the bench': {
    sign: '◇',
    ascii: 'o',
    name: 'played',
    means: 'It binds a thing that the bench itself plays here, which says nothing about a product.',
  },
  'not run': { sign: '○', ascii: '-', name: 'not-run', means: 'A scenario looks at it, and did not run.' },
  'by person': {
    sign: '☐',
    ascii: 'p',
    name: 'by-person',
    means: 'Inspection or demonstration, for a person to record; there is no record.',
  },
  uncovered: { sign: '–', ascii: '.', name: 'uncovered', means: 'No scenario of this run looks at it.' },
  information: { sign: 'i', ascii: 'i', name: 'information', means: 'Its text asks for nothing.' },
}

/** Whether a state is a verdict on the subject. */
export function isJudged(s: State): boolean {
  return s === 'fail' || s === 'inconclusive' || s === 'marginal' || s === 'pass'
}

/** Where a state stands among others, worst first. */
export function severity(s: State): number {
  return states.indexOf(s)
}
