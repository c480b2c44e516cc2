/**
 * A run as a list of tests, which is what CI pages know: one for the run itself, one for each scenario (did it come to
 * its end?), one for each check. JUnit and CTRF are made from it, so that they never differ.
 */
import type { Blame, VerdictWord } from '../../bench/faces.ts'
import { cutShort, stepOrTrouble } from './outcome.ts'
import type { CheckView, RunView, ScenarioView } from './run.ts'

/**
 * `passed`: marginal too. `failed`: the product's fault. `broken`: it could not be judged, for a reason of rig, bench or
 * operator. `skipped`: known beforehand that this run cannot judge it.
 */
export type CaseStatus = 'passed' | 'failed' | 'broken' | 'skipped'

export interface Case {
  /** Unique in its suite, the same from run to run. */
  readonly name: string
  readonly status: CaseStatus
  readonly verdict: VerdictWord
  readonly blame?: Blame
  readonly why?: string
  /** Requirement clauses. */
  readonly verifies: readonly string[]
  /** Wall time, ms; checks take none of their own. */
  readonly wallMs: number
  /** Worth telling although it passed: earlier tries. */
  readonly remarks: readonly string[]
  readonly check?: CheckView
}

export interface Suite {
  /** Dots for slashes: `capture.every-minute`; the run's own is `run`. */
  readonly name: string
  readonly title: string
  readonly scenario?: ScenarioView
  readonly cases: readonly Case[]
}

export function suitesOf(run: RunView): Suite[] {
  const cut = cutShort(run)
  const whole: Case = {
    name: 'the run comes to its end',
    verifies: [],
    wallMs: 0,
    remarks: [],
    ...(cut === undefined
      ? { status: 'passed', verdict: 'pass' }
      : {
          status: 'broken',
          verdict: 'inconclusive',
          blame: run.end?.outcome === 'aborted' ? 'operator' : 'bench',
          why: cut,
        }),
  }
  return [
    { name: 'run', title: 'The run itself', cases: [whole] },
    ...run.scenarios.map((s) => ({
      name: s.id.replaceAll('/', '.'),
      title: s.header?.title ?? s.id,
      scenario: s,
      cases: [ending(s), ...s.checks.map(caseOf)],
    })),
  ]
}

/** Whether a scenario came to its end; where it did not, why, once. */
function ending(s: ScenarioView): Case {
  const remarks = s.earlier.map((e, i) => `try ${i + 1} does not count: ${e.step?.again ?? ''}`)
  const about = { name: 'comes to its end', verifies: [], wallMs: s.end?.wallMs ?? 0, remarks }
  const told = stepOrTrouble(s)
  const escapes = s.end?.world.escapes.length ?? 0
  const wrong = [
    ...(told === undefined ? [] : [`${told.word}: ${told.why}`]),
    ...(escapes === 0 ? [] : [`${escapes} escapes from virtual time`]),
    ...(s.contents?.problems ?? []),
  ]
  if (wrong.length === 0) return { ...about, status: 'passed', verdict: 'pass' }
  const blame = told?.blame ?? 'bench'
  const failed = blame === 'product'
  return {
    ...about,
    status: failed ? 'failed' : 'broken',
    verdict: failed ? 'fail' : 'inconclusive',
    blame,
    why: wrong.join('; '),
  }
}

function caseOf(c: CheckView): Case {
  const { verdict, blame, why } = c.result
  return {
    name: caseName(c),
    status: statusOf(c),
    verdict,
    ...(blame === undefined ? {} : { blame }),
    ...(why === undefined ? {} : { why: c.beforehand ? `${why} (known beforehand)` : why }),
    verifies: c.verifies,
    wallMs: 0,
    remarks: [],
    check: c,
  }
}

function statusOf(c: CheckView): CaseStatus {
  switch (c.result.verdict) {
    case 'pass':
    case 'marginal':
      return 'passed'
    case 'fail':
      return 'failed'
    case 'inconclusive':
      return c.beforehand ? 'skipped' : 'broken'
    default:
      return c.result.verdict satisfies never
  }
}

/** IDs that a name spells out; the rest stand in `verifies`. */
const spelt = 4

/** `spacing: M:0022, M:0023`: pages of CI show the name and little else. */
function caseName(c: CheckView): string {
  const ids = requirementsOf(c.verifies)
  if (ids.length === 0) return c.id
  const more = ids.length > spelt ? ` and ${ids.length - spelt} more` : ''
  return `${c.id}: ${ids.slice(0, spelt).join(', ')}${more}`
}

/** Requirement IDs of clauses, each once. */
export function requirementsOf(verifies: readonly string[]): string[] {
  return [...new Set(verifies.map((v) => v.split('/')[0] ?? v))]
}
