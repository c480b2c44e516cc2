/** What came of a run: counts, findings, and one sentence. */
import type { Blame, Result, VerdictWord } from '../../bench/faces.ts'
import { durationText } from '../../drivers/units.ts'
import { count, utc } from '../text/figures.ts'
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
    'by person': 0,
    uncovered: 0,
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
      if (result.verdict === 'pass') continue
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
  const out: Trouble[] = run.problems.map((what) => ({ what, blame: 'bench' }))
  for (const s of run.scenarios) {
    for (const [i, e] of s.earlier.entries())
      out.push({
        scenario: e,
        what: `try ${i + 1} of ${s.earlier.length + 1} does not count: ${e.step?.again ?? 'no reason is given'}`,
        blame: e.step?.blame ?? 'rig',
      })
    const told = stepOrTrouble(s)
    if (told !== undefined)
      out.push({
        scenario: s,
        what: `${told.word}: ${told.why}`,
        ...(told.blame === undefined ? {} : { blame: told.blame }),
      })
    const escapes = s.record.end?.world.escapes.length ?? 0
    if (escapes > 0)
      out.push({ scenario: s, what: `${count(escapes, 'escape')} from virtual time`, blame: 'bench' })
    for (const what of s.contents?.problems ?? []) out.push({ scenario: s, what, blame: 'bench' })
  }
  return out
}

/** How a scenario ended and why, where it did not finish. */
export function stepOrTrouble(
  s: ScenarioView,
): { readonly word: string; readonly why: string; readonly blame?: Blame } | undefined {
  const { trouble, end } = s.record
  if (trouble === undefined) return undefined
  // A log that breaks off does not say why; the run's own log may.
  const step = end === undefined ? s.step : undefined
  const word = s.contents === undefined ? 'not run' : (end?.outcome ?? 'cut short')
  return { word, why: step?.why ?? trouble.why, blame: step?.blame ?? trouble.blame }
}

/** How a run ended before its time, or nothing. */
export function earlyEnd(end: RunView['end']): string | undefined {
  if (end === undefined) return 'This run was cut short: its log has no end, as when the bench was killed'
  return end.outcome === 'aborted' ? 'The operator stopped this run before its end' : undefined
}

/** For the first lines of every format: what must be known before anything else is believed. */
export function notice(run: RunView): string | undefined {
  const told = [cutShort(run), away(run)].filter((t) => t !== undefined)
  return told.length === 0 ? undefined : told.join(' ')
}

/** That the bench was away for a while, and what that means. */
function away(run: RunView): string | undefined {
  const [first] = run.gaps
  if (first === undefined) return undefined
  const ms = run.gaps.reduce((n, g) => n + g.to - g.from, 0)
  const times = run.gaps.length === 1 ? 'once' : `${run.gaps.length} times`
  const since = run.gaps.length === 1 ? `from ${utc(first.from)} on` : `the first time at ${utc(first.from)}`
  return `The bench was away ${times}, for ${durationText(ms)} in all (${since}): nothing was observed then. A scenario that went on is judged stretch by stretch; others that were interrupted ran again.`
}

/** That a run did not come to its end, and how much of it is missing. */
export function cutShort(run: RunView): string | undefined {
  if (run.header === undefined)
    return 'The log of this run has no header: nothing is known of how it was started.'
  const how = earlyEnd(run.end)
  if (how === undefined) return undefined
  const open = run.scenarios.filter((s) => s.end === undefined || s.end.outcome === 'aborted').length
  const left =
    open === 0
      ? 'Each scenario had come to its end'
      : `${open} of ${count(run.scenarios.length, 'scenario')} did not come to ${open === 1 ? 'its' : 'their'} end`
  return `${how}. ${left}; only what was seen until then is told here.`
}

export interface Outcome {
  readonly state: 'fail' | 'inconclusive' | 'marginal' | 'pass' | 'not run'
  readonly sentence: string
}

/** What came of the run, in one sentence, and in a second one what it leaves open. */
export function outcome(run: RunView): Outcome {
  const { numbered, ours } = countStates(run.requirements)
  const of = (s: State): number => numbered.by[s] + ours.by[s]
  const judged = numbered.judged + ours.judged
  const [failed, open, near] = [of('fail'), of('inconclusive'), of('marginal')]
  const waiting = run.requirements.filter((r) => r.state === 'inconclusive' && r.beforehand).length
  const end = leftOpen(run, numbered)
  if (judged === 0) return { state: 'not run', sentence: `No requirement was judged.${end}` }
  const barely = near === 0 ? '' : ` (${near} of them only just)`
  if (failed + open === 0) {
    const all = judged === 1 ? 'The one requirement judged' : `All ${judged} requirements judged`
    return { state: near > 0 ? 'marginal' : 'pass', sentence: `${all} passed${barely}.${end}` }
  }
  const unsure = open - waiting
  const verb = unsure === 1 ? 'was' : 'were'
  const parts = [
    ...(failed === 0 ? ['none failed'] : [`${failed} failed${blameText(run, 'fail')}`]),
    ...(unsure === 0 ? [] : [`${unsure} ${verb} inconclusive${blameText(run, 'inconclusive')}`]),
    ...(waiting === 0 ? [] : [`${waiting} ${waiting === 1 ? 'needs' : 'need'} a longer run`]),
  ]
  const last = `${judged - failed - open} passed${barely}`
  const sentence = `Of ${count(judged, 'requirement')} judged, ${parts.join(', ')} and ${last}.${end}`
  return { state: failed > 0 ? 'fail' : 'inconclusive', sentence }
}

function leftOpen(run: RunView, numbered: Counts): string {
  const rest = numbered.all - numbered.judged
  return [
    rest === 0
      ? ''
      : ` ${rest} of the ${numbered.all} numbered requirements ${rest === 1 ? 'was' : 'were'} not judged by this run.`,
    troubles(run).length === 0 ? '' : ' There was trouble during the run.',
    run.end?.outcome === 'aborted' ? ' The operator stopped the run.' : '',
    run.header !== undefined && run.end === undefined ? ' The run was cut short.' : '',
  ].join('')
}

/** ` (blame: product)`, or nothing where no blame is known. */
function blameText(run: RunView, state: State): string {
  const blames = new Set(
    run.requirements.flatMap((r) =>
      r.state === state && !r.beforehand && r.blame !== undefined ? [r.blame] : [],
    ),
  )
  return blames.size === 0 ? '' : ` (blame: ${[...blames].sort().join(', ')})`
}
