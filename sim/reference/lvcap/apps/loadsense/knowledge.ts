/** What has been heard, and the situation that it makes. */
import type { LoadSenseConfig } from './config.ts'
import type { Item, Reading, StationItem } from './sources.ts'
import { phases, type Phase } from './sequence.ts'
import type { Breaker, Situation, Station, Steps } from './situation.ts'
import { operationsOn, type Kept } from './kept.ts'

export interface Known {
  /** As it came last. */
  readonly last: Reading
  /** As it last was valid. */
  readonly good: Reading | undefined
}

/** Position and flags of one breaker, as it was last read. */
interface Position {
  readonly at: number
  readonly state: Breaker['state']
  /** The status register; undefined until it has been read. */
  readonly flags: number | undefined
  /** When it was last looked at after a command. */
  readonly lookedAt: number | undefined
}

export interface Knowledge {
  /** False: older than what is known already, and left aside. */
  take(item: Item, reading: Reading, now: number): boolean
  known(item: Item): Known | undefined
  position(phase: Phase): Position | undefined
}

/** Whether what comes late gives way to what is known. What is dated ahead of the clock gives way to anything. */
export function isLate(reading: Reading, known: Known | undefined, now: number): boolean {
  return known !== undefined && reading.at < known.last.at && known.last.at <= now + 1
}

export function createKnowledge(c: LoadSenseConfig, late: typeof isLate): Knowledge {
  const items = new Map<Item, Known>()
  const positions = new Map<Phase, Position>()
  const has = (flags: number, bit: number): boolean => ((flags >> bit) & 1) === 1

  const place = (item: Item, reading: Reading): void => {
    const [kind, what, phase] = item.split('.') as [string, string, Phase]
    if (kind !== 'breaker' || !reading.valid) return
    const before = positions.get(phase)
    if (before !== undefined && before.at > reading.at) return
    if (what === 'after' && typeof reading.value === 'boolean')
      positions.set(phase, {
        at: reading.at,
        state: reading.value ? 'closed' : 'open',
        flags: before?.flags,
        lookedAt: reading.at,
      })
    if (what === 'status' && typeof reading.value === 'number' && !has(reading.value, c.bits.stale)) {
      const closed = has(reading.value, c.bits.closed)
      const open = has(reading.value, c.bits.open)
      const shown = closed === open ? 'between' : closed ? 'closed' : 'open'
      const lookedAt = before?.lookedAt
      const early = lookedAt !== undefined && reading.at < lookedAt + c.sequence.lag
      positions.set(phase, {
        at: reading.at,
        state: early && before !== undefined ? before.state : shown,
        flags: reading.value,
        lookedAt,
      })
    }
  }

  return {
    take(item, reading, now) {
      const known = items.get(item)
      if (late(reading, known, now)) return false
      items.set(item, { last: reading, good: reading.valid ? reading : known?.good })
      place(item, reading)
      return true
    },
    known: (item) => items.get(item),
    position: (phase) => positions.get(phase),
  }
}

/** The rest of what a situation is made of. */
export interface Standing {
  readonly now: number
  readonly kept: Kept
  /** When listening began, by the present clock. */
  readonly since: number
}

export function situationOf(k: Knowledge, c: LoadSenseConfig, s: Standing): Situation {
  const { now, kept, since } = s
  const peer = stationOf(k, c, 'peer', now)
  const alive = k.known('peer.alive')
  const speaks = alive !== undefined && isTrue(alive, now, c.age.alive)
  return {
    now,
    local: stationOf(k, c, 'local', now),
    peer: peer.at === never ? undefined : { ...peer, valid: peer.valid && speaks },
    peerHeard: Math.max(since, Math.min(peer.at, now)),
    breakers: c.fitted ? breakersOf(k, c, now) : undefined,
    commanded: kept.commanded,
    peerClosed: phases.every((p) => closedAt(k.known(`peer.status.${p}`), c, now)),
    isolated: c.sources.isolation !== undefined && isIsolated(k.known('isolation'), c, now),
    lastOperation: kept.lastOperation ?? undefined,
    operationsToday: operationsOn(kept, now),
    lockedOut: kept.lockedOut !== null,
  }
}

const never = Number.NEGATIVE_INFINITY
const nothing: Steps = { start: 0, interval: 1, values: [] }
const measured: readonly StationItem[] = ['hot-spot', ...phases.map((p) => `current.${p}` as const)]
const reckoned: readonly StationItem[] = ['forecast', 'feeder', 'rating']

function stationOf(k: Knowledge, c: LoadSenseConfig, who: 'local' | 'peer', now: number): Station {
  const get = (item: StationItem): Known | undefined => k.known(`${who}.${item}`)
  const number = (item: StationItem): number => {
    const value = get(item)?.good?.value
    return typeof value === 'number' ? value : Number.NaN
  }
  const steps = (item: StationItem): Steps => {
    const value = get(item)?.good?.value
    return typeof value === 'object' ? value : nothing
  }
  const currents = phases.map((p) => number(`current.${p}`))
  return {
    at: measured
      .map((m) => get(m)?.good?.at ?? never)
      .reduce((worst, t) => (Math.abs(now - t) > Math.abs(now - worst) ? t : worst)),
    valid:
      [...measured, ...reckoned].every((m) => get(m)?.last.valid === true) &&
      reckoned.every((m) => within(get(m)?.last.at, now, c.age.forecast)),
    forecast: steps('forecast'),
    feeder: steps('feeder'),
    rating: steps('rating'),
    loadNow: Math.sqrt(currents.reduce((sum, a) => sum + a * a, 0) / currents.length),
    hotSpotNow: number('hot-spot'),
  }
}

function breakersOf(k: Knowledge, c: LoadSenseConfig, now: number): Situation['breakers'] {
  const [a, b, d] = phases.map((p) => breakerOf(k, c, p, now))
  return a === undefined || b === undefined || d === undefined ? undefined : [a, b, d]
}

function breakerOf(k: Knowledge, c: LoadSenseConfig, phase: Phase, now: number): Breaker | undefined {
  const position = k.position(phase)
  if (position === undefined) return undefined
  const volts = (item: 'bus' | 'cable'): number => {
    const known = k.known(`breaker.${item}.${phase}`)
    const fits = known?.last.valid === true && within(known.last.at, now, c.age.breakers)
    return fits && typeof known.last.value === 'number' ? known.last.value : Number.NaN
  }
  const has = (bit: number): boolean => (((position.flags ?? 0) >> bit) & 1) === 1
  return {
    at: position.at,
    state: position.state,
    bus: volts('bus'),
    cable: volts('cable'),
    fault: c.bits.fault.some(has),
    lockout: has(c.bits.lockout),
    reclosing: has(c.bits.reclosing),
    localControl: has(c.bits.localControl),
    unready: c.bits.unready.some(has),
  }
}

const within = (at: number | undefined, now: number, most: number): boolean =>
  at !== undefined && Math.abs(now - at) <= most

const isTrue = (known: Known, now: number, most: number): boolean =>
  known.last.valid && known.last.value === true && within(known.last.at, now, most)

/** What is not known for certain to be closed is not. */
function closedAt(known: Known | undefined, c: LoadSenseConfig, now: number): boolean {
  const value = known?.last.value
  if (known === undefined || typeof value !== 'number' || !within(known.last.at, now, c.age.data))
    return false
  const has = (bit: number): boolean => ((value >> bit) & 1) === 1
  return has(c.bits.closed) && !has(c.bits.open) && !has(c.bits.stale)
}

/** Engaged, unless it is known to be off. */
function isIsolated(known: Known | undefined, c: LoadSenseConfig, now: number): boolean {
  return !(known?.last.valid === true && known.last.value === false && within(known.last.at, now, c.age.data))
}
