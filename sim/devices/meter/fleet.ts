/**
 * Very many smart meters in one process. Each has a number, a size of home and a phase of its own; what is costly is
 * shared: the homes behind them are a few, each followed by many meters at its own scale. A home of k times the load on a
 * service line of 1/k of the resistance has the same voltages and k times the currents, so what a meter shows stays what
 * phasors make of it. Lists are built when they are due, for meters that somebody listens to.
 */
import type { Instant } from '../../../drivers/faces.ts'
import type { CosemDateTime } from '../../../drivers/protocols/dlms/datetime.ts'
import { unitOf } from '../../../drivers/protocols/han/quantities.ts'
import { channel, noise } from '../noise.ts'
import { profile } from '../profile.ts'
import { meterClock, zoneOffset } from './clock.ts'
import { framesOf, quantitiesIn } from './frames.ts'
import { createHome } from './home.ts'
import type { MeterPersonality } from './personality.ts'
import { createRegisters } from './registers.ts'
import { type Slot, nextSlot } from './schedule.ts'
import { type Values, errorOf, shown, valueOf } from './values.ts'

export interface FleetOptions {
  /** Meter i is of the i-th, round and round. */
  readonly personalities: readonly [MeterPersonality, ...MeterPersonality[]]
  readonly count: number
  readonly seed: number
  /** The meters' clocks are apart by up to so much, ms; 0: all lists come at once. */
  readonly spreadMs: number
  readonly start: Instant
}

export interface Fleet {
  readonly count: number
  numberOf(meter: number): string
  /** When the meter sends next after an instant, and which list. */
  next(meter: number, after: Instant): { readonly slot: Slot; readonly due: Instant }
  /** The list of a slot, as it goes on the line. */
  list(meter: number, slot: Slot): Uint8Array
  /** Has the registers of all homes count on: to be called every second or so, so that no list must count for hours. */
  countOn(now: Instant): void
}

/** Homes of each personality. Ours. */
const homes = 16
/** Sizes of homes, in shares of the personality's. Ours. */
const scaleFrom = 0.4
const scaleTo = 1.9
/** A list may be asked for so long after it was due, ms. Ours. */
const lookBack = 10_000
/** Seconds since this instant count ciphered messages (as in device.ts). */
const countsSince = Date.UTC(2000, 0, 1)

/** Meters of one personality: what they share. */
function createKind(p: MeterPersonality, seed: number, start: Instant) {
  const offset = zoneOffset(p.clock.zone)
  const lists = { 1: quantitiesIn(p, 1), 2: quantitiesIn(p, 2), 3: quantitiesIn(p, 3) } as const
  const all = [...new Set(([1, 2, 3] as const).flatMap((l) => lists[l]))]
  const behind = Array.from({ length: homes }, (_, i) => {
    const own = channel(seed, i)
    const load = profile({ profile: p.home.profile }, channel(own, 3000), start)
    const home = createHome(p, own, { load, watts: new Map(), powerFactor: undefined, volts: new Map() })
    const { current, voltage } = p.transformers
    const registers = createRegisters(start, [0, 0, 0, 0], (t) => home.at(t))
    return { home, registers, current, voltage }
  })
  /** Of the last slot asked for: the true values of each home, and the clock. */
  const slots = new Map<number, { at: Instant; values: (Values | undefined)[]; clock: CosemDateTime }>()
  const slotOf = (slot: Slot) => {
    let s = slots.get(slot.list)
    if (s?.at !== slot.at) {
      s = { at: slot.at, values: [], clock: meterClock(p.clock, offset, slot.at) }
      slots.set(slot.list, s)
    }
    return s
  }
  return {
    p,
    lists,
    all,
    countOn(to: Instant): void {
      for (const { registers } of behind) registers.countOn(to)
    },
    at(slot: Slot, home: number): { values: Values; clock: CosemDateTime } {
      const s = slotOf(slot)
      let values = s.values[home]
      const b = behind[home]
      if (values === undefined && b !== undefined) {
        const sample = b.home.at(slot.at)
        // Counted on as time goes: an hour of seconds at once, for the list of the hour, would hold up all others.
        b.registers.at(slot.at)
        const hour = p.energy_of === 0 ? slot.at : Math.floor(slot.at / p.energy_of) * p.energy_of
        values = {}
        for (const q of lists[slot.list]) {
          const unit = unitOf[q]
          const factor =
            unit === 'A' ? b.current : unit === 'V' ? b.voltage : unit === '1' ? 1 : b.current * b.voltage
          values[q] = valueOf(q, sample, () => b.registers.at(hour)) * factor
        }
        s.values[home] = values
      }
      return { values: values ?? {}, clock: s.clock }
    },
  }
}

const energies = [
  'activeEnergyImport',
  'activeEnergyExport',
  'reactiveEnergyImport',
  'reactiveEnergyExport',
] as const

/** A text with its last digits counted on, so that each meter has another. */
function countedOn(text: string, n: number, radix: 10 | 16): string {
  const digits = radix === 10 ? /\d{1,6}$/.exec(text)?.[0] : /[0-9a-f]{1,6}$/i.exec(text)?.[0]
  if (digits === undefined) return text
  const span = radix ** digits.length
  const value = (Number.parseInt(digits, radix) + n) % span
  return text.slice(0, -digits.length) + value.toString(radix).padStart(digits.length, '0')
}

export function createFleet(o: FleetOptions): Fleet {
  const kinds = o.personalities.map((p, i) => createKind(p, channel(o.seed, i), o.start))
  const kindOf = (meter: number): ReturnType<typeof createKind> =>
    // There is one at the least.
    kinds[meter % kinds.length] as ReturnType<typeof createKind>
  const share = (stream: number, meter: number): number => (noise(channel(o.seed, stream), meter) + 1) / 2

  const phases = Float64Array.from({ length: o.count }, (_, i) => o.spreadMs * share(101, i))
  const scales = Float64Array.from(
    { length: o.count },
    (_, i) => scaleFrom + (scaleTo - scaleFrom) * share(102, i),
  )
  /** A meter's own personality where it has to differ: the title of ciphered ones, which makes their nonce. */
  const ciphered = (p: MeterPersonality, meter: number): MeterPersonality =>
    p.cipher === undefined
      ? p
      : { ...p, cipher: { ...p.cipher, system_title: countedOn(p.cipher.system_title, meter, 16) } }
  const numberOf = (meter: number): string => countedOn(kindOf(meter).p.id, meter, 10)

  return {
    count: o.count,
    numberOf,
    countOn(now) {
      // Not beyond what lists are still to be made of: looking back costs more than going on.
      for (const k of kinds) k.countOn(now - o.spreadMs - k.p.phase - lookBack)
    },
    next(meter, after) {
      const { p } = kindOf(meter)
      const phase = phases[meter] ?? 0
      const slot = nextSlot(p.cadence, after - phase)
      return { slot, due: slot.at + phase + p.phase }
    },
    list(meter, slot) {
      const kind = kindOf(meter)
      const { p, lists, all } = kind
      const { values: base, clock } = kind.at(slot, Math.floor(meter / kinds.length) % homes)
      const scale = scales[meter] ?? 1
      const values: Values = {}
      for (const q of lists[slot.list]) {
        const unit = unitOf[q]
        let value = (base[q] ?? 0) * (unit === 'V' || unit === '1' ? 1 : scale)
        const register = energies.findIndex((e) => e === q)
        if (register >= 0) value += scale * (p.energies[register] ?? 0)
        values[q] = shown(p, q, value, errorOf(p, q, channel(o.seed, meter), all.indexOf(q)))
      }
      const state = { meterId: numberOf(meter), meterType: p.model, values, clock }
      const pieces = framesOf(ciphered(p, meter), slot.list, state, {
        invocationCounter: Math.floor((slot.at - countsSince) / 1000) >>> 0,
        lengthOverflow: false,
      })
      return pieces.length === 1 && pieces[0] !== undefined ? pieces[0] : Buffer.concat(pieces)
    },
  }
}
