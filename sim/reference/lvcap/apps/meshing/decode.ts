/** Registers of a breaker into values, and which of them can be trusted. */
import type { RegisterBlock } from '../../sdk/modbus.ts'
import { quantities, type MeshingConfig, type Place, type Quantity } from './config.ts'

/** Registers that were read of one unit, by table and address: `input:5`. */
export type Words = ReadonlyMap<string, number>
export const wordKey = (table: RegisterBlock['table'], at: number): string => `${table}:${at}`

/** Null: not read. */
export type Reading = Readonly<Record<Quantity, number | null>>

export interface Sample {
  readonly quantity: Quantity
  /** In base units; meaningless where not valid. */
  readonly value: number
  readonly valid: boolean
}

/** The uptime of a unit as last believed, and what it claimed since. Times by a clock that is never set, in s. */
export interface Memory {
  readonly uptime: number
  readonly at: number
  /** Since when it has claimed, again and again, what does not fit; nothing: it fits. */
  readonly since: number | undefined
  readonly claimed: number
  readonly claimedAt: number
}

/** Registers further apart than this are not worth one request: 8 bits each, against about 20 characters for another. Ours. */
const gap = 8

/** The blocks to ask for, so that what belongs together comes in one answer. */
export function blocksFor(wanted: readonly Quantity[], c: MeshingConfig): readonly RegisterBlock[] {
  const spans = wanted
    .map((q) => c.map[q])
    .map((p) => ({ table: p.table, from: p.at, to: p.at + (p.as === 'u32' ? 2 : 1) }))
    .toSorted((a, b) => (a.table === b.table ? a.from - b.from : a.table < b.table ? 1 : -1))
  const blocks: { table: 'input' | 'holding'; from: number; to: number }[] = []
  for (const s of spans) {
    const last = blocks.at(-1)
    if (last?.table === s.table && s.from - last.to <= gap && s.to - last.from <= 125)
      last.to = Math.max(last.to, s.to)
    else blocks.push({ ...s })
  }
  return blocks.map((b) => ({ table: b.table, start: b.from, count: b.to - b.from }))
}

export function decode(words: Words, c: MeshingConfig): Reading {
  return Object.fromEntries(quantities.map((q) => [q, valueAt(words, c.map[q])])) as Record<
    Quantity,
    number | null
  >
}

function valueAt(words: Words, p: Place): number | null {
  const w = words.get(wordKey(p.table, p.at))
  if (w === undefined) return null
  if (p.as === 'u16') return tidy(w * p.scale)
  if (p.as === 's16') return tidy(((w << 16) >> 16) * p.scale)
  const low = words.get(wordKey(p.table, p.at + 1))
  return low === undefined ? null : tidy((w * 0x1_0000 + low) * p.scale)
}

/** 23.700000000000003 is 23.7. */
function tidy(x: number): number {
  return Number(x.toPrecision(12))
}

/** Seconds by which an uptime may be off from what is expected of it: its own rounding, and the way here. Ours. */
const slack = 5
/** A unit that has said what does not fit for so many seconds is believed: it may have been exchanged. Ours. */
const believedAfter = 180

/**
 * Values in range are trusted. An uptime must go on from the last one, or begin anew since; the two halves of one that
 * was caught in the middle of a carry do neither.
 */
export function trust(
  reading: Reading,
  memory: Memory | undefined,
  now: number,
  c: MeshingConfig,
): { readonly samples: readonly Sample[]; readonly memory: Memory | undefined } {
  const lasting = uptimeOf(reading.uptime, memory, now)
  const samples = quantities.map((quantity): Sample => {
    const value = reading[quantity]
    const [least, most] = c.map[quantity].range ?? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]
    const good = value !== null && value >= least && value <= most
    return { quantity, value: value ?? 0, valid: good && (quantity !== 'uptime' || lasting.fits) }
  })
  return { samples, memory: lasting.memory }
}

function uptimeOf(
  uptime: number | null,
  m: Memory | undefined,
  now: number,
): { readonly fits: boolean; readonly memory: Memory | undefined } {
  if (uptime === null) return { fits: false, memory: m }
  const believed: Memory = { uptime, at: now, since: undefined, claimed: uptime, claimedAt: now }
  if (m === undefined) return { fits: true, memory: believed }
  const passed = now - m.at
  const goesOn = Math.abs(uptime - (m.uptime + passed)) <= slack
  const beganSince = uptime <= passed + slack
  // The lower half as expected, and the upper one not: half of it is of before the carry.
  const off = Math.abs(uptime - (m.uptime + passed)) % 0x1_0000
  const torn = !goesOn && (off <= slack || off >= 0x1_0000 - slack)
  if (goesOn || (beganSince && !torn)) return { fits: true, memory: believed }
  const alike = m.since !== undefined && Math.abs(uptime - (m.claimed + now - m.claimedAt)) <= slack
  const since = alike ? (m.since ?? now) : now
  if (now - since >= believedAfter) return { fits: true, memory: believed }
  return { fits: false, memory: { ...m, since, claimed: uptime, claimedAt: now } }
}

/** `between`: neither or both of its contacts tell, or the copy that told is old. */
export type State = 'open' | 'closed' | 'between'

export interface Standing {
  readonly state: State
  readonly reclosing: boolean
}

/** Of the fault status (I:0075). */
export function standingOf(status: number, { control: { bits } }: MeshingConfig): Standing {
  const bit = (n: number): boolean => ((status >> n) & 1) === 1
  const [closed, open] = [bit(bits.closed), bit(bits.open)]
  const state = bit(bits.stale) || closed === open ? 'between' : closed ? 'closed' : 'open'
  return { state, reclosing: bit(bits.reclosing) }
}

/** Whether three breakers do not stand alike. Undefined: not all of them are known. */
export function disagree(states: readonly (State | undefined)[]): boolean | undefined {
  const known = states.filter((s) => s !== undefined)
  if (known.some((s) => s === 'between') || new Set(known).size > 1) return true
  return known.length === states.length ? false : undefined
}
