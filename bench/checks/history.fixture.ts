/** Histories for tests of the checks: a healthy platform in several legal styles, and ways to spoil one message. */
import type { Json } from '../../drivers/faces.ts'
import type { Check, Event, Kind, Result } from '../faces.ts'
import { jury, declaredEvent } from './judge.ts'

export const begin = 1_700_000_000_321
export const marketplace = { src: 'marketplace', kind: 'seen', select: 'gridkey.*' } as const

export const quantities = [
  'busbar.l1n.voltage [V]',
  'feeder1.l1.current [A]',
  'feeder1.l1.real_power [W]',
] as const

export interface Style {
  readonly periodMs?: number
  readonly samples?: number
  /** `once`: one reading before each message; `means`: readings all the time, and their mean. */
  readonly reading?: 'once' | 'means'
  /** Time between readings of `means`, in ms. */
  readonly pollMs?: number
  /** How long before its message a value is sampled at most, in ms. */
  readonly sampledBeforeMs?: number
  /** Jitter of each message about its grid, in ms to either side. */
  readonly jitterMs?: number
  /** The device's answers and the platform's values are rounded to this. */
  readonly step?: number
  readonly load?: 'moving' | 'constant' | 'zero'
  readonly stamp?: 'sample' | 'publish' | 'rounded'
  readonly seed?: number
}

/** A small stream of numbers in [0, 1): 32-bit mix by multiply and shift. */
export function stream(seed: number): () => number {
  let s = seed >>> 0
  return () => {
    s = (s + 0x9e3779b9) >>> 0
    let x = s
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b)
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35)
    return ((x ^ (x >>> 16)) >>> 0) / 2 ** 32
  }
}

export type Draft = Omit<Event, 'seq'>

export function draft(at: number, src: string, kind: Kind, data: Json, more: Partial<Event> = {}): Draft {
  return { at, src, kind, data, ...more }
}

export function scalar(at: number, alias: string, timestamp: Json, value: Json, valid: Json = true): Draft {
  const payload = { Timestamp: timestamp, Value: value, Valid: valid }
  const stamp = typeof timestamp === 'number' ? { stamp: timestamp * 1000 } : {}
  return draft(at, 'marketplace', 'seen', { alias, payload, qos: 1, retain: false }, stamp)
}

/** Events in order of time, numbered as lines of a log. */
export function numbered(list: readonly Draft[]): Event[] {
  return [...list].sort((a, b) => a.at - b.at).map((e, i) => ({ ...e, seq: i + 1 }))
}

export function aliasOf(quantity: string): string {
  return `gridkey.${quantity.replace(/ \[.*/, '')}`
}

/** A healthy history: the watch begins, a message of each channel one period later, and so on. */
export function healthy(style: Style = {}): { readonly drafts: Draft[]; readonly end: number } {
  const period = style.periodMs ?? 60_000
  const samples = style.samples ?? 30
  const random = stream(style.seed ?? 1)
  const jitter = style.jitterMs ?? 40
  const drafts: Draft[] = [draft(begin, 'bench', 'step', { what: 'begin' })]
  // The first message comes as late as it may: a whole interval lies before it, whatever the jitter.
  const grid = begin + period + jitter
  const readings: { at: number; values: number[] }[] = []
  let polled = begin + 100
  const read = (at: number): number[] => {
    const values = quantities.map((_, i) => valueAt(i, at, style, random))
    readings.push({ at, values })
    const answers = Object.fromEntries(quantities.map((q, i) => [q, [values[i], values[i]]]))
    drafts.push(draft(at, 'gridkey', 'said', { answers } as Json))
    return values
  }
  for (let n = 0; n < samples; n++) {
    const publish = Math.round(grid + n * period + (n === 0 ? 0 : (random() * 2 - 1) * jitter))
    const before = style.sampledBeforeMs ?? 50
    const sample = Math.round(publish - 5 - random() * Math.max(0, before - 5))
    let values: number[]
    if (style.reading === 'means') {
      for (; polled <= publish - 1; polled += style.pollMs ?? 5000) read(polled)
      // What was read after the sample was taken counts for the next mean.
      const used = readings.filter((r) => r.at <= sample)
      readings.splice(0, used.length)
      values = quantities.map((_, i) => used.reduce((s, r) => s + (r.values[i] ?? 0), 0) / used.length)
    } else values = read(sample)
    const time = style.stamp === 'publish' ? publish : sample
    const stamp = style.stamp === 'rounded' ? Math.round(time / 1000) : Math.floor(time / 1000)
    quantities.forEach((q, i) => {
      const v = values[i] ?? 0
      const shown = style.step === undefined ? v : Math.round(v / style.step) * style.step
      drafts.push(scalar(publish + i, aliasOf(q), stamp, shown))
    })
  }
  return { drafts, end: grid + (samples - 1) * period + period / 2 }
}

function valueAt(i: number, at: number, style: Style, random: () => number): number {
  if (style.load === 'zero') return 0
  if (style.load === 'constant') return 100 * (i + 1)
  const v = 100 * (i + 1) * (1 + 0.3 * Math.sin(at / 1_700_000 + i) + 0.05 * random())
  return style.step === undefined ? v : Math.round(v / style.step) * style.step
}

/** Feeds a history to checks as a live run does, and judges them at its end. */
export function verdicts(
  events: readonly Draft[],
  checks: readonly Check[],
  end: number,
): Readonly<Record<string, Result>> {
  const bench = jury(checks)
  const declared = checks.map((c) => draft(begin, 'bench', 'check', declaredEvent(c) as unknown as Json))
  for (const e of numbered([...declared, ...events.filter((e) => e.at <= end)])) bench.see(e)
  return Object.fromEntries(checks.map((c) => [c.id, bench.judge(c.id, end).result]))
}

export const mutations = [
  'remove',
  'double',
  'swap',
  'alter value',
  'alter stamp',
  'reveal',
  'delay',
  'withhold Valid',
] as const

export type Mutation = (typeof mutations)[number]

function channelOf(e: Draft | undefined): string {
  return (e?.data as { readonly alias?: string } | undefined)?.alias ?? ''
}

/** Spoils the message at `position` (counted over all seen ones). `by` in [0, 1) says how much. */
export function spoil(
  drafts: readonly Draft[],
  mutation: Mutation,
  position: number,
  by: number,
  periodMs = 60_000,
): Draft[] {
  const list = [...drafts]
  const seen = list.flatMap((e, i) => (e.kind === 'seen' ? [i] : []))
  const index = seen[position % seen.length] ?? 0
  const e = list[index]
  if (e === undefined) return list
  const data = e.data as { alias: string; payload: { Timestamp: number; Value: number; Valid: boolean } }
  const { Timestamp, Value } = data.payload
  const sign = by < 0.5 ? 1 : -1
  switch (mutation) {
    case 'remove':
      list.splice(index, 1)
      break
    case 'double':
      list.splice(index + 1, 0, { ...e, at: e.at + Math.floor(by * 3000) })
      break
    case 'swap': {
      const same = seen.filter((i) => channelOf(list[i]) === data.alias)
      const at = same.indexOf(index)
      const other = same[at + 1] ?? same[at - 1] ?? index
      const o = list[other]
      if (o !== undefined)
        [list[index], list[other]] = [
          { ...o, at: e.at },
          { ...e, at: o.at },
        ]
      break
    }
    case 'alter value':
      list[index] = scalar(e.at, data.alias, Timestamp, Value * (1 + sign * (0.5 + by)) + sign * 0.2)
      break
    case 'alter stamp':
      list[index] = scalar(e.at, data.alias, Timestamp + sign * (5 + Math.floor(by * 3600)), Value)
      break
    case 'reveal': {
      const at = e.at + Math.floor((0.1 + 0.35 * by) * periodMs)
      list.push(scalar(at, data.alias, Math.floor(at / 1000), Value * 1.01 + 0.5))
      break
    }
    case 'delay':
      list[index] = { ...e, at: e.at + Math.floor((0.25 + by / 2) * periodMs) }
      break
    case 'withhold Valid':
      list[index] = scalar(e.at, data.alias, Timestamp, Value, false)
      break
  }
  return list
}
