/**
 * What a scenario's log says of its checks and of its end. Only the log is read. Data of the bench's own events are
 * taken as the types say: this program wrote them.
 */
import { gapOf } from '../evidence/gap.ts'
import type { Gap } from '../evidence/gap.ts'
import type {
  CheckEvent,
  RunEnd,
  RunHeader,
  ScenarioEnd,
  ScenarioHeader,
  ScenarioStep,
} from '../evidence/schema.ts'
import type { Blame, Event, Result } from '../faces.ts'

export interface CheckRecord {
  readonly id: string
  readonly verifies: readonly string[]
  readonly limit: string
  readonly result: Result
  /** Inconclusive only because the run is a short one. */
  readonly beforehand: boolean
  /** The rig or platform does not have what it needs. */
  readonly unobservable?: true
  /** Seq of the event that told the verdict; nothing: it was declared and never judged. */
  readonly seq?: number
}

/** One scenario of a run. */
export interface ScenarioRecord {
  /** `capture/gridkey-every-minute` */
  readonly scenario: string
  readonly verifies: readonly string[]
  /** Absent: it did not run. */
  readonly header?: ScenarioHeader
  readonly checks: readonly CheckRecord[]
  /** Absent in one that ran: its log was cut short. */
  readonly end?: ScenarioEnd
  /** Why it did not run, or did not finish. */
  readonly trouble?: {
    readonly blame: Blame
    readonly why: string
    /** Only since the rig declares not to have what the scenario asks for. */
    readonly lacking?: true
  }
}

/** Folds a scenario's log. A check that was declared and never judged is inconclusive, and the bench is to blame. */
export function recordOf(events: Iterable<Event>): ScenarioRecord {
  const fold = recordFold()
  for (const e of events) fold.see(e)
  return fold.record()
}

/** The same as a fold, for whoever reads the log for other purposes too. */
export function recordFold(): { see(e: Event): void; record(): ScenarioRecord } {
  let header: ScenarioHeader | undefined
  let end: ScenarioEnd | undefined
  const declared = new Map<string, Extract<CheckEvent, { phase: 'declared' }>>()
  const judged = new Map<
    string,
    { readonly event: Extract<CheckEvent, { phase: 'judged' }>; readonly seq: number }
  >()
  return {
    see(e) {
      if (e.src !== 'bench') return
      if (e.kind === 'run') header = e.data as unknown as ScenarioHeader
      else if (e.kind === 'end') end = e.data as unknown as ScenarioEnd
      else if (e.kind === 'check') {
        const c = e.data as unknown as CheckEvent
        if (c.phase === 'declared') declared.set(c.id, c)
        else judged.set(c.id, { event: c, seq: e.seq })
      }
    },
    record() {
      const trouble = troubleOf(end)
      const checks = [...declared.values()].map((d): CheckRecord => {
        const j = judged.get(d.id)
        const about = { id: d.id, verifies: d.verifies, limit: d.limit }
        if (j !== undefined)
          return {
            ...about,
            result: j.event.result,
            beforehand: j.event.beforehand === true,
            ...((j.event.circumstances?.lacks?.length ?? 0) > 0 ? { unobservable: true } : {}),
            seq: j.seq,
          }
        const why = `it was declared and never judged${trouble === undefined ? '' : `: ${trouble.why}`}`
        const result: Result = {
          verdict: 'inconclusive',
          blame: trouble?.blame ?? 'bench',
          why,
          observed: {},
          because: [],
        }
        return { ...about, result, beforehand: false }
      })
      return {
        scenario: header?.scenario ?? '',
        verifies: header?.verifies ?? [],
        ...(header === undefined ? {} : { header }),
        checks,
        ...(end === undefined ? {} : { end }),
        ...(trouble === undefined ? {} : { trouble }),
      }
    },
  }
}

function troubleOf(end: ScenarioEnd | undefined): ScenarioRecord['trouble'] {
  if (end === undefined) return { blame: 'bench', why: 'the log was cut short' }
  if (end.outcome === 'finished') return undefined
  return {
    blame: end.blame ?? (end.outcome === 'aborted' ? 'operator' : 'bench'),
    why: end.why ?? (end.outcome === 'aborted' ? 'the operator stopped it' : 'it broke'),
    ...(end.lacking === true ? { lacking: true } : {}),
  }
}

/** What a run's log.jsonl says. */
export interface RunRecord {
  readonly header?: RunHeader
  readonly end?: RunEnd
  /** Steps of scenarios that ended, by scenario. */
  readonly ended: ReadonlyMap<string, ScenarioStep>
  /** Attempts before those, in order: each was followed by another one, for a reason of the rig or since the bench was killed. */
  readonly earlier: ReadonlyMap<string, readonly ScenarioStep[]>
  /** Spans in which its bench was away, before it went on. */
  readonly gaps: readonly Gap[]
  /** Scenarios with a step that says they began. */
  readonly begun: ReadonlySet<string>
}

export function runRecordOf(events: Iterable<Event>): RunRecord {
  let header: RunHeader | undefined
  let end: RunEnd | undefined
  const ended = new Map<string, ScenarioStep>()
  const earlier = new Map<string, ScenarioStep[]>()
  const begun = new Set<string>()
  const gaps: Gap[] = []
  for (const e of events) {
    if (e.src !== 'bench') continue
    const gap = gapOf(e)
    if (gap !== undefined) gaps.push(gap)
    if (e.kind === 'run') header = e.data as unknown as RunHeader
    else if (e.kind === 'end') end = e.data as unknown as RunEnd
    else if (e.kind === 'step') {
      const step = e.data as unknown as { readonly what: string; readonly detail?: ScenarioStep }
      if (step.detail === undefined) continue
      if (step.what === 'scenario begins') begun.add(step.detail.scenario)
      if (step.what !== 'scenario ended') continue
      const { scenario } = step.detail
      const before = ended.get(scenario)
      if (before?.again !== undefined) earlier.set(scenario, [...(earlier.get(scenario) ?? []), before])
      ended.set(scenario, step.detail)
    }
  }
  return {
    ...(header === undefined ? {} : { header }),
    ...(end === undefined ? {} : { end }),
    ended,
    earlier,
    gaps,
    begun,
  }
}

/**
 * All scenarios of a run in the order of its header: those with a log as it tells them, the others as not run, with
 * the reason that the run's log gives.
 */
export function withNotRun(run: RunRecord, records: readonly ScenarioRecord[]): ScenarioRecord[] {
  const byId = new Map(records.map((r) => [r.scenario, r]))
  const names = [...new Set([...(run.header?.scenarios ?? []), ...byId.keys()])]
  return names.map((scenario) => {
    const known = byId.get(scenario)
    if (known?.header !== undefined) return known
    const step = run.ended.get(scenario)
    const cut = run.end === undefined ? 'the run was cut short before it' : 'it did not run'
    return {
      scenario,
      verifies: run.header?.verifies[scenario] ?? [],
      checks: [],
      trouble: {
        blame: step?.blame ?? (run.end?.outcome === 'aborted' ? 'operator' : 'bench'),
        why: step?.why ?? (run.end?.outcome === 'aborted' ? 'the operator stopped the run' : cut),
      },
    }
  })
}
