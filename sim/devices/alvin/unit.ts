/**
 * One of the three units: its breaker, the copy of its status, its temperatures and counters, as the tables of a Modbus
 * unit. It has no timers: the device says when it is time.
 */
import type { Instant, Json } from '../../../drivers/faces.ts'
import { exceptions } from '../../../drivers/protocols/modbus/model.ts'
import type { DataModel } from '../../../drivers/protocols/modbus/model.ts'
import type { AlvinReading, Phase } from '../../faces.ts'
import { channel, noise } from '../noise.ts'
import { step } from './breaker.ts'
import { createHistory } from './history.ts'
import { arStateOf, bits, countsOf, quantities, statusOf, valueOf } from './map.ts'
import type { Quantity, QuantityName } from './map.ts'
import type { AlvinPersonality, HoldingName, InputName } from './personality.ts'
import { createShadow } from './shadow.ts'
import { dueAt, newBreaker } from './state.ts'
import type { Breaker, Conditions, Effect, Input, Order, Reclosing, Side } from './state.ts'
import { createHeat } from './thermal.ts'

/** What faults alter of a unit. */
export interface Altered extends Conditions {
  /** Its auxiliary contacts tell neither, or both. */
  readonly aux?: 'none' | 'both'
  /** K that the switch is warmer. */
  readonly besides?: number
  /** The high word of the uptime follows the low one so late, ms. */
  readonly tear?: number
}

export interface UnitOptions {
  readonly p: AlvinPersonality
  readonly phase: Phase
  readonly seed: number
  readonly side: Side
  readonly now: () => Instant
  readonly reading: (t: Instant) => AlvinReading
  /** Faults in force on it. */
  readonly altered: () => Altered
  /** Something happened to its breaker. `cause`: the event that led to it, where one did. */
  readonly onEffect: (e: Effect, cause: number | undefined) => void
  /** A write that reached it, before it acts; the event's number. */
  readonly onControl: (what: { readonly [k: string]: Json }) => number
  /** It wants to be looked at at another time than before. */
  readonly onChange: () => void
}

export interface Unit {
  readonly phase: Phase
  readonly model: DataModel
  readonly breaker: Breaker
  feed(input: Input, cause?: number): void
  /** Does what is due, then looks at its currents and voltages. */
  look(): void
  dueAt(): Instant | undefined
  truth(q: QuantityName, t: Instant): number
  /** Its communication is away until then, and then begins anew. */
  reboot(until: Instant, byWatchdog: boolean): void
  /** Whether its communication is away. */
  away(): boolean
  hold(how: { readonly told: boolean } | undefined): void
  preset(what: { readonly watchdog?: number; readonly uptime?: number }): void
}

/** Counters and states that are kept. Ours. */
const kept = 10_000
const orders = ['close', 'open', 'reset'] as const satisfies readonly Order[]

export function createUnit(o: UnitOptions): Unit {
  const { p, phase } = o
  const began = o.now()
  let breaker = newBreaker(p, o.side, began)
  let status = statusOf(breaker, o.altered(), began)
  const shadow = createShadow(p, channel(o.seed, 1), status)
  const heat = createHeat(p, began)
  const states = createHistory(began, { opens: 0, closes: 0, status }, kept)
  const watchdogs = createHistory(began, 0, kept)
  const boots = createHistory(began, began, kept)
  /** The event of the order that came last. */
  let cause: number | undefined
  let awayUntil = Number.NEGATIVE_INFINITY

  const known = (now: Instant): void => {
    const { aux } = o.altered()
    const plain = statusOf(breaker, o.altered(), now)
    const pair = bits.closed | bits.open
    status = aux === undefined ? plain : aux === 'both' ? plain | pair : plain & ~pair
    shadow.note(status, now)
    const { last } = states
    if (last.status !== status || last.opens !== breaker.opens || last.closes !== breaker.closes)
      states.put(now, { opens: breaker.opens, closes: breaker.closes, status })
  }

  const feed = (input: Input, by?: number): void => {
    const now = o.now()
    if (by !== undefined) cause = by
    const due = dueAt(p, breaker)
    const { state, effects } = step(p, o.seed, breaker, input, now, o.altered())
    breaker = state
    known(now)
    // What the network does because of it may come back here: the state is in place before anybody is told.
    for (const e of effects)
      o.onEffect(e, 'by' in e && (e.by === 'command' || e.by === 'local') ? cause : undefined)
    if (dueAt(p, breaker) !== due) o.onChange()
  }

  const look = (): void => {
    const now = o.now()
    for (let i = 0; i < 8; i++) {
      const t = Math.min(
        breaker.moving?.until ?? Infinity,
        breaker.cycle ?? Infinity,
        breaker.reclaim ?? Infinity,
      )
      if (t > now) break
      feed({ is: 'due' })
    }
    const r = o.reading(now)
    heat.put(now, r.amps, o.altered().besides ?? 0)
    feed({ is: 'measured', m: { ...r, switchCelsius: heat.at(now) } })
  }

  const uptimeAt = (t: Instant): number => Math.max(0, Math.floor((t - boots.at(t)) / 1000))

  const truth = (q: QuantityName, t: Instant): number => {
    switch (q) {
      case 'bus_voltage [V]':
        return o.reading(t).busVolts
      case 'cable_voltage [V]':
        return o.reading(t).cableVolts
      case 'link_current [A]':
        return o.reading(t).amps
      case 'active_power [W]':
        return o.reading(t).watts
      case 'reactive_power [var]':
        return o.reading(t).vars
      case 'open_operations [1]':
        return states.at(t).opens
      case 'close_operations [1]':
        return states.at(t).closes
      case 'watchdog_faults [1]':
        return watchdogs.at(t)
      case 'chip_temperature [°C]':
        return p.thermal.ambient + p.thermal.chip
      case 'switch_temperature [°C]':
        return heat.at(t)
      case 'uptime [s]':
        return uptimeAt(t)
      case 'fault_status [1]':
        break
    }
    return states.at(t).status
  }

  /** What the unit makes of it: its own errors, well within what is stated. */
  const told = (q: Quantity & { readonly name: QuantityName }, now: Instant): number => {
    const value = truth(q.name, now)
    switch (q.measure) {
      case 'voltage':
      case 'current':
      case 'power': {
        const share = p.accuracy[q.measure] * 0.8 * noise(channel(o.seed, 10), quantities.indexOf(q as never))
        return countsOf(q, value * (1 + share))
      }
      case 'temperature':
        return countsOf(
          q,
          value + 0.8 * p.accuracy.temperature * noise(channel(o.seed, 10), quantities.indexOf(q as never)),
        )
      case 'bits':
        return shadow.read(now)
      case 'uptime':
      case 'count':
        break
    }
    return countsOf(q, value)
  }

  const uptimeWords = (now: Instant): readonly [high: number, low: number] => {
    const seconds = uptimeAt(now)
    const late = Math.max(0, seconds - (o.altered().tear ?? 0) / 1000)
    return [Math.floor(late / 0x10000), seconds & 0xffff]
  }

  const input: Readonly<Record<InputName, (now: Instant) => number>> = {
    ...(Object.fromEntries(
      quantities
        .filter((q) => q.measure !== 'bits' && q.measure !== 'uptime')
        .map((q) => [q.register, (now: Instant) => told(q, now)]),
    ) as Record<InputName, (now: Instant) => number>),
    MIR_UPTIME_HIGH: (now) => uptimeWords(now)[0],
    MIR_UPTIME_LOW: (now) => uptimeWords(now)[1],
    AR_STATE: () => arStateOf(breaker),
    AR_SHOT: () => breaker.shot,
  }
  const holding: Readonly<Record<HoldingName, (now: Instant) => number>> = {
    MHR_SHADOW_FAULT_STATUS: (now) => shadow.read(now),
    MHR_COMMAND: () => 0,
    MHR_COMMAND_TOKEN: () => 0,
    MHR_COMMAND_RESULT: () => breaker.result,
    MHR_COMMAND_SEQ: () => breaker.seq,
    AR_ENABLE: () => (breaker.reclosing.enable ? 1 : 0),
    AR_SHOTS: () => breaker.reclosing.shots,
    AR_DEAD_TIME: () => Math.round(breaker.reclosing.dead / 100),
    AR_RECLAIM: () => Math.round(breaker.reclosing.reclaim / 1000),
  }
  const byAddress = <N extends string>(
    at: Readonly<Record<N, number>>,
    of: Readonly<Record<N, (now: Instant) => number>>,
  ): ReadonlyMap<number, (now: Instant) => number> =>
    new Map((Object.keys(of) as N[]).map((n) => [at[n], of[n]]))
  const tables = {
    'input-registers': byAddress(p.registers.input, input),
    'holding-registers': byAddress(p.registers.holding, holding),
  }
  const nameAt = new Map((Object.keys(holding) as HoldingName[]).map((n) => [p.registers.holding[n], n]))
  const orderOf = (code: number): Order | undefined => orders.find((w) => p.command[w] === code)

  /** The code of an order written to one of two registers; the exception that it is answered with. */
  const ordered = (register: 'MHR_COMMAND' | 'MHR_COMMAND_TOKEN', value: number): number => {
    const order = orderOf(value)
    const exception =
      order === undefined
        ? exceptions.illegalValue
        : register === 'MHR_COMMAND' && breaker.moving !== undefined
          ? exceptions.busy
          : exceptions.none
    const seq = o.onControl({
      register,
      value,
      ...(order === undefined ? {} : { order }),
      ...(exception === exceptions.none ? {} : { exception }),
    })
    if (order !== undefined && exception === exceptions.none)
      feed({ is: register === 'MHR_COMMAND' ? 'command' : 'token', order }, seq)
    return exception
  }

  /** Settings of reclosing, all or none. */
  const set = (names: readonly HoldingName[], values: readonly number[]): number => {
    const next: { -readonly [K in keyof Reclosing]?: Reclosing[K] } = {}
    // Addresses before values, as the standard has it.
    let exception: number = names.every((n) => n.startsWith('AR_'))
      ? exceptions.none
      : exceptions.illegalAddress
    for (const [i, n] of names.entries()) {
      const v = values[i] ?? 0
      if (n === 'AR_ENABLE' && v <= 1) next.enable = v === 1
      else if (n === 'AR_SHOTS' && v <= 3) next.shots = v
      else if (n === 'AR_DEAD_TIME' && v > 0) next.dead = v * 100
      else if (n === 'AR_RECLAIM' && v > 0) next.reclaim = v * 1000
      else exception ||= exceptions.illegalValue
    }
    const seq = o.onControl({
      register: names.join(', '),
      value: values.length === 1 ? (values[0] ?? 0) : values,
      ...(exception === exceptions.none ? {} : { exception }),
    })
    if (exception === exceptions.none) feed({ is: 'set', reclosing: next }, seq)
    return exception
  }

  const model: DataModel = {
    functions: new Set(p.modbus.functions),
    has(table, address, quantity) {
      if (table !== 'input-registers' && table !== 'holding-registers') return false
      for (let i = address; i < address + quantity; i++) if (!tables[table].has(i)) return false
      return true
    },
    read(table, address, quantity, into) {
      if (table !== 'input-registers' && table !== 'holding-registers') return exceptions.illegalAddress
      const now = o.now()
      look()
      for (let i = 0; i < quantity; i++) into[i] = (tables[table].get(address + i)?.(now) ?? 0) & 0xffff
      return exceptions.none
    },
    write(table, address, quantity, values) {
      if (table !== 'holding-registers') return exceptions.illegalAddress
      // A broadcast finds it away too.
      if (o.now() < awayUntil) return exceptions.deviceFailure
      const names = Array.from({ length: quantity }, (_, i) => nameAt.get(address + i)).filter(
        (n) => n !== undefined,
      )
      look()
      const [first] = names
      if (quantity === 1 && (first === 'MHR_COMMAND' || first === 'MHR_COMMAND_TOKEN'))
        return ordered(first, values[0] ?? 0)
      return set(names, [...values.subarray(0, quantity)])
    },
  }

  return {
    phase,
    model,
    get breaker() {
      return breaker
    },
    feed,
    look,
    dueAt: () => dueAt(p, breaker),
    truth,
    reboot(until, byWatchdog) {
      const now = o.now()
      awayUntil = until
      if (byWatchdog) watchdogs.put(now, (watchdogs.last + 1) & 0xffff)
      boots.put(until, until)
      shadow.lose(until)
      feed({ is: 'reboot' })
    },
    away: () => o.now() < awayUntil,
    hold: (how) => shadow.hold(how, o.now()),
    preset({ watchdog, uptime }) {
      const now = o.now()
      if (watchdog !== undefined) watchdogs.put(now, watchdog & 0xffff)
      if (uptime !== undefined) boots.put(now, now - uptime * 1000)
    },
  }
}

/** What an answer to a read tells, by quantity: the value that was told, and what was true. */
export function answersOf(
  p: AlvinPersonality,
  unit: Unit,
  ask: { readonly fc: number; readonly address: number; readonly quantity: number },
  words: (i: number) => number,
  now: Instant,
): Record<string, [number, number]> {
  const answers: Record<string, [number, number]> = {}
  for (const q of quantities) {
    const inHolding = q.register === 'MHR_SHADOW_FAULT_STATUS'
    if ((ask.fc === 3) !== inHolding) continue
    const at = inHolding ? p.registers.holding[q.register] : p.registers.input[q.register]
    const wide = q.measure === 'uptime' ? 2 : 1
    if (at < ask.address || at + wide > ask.address + ask.quantity) continue
    const i = at - ask.address
    const raw = wide === 2 ? words(i) * 0x10000 + words(i + 1) : words(i)
    const counts = q.least < 0 ? (raw << 16) >> 16 : raw
    answers[`${unit.phase}.${q.name}`] = [valueOf(q, counts), unit.truth(q.name, now)]
  }
  return answers
}
