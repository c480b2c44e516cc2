/**
 * Nothing grows while it runs: memory, handles, queues, topics. "Indefinite" is read as a soak of 24 h without
 * growth (our reading, design "Judging honestly").
 */
import type { Instant } from '../../drivers/faces.ts'
import { duration, durationText, ratio } from '../../drivers/units.ts'
import { matcher } from '../evidence/series.ts'
import type { Check, Event, Result, Series } from '../faces.ts'
import {
  type CheckOptions,
  checkOf,
  inconclusive,
  marginal,
  marginalShare,
  offences,
  pass,
  short,
} from './check.ts'
import { channelOf, numberOf, objectOf, payloadOf } from './scalar.ts'

export interface NoGrowthOptions extends CheckOptions {
  /** Growth over the watched span that is allowed, as a share of the level: `5 %`. */
  readonly growth: string
  /** Growth that is allowed in any case, in the figure's own unit: a queue may go from 0 to 2. 0 unless given. */
  readonly slack?: number
  /**
   * Where payloads are objects (a health report): the keys that must not grow, each a figure of its own and of each
   * proc. There is no default: some counters rise by their nature. What is named and never shown (memory of one host, in
   * virtual time) is told beside the verdict.
   */
  readonly figures?: readonly string[]
  /** Left out at the beginning, while caches fill: `30 min`. None unless given. */
  readonly warmUp?: string
}

/** Points that are kept for each figure; when there are twice as many, neighbours are averaged. */
const points = 128
/** With fewer there is no trend to tell. Ours. */
const fewest = 16
/** Figures that are followed: whoever writes the log could name any number of them. */
const mostFigures = 1000
/** Figures that moved, of those that a result tells at most. */
const mostTold = 12
/** Kendall's S against chance: one-sided 1 % of the normal distribution. */
const chance = 2.33

interface Figure {
  readonly name: string
  /** Means of `per` neighbouring values, with their mean time. */
  means: { readonly at: Instant; readonly value: number; readonly seq: number }[]
  per: number
  sumAt: number
  sum: number
  n: number
  readonly first: number
  last: number
}

/**
 * For each figure of the series a straight line is laid through its course as the median of all slopes between two
 * points (Theil 1950, Sen 1968): single peaks do not move it. Its rise over the span must stay below the limit; a
 * rise above it that chance explains (Kendall's test) is only marginal.
 */
export function noGrowth(series: Series, o: NoGrowthOptions): Check {
  const growth = ratio(o.growth)
  const slack = o.slack ?? 0
  const warmUp = duration(o.warmUp ?? '0 s')
  const parts = [
    `less than ${o.growth} of its level`,
    slack > 0 ? ` or ${slack}` : '',
    warmUp > 0 ? `, after ${durationText(warmUp)}` : '',
  ]
  return checkOf(o, {
    id: 'growth',
    limit: `over the watch each figure grows by ${parts.join('')}`,
    over: series,
    fold: (watch) => {
      const fits = matcher(series)
      const figures = new Map<string, Figure>()
      const unseen = new Set(o.figures)
      let unreadable = 0
      return {
        see(e) {
          if (!fits(e)) return false
          const values = figuresOf(e, o.figures)
          if (unseen.size > 0) for (const k of Object.keys(objectOf(payloadOf(e)) ?? {})) unseen.delete(k)
          if (values.length === 0) {
            unreadable++
            return false
          }
          // The observation point lives, even if nothing is judged yet.
          if (e.at - watch.begin < warmUp) return true
          for (const [name, value] of values) add(figures, name, e.at, value, e.seq)
          return true
        },
        result: () => {
          const r = resultOf([...figures.values()], unreadable, growth, slack)
          if (unseen.size === 0) return r
          return { ...r, observed: { ...objectOf(r.observed), 'not to be seen here': [...unseen] } }
        },
      }
    },
  })
}

/** The figures that an event shows, by name: its one number, or those of its payload's keys. */
function figuresOf(e: Event, keys: readonly string[] | undefined): [name: string, value: number][] {
  const proc = objectOf(e.data)?.['proc']
  const name = typeof proc === 'string' ? `${proc}: ` : ''
  const single = numberOf(e)
  if (single !== undefined) return [[`${name}${channelOf(e)}`, single]]
  const payload = objectOf(payloadOf(e)) ?? {}
  return (keys ?? []).flatMap((k): [string, number][] => {
    const v = Object.hasOwn(payload, k) ? payload[k] : undefined
    return typeof v === 'number' && Number.isFinite(v) ? [[`${name}${k}`, v]] : []
  })
}

function add(figures: Map<string, Figure>, name: string, at: Instant, value: number, seq: number): void {
  let f = figures.get(name)
  if (f === undefined) {
    if (figures.size >= mostFigures) return
    f = { name, means: [], per: 1, sumAt: 0, sum: 0, n: 0, first: value, last: value }
    figures.set(name, f)
  }
  f.last = value
  f.sumAt += at
  f.sum += value
  if (++f.n < f.per) return
  f.means.push({ at: f.sumAt / f.n, value: f.sum / f.n, seq })
  f.sumAt = 0
  f.sum = 0
  f.n = 0
  if (f.means.length < 2 * points) return
  const halved: typeof f.means = []
  for (let i = 0; i + 1 < f.means.length; i += 2) {
    const [a, b] = [f.means[i], f.means[i + 1]]
    if (a !== undefined && b !== undefined)
      halved.push({ at: (a.at + b.at) / 2, value: (a.value + b.value) / 2, seq: b.seq })
  }
  f.means = halved
  f.per *= 2
}

function resultOf(figures: readonly Figure[], unreadable: number, growth: number, slack: number): Result {
  const found = offences()
  const observed: Record<string, number> = { 'figures [1]': figures.length }
  if (unreadable > 0) observed['values without a number [1]'] = unreadable
  let told = 0
  let near: { name: string; share: number; seqs: number[] } | undefined
  let fewer = figures.length > 0 ? undefined : 'none after the warm-up'
  if (figures.length === 0 && unreadable > 0)
    return inconclusive('bench', 'payloads hold no number under a key that is named (figures)', observed)
  for (const f of figures) {
    const t = trend(f)
    if (t === undefined) {
      fewer = f.name
      continue
    }
    const limit = Math.max(growth * Math.abs(t.level), slack)
    const share = limit > 0 ? t.rise / limit : t.rise > 0 ? Number.POSITIVE_INFINITY : 0
    const seqs = [f.means[0]?.seq ?? 0, f.means.at(-1)?.seq ?? 0]
    if (t.rise !== 0 && ++told <= mostTold) {
      observed[`${f.name}: level`] = short(t.level)
      observed[`${f.name}: rise`] = short(t.rise)
    }
    if (share > 1 && t.z > chance)
      found.add(
        'growing',
        `${f.name} grew by ${short(t.rise)} about ${short(t.level)} in ${durationText(t.span)} (limit ${short(limit)})`,
        ...seqs,
      )
    else if (share > marginalShare && (near === undefined || share > near.share))
      near = { name: f.name, share, seqs }
  }
  const failed = found.result({ ...observed, ...found.counts() })
  if (failed !== undefined) return failed
  if (fewer !== undefined) return inconclusive('rig', `too few values to tell a trend (${fewer})`, observed)
  if (near !== undefined) {
    const percent = Number.isFinite(near.share) ? `${Math.round(near.share * 100)} %` : 'more than all'
    return marginal(`${near.name} uses ${percent} of its allowed growth`, observed, near.seqs)
  }
  return pass(observed)
}

interface Trend {
  /** Median of the values. */
  readonly level: number
  /** Rise of the line over the span, in the figure's unit. */
  readonly rise: number
  readonly span: number
  /** Kendall's S in standard deviations; positive: rising. */
  readonly z: number
}

function trend(f: Figure): Trend | undefined {
  const p = f.means
  const n = p.length
  if (n < fewest) return undefined
  const slopes: number[] = []
  let s = 0
  for (let i = 0; i < n; i++)
    for (let j = i + 1; j < n; j++) {
      const [a, b] = [p[i], p[j]]
      if (a === undefined || b === undefined || b.at <= a.at) continue
      slopes.push((b.value - a.value) / (b.at - a.at))
      s += Math.sign(b.value - a.value)
    }
  const span = (p[n - 1]?.at ?? 0) - (p[0]?.at ?? 0)
  const deviation = Math.sqrt((n * (n - 1) * (2 * n + 5)) / 18)
  return { level: median(p.map((x) => x.value)), rise: median(slopes) * span, span, z: s / deviation }
}

function median(list: number[]): number {
  if (list.length === 0) return 0
  list.sort((a, b) => a - b)
  const h = list.length >> 1
  return list.length % 2 === 1 ? (list[h] ?? 0) : ((list[h - 1] ?? 0) + (list[h] ?? 0)) / 2
}
