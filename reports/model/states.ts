/** The states of a requirement in reports: word, sign and tone. Colour is never the only sign. */

export const states = [
  'fail',
  'inconclusive',
  'marginal',
  'pass',
  'played by the bench',
  'not run',
  'no check',
  'information',
] as const

export type State = (typeof states)[number]

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
    means:
      'It binds a thing that the bench itself played here: the check passed, which says nothing about a product.',
  },
  'not run': { sign: '○', ascii: '-', name: 'not-run', means: 'A check exists, but did not run.' },
  'no check': { sign: '–', ascii: '.', name: 'no-check', means: 'No check of this run looks at it.' },
  information: { sign: 'i', ascii: 'i', name: 'information', means: 'Its text asks for nothing.' },
}

/** Whether a state came of a judgement. */
export function isJudged(s: State): boolean {
  return (
    s === 'fail' || s === 'inconclusive' || s === 'marginal' || s === 'pass' || s === 'played by the bench'
  )
}

/** Where a state stands among others, worst first. */
export function severity(s: State): number {
  return states.indexOf(s)
}
