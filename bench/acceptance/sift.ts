/** Which evidence is valid for one subject and today's requirements and scenarios, which is outdated, which is none. */
import { canonical, revisionOf } from '../requirements/revision.ts'
import type { Catalogue } from '../requirements/load.ts'
import type { Subject } from '../evidence/schema.ts'
import type { CheckRecord } from '../verdicts/record.ts'
import type {
  CheckEvidence,
  NotCounted,
  OutdatedEvidence,
  PersonEvidence,
  RecordInput,
  RunInput,
  ScenarioInput,
} from './faces.ts'

export interface SiftOptions {
  readonly catalogue: Catalogue
  readonly subject: Subject | null
  /** SHA-256 of each scenario's file as it stands today, by ID. */
  readonly scenarios: ReadonlyMap<string, string>
}

/** One check's look at one clause. */
export interface Look {
  readonly ref: string
  readonly evidence: CheckEvidence
  readonly check: CheckRecord
  readonly scenario: ScenarioInput
}

/** `verifies`: of what it names, all whose wording is still the same. */
export interface ValidScenario {
  readonly run: RunInput
  readonly scenario: ScenarioInput
  readonly verifies: readonly string[]
}

export interface Sifted {
  readonly looks: readonly Look[]
  /** Scenarios with valid evidence, or that did not run. */
  readonly scenarios: readonly ValidScenario[]
  readonly persons: readonly { readonly ref: string; readonly evidence: PersonEvidence }[]
  /** By clause. */
  readonly outdated: ReadonlyMap<string, readonly OutdatedEvidence[]>
  readonly notCounted: readonly NotCounted[]
  readonly counted: ReadonlySet<string>
}

/** The same thing under test: every field of it, the digest among them. */
export function sameSubject(a: Subject, b: Subject): boolean {
  return canonical(a) === canonical(b)
}

export function subjectText(s: Subject): string {
  const more = [
    s.serial === undefined ? '' : `serial ${s.serial}`,
    s.digest === undefined ? '' : s.digest.slice(0, 19),
  ]
  return [`${s.product} ${s.version}, ${s.maker}`, ...more.filter((t) => t !== '')].join(', ')
}

export function sift(runs: readonly RunInput[], records: readonly RecordInput[], o: SiftOptions): Sifted {
  const looks: Look[] = []
  const scenarios: ValidScenario[] = []
  const persons: { ref: string; evidence: PersonEvidence }[] = []
  const outdated = new Map<string, OutdatedEvidence[]>()
  const notCounted: NotCounted[] = []
  const counted = new Set<string>()
  const old = (ref: string, evidence: OutdatedEvidence['evidence'], why: string): void => {
    outdated.set(ref, [...(outdated.get(ref) ?? []), { evidence, why }])
  }
  const revisions = new Map(o.catalogue.requirements.map((r) => [r.id, revisionOf(r)]))

  for (const run of runs) {
    const broken = worthless(run)
    if (broken !== undefined) {
      notCounted.push({ what: run.id, why: broken })
      continue
    }
    counted.add(run.id)
    const unknown = unknownIds(run, o.catalogue)
    if (unknown.length > 0) notCounted.push({ what: run.id, why: unknownText(unknown) })
    for (const scenario of run.scenarios) {
      const why = worthlessScenario(scenario)
      if (why !== undefined) {
        notCounted.push({ what: `${run.id}: ${scenario.id}`, why })
        continue
      }
      const stale = staleScenario(scenario, o)
      if (stale === undefined) {
        const verifies = scenario.record.verifies.filter((v) => reworded(run, v, revisions) === undefined)
        scenarios.push({ run, scenario, verifies })
      }
      for (const check of scenario.record.checks)
        for (const ref of clausesOf(o.catalogue, check.verifies)) {
          const evidence = checkEvidence(run, scenario, check)
          const changed = reworded(run, ref, revisions)
          const reason = stale ?? changed
          if (reason === undefined) looks.push({ ref, evidence, check, scenario })
          else old(ref, evidence, reason)
        }
    }
  }

  for (const input of records) {
    const { record, problems } = input
    if (problems.length > 0) {
      notCounted.push({ what: input.id, why: problems.join('; ') })
      continue
    }
    if (!o.catalogue.has(record.requirement)) {
      notCounted.push({ what: input.id, why: `the catalogue has no requirement ${record.requirement}` })
      continue
    }
    counted.add(input.id)
    const evidence = personEvidence(input)
    const stale =
      revisions.get(record.requirement) !== record.revision
        ? 'the requirement has changed in the catalogue since'
        : record.subject !== null && o.subject !== null && !sameSubject(record.subject, o.subject)
          ? `recorded of another subject: ${subjectText(record.subject)}`
          : undefined
    const known = new Set(o.catalogue.clausesOf(record.requirement))
    for (const ref of record.clauses)
      if (stale === undefined && known.has(ref)) persons.push({ ref, evidence })
      else if (stale !== undefined) old(ref, evidence, stale)
  }
  return { looks, scenarios, persons, outdated, notCounted, counted }
}

/** Requirements that a run looked at, and that the catalogue does not have. */
function unknownIds(run: RunInput, catalogue: Catalogue): readonly string[] {
  const refs = run.scenarios.flatMap((s) => s.record.checks.flatMap((c) => c.verifies))
  return [...new Set(refs.map((r) => r.split('/')[0] ?? r))].filter((id) => !catalogue.has(id))
}

function unknownText(ids: readonly string[]): string {
  const more = ids.length > 5 ? ` and ${ids.length - 5} more` : ''
  return `what it saw of ${ids.slice(0, 5).join(', ')}${more}: the catalogue has no such requirement; its folder is given by --requirements`
}

/** Why a run's word on a requirement, or one of its clauses, is none on what the catalogue says today. */
function reworded(run: RunInput, ref: string, today: ReadonlyMap<string, string>): string | undefined {
  const id = ref.split('/')[0] ?? ref
  const then = run.header?.revisions?.[id]
  if (then === undefined) return 'the run does not say which revision of the requirement it judged'
  return then === today.get(id) ? undefined : 'the requirement has changed in the catalogue since'
}

/** Why nothing of a run counts. */
function worthless(run: RunInput): string | undefined {
  if (run.header === undefined)
    return run.problems[0] ?? 'its log has no header: what was judged is not known'
  if (run.problems.some((p) => p.includes('cannot be read'))) return run.problems.join('; ')
  if (run.end?.exitCode === 5)
    return 'it ended with a fault of the bench (exit code 5): no verdict of such a run holds'
  return undefined
}

function worthlessScenario(s: ScenarioInput): string | undefined {
  const { header, end } = s.record
  if (s.problems.length > 0) return s.problems.join('; ')
  if (header === undefined) return undefined
  if (header.defects.length > 0)
    return `the platform was broken on purpose (${header.defects.join(', ')}): that judges the bench alone`
  if ((end?.world.escapes.length ?? 0) > 0) return 'code escaped from virtual time: no verdict of it holds'
  return undefined
}

function staleScenario(s: ScenarioInput, o: SiftOptions): string | undefined {
  const { header } = s.record
  if (header === undefined) return undefined
  if (o.subject !== null && !sameSubject(header.subject, o.subject))
    return `seen on another subject: ${subjectText(header.subject)}`
  const today = o.scenarios.get(header.scenario)
  if (today !== undefined && today !== header.sha256) return 'the scenario has changed since'
  return undefined
}

function clausesOf(catalogue: Catalogue, verifies: readonly string[]): readonly string[] {
  const known = (ref: string): readonly string[] => {
    try {
      return catalogue.clausesOf(ref)
    } catch {
      // A clause that the catalogue does not have any more asks nothing today.
      return []
    }
  }
  return [...new Set(verifies.flatMap(known))]
}

function checkEvidence(run: RunInput, s: ScenarioInput, c: CheckRecord): CheckEvidence {
  const { header } = s.record
  return {
    by: 'check',
    run: run.id,
    scenario: header?.scenario ?? s.id,
    check: c.id,
    rig: header?.rig ?? run.header?.rig ?? '',
    seed: header?.seed ?? run.header?.seed ?? 0,
    verdict: c.result.verdict,
    ...(c.result.blame === undefined ? {} : { blame: c.result.blame }),
    ...(c.result.why === undefined ? {} : { why: c.result.why }),
    at: header?.started ?? run.header?.started ?? '',
    ...(s.log === undefined ? {} : { log: `${run.folder}/${s.log}` }),
    ...(c.seq === undefined ? {} : { seq: c.seq }),
  }
}

function personEvidence({ id, folder, record }: RecordInput): PersonEvidence {
  return {
    by: 'person',
    record: id,
    name: record.by,
    verdict: record.verdict,
    note: record.note,
    at: record.at,
    attachments: record.attachments.map((a) => ({
      name: a.name,
      file: `${folder}/${a.file}`,
      sha256: a.sha256,
    })),
  }
}
