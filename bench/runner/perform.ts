/** Performs one scenario on one rig: the cast, the run, the liveness phase, the verdicts. Everything goes to the log. */
import { GridproofError, isGridproofError, messageOf } from '../../drivers/errors.ts'
import type { Instant, Json, World, WorldReport } from '../../drivers/faces.ts'
import { duration, durationText } from '../../drivers/units.ts'
import type { Emit, ProfileSpec } from '../../sim/faces.ts'
import { declaredEvent, judgedEvent, jury, lacking } from '../checks/judge.ts'
import type { Jury } from '../checks/judge.ts'
import { gapEvent, gapOf, steadinessEvent } from '../evidence/gap.ts'
import type { Gap } from '../evidence/gap.ts'
import type { LogWriter } from '../evidence/log.ts'
import type { Circumstances, DefectNote, ScenarioEnd, ScenarioHeader } from '../evidence/schema.ts'
import type { Blame, Check, Event, Stage } from '../faces.ts'
import { recordFold } from '../verdicts/record.ts'
import type { ScenarioRecord } from '../verdicts/record.ts'
import { buildRig } from '../rigs/cast.ts'
import type { BuiltRig, RigOptions } from '../rigs/options.ts'
import type { LoadedScenario } from '../scenario/load.ts'

/** How long a platform may take to be up: six times a slow start of child processes. Ours. */
const readyWithin = '60 s'
/** Length of the liveness phase after faults that were still in force at the end (design: "judging honestly"). Ours. */
const livenessPhase = '2 min'

export interface Performance {
  readonly loaded: LoadedScenario
  readonly header: ScenarioHeader
  readonly world: World
  readonly log: LogWriter
  readonly rig: Omit<RigOptions, 'emitAs' | 'world'>
  /** Goes on with a log that a killed bench left. The header is not written again. */
  readonly resume?: Resumption
  /** Clauses that a reference such as `M:0022` stands for; throws `no-such`. */
  clausesOf(reference: string): readonly string[]
  /** What `load` gives instead of the profile that the scenario names. */
  readonly load?: ProfileSpec
  /** Told after each event. */
  onProgress?(now: Instant, begin: Instant): void
  /** Resolves when it is to stop before its end. */
  readonly stopped?: Promise<StoppedBy>
  /** CPU time of this process in ms, by a clock that nothing replaces. */
  cpuMs(): number
  /** Wall time in ms, by a clock that nothing replaces. */
  wallMs(): number
}

/** What there was before. */
export interface Resumption {
  /** The events of the log. */
  readonly before: Iterable<Event>
  /** Checks of each stretch that they hold, as a rehearsal gives them. */
  readonly checks: readonly (readonly Check[])[]
  readonly gap: Omit<Gap, 'to'>
}

/** What a stop before the end is told as. */
export type StoppedBy = Required<Pick<ScenarioEnd, 'outcome' | 'blame' | 'why'>>

/** What came of it, as anyone reads it from the log. */
export interface Performed {
  readonly record: ScenarioRecord
  /** Defects that came to bear. */
  readonly reached: readonly string[]
  /** What mutations changed, by their ID. */
  readonly changes?: Readonly<Record<string, string>>
}

/** Performs it. Whatever goes wrong is in the record, with its blame. */
export async function perform(p: Performance): Promise<Performed> {
  const { world, log } = p
  const began = { cpu: p.cpuMs(), wall: p.wallMs(), at: world.now() }
  const bar: Jury = jury()
  const record = recordFold()
  const reached = new Map<string, string>()

  const append = (src: string, ...[kind, data, more]: Parameters<Emit>): number => {
    const at = world.now()
    const seq = log.append({ at, src, kind, data, ...more })
    const e: Event = { seq, at, src, kind, data, ...more }
    bar.see(e)
    record.see(e)
    if (src === 'defect') noteReached(data, reached)
    p.onProgress?.(at, began.at)
    return seq
  }
  if (p.resume === undefined) append('bench', 'run', p.header as unknown as Json)
  else {
    goOn(p.resume, bar, record)
    append('bench', 'step', gapEvent({ ...p.resume.gap, to: world.now() }))
  }

  const rig = buildRig({
    ...p.rig,
    world,
    emitAs: (src) => (kind, data, more) => append(src, kind, data, more),
  })
  let end: Ended
  let can: ReadonlySet<string> = new Set()
  try {
    end = await rig.bench.run(() => play(p, rig, bar, append))
  } catch (e) {
    const lacking = rig.declared && isGridproofError(e, 'not-capable')
    end = { outcome: 'broke', ...blameFor(e), ...(lacking ? { lacking } : {}) }
  }
  can = rig.platform?.can ?? can
  // Verdicts before the curtain: what happens while things are taken down is not judged.
  judgeAll({ bar, at: world.now(), end, can, report: world.report(), append })
  await rig.bench
    .run(async () => rig[Symbol.asyncDispose]())
    .catch((e: unknown) => {
      append('bench', 'note', { what: 'the rig could not be taken down cleanly', why: messageOf(e) })
    })
  const trailer: ScenarioEnd = {
    ...end,
    world: world.report(),
    wallMs: Math.round(p.wallMs() - began.wall),
    cpuMs: Math.round(p.cpuMs() - began.cpu),
  }
  append('bench', 'end', trailer as unknown as Json)
  const changes = Object.fromEntries([...reached].filter(([, change]) => change !== ''))
  return { record: record.record(), reached: [...reached.keys()], changes }
}

/** Shows the checks of earlier stretches what was seen then, as a replay would. */
function goOn(r: Resumption, bar: Jury, record: ReturnType<typeof recordFold>): void {
  let stretch = 0
  const seat = (): void => {
    for (const c of r.checks[stretch++] ?? []) bar.seat(c)
  }
  seat()
  for (const e of r.before) {
    bar.see(e)
    record.see(e)
    if (gapOf(e) !== undefined) seat()
  }
}

function noteReached(data: Json, reached: Map<string, string>): void {
  const d = data as Partial<DefectNote> | null
  if (d?.phase === 'reached' && d.defect !== undefined) reached.set(d.defect, d.change ?? '')
}

/** How a scenario ended, before its figures are known. */
type Ended = Pick<ScenarioEnd, 'outcome' | 'blame' | 'why' | 'lacking'>

type Append = (src: string, ...e: Parameters<Emit>) => number

async function play(p: Performance, rig: BuiltRig, bar: Jury, append: Append): Promise<Ended> {
  const { scenario } = p.loaded
  const lacks = rig.lacks(scenario.needs)
  if (lacks.length > 0) {
    const lacking = rig.declared ? ({ lacking: true } as const) : {}
    return { outcome: 'broke', blame: 'rig', why: lacks.join('; '), ...lacking }
  }
  const cast = await rig.cast(scenario.needs)
  const { stopped } = p
  /** What stopped it before it came to its end. */
  const cut = async (what: Promise<void>): Promise<StoppedBy | undefined> => {
    // Whatever still runs is taken down with the rig; its complaints are nobody's business any more.
    what.catch(() => undefined)
    const halted = rig.halted?.then((why): StoppedBy => ({ outcome: 'broke', blame: 'rig', why }))
    return (await Promise.race([what, stopped, halted].filter((x) => x !== undefined))) ?? undefined
  }
  const early = rig.platform === undefined ? undefined : await cut(rig.platform.ready(readyWithin))
  if (early !== undefined) return early
  p.world.beginWatch()
  const stage = stageFor(p, bar, append)
  using _ = sampleFigures(rig, p.header.horizonMs, append)
  using _steady =
    p.header.time === 'real' && scenario.resumable === true ? tellSteadiness(p, append) : undefined
  const during = await cut(scenario.run({ ...cast, ...stage }))
  if (during !== undefined) return during
  if (rig.liftAll() > 0) {
    append('bench', 'step', { what: 'liveness phase', detail: livenessPhase })
    const late = await cut(p.world.pass(duration(livenessPhase)))
    if (late !== undefined) return late
  }
  return { outcome: 'finished' }
}

/** Samples of a host's figures in one run, so that a trend can be told. Ours. */
const samples = 240
/** Runs of at least this length, ms, are soaks: one sample in ten is thorough. Ours. */
const soak = 12 * 3_600_000
const thoroughEvery = 10

/** Writes what the platform's hosts hold open, at even distances over the run. */
function sampleFigures(rig: BuiltRig, horizonMs: number, append: Append): Disposable {
  const hosts = rig.platform?.hosts ?? []
  let n = 0
  const timer = setInterval(
    () => {
      const thorough = horizonMs >= soak && n++ % thoroughEvery === 0
      for (const h of hosts)
        append('host', 'seen', { alias: `host.${h.name}`, payload: h.figures(thorough), proc: h.name })
    },
    Math.max(1000, Math.round(horizonMs / samples)),
  )
  return { [Symbol.dispose]: () => clearInterval(timer) }
}

/** How often it is told how steady time was, ms: so much of a run's end is not known when the bench is killed. Ours. */
const steadyEvery = 5000

function tellSteadiness(p: Performance, append: Append): Disposable {
  const timer = setInterval(() => {
    const { stolen, stalledMs } = p.world.report()
    const so = {
      ...(stolen === undefined ? {} : { stolen }),
      ...(stalledMs === undefined ? {} : { stalledMs }),
    }
    append('bench', 'note', steadinessEvent(so))
  }, steadyEvery)
  return { [Symbol.dispose]: () => clearInterval(timer) }
}

function stageFor(p: Performance, bar: Jury, append: Append): Stage {
  const ids = new Set<string>()
  return {
    time: {
      now: () => p.world.now(),
      horizon: p.header.horizonMs,
      async pass(d) {
        const ms = typeof d === 'number' ? d : duration(d)
        append('bench', 'step', { what: `${durationText(ms)} pass` })
        await p.world.pass(ms)
      },
    },
    check(c: Check) {
      if (ids.has(c.id))
        throw new GridproofError(
          'bad-value',
          `two checks of this scenario are called '${c.id}': give one another id`,
        )
      ids.add(c.id)
      bar.seat(c)
      // Clause by clause from here on: whoever reads the log need not know the catalogue.
      const verifies = c.verifies.flatMap((v) => p.clausesOf(v))
      append('bench', 'check', { ...declaredEvent(c), verifies } as unknown as Json)
    },
    load: (name) => p.load ?? { profile: name },
    random: (stream) => p.world.random(`scenario/${stream}`),
    note(text, data) {
      append('bench', 'note', data === undefined ? { what: text } : { what: text, data })
    },
  }
}

function judgeAll(o: {
  bar: Jury
  at: Instant
  end: Pick<ScenarioEnd, 'outcome' | 'blame' | 'why'>
  can: ReadonlySet<string>
  report: WorldReport
  append: Append
}): void {
  const { end, report } = o
  const cut =
    end.outcome === 'finished'
      ? undefined
      : { blame: end.blame ?? ('bench' as const), why: end.why ?? 'it broke' }
  const declared = new Set(o.bar.declared())
  for (const c of o.bar.checks.filter((x) => declared.has(x.id))) {
    const lacks = lacking(c, o.can)
    const circumstances: Circumstances = {
      ...(lacks.length === 0 ? {} : { lacks }),
      ...(report.stolen === undefined ? {} : { stolen: report.stolen }),
      ...(report.stalledMs === undefined ? {} : { stalledMs: report.stalledMs }),
      ...(cut === undefined ? {} : { cut }),
    }
    const judged = o.bar.judge(c.id, o.at, circumstances)
    o.append('bench', 'check', judgedEvent(c.id, judged, circumstances) as unknown as Json)
  }
}

/** Whose fault an error that ended a scenario is. */
function blameFor(e: unknown): { blame: Blame; why: string } {
  const why = messageOf(e)
  if (isGridproofError(e, 'rig-lacks') || isGridproofError(e, 'rig-broke')) return { blame: 'rig', why }
  if (isGridproofError(e, 'not-capable')) return { blame: 'rig', why }
  if (isGridproofError(e, 'timeout')) return { blame: 'product', why }
  const place = e instanceof Error ? (e.stack ?? '').split('\n')[1]?.trim() : undefined
  return { blame: 'bench', why: place === undefined ? why : `${why} (${place})` }
}
