/** Series of an app that foretells (LV-CAP API 9.2, table 21): what stands in one, and its form and its times. */
import type { Instant } from '../../drivers/faces.ts'
import { duration, durationText } from '../../drivers/units.ts'
import { matcher } from '../evidence/series.ts'
import type { Check, Event, Series } from '../faces.ts'
import { checkOf, inconclusive, into, notShown, offences, pass, seconds, type CheckOptions } from './check.ts'
import { channelOf, field } from './scalar.ts'

/** A Series object as it was seen; what is not as table 21 has it is NaN or missing. Times in Unix seconds. */
export interface Foretold {
  readonly stamp: number
  readonly start: number
  readonly interval: number
  /** Empty where it says nothing. */
  readonly values: readonly number[]
  readonly confidence: readonly number[] | undefined
  readonly valid: boolean | undefined
  readonly oldest: number | undefined
  readonly newest: number | undefined
}

export function foretoldIn(e: Event): Foretold {
  const number = (key: string): number => {
    const v = field(e, key)
    return typeof v === 'number' ? v : Number.NaN
  }
  const list = (key: string): readonly number[] | undefined => {
    const v = field(e, key)
    return Array.isArray(v) ? v.map((x) => (typeof x === 'number' ? x : Number.NaN)) : undefined
  }
  const maybe = (key: string): number | undefined => (field(e, key) === undefined ? undefined : number(key))
  const valid = field(e, 'Valid')
  return {
    stamp: number('Timestamp'),
    start: number('StartPoint'),
    interval: number('Interval'),
    values: list('Value') ?? [],
    confidence: list('Confidence'),
    valid: typeof valid === 'boolean' ? valid : undefined,
    oldest: maybe('TimestampStart'),
    newest: maybe('TimestampEnd'),
  }
}

export interface FormOptions extends CheckOptions {
  /** Values that it holds, of how long each, and at multiples of what it begins. */
  readonly values: number
  readonly interval: string
  readonly startsAt: string
}

/**
 * Each valid Series has so many values of such an interval, and its first one begins with the half-hour (or whatever it
 * starts at) in which it was published: together they span what lies ahead without a gap. An invalid one has the keys.
 */
export function forecastForm(series: Series, o: FormOptions): Check {
  const interval = duration(o.interval) / 1000
  const grid = duration(o.startsAt) / 1000
  return checkOf(o, {
    id: 'form',
    limit: `${o.values} numbers of ${o.interval} each, the first from the ${o.startsAt} of its publication on, at a multiple of ${o.startsAt}`,
    over: series,
    fold: (watch) => {
      const fits = matcher(series)
      const found = offences()
      let valid = 0
      let invalid = 0
      return {
        see(e) {
          if (!fits(e)) return false
          const f = foretoldIn(e)
          const bad = (sort: string, text: string): void =>
            found.add(sort, `${channelOf(e)}: ${text}, ${into(watch, e.at)}`, e.seq)
          if (f.valid === undefined || !Number.isInteger(f.stamp) || !Number.isFinite(f.start))
            bad('without keys', 'Timestamp, StartPoint or Valid is missing or of another type')
          if (f.confidence !== undefined) {
            if (f.confidence.length !== f.values.length)
              bad('confidences', `${f.confidence.length} confidences of ${f.values.length} values`)
            if (!f.confidence.every((c) => c >= 0 && c <= 1))
              bad('confidences', 'a confidence is not from 0 to 1')
          }
          if (f.valid !== true) {
            invalid++
            return false
          }
          valid++
          if (f.interval !== interval) bad('interval', `an interval of ${f.interval} s`)
          if (f.values.length !== o.values) bad('number of values', `${f.values.length} values`)
          if (!f.values.every((v) => Number.isFinite(v) && v >= 0))
            bad('no load or temperature', 'a value is no number, or below zero')
          if (f.start % grid !== 0)
            bad('start', `it starts at ${clock(f.start)}, which is no multiple of ${o.startsAt}`)
          else if (!(f.start <= f.stamp && f.stamp < f.start + grid))
            bad('start', `published at ${clock(f.stamp)}, it starts at ${clock(f.start)}`)
          return true
        },
        result() {
          const observed = { 'valid [1]': valid, 'invalid [1]': invalid, ...found.counts() }
          return found.result(observed) ?? pass(observed)
        },
      }
    },
  })
}

/** `14:30:05` of a Unix time. */
export function clock(t: number): string {
  const d = new Date(t * 1000)
  return Number.isNaN(d.getTime()) ? String(t) : d.toISOString().slice(11, 19)
}

/** At each multiple of `every` there comes a Series that starts there, `within` so long. */
export function forecastDue(
  series: Series,
  o: CheckOptions & { readonly every: string; readonly within: string },
): Check {
  const every = duration(o.every)
  const within = duration(o.within)
  return checkOf(o, {
    id: 'due',
    limit: `one that starts there within ${o.within} of each multiple of ${o.every}`,
    over: series,
    fold: (watch) => {
      const fits = matcher(series)
      const came = new Map<Instant, { readonly took: number; readonly seq: number }>()
      return {
        see(e) {
          if (!fits(e)) return false
          const start = foretoldIn(e).start * 1000
          if (start % every === 0 && start > watch.begin && e.at >= start && !came.has(start)) {
            came.set(start, { took: e.at - start, seq: e.seq })
            return true
          }
          return false
        },
        result(at) {
          const found = offences()
          let due = 0
          let slowest = 0
          for (let t = Math.ceil((watch.begin + 1) / every) * every; t + within <= at; t += every) {
            due++
            const c = came.get(t)
            slowest = Math.max(slowest, c?.took ?? 0)
            if (c === undefined) found.add('missing', `none that starts at ${clock(t / 1000)} came`)
            else if (c.took > within)
              found.add('late', `that of ${clock(t / 1000)} came ${durationText(c.took)} after it`, c.seq)
          }
          const observed = { 'due [1]': due, 'slowest [s]': seconds(slowest), ...found.counts() }
          if (due === 0) return inconclusive(notShown(o), `no multiple of ${o.every} came`, observed)
          return found.result(observed) ?? pass(observed)
        },
      }
    },
  })
}
