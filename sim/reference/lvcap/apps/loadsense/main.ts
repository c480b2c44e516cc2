/**
 * LoadSense (section 3.9): hears the load predictor, the thermal ratings application, the peer, the feeder monitor and
 * the meshing application, decides whether to mesh or to part, and commands the breakers through the meshing application.
 *
 * A decision is carried out by three commands, one a phase. Until they are read back, or have not been in time, nothing
 * else is decided. What has been commanded stands on the disk before the first command leaves, so that a restart neither
 * repeats nor forgets it.
 */
import { errno, parseObject, scalar, topics, unixSeconds, type Message } from '../../api.ts'
import { wallClock, type Json, type JsonObject, type ProgramEnv } from '../../env.ts'
import { textOf } from '../../errors.ts'
import { runApp, sdkParts, type AppContext, type Operation, type SdkParts } from '../../sdk/app.ts'
import { readConfig, type LoadSenseConfig } from './config.ts'
import { decide, type Alarm, type Decision } from './decide.ts'
import { keptFile, letIn, lockedOut, moved, operated, type Kept, type KeptFile } from './kept.ts'
import { createKnowledge, isLate, situationOf, type Knowledge, type Standing } from './knowledge.ts'
import { commandsFor, phases, progressOf, type Command, type Progress } from './sequence.ts'
import { readingOf, sourceFinder, sourcesOf, type Reading, type Source } from './sources.ts'
import type { Breaker, Situation } from './situation.ts'

export interface LoadSenseParts extends SdkParts {
  /** What a message says; undefined: it is refused. */
  read(body: JsonObject, source: Source, now: number): Reading | undefined
  /** Whether a reading comes too late to be taken. */
  isLate: typeof isLate
  situation(k: Knowledge, c: LoadSenseConfig, s: Standing): Situation
  decide(s: Situation, c: LoadSenseConfig): Decision
  /** Seconds between two decisions at most. */
  pause(c: LoadSenseConfig): number
  commands(close: boolean, now: number, c: LoadSenseConfig): readonly Command[]
  /** A command as it leaves; `iid` is this instance. */
  control(command: Command, iid: string, now: number): Message
  progress(
    commands: readonly Command[],
    breakers: readonly [Breaker, Breaker, Breaker],
    now: number,
    c: LoadSenseConfig,
  ): Progress
  /** One operation more, which this program commands. */
  counted(kept: Kept, now: number): Kept
  /** What stood on the disk. */
  restored(kept: Kept): Kept
  /** The record of a decision; undefined: none is written. */
  record(d: Decision, s: Situation, iid: string): Message | undefined
}

export function parts(_config: Json): LoadSenseParts {
  return {
    ...sdkParts(),
    read: (body, source) => readingOf(body, source.tells),
    isLate,
    situation: situationOf,
    decide,
    pause: (c) => c.every,
    commands: commandsFor,
    control: (command, iid, now) => ({
      topic: `${topics.algorithm(iid)}/control/${command.phase}`,
      payload: scalar(unixSeconds(now), command.close, true, true),
      qos: 1,
      retain: false,
    }),
    progress: progressOf,
    counted: (kept, now) => operated(kept, now),
    restored: (kept) => kept,
    record: recordOf,
  }
}

export async function run(p: LoadSenseParts, env: ProgramEnv): Promise<number> {
  return runApp(p, env, (containerConfig, context) =>
    operate(p, readConfig(containerConfig), context, keptFile(env.disk)),
  )
}

export async function main(env: ProgramEnv): Promise<number> {
  return run(parts(env.config), env)
}

/** Words of a decision as numbers, for the record. */
const codes = { hold: 0, mesh: 1, part: 2, 'open-all': 3 } as const

function recordOf(d: Decision, s: Situation, iid: string): Message {
  return {
    topic: `${topics.algorithm(iid)}/decision`,
    payload: {
      ...scalar(Math.floor(s.now), codes[d.do], true, true),
      Decision: d.do,
      Because: d.because,
      Conditions: d.conditions,
      Alarms: d.alarms,
      LockedOut: s.lockedOut || d.lockOut,
      OperationsToday: s.operationsToday,
    },
    qos: 1,
    retain: false,
  }
}

const alarmText: Readonly<Record<Alarm, string>> = {
  'peer-lost': 'The peer is lost, and the local load does not allow to part: the mesh is kept.',
  'breakers-silent': 'The networks are meshed, and the breakers do not answer.',
  fault: 'A breaker tells of a fault while the networks are meshed.',
  discrepancy: 'The breakers do not stand alike.',
  'cannot-open': 'The breakers should open, and cannot be commanded.',
}

/** Milliseconds between two complaints that nothing can be kept. Ours. */
const complaintEvery = 60_000

/** Commands under way. */
interface Sequence {
  readonly close: boolean
  readonly commands: readonly Command[]
  /** Those that have not left yet. */
  readonly due: Set<NodeJS.Timeout>
  sent: number
  /** All are being opened because they disagree: there is nothing to be done after it. */
  readonly last: boolean
}

function operate(p: LoadSenseParts, c: LoadSenseConfig, context: AppContext, file: KeptFile): Operation {
  const { iid } = context.config
  const sources = sourcesOf(c, context.config.topics)
  const find = sourceFinder(sources)
  const knowledge = createKnowledge(c, p.isLate)
  const begun = performance.now()
  const seconds = (): number => wallClock() / 1000
  const counts = { heard: 0, refused: 0, late: 0, decisions: 0, commanded: 0 }
  const refused = new Set<string>()
  const alarms = new Set<Alarm>()
  let kept = p.restored(file.load(seconds(), c.letIn))
  let sequence: Sequence | undefined
  let told = ''
  let disagreeSince: number | undefined
  let soon: NodeJS.Timeout | undefined
  let over = false
  let complained = Number.NEGATIVE_INFINITY

  const keep = (next: Kept): boolean => {
    if (next === kept) return true
    try {
      file.save(next)
      kept = next
      return true
    } catch (error) {
      // In memory it holds all the same.
      kept = next
      complain(`What must outlast a restart could not be kept: ${textOf(error)}`)
      return false
    }
  }
  const complain = (text: string): void => {
    if (performance.now() - complained < complaintEvery) return
    complained = performance.now()
    context.log({ event: 'trouble', text })
    context.error(errno.application, text)
  }

  const now = seconds()
  const admitted = letIn(kept, c.letIn)
  if (admitted !== kept) context.log({ event: 'let-in', text: c.letIn })
  keep(admitted)
  if (kept.lockedOut !== null) context.log({ event: 'locked-out', why: kept.lockedOut.why, now })

  const situation = (t: number): Situation =>
    p.situation(knowledge, c, { now: t, kept, since: t - (performance.now() - begun) / 1000 })

  // --- what comes in

  const take = (topic: string, payload: Uint8Array): void => {
    const source = find(topic)
    if (source === undefined || over) return
    const t = seconds()
    const body = parseObject(payload)
    const reading = body === undefined ? undefined : p.read(body, source, t)
    if (reading === undefined) {
      counts.refused++
      // Once, until the topic says something of sense again.
      if (refused.has(topic)) return
      refused.add(topic)
      context.log({ event: 'refused', topic })
      context.error(
        body === undefined ? errno.jsonInvalid : errno.application,
        `${topic} does not tell a ${source.tells} of the standard objects: left aside.`,
      )
      return
    }
    refused.delete(topic)
    if (!knowledge.take(source.item, reading, t)) {
      counts.late++
      return
    }
    counts.heard++
    soon ??= setTimeout(look, c.gather * 1000)
  }

  /** Breakers that have moved without being told to: an operation all the same. */
  const observe = (t: number): void => {
    let next = kept
    for (const [i, phase] of phases.entries()) {
      const position = knowledge.position(phase)
      if (position === undefined || position.state === 'between' || kept.states[i] === position.state)
        continue
      const states = next.states.with(i, position.state) as unknown as Kept['states']
      const ours = sequence !== undefined && (position.state === 'closed') === sequence.close
      next = { ...next, states }
      if (!ours && kept.states[i] !== null) next = moved(next, Math.min(position.at, t))
    }
    keep(next)
  }

  // --- what is decided

  const look = (): void => {
    clearTimeout(soon)
    soon = undefined
    if (over) return
    const t = seconds()
    observe(t)
    if (sequence !== undefined) return follow(sequence, t)
    // Nobody is heard then, and commands would wait and come when nobody expects them any more.
    if (!context.stats().connected) return
    const s = situation(t)
    if (!settled(s, t)) return
    const d = p.decide(s, c)
    counts.decisions++
    raise(d.alarms)
    tell(d, s)
    if (d.lockOut) shutOut(`the breakers disagree`, t)
    if (d.do !== 'hold') command(d.do === 'mesh', t, d.do === 'open-all')
  }

  /** What is as it was told last is not told again. */
  const tell = (d: Decision, s: Situation): void => {
    const said = JSON.stringify([d.do, d.because, d.conditions, d.alarms, s.lockedOut || d.lockOut])
    if (said === told) return
    told = said
    context.log({ event: 'decision', do: d.do, because: d.because })
    const message = p.record(d, s, iid)
    if (message !== undefined) context.publish(message)
  }

  /** Breakers are read one after the other, so they may seem to disagree for a moment. */
  const settled = (s: Situation, t: number): boolean => {
    const disagree = c.fitted && new Set(s.breakers?.map((b) => b.state)).size > 1
    if (!disagree) disagreeSince = undefined
    else disagreeSince ??= t
    if (disagreeSince === undefined) return true
    // What was under way when this began may not be over.
    const young = c.sequence.readBack - (performance.now() - begun) / 1000
    const left = Math.max(young, disagreeSince + c.sequence.settle - t)
    // A clock that was set back puts nothing off.
    if (left <= 0 || left > c.sequence.readBack + c.sequence.settle) return true
    soon ??= setTimeout(look, left * 1000 + 1)
    return false
  }

  const raise = (now: readonly Alarm[]): void => {
    for (const a of now) {
      if (alarms.has(a)) continue
      context.log({ event: 'alarm', alarm: a })
      context.error(errno.application, `${a}: ${alarmText[a]}`)
    }
    alarms.clear()
    for (const a of now) alarms.add(a)
  }

  const shutOut = (why: string, t: number): void => {
    keep(lockedOut(kept, why, t, c.letIn))
    context.log({ event: 'locked-out', why })
    context.error(errno.application, `The automation is locked out: ${why}. A person must let it in again.`)
  }

  // --- what is commanded

  const command = (close: boolean, t: number, last: boolean): void => {
    const standing = { ...kept, commanded: close ? ('closed' as const) : ('open' as const) }
    const safe = keep(p.counted(standing, t))
    // To close is not urgent: not before it is known that it is not forgotten.
    if (close && !safe) return
    const commands = p.commands(close, t, c)
    const s: Sequence = { close, commands, due: new Set(), sent: 0, last }
    sequence = s
    for (const k of commands) {
      const timer = setTimeout(
        () => {
          s.due.delete(timer)
          send(s, k)
        },
        Math.max(0, (k.at - t) * 1000),
      )
      s.due.add(timer)
    }
  }

  const send = (s: Sequence, k: Command): void => {
    counts.commanded++
    s.sent++
    context.log({ event: 'command', phase: k.phase, close: k.close })
    context.publish(p.control(k, iid, wallClock()))
    if (s.sent < s.commands.length) return
    if (c.fitted) soon ??= setTimeout(look, c.sequence.readBack * 1000 + 100)
    else sequence = undefined
  }

  const follow = (s: Sequence, t: number): void => {
    if (s.sent < s.commands.length) return
    const { breakers } = situation(t)
    const progress: Progress =
      breakers === undefined ? { is: 'discrepancy', phases } : p.progress(s.commands, breakers, t, c)
    if (progress.is === 'waiting') {
      const left = (s.commands.at(-1)?.at ?? t) + c.sequence.readBack - t
      soon ??= setTimeout(look, Math.max(0.1, left + 0.1) * 1000)
      return
    }
    sequence = undefined
    if (progress.is === 'done') {
      context.log({ event: 'read-back', close: s.close })
      soon ??= setTimeout(look, c.gather * 1000)
      return
    }
    const text = `${progress.phases.join(', ')} did not ${s.close ? 'close' : 'open'}`
    context.log({ event: 'not-read-back', text })
    raise([...alarms, 'discrepancy', ...(s.last ? (['cannot-open'] as const) : [])])
    if (s.last) return
    const found = { do: 'open-all', because: 'discrepancy', conditions: {}, lockOut: true } as const
    tell({ ...found, alarms: [...alarms] }, situation(t))
    shutOut(text, t)
    command(false, t, true)
  }

  const timer = setInterval(look, p.pause(c) * 1000)
  const ready = context.hear(
    sources.map((s) => s.filter),
    take,
  )

  return {
    ready,
    gauges: () => ({ ...counts, alarms: alarms.size }),
    async stop() {
      over = true
      clearInterval(timer)
      clearTimeout(soon)
      if (sequence === undefined) return
      // Half a sequence would leave the phases apart.
      for (const t of sequence.due) clearTimeout(t)
      sequence.due.clear()
      for (const k of sequence.commands.slice(sequence.sent)) send(sequence, k)
    },
  }
}
