/** What comes of the runs of a proof: a word for each, and what the words come to over all of them. */
import { basename } from 'node:path'
import { defectOf, survivorOf } from '../../sim/defects/index.ts'
import type { LoadedScenario } from '../scenario/load.ts'
import type { CheckRecord, ScenarioRecord } from '../verdicts/record.ts'
import type { Job } from './job.ts'
import type { Done } from './pool.ts'

/** What was put on the platform, and what must come of it. */
export type Expectation = 'healthy' | 'defect' | 'variant' | 'mutation'

/**
 * `as expected`; `missed`: a defect that no right check noticed; `over-strict`: a healthy platform or legal variant that
 * failed; `not reached`: the defect never came to bear, so nothing is known; `unseen`: a mutation after which everything
 * that shows outside is as it is of the healthy platform; `survived`: one that shows, and that no check noticed; `broke`:
 * the scenario did not come to its end.
 */
export type ProofWord =
  | 'as expected'
  | 'missed'
  | 'over-strict'
  | 'not reached'
  | 'unseen'
  | 'survived'
  | 'broke'

export interface Proof {
  readonly scenario: string
  readonly expectation: Expectation
  /** Defect, variant or mutation; empty for the healthy platform. */
  readonly id: string
  readonly describes: string
  /** What a mutation changed: before -> after. */
  readonly change?: string
  /** Requirement or clause that must fail because of it. */
  readonly target?: string
  readonly word: ProofWord
  /** Checks that failed. */
  readonly tripped: readonly string[]
  readonly why?: string
  /** Evidence log, as it is called where it is kept (`keep` in prove.ts). */
  readonly log: string
}

export interface ProveJob {
  readonly job: Job
  readonly scenario: LoadedScenario
  readonly expectation: Expectation
  readonly id: string
  readonly target?: string
}

/**
 * The word for one run. `clausesOf` expands a requirement to its clauses. `showsNothing`: whether all that shows outside
 * was the same as of the healthy platform; asked for a mutation that no check noticed.
 */
export function judgeProof(
  p: ProveJob,
  done: Done,
  clausesOf: (ref: string) => readonly string[],
  showsNothing: () => boolean = () => false,
): Proof {
  const { record, reached, changes } = done
  const change = changes?.[p.id]
  const failed = record.checks.filter((c) => c.result.verdict === 'fail')
  const base = {
    scenario: p.scenario.id,
    expectation: p.expectation,
    id: p.id,
    describes: p.id === '' ? 'The platform as it is.' : defectOf(p.id).describes,
    ...(p.target === undefined ? {} : { target: p.target }),
    ...(change === undefined ? {} : { change }),
    tripped: failed.map((c) => c.id),
    log: `data/${basename(p.job.log)}`,
  }
  const word = (w: ProofWord, why?: string): Proof => ({
    ...base,
    word: w,
    ...(why === undefined ? {} : { why }),
  })
  const trouble = troubleOf(record)

  if (p.expectation === 'healthy' || p.expectation === 'variant') {
    if (trouble !== undefined) return word('broke', trouble)
    if (p.expectation === 'variant' && !reached.includes(p.id)) return word('not reached')
    const bad = [...failed, ...openChecks(record)]
    if (bad.length > 0)
      return word('over-strict', bad.map((c) => `${c.id}: ${c.result.why ?? c.result.verdict}`).join('; '))
    return word('as expected')
  }
  // A platform that a defect brings down is caught too, if the scenario says that it is the product's fault.
  const broughtDown = record.trouble?.blame === 'product'
  if (trouble !== undefined && !broughtDown) return word('broke', trouble)
  if (!reached.includes(p.id)) return word('not reached')
  if (p.expectation === 'mutation') {
    if (failed.length > 0 || broughtDown) return word('as expected')
    return word(showsNothing() ? 'unseen' : 'survived')
  }
  const wanted = new Set(clausesOf(p.target ?? ''))
  const hit = failed.filter((c) => c.verifies.some((v) => wanted.has(v)))
  if (hit.length > 0) return word('as expected')
  const others = failed.length === 0 ? 'no check failed' : `only ${failed.map((c) => c.id).join(', ')} failed`
  return word('missed', `${others}; expected one that verifies ${p.target ?? 'it'}`)
}

/** Checks that could not be judged, beside those that only need a longer run. */
function openChecks(record: ScenarioRecord): CheckRecord[] {
  return record.checks.filter((c) => c.result.verdict === 'inconclusive' && !c.beforehand)
}

function troubleOf(record: ScenarioRecord): string | undefined {
  if (record.trouble !== undefined) return `${record.trouble.why} (${record.trouble.blame})`
  const escape = record.end?.world.escapes[0]
  return escape === undefined ? undefined : `escaped from virtual time: ${escape.what} at ${escape.where}`
}

export type MutationWord = 'noticed' | 'survived' | 'unseen' | 'not reached'

/** The one that tells most counts. */
const tells: readonly MutationWord[] = ['not reached', 'unseen', 'survived', 'noticed']
const told: Partial<Record<ProofWord, MutationWord>> = {
  'as expected': 'noticed',
  survived: 'survived',
  unseen: 'unseen',
}

/** What came of each mutation over all scenarios: noticed by one is noticed. */
export function mutationWords(proofs: readonly Proof[]): ReadonlyMap<string, MutationWord> {
  const words = new Map<string, MutationWord>()
  for (const p of proofs.filter((x) => x.expectation === 'mutation')) {
    const before = words.get(p.id) ?? 'not reached'
    const now = told[p.word] ?? 'not reached'
    words.set(p.id, tells.indexOf(now) > tells.indexOf(before) ? now : before)
  }
  return words
}

/**
 * Why nobody could object to a mutation that survived, as the project knows it (sim/defects/survivors.ts): for what it has
 * changed in each scenario in which it came to bear. Nothing: it is unexplained.
 */
export function whySurvived(proofs: readonly Proof[], id: string): string | undefined {
  const changes = proofs.filter((p) => p.id === id && p.word === 'survived').map((p) => p.change ?? '')
  const known = changes.map((c) => survivorOf(id, c)?.why)
  if (known.length === 0 || known.includes(undefined)) return undefined
  return [...new Set(known)].join(' ')
}

/** Checks that no defect of theirs has tripped: each is itself a failure of the proof. */
export function untripped(
  proofs: readonly Proof[],
  healthy: ReadonlyMap<string, readonly string[]>,
): string[] {
  const out: string[] = []
  for (const [scenario, checks] of healthy) {
    const tripped = new Set(
      proofs.filter((p) => p.scenario === scenario && p.expectation === 'defect').flatMap((p) => p.tripped),
    )
    for (const c of checks) if (!tripped.has(c)) out.push(`${scenario}: ${c}`)
  }
  return out
}
