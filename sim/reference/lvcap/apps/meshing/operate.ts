/** The meshing application at work: readings on two schedules, commands as they come, records of both. */
import { errno, scalar, topics, unixSeconds, type Message } from '../../api.ts'
import { wallClock, type JsonObject } from '../../env.ts'
import { LvcapError, textOf } from '../../errors.ts'
import type { AppContext, Operate, Operation } from '../../sdk/app.ts'
import type { Delivery } from '../../sdk/session.ts'
import type { RegisterBlock } from '../../sdk/modbus.ts'
import { onSchedule } from '../../sdk/schedule.ts'
import { result, type Breaker, type Outcome, type Tell } from './breaker.ts'
import { phases, quantities, readConfig, type MeshingConfig, type Phase, type Quantity } from './config.ts'
import { blocksFor, standingOf, wordKey, type Memory, type State } from './decode.ts'
import type { Journal } from './journal.ts'
import type { MeshingParts } from './main.ts'
import { stillOfUse, type Obeyed, type Verdict } from './obey.ts'
import { discrepancyTopic, type RecordName } from './topics.ts'

/** What is recorded of a command under one name. */
export interface Fact {
  readonly value: boolean | number
  readonly valid: boolean
  /** In place of a state (I:0078). */
  readonly errno?: number
  readonly more?: JsonObject
}

/** The same error text is published once in so many milliseconds: a burst of commands is no burst of errors. Ours. */
const errorEvery = 10_000

export function operateMeshing(p: MeshingParts, journal: Journal): Operate {
  return (containerConfig, context) => start(p, readConfig(containerConfig, context.config), context, journal)
}

type Tray = Map<Phase, Map<string, number>>

function start(p: MeshingParts, c: MeshingConfig, context: AppContext, journal: Journal): Operation {
  const { iid } = context.config
  const bus = p.bus(c)
  const memory = new Map<Phase, Memory | undefined>()
  const trouble = new Map<Phase, string>()
  /** Where each breaker was last seen to stand, and when. */
  const seen = new Map<Phase, { readonly state: State; readonly at: number }>()
  const errors = new Map<string, number>()
  let obeyed: readonly Obeyed[] = p.recall(journal)
  let outputs = 0
  let stopped = false

  const error = (code: number, text: string): void => {
    const now = performance.now()
    if (now - (errors.get(text) ?? Number.NEGATIVE_INFINITY) < errorEvery) return
    for (const [t, at] of errors) if (now - at > errorEvery) errors.delete(t)
    errors.set(text, now)
    context.error(code, text)
  }
  const see = (phase: Phase, state: State): void => void seen.set(phase, { state, at: performance.now() })

  // Readings.

  /** Reads what can be read in `ms`; who does not answer is asked again after the others. */
  const sweep = async (wanted: readonly Quantity[], ms: number, tray: Tray): Promise<void> => {
    const end = performance.now() + ms
    const left = (): number => Math.min(c.answer, end - performance.now())
    const owed = new Map(phases.map((phase) => [phase, [...blocksFor(wanted, c)]]))
    const failed = new Map<Phase, string>(phases.map((phase) => [phase, 'there was no time to read it']))
    for (let round = 0; round <= c.retries && owed.size > 0; round++)
      for (const [phase, blocks] of owed) {
        const why = await readBlocks(phase, blocks, left, tray)
        if (blocks.length === 0) owed.delete(phase)
        if (why === undefined) failed.delete(phase)
        else failed.set(phase, why)
      }
    for (const phase of phases) tell(phase, failed.get(phase) ?? '')
  }

  /** Takes off `blocks` what needs not be read again; gives why something was not read. */
  const readBlocks = async (
    phase: Phase,
    blocks: RegisterBlock[],
    left: () => number,
    tray: Tray,
  ): Promise<string | undefined> => {
    let why: string | undefined
    const words = tray.get(phase) ?? new Map<string, number>()
    tray.set(phase, words)
    while (blocks[0] !== undefined) {
      const [block] = blocks
      const ms = left()
      if (ms <= 0) return why ?? 'there was no time to read it'
      try {
        const got = await p.read(bus, p.unitOf(phase, 'reading', c), block, ms)
        got.forEach((word, i) => words.set(wordKey(block.table, block.start + i), word))
      } catch (e) {
        why = textOf(e)
        if (!(e instanceof LvcapError && e.code === 'refused')) return why
      }
      blocks.shift()
    }
    return why
  }

  /** Once at each change: an outage of a day is one line. */
  const tell = (phase: Phase, text: string): void => {
    const before = trouble.get(phase) ?? ''
    trouble.set(phase, text)
    if (text === '' && before !== '') context.log({ event: 'device-answers', phase })
    if (text !== '' && before === '') {
      context.log({ event: 'device-trouble', phase, text })
      error(errno.noDevice, `${phase}: ${text}`)
    }
  }

  const publish = (wanted: readonly Quantity[], k: number, tray: Tray): void => {
    outputs++
    const stamp = p.stamp(wallClock())
    const messages = phases.flatMap((phase) => {
      const reading = p.decode(tray.get(phase) ?? new Map(), c)
      const judged = p.trust(reading, memory.get(phase), performance.now() / 1_000, c)
      memory.set(phase, judged.memory)
      if (wanted.includes('fault_status')) {
        if (reading.fault_status === null) seen.delete(phase)
        else see(phase, standingOf(reading.fault_status, c).state)
      }
      return judged.samples
        .filter((s) => wanted.includes(s.quantity))
        .map((s) => p.compose(`${topics.sensor(iid)}/${p.topic(phase, s.quantity, c)}`, s, stamp, c))
    })
    for (const message of p.arrange(messages, k)) context.publish(message)
    if (performance.now() - lastCommand > c.readBack * 1_000) tellWhetherAlike()
  }

  const every = (seconds: number, wanted: readonly Quantity[]): (() => Promise<void>) =>
    onSchedule<Tray>(
      { interval: seconds * 1_000, ahead: c.readAhead * 1_000, due: (k, interval) => p.due(k, interval) },
      {
        tray: () => new Map(),
        prepare: (_k, ms, tray) => sweep(wanted, ms, tray),
        perform: (k, tray) => publish(wanted, k, tray),
        missed: (from, to) => {
          context.log({ event: 'missed', from, to })
          context.error(errno.application, `Outputs ${from} to ${to} were missed.`)
        },
      },
    )

  // Commands.

  /** A command that is obeyed; `next` waits for the one before it. */
  interface Turn {
    running: Promise<void> | undefined
    next: Obeyed | undefined
    /** Until then, by a clock that is never set, what a unit shows may be from before it moved. */
    unsureUntil: number
  }
  const turns = new Map<Phase, Turn>()
  const turnOf = (phase: Phase): Turn => {
    const t = turns.get(phase) ?? { running: undefined, next: undefined, unsureUntil: 0 }
    turns.set(phase, t)
    return t
  }
  let lastCommand = Number.NEGATIVE_INFINITY
  let asked: NodeJS.Timeout | undefined
  let told = ''

  const record = (phase: Phase, name: RecordName, fact: Fact): void => {
    const message = p.record(iid, phase, name, fact, p.stamp(wallClock()))
    if (message !== null) context.publish(message)
  }

  const refuse = (v: Pick<Verdict, 'phase' | 'close'>, why: string): void => {
    context.log({ event: 'not-obeyed', phase: v.phase ?? null, close: v.close ?? null, text: why })
    error(errno.application, `A command for ${v.phase ?? 'no phase'} is not obeyed: ${why}.`)
    if (v.phase !== undefined)
      record(v.phase, 'result', { value: result.notObeyed, valid: true, more: { Why: why } })
  }

  const hear = (topic: string, payload: Uint8Array, how: Delivery): void => {
    if (stopped) return
    const v = p.judge({ topic, payload, how }, unixSeconds(wallClock()), obeyed, c)
    if (v.phase !== undefined)
      record(v.phase, 'command', { value: v.close ?? false, valid: v.close !== undefined })
    if (v.against !== undefined || v.phase === undefined || v.close === undefined)
      return refuse(v, v.against ?? 'it says nothing')
    const command: Obeyed = { phase: v.phase, close: v.close, stamp: v.stamp ?? 0 }
    try {
      obeyed = [...stillOfUse(obeyed, unixSeconds(wallClock()), c), command]
      p.remember(journal, obeyed)
    } catch (e) {
      return refuse(v, `it could not be noted down (${textOf(e)}), so that it might be obeyed twice`)
    }
    take(command)
  }

  const take = (command: Obeyed): void => {
    const turn = turnOf(command.phase)
    lastCommand = performance.now()
    if (turn.running === undefined) {
      turn.running = run(turn, command)
      return
    }
    if (turn.next !== undefined) refuse(turn.next, 'a newer one came before its turn')
    turn.next = command
  }

  const run = async (turn: Turn, first: Obeyed): Promise<void> => {
    let command: Obeyed | undefined = first
    const over = (): boolean => stopped
    while (command !== undefined && !over()) {
      await perform(turn, command)
      command = turn.next
      turn.next = undefined
    }
    turn.running = undefined
    lookAlike()
  }

  const perform = async (turn: Turn, { phase, close }: Obeyed): Promise<void> => {
    context.log({ event: 'command', phase, close })
    const state = (name: 'before' | 'after') => (s: State | undefined) => {
      if (s !== undefined) see(phase, s)
      const known = s === 'open' || s === 'closed'
      record(phase, name, {
        value: s === 'closed',
        valid: known,
        ...(known ? {} : { errno: s === undefined ? errno.noDevice : errno.sensor }),
      })
    }
    const tellOf: Tell = {
      before: state('before'),
      after: state('after'),
      signal: (register, value, acknowledged) =>
        record(phase, 'signal', { value, valid: acknowledged, more: { Register: register } }),
    }
    const breaker: Breaker = p.breaker(bus, p.unitOf(phase, 'command', c), c, tellOf)
    const sure = performance.now() >= turn.unsureUntil
    const outcome: Outcome = await p.carryOut(breaker, close, sure, c, tellOf)
    if (outcome.result !== result.done) {
      turn.unsureUntil = performance.now() + shadowLag
      context.log({ event: 'not-done', phase, close, result: outcome.result, text: outcome.why ?? '' })
      error(
        outcome.result === result.noDevice ? errno.noDevice : errno.application,
        `${phase} was not ${close ? 'closed' : 'opened'}: ${outcome.why ?? 'no reason given'}.`,
      )
    }
    record(phase, 'result', { value: outcome.result, valid: true })
  }

  // Three that do not stand alike.

  /** Looks once more when the time for reading back is over; the sweep may be a while away. */
  const lookAlike = (): void => {
    clearTimeout(asked)
    if (stopped) return
    const wait = Math.max(0, lastCommand + c.readBack * 1_000 - performance.now())
    asked = setTimeout(() => {
      const tray: Tray = new Map()
      void sweep(['fault_status'], c.readAhead * 1_000, tray).then(() => {
        for (const phase of phases) {
          const { fault_status: status } = p.decode(tray.get(phase) ?? new Map(), c)
          if (status === null) seen.delete(phase)
          else see(phase, standingOf(status, c).state)
        }
        if (!stopped) tellWhetherAlike()
      })
    }, wait)
  }

  /** At each change. */
  const tellWhetherAlike = (): void => {
    if ([...turns.values()].some((t) => t.running !== undefined)) return
    const apart = p.disagree(phases.map((phase) => seen.get(phase)?.state))
    const word = String(apart)
    if (word === told) return
    told = word
    if (apart === true) {
      const states = phases.map((phase) => `${phase} ${seen.get(phase)?.state ?? 'unknown'}`).join(', ')
      context.log({ event: 'discrepancy', text: states })
      error(errno.application, `The breakers do not stand alike: ${states}.`)
    }
    context.publish(
      recordOf(discrepancyTopic(iid), apart === true, apart !== undefined, p.stamp(wallClock())),
    )
  }

  // What is left undone at an end stays undone: nobody knows what has happened since.
  for (const command of p.resume(obeyed)) take(command)
  const heard = context.hear(p.filters(c), hear)
  const stops = [
    every(c.fastInterval, c.fast),
    every(
      c.interval,
      quantities.filter((q) => !c.fast.includes(q)),
    ),
  ]

  return {
    ready: heard,
    gauges: () => ({ outputs, connections: bus.counts().open, opened: bus.counts().opened }),
    async stop() {
      stopped = true
      clearTimeout(asked)
      await Promise.all(stops.map((stop) => stop()))
      for (const { running } of turns.values()) await running
      await bus.close()
    },
  }
}

/** What a unit shows of its state follows what it does by as much, in ms. Ours, as the map is. */
const shadowLag = 3_000

/** A record is for storage whatever the configuration says of readings. */
export function recordOf(
  topic: string,
  value: boolean | number,
  valid: boolean,
  stamp: number,
  more: JsonObject = {},
): Message {
  return { topic, payload: { ...scalar(stamp, value, valid, true), ...more }, qos: 1, retain: false }
}
