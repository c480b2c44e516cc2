/** Registers of the feeder monitor into values, and which of them can be trusted. */
import type { RegisterBlock } from '../../sdk/modbus.ts'
import type { Sample, Words } from '../../sdk/sensor.ts'
import type { GridkeyConfig } from './config.ts'

export const kinds = ['current', 'power_factor', 'real_power', 'reactive_power'] as const
export type Kind = (typeof kinds)[number] | 'voltage' | 'frequency'

/** Values in V, A, W, var and 1; null: not read. */
export interface Reading {
  readonly values: Readonly<Record<string, number | null>>
  readonly sequence: number | null
  /** Bit 3(f-1) + (phase-1): feeder and phase are valid. */
  readonly validity: number | null
  /** 0 ok, 1 booting, 2 voltage transformer lost, 3 over range. */
  readonly status: number | null
}

/** The sequence number last seen, and when it was first seen (ms of a clock that is never set). */
export interface Memory {
  readonly sequence: number
  readonly seenAt: number
}

/** State first: without it nothing can be trusted, however far a slow sweep comes. */
export function blocks(c: GridkeyConfig): readonly RegisterBlock[] {
  const { map } = c
  return [
    { table: 'input', start: map.state.start, count: map.state.count },
    { table: 'input', start: map.busbarBlock.start, count: map.busbarBlock.count },
    ...c.feeders.map((f) => ({ table: 'input' as const, start: f * map.feederStep, count: map.feederCount })),
  ]
}

/** Never throws: whatever bits arrive are some number, or not one. */
export function decode(words: Words, c: GridkeyConfig): Reading {
  const { map } = c
  const values: Record<string, number | null> = {}
  for (const [quantity, at] of Object.entries(map.busbar)) {
    if (quantity !== 'busbar.frequency' || c.frequency) values[quantity] = float32(words, at)
  }
  for (const f of c.feeders) {
    for (const kind of kinds) {
      map.feeder[kind].forEach((offset, i) => {
        values[`feeder${f}.l${i + 1}.${kind}`] = float32(words, f * map.feederStep + offset)
      })
    }
  }
  return {
    values,
    sequence: uint32(words, map.state.sequence),
    validity: words.get(map.state.validity) ?? null,
    status: words.get(map.state.status) ?? null,
  }
}

function uint32(words: Words, at: number): number | null {
  const high = words.get(at)
  const low = words.get(at + 1)
  return high === undefined || low === undefined ? null : high * 0x1_0000 + low
}

/** Two registers, big word first, as IEEE 754 single precision, to the seven digits that it holds. */
function float32(words: Words, at: number): number | null {
  const high = words.get(at)
  const low = words.get(at + 1)
  if (high === undefined || low === undefined) return null
  const bytes = Buffer.alloc(4)
  bytes.writeUInt16BE(high & 0xffff, 0)
  bytes.writeUInt16BE(low & 0xffff, 2)
  const value = bytes.readFloatBE(0)
  return Number.isFinite(value) ? Number(value.toPrecision(7)) : value
}

/** Kind, feeder and phase that a quantity's name tells. */
export function about(quantity: string): {
  readonly kind: Kind
  readonly feeder?: number
  readonly phase?: number
} {
  const m = /^feeder(\d)\.l(\d)\.(current|power_factor|real_power|reactive_power)$/.exec(quantity)
  if (m === null) return { kind: quantity === 'busbar.frequency' ? 'frequency' : 'voltage' }
  const kind = kinds.find((k) => k === m[3]) ?? 'current'
  return { kind, feeder: Number(m[1]), phase: Number(m[2]) }
}

/**
 * A value is trusted when it was read, is a number in its expected range, and the device says of itself that it is
 * sampling (its sequence moves), is not booting, and knows this feeder and phase. `now` in ms of a clock never set.
 */
export function judge(
  reading: Reading,
  memory: Memory | undefined,
  now: number,
  c: GridkeyConfig,
): { readonly samples: readonly Sample[]; readonly memory: Memory | undefined } {
  const { stale, memory: remembered } = freshness(reading.sequence, memory, now, c)
  const whole = stale ? 'its samples stand still' : stateProblem(reading.status)
  const samples = Object.entries(reading.values).map(([quantity, value]): Sample => {
    const why = whole ?? problem(quantity, value, reading, c)
    const usable = value !== null && Number.isFinite(value) ? value : 0
    return { quantity, value: usable, valid: why === undefined, ...(why === undefined ? {} : { why }) }
  })
  return { samples, memory: remembered }
}

/**
 * The device counts its samples: where the count lags behind the time that passed, it stopped sampling in between, and
 * what it shows is old. A count that goes back is a reboot.
 */
function freshness(
  sequence: number | null,
  memory: Memory | undefined,
  now: number,
  c: GridkeyConfig,
): { readonly stale: boolean; readonly memory: Memory | undefined } {
  if (sequence === null) return { stale: false, memory }
  const fresh = { stale: false, memory: { sequence, seenAt: now } }
  if (memory === undefined) return fresh
  const samples = (sequence - memory.sequence + 2 ** 32) % 2 ** 32
  if (samples >= 2 ** 31) return fresh
  const lag = now - memory.seenAt - samples * c.samplePeriod * 1_000
  const stale = lag > c.staleAfter * 1_000
  return { stale, memory: samples === 0 ? memory : fresh.memory }
}

function stateProblem(status: number | null): string | undefined {
  if (status === null) return 'its state was not read'
  if (status === 1) return 'the device is booting'
  return status === 0 || status === 2 || status === 3 ? undefined : `its state ${status} is not known`
}

function problem(
  quantity: string,
  value: number | null,
  reading: Reading,
  c: GridkeyConfig,
): string | undefined {
  if (value === null) return 'not read'
  if (!Number.isFinite(value)) return 'not a number'
  const { kind, feeder, phase } = about(quantity)
  // The state does not say which phase's transformer is lost: every quantity that needs a voltage is in doubt.
  if (reading.status === 2 && kind !== 'current') return 'a voltage transformer is lost'
  if (feeder !== undefined && phase !== undefined) {
    const bit = 3 * (feeder - 1) + (phase - 1)
    if (((reading.validity ?? 0) >> bit) % 2 === 0) return 'the device does not vouch for it'
  }
  const [low, high] = c.limits[kind]
  return value < low || value > high ? `outside ${low} to ${high}` : undefined
}
