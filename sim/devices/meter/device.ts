/**
 * A smart meter on its HAN port: it only talks, list by list, in its maker's dialect, at its own pace. Its truth is the
 * home behind it (home.ts), second by second, and what its registers have counted of it.
 */
import { z } from 'zod'
import type { Conn, Instant, Json, SerialSettings, Wire } from '../../../drivers/faces.ts'
import { GridproofError } from '../../../drivers/errors.ts'
import { wallTime } from '../../../drivers/protocols/dlms/datetime.ts'
import { type QuantityName, unitOf } from '../../../drivers/protocols/han/quantities.ts'
import type { DeviceEnv, Meter, ProfileSpec } from '../../faces.ts'
import { withPhases } from '../entries.ts'
import { createFaults } from '../faults.ts'
import { channel } from '../noise.ts'
import { profile } from '../profile.ts'
import { type OffsetAt, meterClock, neverSet, zoneOffset } from './clock.ts'
import { type MeterEffect, type OnTheLine, type Outgoing, type Piece, meterFaults } from './faults.ts'
import { framesOf, quantitiesIn, stepOf } from './frames.ts'
import { type Home, type HomeSample, type HomeSettings, createHome } from './home.ts'
import type { MeterPersonality } from './personality.ts'
import { type Registers, createRegisters } from './registers.ts'
import { type MeterCommand, meterCommand } from './command.ts'
import { type Slot, nextSlot } from './schedule.ts'
import { type Values, accuracyShare, back, errorOf, only, shown, valueOf } from './values.ts'

export interface MeterOptions {
  readonly profile?: ProfileSpec
  readonly role?: Meter['role']
}

/** The line on which a meter of this personality speaks. */
export function meterLine(p: MeterPersonality): SerialSettings {
  return {
    baudRate: p.line.baud_rate,
    dataBits: p.line.data_bits,
    parity: p.line.parity,
    stopBits: p.line.stop_bits,
  }
}

/** Time of one character on its line, ms. */
function characterMs(s: SerialSettings): number {
  return ((1 + s.dataBits + (s.parity === 'none' ? 0 : 1) + s.stopBits) * 1000) / s.baudRate
}

/** `active_power_import [W]` of `activePowerImport`. */
export function truthName(q: QuantityName): string {
  return `${q.replaceAll(/[A-Z]/g, (c) => `_${c.toLowerCase()}`)} [${unitOf[q]}]`
}

interface Life {
  readonly env: DeviceEnv
  readonly seed: number
  readonly home: Home
  readonly registers: Registers
  readonly offset: OffsetAt
  readonly port: AsyncDisposable
}

/** Told in the evidence of a list that is not sent because its line is not free. */
const lineBusy = 'list left out: the one before is still on the line'
/** Counter of ciphered messages: seconds since this instant, so that it never comes twice, restarts included. */
const countsSince = Date.UTC(2000, 0, 1)

export function createMeter(personality: MeterPersonality, options: MeterOptions = {}): Meter {
  const p = personality
  const role = options.role ?? 'meter'
  const line = meterLine(p)
  /** `8E1` */
  const characterFormat = `${line.dataBits}${line.parity.charAt(0).toUpperCase()}${line.stopBits}`
  const all = [...new Set(([1, 2, 3] as const).flatMap((l) => quantitiesIn(p, l)))]
  const byName = new Map(all.map((q) => [truthName(q), q]))
  const conns = new Set<Conn>()
  let life: Life | undefined
  let disposed = false
  let first: ProfileSpec = options.profile ?? { profile: p.home.profile }
  let profiles = 0
  let timer: ReturnType<typeof setTimeout> | undefined
  let rest: ReturnType<typeof setTimeout> | undefined
  let last: Slot | undefined
  /** Nothing is sent before: a reboot, or the port has tripped. */
  let silentUntil = Number.NEGATIVE_INFINITY
  let lastCounter = 0
  /** When the line is through with what was sent last. */
  let busyUntil = Number.NEGATIVE_INFINITY

  const alive = (): Life => {
    if (life === undefined) throw new GridproofError('bad-value', `${role}: it has not been started`)
    return life
  }
  const known = (q: string): QuantityName => {
    const quantity = byName.get(q)
    if (quantity === undefined) throw new GridproofError('no-such', `${role} has no quantity '${q}'`)
    return quantity
  }

  /** The home as the meter's terminals see it. */
  const sampleAt = (t: Instant): HomeSample => {
    const { current, voltage } = p.transformers
    const s = alive().home.at(t)
    if (current === 1 && voltage === 1) return s
    const power = current * voltage
    return {
      voltage: [s.voltage[0] * voltage, s.voltage[1] * voltage, s.voltage[2] * voltage],
      current: [s.current[0] * current, s.current[1] * current, s.current[2] * current],
      activePower: s.activePower * power,
      reactivePower: s.reactivePower * power,
      phases: s.phases.map((x) => ({ active: x.active * power, reactive: x.reactive * power })),
    }
  }

  const truth = (q: QuantityName, t: Instant): number =>
    valueOf(q, sampleAt(t), () => alive().registers.at(t))

  const shownOf = (q: QuantityName, value: number): number =>
    shown(p, q, value, errorOf(p, q, alive().seed, all.indexOf(q)))

  /** The energies of a list are those of the last whole hour, where the personality says so. */
  const energyInstant = (t: Instant): Instant =>
    p.energy_of === 0 ? t : Math.floor(t / p.energy_of) * p.energy_of

  const listAt = (slot: Slot): { shown: Values; true: Values } => {
    const out = {
      shown: {} as Values,
      true: {} as Values,
    }
    for (const q of quantitiesIn(p, slot.list)) {
      const isEnergy = unitOf[q] === 'Wh' || unitOf[q] === 'varh'
      const value = truth(q, isEnergy ? energyInstant(slot.at) : slot.at)
      out.true[q] = value
      out.shown[q] = shownOf(q, value)
    }
    return out
  }

  const faults = createFaults<MeterEffect>(
    role,
    meterFaults({
      chance: () => alive().env.random('faults'),
      line,
      shown: () => listAt({ list: 3, at: alive().env.now() }).shown,
      now: () => alive().env.now(),
      neverSet: (since) => neverSet(since, alive().env.now()),
      reboot(ms) {
        silentUntil = Math.max(silentUntil, alive().env.now() + ms)
        return () => undefined
      },
    }),
    (kind, data, more) => alive().env.emit(kind, data, more),
    () => undefined,
  )
  const effects = (): MeterEffect[] =>
    [...faults.active()].map((e) => {
      const into: MeterEffect = {}
      e.alter?.(into)
      return into
    })

  const counter = (t: Instant): number => {
    lastCounter = Math.max(lastCounter + 1, Math.floor((t - countsSince) / 1000))
    return lastCounter >>> 0
  }

  /** Bytes of a list; where a byte at the end of the check sequence is wanted, the power is changed until it comes. */
  const bytesOf = (o: Outgoing, invocationCounter: number): Uint8Array => {
    const make = (values: Outgoing['values']): Uint8Array =>
      Buffer.concat(
        framesOf(
          p,
          o.list,
          { meterId: p.id, meterType: p.model, values, clock: o.clock },
          { invocationCounter, lengthOverflow: o.lengthOverflow },
        ),
      )
    let bytes = make(o.values)
    const power = o.values.activePowerImport ?? 0
    for (let i = 1; o.fcsEnd !== undefined && bytes.at(-2) !== o.fcsEnd && i < 4096; i++) {
      o.values = { ...o.values, activePowerImport: power + i }
      bytes = make(o.values)
    }
    return bytes
  }

  function say(slot: Slot): void {
    const { env, offset } = alive()
    const list = listAt(slot)
    const o: Outgoing = {
      list: slot.list,
      silent: env.now() < silentUntil,
      values: list.shown,
      clock: meterClock(p.clock, offset, slot.at),
      energyBackWh: 0,
      fcsEnd: undefined,
      lengthOverflow: false,
    }
    const active = effects()
    for (const e of active) e.list?.(o)
    if (o.silent) return
    if (env.now() < busyUntil) {
      env.emit('note', {
        what: lineBusy,
        list: slot.list,
        baud: line.baudRate,
        format: characterFormat,
      })
      return
    }
    if (o.energyBackWh > 0) o.values = back(o.values, o.energyBackWh)
    o.values = only(o.values, quantitiesIn(p, slot.list))
    const onTheLine: OnTheLine = {
      pieces: [{ bytes: bytesOf(o, counter(slot.at)), pauseMs: 0 }],
      sound: true,
    }
    for (const e of active) e.line?.(onTheLine)
    const takes = (x: Piece): number => x.bytes.length * characterMs(line) + x.pauseMs
    busyUntil = env.now() + onTheLine.pieces.reduce((ms, x) => ms + takes(x), 0)
    tell(slot, o, list.true, onTheLine)
    send(onTheLine.pieces)
  }

  function tell(slot: Slot, o: Outgoing, trueValues: Values, on: OnTheLine): void {
    const { env } = alive()
    const bytes = on.pieces.reduce((n, x) => n + x.bytes.length, 0)
    const asked = {
      list: slot.list,
      bytes,
      took_ms: Number((busyUntil - env.now()).toFixed(3)),
      clock: wallTime(o.clock) ?? null,
      to: conns.size,
      baud: line.baudRate,
      format: characterFormat,
    }
    if (!on.sound) {
      env.emit('note', { what: 'list sent damaged, by a fault', ...asked })
      return
    }
    const answers: Record<string, [number | null, number]> = {}
    for (const [q, value] of Object.entries(o.values) as [QuantityName, number][])
      answers[truthName(q)] = [value, trueValues[q] ?? value]
    env.emit('said', { answers, asked })
  }

  /** Hands pieces to every line, each as long after the one before as that takes to be sent, and its pause. */
  function send(pieces: readonly Piece[]): void {
    const [piece, ...others] = pieces
    if (piece === undefined || disposed) return
    for (const c of conns) void c.send(piece.bytes).catch(() => conns.delete(c))
    if (others.length === 0) return
    const wait = piece.pauseMs + (piece.pauseMs > 0 ? piece.bytes.length * characterMs(line) : 0)
    if (wait === 0) send(others)
    else rest = setTimeout(() => send(others), wait)
  }

  function arm(after: Instant): void {
    const { env } = alive()
    const slot = nextSlot(p.cadence, after)
    last = slot
    const wander = p.jitter === 0 ? 0 : p.jitter * (2 * env.random('jitter') - 1)
    const due = slot.at + Math.max(0, p.phase + wander)
    timer = setTimeout(
      () => {
        if (disposed) return
        // Armed again first: what saying throws must not silence the meter.
        arm(slot.at)
        say(slot)
      },
      Math.max(0, due - env.now()),
    )
  }

  const load = (spec: ProfileSpec, now: Instant) =>
    profile(spec, channel(alive().seed, 3000 + profiles++), now)

  const change = (f: (s: HomeSettings) => Partial<HomeSettings>): void => {
    const { env, home, registers } = alive()
    const now = env.now()
    // What has flowed until now is counted before anything changes.
    registers.at(now)
    const settings = home.settings(now)
    home.change(now, { ...settings, ...f(settings) })
    registers.forget(now)
  }

  const apply = (c: MeterCommand): void => {
    switch (c.do) {
      case 'follow': {
        const next = load(c.profile, alive().env.now())
        return change(() => ({ load: next }))
      }
      case 'load':
        return change((s) => ({ watts: withPhases(s.watts, c.load, c.watts) }))
      case 'voltage':
        return change((s) => ({ volts: withPhases(s.volts, c.phase, c.volts) }))
      case 'power-factor':
        return change(() => ({ powerFactor: c.powerFactor ?? undefined }))
      case 'draw': {
        if (c.milliamps <= p.port.limit_ma) return
        const { env } = alive()
        silentUntil = Math.max(silentUntil, env.now() + p.port.off)
        env.emit('note', {
          what: 'the port tripped',
          milliamps: c.milliamps,
          limit: p.port.limit_ma,
          off_ms: p.port.off,
        })
      }
    }
  }

  const device: Meter = {
    role,
    faults: faults.names,
    truth: {
      quantities: all.map(truthName),
      at: (q, t) => truth(known(q), t),
      range(q, a, b) {
        const quantity = known(q)
        let [min, max, sum, count] = [Infinity, -Infinity, 0, 0]
        for (let s = Math.floor(a / 1000); s <= Math.max(Math.floor(a / 1000), Math.floor(b / 1000)); s++) {
          const v = truth(quantity, s * 1000)
          min = Math.min(min, v)
          max = Math.max(max, v)
          sum += v
          count++
        }
        return { min, max, mean: sum / count }
      },
    },
    accuracy(q, value) {
      const quantity = known(q)
      return accuracyShare(p, quantity) * Math.abs(value) + stepOf(p, unitOf[quantity])
    },

    async start(wire: Wire, env: DeviceEnv) {
      if (life !== undefined || disposed)
        throw new GridproofError('bad-value', `${role}: it can be started once only`)
      const now = env.now()
      const seed = Math.floor(env.random('model') * 2 ** 32) | 0
      const initial: HomeSettings = {
        load: profile(first, channel(seed, 3000 + profiles++), now),
        watts: new Map(),
        powerFactor: undefined,
        volts: new Map(),
      }
      const home = createHome(p, seed, initial)
      const registers = createRegisters(now, p.energies, sampleAt)
      const offset = zoneOffset(p.clock.zone)
      const port = await wire.open((c) => {
        if (disposed) return c.end('fin')
        conns.add(c)
        c.onEnd(() => conns.delete(c))
        // It never listens: what comes is let go.
        c.onBytes(() => undefined)
      })
      life = { env, seed, home, registers, offset, port }
      arm(now)
    },

    follow(spec) {
      if (life === undefined) first = spec
      else device.command({ do: 'follow', profile: { ...spec } })
    },

    command(c) {
      const fit = meterCommand.safeParse(c)
      if (!fit.success) throw new GridproofError('bad-value', `${role}: ${z.prettifyError(fit.error)}`)
      // a profile that cannot be read is refused before anything is logged
      if (fit.data.do === 'follow') profile(fit.data.profile, 0)
      alive().env.emit('step', { what: `${role}: ${fit.data.do}`, detail: c })
      apply(fit.data)
    },

    inflict: (name: string, params?: Json) => {
      alive()
      return faults.inflict(name, params)
    },

    get nextSlot() {
      return last?.at
    },

    async [Symbol.asyncDispose]() {
      if (disposed) return
      disposed = true
      clearTimeout(timer)
      clearTimeout(rest)
      for (const c of conns) c.end('fin')
      await life?.port[Symbol.asyncDispose]()
    },
  }
  return device
}
