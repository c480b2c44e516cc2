/** Many runs and records into one acceptance: a state for each clause and requirement, and whatever speaks against it. */
import type { Catalogue, Entry } from '../requirements/load.ts'
import type { Subject } from '../evidence/schema.ts'
import type { Result } from '../faces.ts'
import { verdictOrder } from '../verdicts/order.ts'
import type { CheckRecord, ScenarioRecord } from '../verdicts/record.ts'
import { rollUp } from '../verdicts/rollup.ts'
import type { ClauseVerdict, State } from '../verdicts/rollup.ts'
import {
  acceptStates,
  type AcceptCounts,
  type Acceptance,
  type AcceptedClause,
  type AcceptedRequirement,
  type AcceptState,
  type Evidence,
  type PersonEvidence,
  type RecordInput,
  type RunInput,
} from './faces.ts'
import { sift, type Look, type Sifted } from './sift.ts'

export interface MergeOptions {
  readonly catalogue: Catalogue
  /** What is accepted; null where nobody said and no run tells. */
  readonly subject: Subject | null
  /** SHA-256 of each scenario's file as it stands today, by ID. */
  readonly scenarios: ReadonlyMap<string, string>
  /** Wall clock, ms since 1970. */
  readonly now: number
  readonly bench: string
  readonly commit: string
}

/**
 * Merges. For each check of a scenario, on the same rig with the same seed, the newest verdict counts; one that is
 * inconclusive by no fault of the product says nothing, and replaces none. Of several rigs and seeds the worst counts,
 * and of several checks. For what a person judges the newest record counts. Pure: same inputs, same acceptance.
 */
export function merge(
  runs: readonly RunInput[],
  records: readonly RecordInput[],
  o: MergeOptions,
): Acceptance {
  const sifted = sift(runs, records, o)
  const picked = pick(sifted.looks)
  const verdicts = new Map(rollUp(o.catalogue, recordsOf(sifted, picked)).map((v) => [v.id, v]))
  const titles = new Map(o.catalogue.documents.map((d) => [d.document, d.title]))
  const requirements = o.catalogue.requirements.map((r) =>
    requirement(r, titles.get(r.document) ?? r.document, verdicts.get(r.id)?.clauses ?? [], sifted, picked),
  )
  const counts = {
    numbered: countOf(requirements.filter((r) => !r.ours)),
    ours: countOf(requirements.filter((r) => r.ours)),
  }
  return {
    format: 'gridproof-acceptance/1',
    made: new Date(o.now).toISOString(),
    bench: o.bench,
    commit: o.commit,
    catalogue: o.catalogue.digest,
    subject: o.subject,
    ...outcomeOf(counts, requirements),
    counts,
    requirements,
    runs: runs.map((r) => ({
      id: r.id,
      folder: r.folder,
      rig: r.header?.rig ?? '',
      started: r.header?.started ?? '',
      commit: r.header?.commit ?? '',
      scenarios: r.scenarios.filter((s) => s.record.header !== undefined).length,
      counts: sifted.counted.has(r.id),
    })),
    records: records.map((r) => ({
      id: r.id,
      folder: r.folder,
      record: r.record,
      counts: sifted.counted.has(r.id),
    })),
    notCounted: sifted.notCounted,
  }
}

/** It says nothing about the product: another run may. */
function silent(r: Result, beforehand: boolean): boolean {
  return r.verdict === 'inconclusive' && (beforehand || r.blame !== 'product')
}

const isSilent = (l: Look): boolean => silent(l.check.result, l.check.beforehand)

/** Newest first; of those that began in one moment, as they came. */
function newestFirst<T extends { readonly evidence: { readonly at: string } }>(list: readonly T[]): T[] {
  return list.toSorted((a, b) => Date.parse(b.evidence.at) - Date.parse(a.evidence.at))
}

interface Picked {
  readonly look: Look
  /** Valid looks of the same check that came out the other way. */
  readonly against: readonly Look[]
}

const keyOf = (ref: string, scenario: string, check: string): string => `${ref}\0${scenario}\0${check}`

/** The look that counts for each check of each scenario at each clause. */
function pick(looks: readonly Look[]): ReadonlyMap<string, Picked> {
  const same = Map.groupBy(looks, (l) => keyOf(l.ref, l.evidence.scenario, l.evidence.check))
  return new Map(
    [...same].map(([key, list]) => {
      const settings = Map.groupBy(list, (l) => `${l.evidence.rig}\0${l.evidence.seed}`)
      const newest = [...settings.values()].map((ls) => {
        const sorted = newestFirst(ls)
        return sorted.find((l) => !isSilent(l)) ?? sorted[0]
      })
      const told = newest.filter((l) => l !== undefined)
      const speaking = told.filter((l) => !isSilent(l))
      const look = speaking.reduce<Look | undefined>(
        (a, l) => (a === undefined || rank(l) > rank(a) ? l : a),
        undefined,
      )
      const chosen = look ?? newestFirst(told)[0]
      if (chosen === undefined) throw new RangeError('a group without members')
      const against = list.filter((l) => side(l.evidence.verdict) * side(chosen.evidence.verdict) < 0)
      return [key, { look: chosen, against }] as const
    }),
  )
}

const rank = (l: Look): number => verdictOrder.indexOf(l.check.result.verdict)

/** 1: met, -1: not met, 0: neither. */
function side(v: string): number {
  return v === 'fail' ? -1 : v === 'pass' || v === 'marginal' ? 1 : 0
}

/** What `rollUp` takes: one record for each scenario, with the checks that count. */
function recordsOf(s: Sifted, picked: ReadonlyMap<string, Picked>): ScenarioRecord[] {
  const checks = new Map<string, CheckRecord[]>()
  for (const { look } of picked.values()) {
    const list = checks.get(look.evidence.scenario) ?? []
    list.push({ ...look.check, verifies: [look.ref] })
    checks.set(look.evidence.scenario, list)
  }
  const byName = Map.groupBy(
    s.scenarios,
    ({ scenario }) => scenario.record.header?.scenario ?? bare(scenario.id),
  )
  return [...byName].map(([name, list]): ScenarioRecord => {
    const newest = list.toSorted(
      (a, b) => Date.parse(b.run.header?.started ?? '') - Date.parse(a.run.header?.started ?? ''),
    )
    const ran = newest.find((x) => x.scenario.record.header !== undefined) ?? newest[0]
    const record = ran?.scenario.record
    return {
      scenario: name,
      verifies: ran?.verifies ?? [],
      ...(record?.header === undefined ? {} : { header: record.header }),
      checks: checks.get(name) ?? [],
      ...(record?.end === undefined ? {} : { end: record.end }),
      ...(record?.trouble === undefined ? {} : { trouble: record.trouble }),
    }
  })
}

/** Without the seed that follows where a run had several. */
function bare(id: string): string {
  return id.replace(/@\d+$/, '')
}

function requirement(
  r: Entry,
  documentTitle: string,
  verdicts: readonly ClauseVerdict[],
  sifted: Sifted,
  picked: ReadonlyMap<string, Picked>,
): AcceptedRequirement {
  const clauses = r.clauses.map((c) => {
    const ref = `${r.id}/${c.id}`
    const verdict = verdicts.find((v) => v.ref === ref)
    return clause(
      { ref, asks: c.asks, subject: c.subject ?? r.subject, method: c.method ?? r.method },
      verdict,
      sifted,
      picked,
    )
  })
  const asking = clauses.filter((c) => c.state !== 'information')
  const decisive = asking.reduce<AcceptedClause | undefined>(
    (a, c) => (a === undefined || place(c.state) > place(a.state) ? c : a),
    undefined,
  )
  const good = asking.some((c) => c.state === 'pass' || c.state === 'marginal')
  const mixed = decisive?.state === 'not run' && good
  const state: AcceptState = decisive === undefined ? 'information' : mixed ? 'inconclusive' : decisive.state
  const blame = mixed ? 'rig' : decisive?.blame
  const why = decisive?.why
  return {
    id: r.id,
    document: r.document,
    documentTitle,
    section: r.section,
    priority: r.priority,
    statement: r.statement,
    ours: r.ours === true,
    state,
    ...(blame === undefined ? {} : { blame }),
    ...(why === undefined ? {} : { why: asking.length > 1 ? `${decisive?.ref ?? ''}: ${why}` : why }),
    clauses,
  }
}

const place = (s: AcceptState): number => acceptStates.indexOf(s)

function clause(
  about: Pick<AcceptedClause, 'ref' | 'asks' | 'subject' | 'method'>,
  verdict: ClauseVerdict | undefined,
  sifted: Sifted,
  picked: ReadonlyMap<string, Picked>,
): AcceptedClause {
  const outdated = sifted.outdated.get(about.ref) ?? []
  const persons = newestFirst(sifted.persons.filter((p) => p.ref === about.ref)).map((p) => p.evidence)
  const waiver = persons[0]?.verdict === 'waived' ? persons[0] : undefined
  const told = byTest(verdict, about.ref, picked)
  const said = persons.find((p) => p.verdict !== 'waived')
  const joined = about.method === 'test' ? told : withPerson(told, said, persons)
  const bare: Told =
    outdated.length > 0 && (joined.state === 'uncovered' || joined.state === 'by person')
      ? { ...joined, state: 'outdated', why: outdated[0]?.why ?? '', decidedBy: [] }
      : joined
  const met = bare.state === 'pass' || bare.state === 'marginal' || bare.state === 'information'
  const state: AcceptState = waiver === undefined || met ? bare.state : 'waived'
  const why = state === 'waived' ? `waived by ${waiver?.name ?? ''}: ${waiver?.note ?? ''}` : bare.why
  return {
    ...about,
    state,
    ...(bare.blame === undefined || state === 'waived' ? {} : { blame: bare.blame }),
    ...(why === undefined ? {} : { why }),
    ...(state === 'waived' ? { without: bare.state } : {}),
    decidedBy: bare.decidedBy,
    against: bare.against,
    ...(waiver === undefined ? {} : { waiver }),
    outdated,
  }
}

interface Told extends Pick<AcceptedClause, 'decidedBy' | 'against' | 'blame' | 'why'> {
  readonly state: State | 'outdated'
}

function byTest(v: ClauseVerdict | undefined, ref: string, picked: ReadonlyMap<string, Picked>): Told {
  if (v === undefined) return { state: 'uncovered', decidedBy: [], against: [] }
  const of = (list: ClauseVerdict['checks']): Picked[] =>
    list.flatMap((d) => picked.get(keyOf(ref, d.scenario, d.check)) ?? [])
  return {
    state: v.state,
    ...(v.blame === undefined ? {} : { blame: v.blame }),
    ...(v.why === undefined ? {} : { why: v.why }),
    decidedBy: of(v.decidedBy).map((p) => p.look.evidence),
    against: of(v.checks).flatMap((p) => p.against.map((l): Evidence => l.evidence)),
  }
}

/** What a person said beside what a check told: the worse of the two, and whoever said otherwise. */
function withPerson(told: Told, said: PersonEvidence | undefined, all: readonly PersonEvidence[]): Told {
  if (said === undefined) return told
  const others = all.filter((p) => side(p.verdict) * side(said.verdict) < 0)
  const state = said.verdict === 'fail' ? 'fail' : 'pass'
  const person: Told = {
    state,
    ...(state === 'fail' ? { blame: 'product', why: `${said.name}: ${said.note}` } : {}),
    decidedBy: [said],
    against: others,
  }
  if (told.decidedBy.length === 0 && told.state !== 'inconclusive') return person
  const worse = place(told.state) >= place(state) ? told : person
  const other = worse === told ? said : undefined
  const contrary = other !== undefined && side(told.state) * side(other.verdict) < 0 ? [other] : []
  const against = new Set([...worse.against, ...told.against, ...contrary, ...others])
  return { ...worse, against: [...against] }
}

function countOf(list: readonly AcceptedRequirement[]): AcceptCounts {
  const by = Object.fromEntries(acceptStates.map((s) => [s, 0])) as Record<AcceptState, number>
  for (const r of list) by[r.state]++
  return { all: list.length, by }
}

function outcomeOf(
  counts: Acceptance['counts'],
  requirements: readonly AcceptedRequirement[],
): Pick<Acceptance, 'state' | 'sentence'> {
  const of = (s: AcceptState): number => counts.numbered.by[s] + counts.ours.by[s]
  const met = of('pass') + of('marginal')
  const words = (['fail', 'inconclusive', 'outdated', 'waived'] as const).flatMap((s) =>
    of(s) === 0 ? [] : [`${of(s)} ${s === 'fail' ? 'failed' : s}`],
  )
  const open = counts.numbered.all + counts.ours.all - met - of('information')
  const rest = open - of('fail') - of('inconclusive') - of('outdated') - of('waived')
  const contradicted = requirements.filter((r) => r.clauses.some((c) => c.against.length > 0)).length
  const state: AcceptState =
    of('fail') > 0
      ? 'fail'
      : of('inconclusive') > 0
        ? 'inconclusive'
        : of('outdated') > 0
          ? 'outdated'
          : met + of('waived') === 0
            ? 'not run'
            : of('waived') > 0
              ? 'waived'
              : of('marginal') > 0
                ? 'marginal'
                : 'pass'
  const sentence = [
    `${met} ${met === 1 ? 'requirement' : 'requirements'} passed${words.length === 0 ? '' : `, ${words.join(', ')}`}.`,
    rest === 0 ? '' : ` ${rest} more ${rest === 1 ? 'is' : 'are'} not judged at all.`,
    contradicted === 0
      ? ''
      : ` ${contradicted} ${contradicted === 1 ? 'has' : 'have'} contradictory verdicts.`,
  ].join('')
  return { state, sentence }
}
