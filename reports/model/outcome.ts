/** What came of a run: counts, findings, and one sentence. */
import type { Blame, Result, VerdictWord } from '../../bench/faces.ts'
import { count } from '../text/figures.ts'
import type { CheckView, RequirementView, RunView, ScenarioView } from './run.ts'
import { isJudged, type State } from './states.ts'

export interface Counts {
  readonly all: number
  readonly judged: number
  readonly by: Readonly<Record<State, number>>
}

/** IDs that the sources number are counted apart from section IDs of ours. */
export interface RunCounts {
  readonly numbered: Counts
  readonly ours: Counts
}

function noneOf(): Record<State, number> {
  return {
    fail: 0,
    inconclusive: 0,
    marginal: 0,
    pass: 0,
    'played by the bench': 0,
    'not run': 0,
    'no check': 0,
    information: 0,
  }
}

export function countStates(requirements: readonly RequirementView[]): RunCounts {
  const tally = (list: readonly RequirementView[]): Counts => {
    const by = noneOf()
    for (const r of list) by[r.state]++
    return { all: list.length, judged: list.filter((r) => isJudged(r.state)).length, by }
  }
  return {
    numbered: tally(requirements.filter((r) => !r.ours)),
    ours: tally(requirements.filter((r) => r.ours)),
  }
}

/** A judged check that did not pass, with the requirements that it touches. */
export interface Finding {
  readonly verdict: Exclude<VerdictWord, 'pass'>
  readonly blame?: Blame
  readonly scenario: ScenarioView
  readonly check: CheckView
  readonly result: Result
  /** Requirements and clauses, as the check declares them. */
  readonly verifies: readonly string[]
}

const order: Readonly<Record<VerdictWord, number>> = { fail: 0, inconclusive: 1, marginal: 2, pass: 3 }

/** Every check that did not pass, failures first, then in the order of the run. */
export function findings(run: RunView): Finding[] {
  const out: Finding[] = []
  for (const scenario of run.scenarios)
    for (const check of scenario.checks) {
      const { result } = check
      if (result === undefined || result.verdict === 'pass') continue
      out.push({
        verdict: result.verdict,
        ...(result.blame === undefined ? {} : { blame: result.blame }),
        scenario,
        check,
        result,
        verifies: check.verifies,
      })
    }
  return out.sort((a, b) => order[a.verdict] - order[b.verdict])
}

/** A scenario that did not finish, or whose evidence is not whole: said once, not for each requirement. */
export interface Trouble {
  readonly scenario?: ScenarioView
  readonly what: string
  readonly blame?: Blame
}

export function troubles(run: RunView): Trouble[] {
  const out: Trouble[] = run.problems.map((what) => ({ what }))
  for (const s of run.scenarios) {
    const outcome = s.end?.outcome ?? s.step?.outcome
    const blame = s.end?.blame ?? s.step?.blame
    const why = s.end?.why ?? s.step?.why
    if (outcome !== undefined && outcome !== 'finished')
      out.push({
        scenario: s,
        what: `${outcome}${why === undefined ? '' : `: ${why}`}`,
        ...(blame === undefined ? {} : { blame }),
      })
    else if (s.record === undefined) out.push({ scenario: s, what: 'not run' })
    const escapes = s.end?.world?.escapes?.length ?? 0
    if (escapes > 0)
      out.push({ scenario: s, what: `${count(escapes, 'escape')} from virtual time`, blame: 'bench' })
    for (const what of s.record?.problems ?? []) out.push({ scenario: s, what, blame: 'bench' })
  }
  return out
}

export interface Outcome {
  readonly state: 'fail' | 'inconclusive' | 'marginal' | 'pass' | 'not run'
  readonly sentence: string
}

/** What came of the run, in one sentence. */
export function outcome(run: RunView): Outcome {
  const { numbered, ours } = countStates(run.requirements)
  const judged = numbered.judged + ours.judged
  const of = (s: State): number => numbered.by[s] + ours.by[s]
  const failed = of('fail')
  const open = of('inconclusive')
  const rest = numbered.all - numbered.judged
  const tail =
    rest === 0 || numbered.all === 0
      ? ''
      : ` ${count(rest, 'numbered requirement')} of ${numbered.all} not judged by this run.`
  const aborted = run.end?.outcome === 'aborted' ? ' The operator stopped the run.' : ''
  const cut = run.header !== undefined && run.end === undefined ? ' The run was cut short.' : ''
  const end = `${tail}${aborted}${cut}`
  if (judged === 0) return { state: 'not run', sentence: `No requirement was judged.${end}` }
  if (failed > 0) {
    const blames = blameText(run, 'fail')
    const also = open === 0 ? '' : `, ${count(open, 'more was', 'more were')} inconclusive`
    const them = `${count(judged, 'requirement')} judged`
    return { state: 'fail', sentence: `${failed} of ${them} failed${blames}${also}.${end}` }
  }
  if (open > 0)
    return {
      state: 'inconclusive',
      sentence: `None of ${count(judged, 'requirement')} judged failed, but ${count(open, 'was', 'were')} inconclusive${blameText(run, 'inconclusive')}.${end}`,
    }
  const near = of('marginal')
  const played = of('played by the bench')
  const parts = [
    near > 0 ? `${near} only just` : '',
    played > 0 ? `${played} with the bench itself as the subject` : '',
  ].filter((p) => p !== '')
  const how = parts.length === 0 ? '' : ` (${parts.join(', ')})`
  const all = judged === 1 ? 'The one requirement judged passed' : `All ${judged} requirements judged passed`
  return { state: near > 0 ? 'marginal' : 'pass', sentence: `${all}${how}.${end}` }
}

/** ` (fault of the product)`, or nothing where no blame is known. */
function blameText(run: RunView, state: State): string {
  const blames = new Set(
    run.requirements.flatMap((r) => (r.state === state && r.blame !== undefined ? [r.blame] : [])),
  )
  return blames.size === 0 ? '' : ` (blame: ${[...blames].sort().join(', ')})`
}
