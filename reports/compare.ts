/** What changed between two runs: requirement by requirement, clause by clause, check by check, with the figures. */
import type { Result } from '../bench/faces.ts'
import { verdictOrder } from '../bench/verdicts/order.ts'
import { states as bestFirst } from '../bench/verdicts/rollup.ts'
import type { State } from '../bench/verdicts/rollup.ts'
import type { CheckView, ClauseView, RequirementView, RunView } from './model/run.ts'
import { observedPairs } from './text/figures.ts'

export type Way = 'worse' | 'better' | 'other'

export interface StateChange {
  /** An ID or a clause: `M:0022/voltage`. */
  readonly ref: string
  readonly before: State
  readonly after: State
  readonly way: Way
  readonly why?: string
  readonly blame?: string
}

export interface CheckChange {
  readonly scenario: string
  readonly check: string
  readonly verifies: readonly string[]
  /** `gone` and `new`: only one of the runs has it. */
  readonly before: Result['verdict'] | 'new'
  readonly after: Result['verdict'] | 'gone'
  readonly way: Way
  readonly why?: string
  /** Figures that differ: name, before, after. Nothing: one of them does not have it. */
  readonly figures: readonly (readonly [
    name: string,
    before: string | undefined,
    after: string | undefined,
  ])[]
}

/** A scenario with its checks that one of the runs has alone. */
export interface ScenarioChange {
  readonly scenario: string
  readonly what: 'gone' | 'new'
  readonly checks: number
  /** Of a new one: how many of its checks failed. */
  readonly failed: number
  readonly way: Way
}

export interface Comparison {
  /** What makes the two hard to compare: another rig, seed, subject, catalogue revision. */
  readonly differs: readonly (readonly [what: string, before: string, after: string])[]
  readonly requirements: readonly StateChange[]
  readonly clauses: readonly StateChange[]
  readonly scenarios: readonly ScenarioChange[]
  /** Verdicts that differ, and checks that one of the runs has alone, of scenarios that both have. */
  readonly checks: readonly CheckChange[]
  /** Checks with the same verdict and other figures. */
  readonly figures: readonly CheckChange[]
  readonly same: number
  readonly worse: boolean
}

/**
 * Compares two runs, read with the same catalogue. Worse: a state or verdict further down its order, or a check or scenario
 * that is gone; what is open only because the second run is a short one is `other`.
 */
export function compareRuns(before: RunView, after: RunView): Comparison {
  const second = new Map(after.requirements.map((r) => [r.id, r]))
  const requirements: StateChange[] = []
  const clauses: StateChange[] = []
  for (const a of before.requirements) {
    const b = second.get(a.id)
    if (b === undefined) continue
    if (a.state !== b.state) requirements.push(stateChange(a.id, a, b))
    const others = new Map(b.clauses.map((c) => [c.id, c]))
    for (const c of a.clauses) {
      const d = others.get(c.id)
      if (d !== undefined && d.state !== c.state) clauses.push(stateChange(`${a.id}/${c.id}`, c, d))
    }
  }
  const scenarios = scenarioChanges(before, after)
  const alone = new Set(scenarios.map((s) => s.scenario))
  const { changed, figures, same } = checkChanges(before, after, alone)
  return {
    differs: differences(before, after),
    requirements,
    clauses,
    scenarios,
    checks: changed,
    figures,
    same,
    worse: [...requirements, ...clauses, ...scenarios, ...changed].some((c) => c.way === 'worse'),
  }
}

function stateChange(
  ref: string,
  a: RequirementView | ClauseView,
  b: RequirementView | ClauseView,
): StateChange {
  const d = bestFirst.indexOf(b.state) - bestFirst.indexOf(a.state)
  return {
    ref,
    before: a.state,
    after: b.state,
    way: b.beforehand ? 'other' : d > 0 ? 'worse' : 'better',
    ...(b.why === undefined ? {} : { why: b.why }),
    ...(b.blame === undefined ? {} : { blame: b.blame }),
  }
}

function scenarioChanges(before: RunView, after: RunView): ScenarioChange[] {
  const only = (a: RunView, b: RunView, what: ScenarioChange['what']): ScenarioChange[] => {
    const known = new Set(b.scenarios.map((s) => s.id))
    return a.scenarios
      .filter((s) => !known.has(s.id))
      .map((s) => {
        const failed = what === 'gone' ? 0 : s.checks.filter((c) => c.result.verdict === 'fail').length
        const way = what === 'gone' || failed > 0 ? 'worse' : 'other'
        return { scenario: s.id, what, checks: s.checks.length, failed, way }
      })
  }
  return [...only(before, after, 'gone'), ...only(after, before, 'new')]
}

interface Placed {
  readonly scenario: string
  readonly check: CheckView
}

function checksOf(run: RunView, alone: ReadonlySet<string>): Map<string, Placed> {
  return new Map(
    run.scenarios
      .filter((s) => !alone.has(s.id))
      .flatMap((s) => s.checks.map((check) => [`${s.id}\0${check.id}`, { scenario: s.id, check }] as const)),
  )
}

function checkChanges(
  before: RunView,
  after: RunView,
  alone: ReadonlySet<string>,
): { readonly changed: CheckChange[]; readonly figures: CheckChange[]; readonly same: number } {
  const [a, b] = [checksOf(before, alone), checksOf(after, alone)]
  const changed: CheckChange[] = []
  const figures: CheckChange[] = []
  let same = 0
  for (const key of new Set([...a.keys(), ...b.keys()])) {
    const [x, y] = [a.get(key), b.get(key)]
    const known = y ?? x
    if (known === undefined) continue
    const change = checkChange(known, x?.check, y?.check)
    if (change.before !== change.after) changed.push(change)
    else if (change.figures.length > 0) figures.push(change)
    else same++
  }
  return { changed, figures, same }
}

function checkChange(known: Placed, a: CheckView | undefined, b: CheckView | undefined): CheckChange {
  const rank = (c: CheckView): number => verdictOrder.indexOf(c.result.verdict)
  const way = (): Way => {
    if (b === undefined) return 'worse'
    if (b.beforehand) return 'other'
    if (a === undefined) return b.result.verdict === 'fail' ? 'worse' : 'other'
    return rank(b) > rank(a) ? 'worse' : rank(b) < rank(a) ? 'better' : 'other'
  }
  const why = b?.result.why
  return {
    scenario: known.scenario,
    check: known.check.id,
    verifies: known.check.verifies,
    before: a?.result.verdict ?? 'new',
    after: b?.result.verdict ?? 'gone',
    way: way(),
    ...(why === undefined ? {} : { why }),
    figures: figuresOf(a, b),
  }
}

function figuresOf(a: CheckView | undefined, b: CheckView | undefined): CheckChange['figures'] {
  // Of a check that one of the runs has alone there is nothing to compare.
  if (a === undefined || b === undefined) return []
  const before = new Map(observedPairs(a.result.observed))
  const after = new Map(observedPairs(b.result.observed))
  return [...new Set([...before.keys(), ...after.keys()])]
    .map((name) => [name, before.get(name), after.get(name)] as const)
    .filter(([, x, y]) => x !== y)
}

function differences(a: RunView, b: RunView): Comparison['differs'] {
  const [x, y] = [a.header, b.header]
  if (x === undefined || y === undefined)
    return [['header', x === undefined ? 'none' : 'there', y === undefined ? 'none' : 'there']]
  const shared = Object.keys(x.revisions ?? {}).filter((id) => y.revisions?.[id] !== undefined)
  const changed = shared.filter((id) => x.revisions?.[id] !== y.revisions?.[id])
  const all: Comparison['differs'] = [
    ['subject', subject(x.subject), subject(y.subject)],
    ['digest of the subject', x.subject.digest ?? 'not given', y.subject.digest ?? 'not given'],
    ['rig', x.rig, y.rig],
    ['seed', String(x.seed), String(y.seed)],
    ['length', x.short ? 'short' : 'full', y.short ? 'short' : 'full'],
    ['bench', `${x.bench} ${x.commit}`, `${y.bench} ${y.commit}`],
    ['Node', x.node, y.node],
  ]
  const scenarios = new Map(a.scenarios.map((s) => [s.id, s.header?.sha256]))
  const edited = b.scenarios.filter((s) => {
    const was = scenarios.get(s.id)
    return was !== undefined && s.header !== undefined && was !== s.header.sha256
  })
  return [
    ...all.filter(([, p, q]) => p !== q),
    ...changed.map((id) => [`wording of ${id}`, 'one revision', 'another'] as const),
    ...edited.map((s) => [`scenario ${s.id}`, 'one revision', 'another'] as const),
  ]
}

function subject(s: {
  readonly product: string
  readonly version: string
  readonly serial?: string
}): string {
  return `${s.product} ${s.version}${s.serial === undefined ? '' : ` (${s.serial})`}`
}
