/** From judged checks to a verdict for each clause and requirement (design, "Judging honestly"). */
import type { CatalogueFile } from '../requirements/schema.ts'
import type { Blame } from '../faces.ts'
import type { Subject } from '../evidence/schema.ts'
import type { CheckRecord, ScenarioRecord } from './record.ts'
import { worst } from './order.ts'

/** From best to worst: a requirement is as bad as the worst of its clauses. */
export const states = [
  'information',
  'pass',
  'marginal',
  'played by the bench',
  'by person',
  'uncovered',
  'not run',
  'inconclusive',
  'fail',
] as const

/**
 * `pass`, `marginal`, `inconclusive`, `fail`: judged. `not run`: a scenario declares it, and did not run. `played by
 * the bench`: it binds a thing that the bench itself plays. `uncovered`: no scenario looks at it yet. `by person`:
 * inspection or demonstration, of which there is no record. `information`: it asks nothing.
 */
export type State = (typeof states)[number]

export interface Decider {
  readonly scenario: string
  readonly check: string
}

export interface ClauseVerdict {
  /** `M:0022/voltage` */
  readonly ref: string
  readonly state: State
  readonly blame?: Blame
  readonly why?: string
  /** Whom the clause binds. */
  readonly subject: string
  /** The checks that decided: those with the worst verdict. */
  readonly decidedBy: readonly Decider[]
  /** All checks that looked at it. */
  readonly checks: readonly Decider[]
  /** Inconclusive only because the run is a short one. */
  readonly beforehand: boolean
}

export interface RequirementVerdict {
  readonly id: string
  readonly document: string
  readonly state: State
  readonly blame?: Blame
  readonly why?: string
  readonly subject: string
  /** Which things were judged: reference or real, maker, product, version. */
  readonly judged: readonly Subject[]
  readonly clauses: readonly ClauseVerdict[]
  /** Clauses that passed (marginal ones included), of how many. */
  readonly passed: readonly [passed: number, of: number]
  readonly decidedBy: readonly Decider[]
  readonly beforehand: boolean
}

type Requirement = CatalogueFile['requirements'][number]

/** What is needed of a catalogue (bench/requirements/load.ts has it). */
export interface CatalogueLike {
  readonly requirements: readonly (Requirement & { readonly document: string })[]
}

interface Looked extends Decider {
  readonly record: CheckRecord
  readonly result: CheckRecord['result']
}

/**
 * The verdict of each requirement, in the order of the catalogue.
 *
 * Of several checks the worst counts. A requirement passes only when each of its clauses passed; it is as bad as its
 * worst clause, and a clause that did not run beside one that passed makes it inconclusive. A check that names an ID
 * alone counts for all its clauses. A scenario that names an ID or a clause and declared no check for it makes what it
 * names inconclusive. Where the bench plays the subject, nothing can pass, and what fails is the bench's own fault.
 */
export function rollUp(catalogue: CatalogueLike, scenarios: readonly ScenarioRecord[]): RequirementVerdict[] {
  const looks = new Map<string, Looked[]>()
  for (const s of scenarios)
    for (const c of s.checks)
      for (const ref of new Set(c.verifies)) {
        const list = looks.get(ref) ?? []
        list.push({ scenario: s.scenario, check: c.id, record: c, result: c.result })
        looks.set(ref, list)
      }
  const promises = new Map<string, ScenarioRecord[]>()
  for (const s of scenarios)
    for (const ref of new Set(s.verifies)) promises.set(ref, [...(promises.get(ref) ?? []), s])
  const played = new Set(scenarios.flatMap((s) => Object.keys(s.header?.played ?? {})))
  return catalogue.requirements.map((r) => requirementVerdict(r, looks, promises, played, scenarios))
}

function requirementVerdict(
  r: CatalogueLike['requirements'][number],
  looks: ReadonlyMap<string, readonly Looked[]>,
  promises: ReadonlyMap<string, readonly ScenarioRecord[]>,
  played: ReadonlySet<string>,
  scenarios: readonly ScenarioRecord[],
): RequirementVerdict {
  const clauses = r.clauses.map((c): ClauseVerdict => {
    const ref = `${r.id}/${c.id}`
    const seen = [...(looks.get(ref) ?? []), ...(looks.get(r.id) ?? [])]
    const broken = brokenPromises(r, ref, seen, looks, promises)
    const subject = c.subject ?? r.subject
    return clauseVerdict({
      ref,
      subject,
      method: c.method ?? r.method,
      seen,
      broken,
      played: played.has(subject),
    })
  })
  const asking = clauses.filter((c) => c.state !== 'information')
  const good = asking.filter((c) => c.state === 'pass' || c.state === 'marginal')
  const decisive = asking.reduce<ClauseVerdict | undefined>(
    (a, c) => (a === undefined || states.indexOf(c.state) > states.indexOf(a.state) ? c : a),
    undefined,
  )
  const mixed = decisive?.state === 'not run' && good.length > 0
  const state: State = decisive === undefined ? 'information' : mixed ? 'inconclusive' : decisive.state
  const blame = mixed ? 'rig' : decisive?.blame
  const why = mixed ? `${decisive.ref} did not run: ${decisive.why ?? ''}` : whyOf(decisive, clauses.length)
  const deciding = asking.filter((c) => c.state === decisive?.state)
  const names = new Set(clauses.flatMap((c) => c.checks.map((d) => d.scenario)))
  return {
    id: r.id,
    document: r.document,
    state,
    ...(blame === undefined ? {} : { blame }),
    ...(why === undefined ? {} : { why }),
    subject: r.subject,
    judged: subjectsOf(scenarios.filter((s) => names.has(s.scenario))),
    clauses,
    passed: [good.length, asking.length],
    decidedBy: unique(deciding.flatMap((c) => c.decidedBy)),
    beforehand: state === 'inconclusive' && !mixed && deciding.every((c) => c.beforehand),
  }
}

function whyOf(c: ClauseVerdict | undefined, clauses: number): string | undefined {
  if (c?.why === undefined) return undefined
  return clauses > 1 ? `${c.ref}: ${c.why}` : c.why
}

/** A scenario that named the clause, or its ID, and of whose checks none looked at it. */
interface BrokenPromise {
  readonly scenario: string
  readonly ran: boolean
  readonly blame: Blame
  readonly why: string
}

function brokenPromises(
  r: Requirement,
  ref: string,
  seen: readonly Looked[],
  looks: ReadonlyMap<string, readonly Looked[]>,
  promises: ReadonlyMap<string, readonly ScenarioRecord[]>,
): BrokenPromise[] {
  const broken = (s: ScenarioRecord): BrokenPromise => ({
    scenario: s.scenario,
    ran: s.header !== undefined,
    blame: s.trouble?.blame ?? 'bench',
    why: s.trouble?.why ?? 'the scenario names it, and none of its checks looked at it',
  })
  const direct = (promises.get(ref) ?? []).filter((s) => !seen.some((x) => x.scenario === s.scenario))
  // A scenario that names the whole ID keeps its word with a check for any of its clauses.
  const anyClause = new Set(
    [...(looks.get(r.id) ?? []), ...r.clauses.flatMap((c) => looks.get(`${r.id}/${c.id}`) ?? [])].map(
      (x) => x.scenario,
    ),
  )
  const whole = (promises.get(r.id) ?? []).filter((s) => !anyClause.has(s.scenario))
  return [...direct, ...whole].map(broken)
}

interface ClauseInput {
  readonly ref: string
  readonly subject: string
  readonly method: Requirement['method']
  readonly seen: readonly Looked[]
  readonly broken: readonly BrokenPromise[]
  readonly played: boolean
}

function clauseVerdict(i: ClauseInput): ClauseVerdict {
  const checks = i.seen.map((x) => ({ scenario: x.scenario, check: x.check }))
  const out = (state: State, more: Partial<ClauseVerdict> = {}): ClauseVerdict => ({
    ref: i.ref,
    state,
    subject: i.subject,
    decidedBy: [],
    checks,
    beforehand: false,
    ...more,
  })
  if (i.method === 'information') return out('information')
  const hit = worst(i.seen)
  if (hit === undefined) return unseen(i, out)

  const { verdict, blame, why } = hit.result
  const same = i.seen.filter((x) => x.result.verdict === verdict)
  const decidedBy = same.map((x) => ({ scenario: x.scenario, check: x.check }))
  const reason = {
    ...(blame === undefined ? {} : { blame }),
    ...(why === undefined ? {} : { why }),
    decidedBy,
  }
  if (i.played) {
    if (verdict === 'pass' || verdict === 'marginal')
      return out('played by the bench', { why: `the ${i.subject} is the bench's own`, decidedBy })
    if (verdict === 'fail')
      return out('inconclusive', {
        blame: 'bench',
        why: `the ${i.subject} that the bench plays: ${why ?? ''}`,
        decidedBy,
      })
  }
  const notRun = i.broken[0]
  if (notRun !== undefined && (verdict === 'pass' || verdict === 'marginal')) {
    const blame = notRun.ran ? notRun.blame : 'rig'
    return out('inconclusive', { blame, why: `${notRun.scenario}: ${notRun.why}`, decidedBy: [] })
  }
  const beforehand =
    verdict === 'inconclusive' && notRun === undefined && same.every((x) => x.record.beforehand)
  return out(verdict, { ...reason, beforehand })
}

/** No check looked at it. */
function unseen(
  i: ClauseInput,
  out: (s: State, more?: Partial<ClauseVerdict>) => ClauseVerdict,
): ClauseVerdict {
  const ran = i.broken.find((b) => b.ran)
  if (ran !== undefined) return out('inconclusive', { blame: ran.blame, why: `${ran.scenario}: ${ran.why}` })
  const first = i.broken[0]
  if (first !== undefined)
    return out('not run', { blame: first.blame, why: `${first.scenario}: ${first.why}` })
  if (i.method === 'inspection' || i.method === 'demonstration')
    return out('by person', { why: `${i.method} by a person; nobody recorded one` })
  if (i.played) return out('played by the bench', { why: `the ${i.subject} is the bench's own` })
  return out('uncovered')
}

function subjectsOf(scenarios: readonly ScenarioRecord[]): Subject[] {
  const byText = new Map<string, Subject>()
  for (const s of scenarios)
    if (s.header !== undefined) byText.set(JSON.stringify(s.header.subject), s.header.subject)
  return [...byText.values()]
}

function unique(list: readonly Decider[]): Decider[] {
  return [...new Map(list.map((d) => [`${d.scenario}\u0000${d.check}`, d])).values()]
}
