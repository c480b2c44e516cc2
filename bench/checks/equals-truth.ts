/**
 * What a platform shows is what the device told it (OpenLV M:0022, M:0026; LV-CAP API 4.8). A value is judged against
 * the answers that the device gave since the value before it, never against the truth at the platform's own stamp.
 */
import type { Instant } from '../../drivers/faces.ts'
import { duration, durationText } from '../../drivers/units.ts'
import { matcher, wildcard } from '../evidence/series.ts'
import type { Check, Event, Result, Series } from '../faces.ts'
import { type Oracle, answerReader, faultTracker, quantityName } from './answers.ts'
import {
  type CheckOptions,
  type Fold,
  type Watch,
  checkOf,
  inconclusive,
  into,
  offences,
  pass,
  short,
} from './check.ts'
import { channelOf, field } from './scalar.ts'

/**
 * Relative error of representation that is always allowed: float32 registers and sums of a day's samples. Ours. How far
 * beyond it a platform may round is for the device to state: its resolution.
 */
const representation = 1e-6
/** And absolute, about zero. Ours. */
const nearZero = 1e-9
/** Answers kept from just before the last value: a bound on memory only. */
const mostRecent = 64

export interface EqualsTruthOptions extends CheckOptions {
  /**
   * `accuracy`: besides, every answer must lie within the device's stated accuracy of the truth then; else the bench
   * is to blame. `answers`: only the answers count. Default: `accuracy` where the device states one.
   */
  readonly within?: 'accuracy' | 'answers'
  /** Coarsest step in which the platform may show a value, by unit: { '°C': 0.1 }; the device's resolution unless given. */
  readonly resolution?: Readonly<Record<string, number>>
  /** Aliases that must each have been seen. */
  readonly channels?: readonly string[]
  /** Aliases (with `*`) that may be shown as invalid though the device answered. */
  readonly mayBeInvalid?: readonly string[]
  /** Faults of the device during which its answers are numbers, yet Valid true is wrong. */
  readonly invalidWhile?: readonly string[]
  /** How long a sample may lie about before it is used; `1 s` unless given. */
  readonly lag?: string
}

interface Channel {
  readonly name: string
  readonly quantity: string | undefined
  readonly resolution: number
  /** Answers since the last value: how many numbers, how many times none, and their envelope. */
  numbers: number
  nothings: number
  min: number
  max: number
  lastAnswerSeq: number | undefined
  /** Answers of the last `lag`: a mean may still use those from before the last value. */
  recent: { readonly at: Instant; readonly value: number }[]
  /** Those of them that were given before the last value. */
  carried: readonly number[]
  seen: number
  lastSeen: Instant
  /** What is wrong with the first value, if the answers to it may have been given before the watch began. */
  firstWrong:
    | { readonly sort: string; readonly text: string; readonly because: readonly number[] }
    | undefined
}

/**
 * Each valid value must lie within the answers since the previous value of its channel, widened by what its
 * representation costs; where a platform takes means, samples that a mean may share with the one before count by
 * their weight. Valid without any answer is stale; invalid while the device answered healthily, and valid while the
 * device said that it has no value, are failures. An unreadable message is one too. Any fault in force, on whatever
 * part of the rig, excuses an invalid value, never a wrong one.
 *
 * The first value of a channel is judged once it is known that its answers cannot lie before the watch.
 */
export function equalsTruth(series: Series, device: Oracle | string, o: EqualsTruthOptions): Check {
  const oracle: Oracle = typeof device === 'string' ? { role: device } : device
  const byAccuracy = o.within !== 'answers' && oracle.accuracy !== undefined
  const steps =
    o.resolution === undefined
      ? oracle.resolution === undefined
        ? []
        : [', to its stated resolution']
      : Object.entries(o.resolution).map(([unit, r]) => `, to ${r} ${unit}`)
  return checkOf(o, {
    id: 'values',
    limit: `within what ${oracle.role} answered since the value before, ±${representation} of it${steps.join('')}${
      byAccuracy ? '; answers within the stated accuracy of the truth' : ''
    }`,
    over: series,
    fold: (watch) => new Values(watch, series, oracle, byAccuracy, o),
  })
}

class Values implements Fold {
  readonly #watch: Watch
  readonly #role: string
  readonly #o: EqualsTruthOptions
  readonly #fits: (e: Event) => boolean
  readonly #inSeries: (alias: string) => boolean
  readonly #mayBeInvalid: readonly ((alias: string) => boolean)[]
  readonly #lag: number
  readonly #accuracy: ((q: string, v: number) => number) | undefined
  readonly #resolution: (quantity: string) => number
  readonly #channels = new Map<string, Channel>()
  readonly #answers: ReturnType<typeof answerReader<Channel>>
  readonly #faults = faultTracker()
  readonly #found = offences()
  #judged = 0
  #invalid = 0
  #answered = 0
  #skipped = 0
  #ownFault: { readonly text: string; readonly seq: number } | undefined

  constructor(watch: Watch, series: Series, oracle: Oracle, byAccuracy: boolean, o: EqualsTruthOptions) {
    this.#watch = watch
    this.#role = oracle.role
    this.#o = o
    this.#fits = matcher(series)
    this.#inSeries = wildcard(series.select)
    this.#mayBeInvalid = (o.mayBeInvalid ?? []).map((p) => wildcard(p))
    this.#lag = duration(o.lag ?? '1 s')
    this.#resolution = (q) =>
      o.resolution === undefined ? (oracle.resolution?.(q) ?? 0) : (o.resolution[quantityName(q).unit] ?? 0)
    this.#accuracy = byAccuracy ? (q, v) => oracle.accuracy?.(q, v) ?? 0 : undefined
    this.#answers = answerReader(oracle.role, (alias, quantity) =>
      this.#inSeries(alias) ? this.#channel(alias, quantity) : undefined,
    )
  }

  see(e: Event): boolean {
    this.#faults.see(e)
    if (this.#answers(e, (c, answered, truth) => this.#answer(e, c, answered, truth))) return false
    if (!this.#fits(e)) return false
    const name = channelOf(e)
    if (!name.startsWith(`${this.#role}.`)) return false
    return this.#value(e, this.#channel(name))
  }

  #channel(name: string, quantity?: string): Channel {
    const known = this.#channels.get(name)
    if (known !== undefined && (known.quantity !== undefined || quantity === undefined)) return known
    const c: Channel = {
      numbers: 0,
      nothings: 0,
      min: Number.POSITIVE_INFINITY,
      max: Number.NEGATIVE_INFINITY,
      lastAnswerSeq: undefined,
      recent: [],
      carried: [],
      seen: 0,
      lastSeen: Number.NaN,
      firstWrong: undefined,
      ...known,
      name,
      quantity,
      resolution: quantity === undefined ? 0 : this.#resolution(quantity),
    }
    this.#channels.set(name, c)
    return c
  }

  #answer(e: Event, c: Channel, answered: number | null, truth: number): void {
    this.#answered++
    c.lastAnswerSeq = e.seq
    if (answered === null) {
      c.nothings++
      return
    }
    c.numbers++
    if (answered < c.min) c.min = answered
    if (answered > c.max) c.max = answered
    c.recent.push({ at: e.at, value: answered })
    while (c.recent.length > mostRecent || (c.recent[0] !== undefined && c.recent[0].at < e.at - this.#lag))
      c.recent.shift()
    if (this.#accuracy === undefined || this.#ownFault !== undefined || answered === truth) return
    const q = c.quantity ?? c.name
    const allowed = this.#accuracy(q, truth) + nearZero + representation * Math.abs(truth)
    if (!(Math.abs(answered - truth) <= allowed) && !this.#faults.inForce(this.#role))
      this.#ownFault = {
        text: `the bench's own ${this.#role} answered ${short(answered)} for ${q} while ${short(truth)} was true, beyond its stated accuracy`,
        seq: e.seq,
      }
  }

  #value(e: Event, c: Channel): boolean {
    const first = c.seen === 0
    const since = first ? this.#watch.begin : c.lastSeen
    if (!first && c.firstWrong !== undefined) {
      // The watch was long enough before the first value for all answers to it.
      if (c.lastSeen - this.#watch.begin >= e.at - c.lastSeen) {
        this.#found.add(c.firstWrong.sort, c.firstWrong.text, ...c.firstWrong.because)
        this.#judged++
      } else this.#skipped++
      c.firstWrong = undefined
    }
    const wrong = this.#wrong(e, c, since)
    let judged = true
    if (wrong !== undefined) {
      const because = c.lastAnswerSeq === undefined ? [e.seq] : [c.lastAnswerSeq, e.seq]
      const text = `${c.name}: ${wrong.text}, ${into(this.#watch, e.at)}`
      if (first && wrong.sort !== 'malformed') {
        c.firstWrong = { sort: wrong.sort, text, because }
        judged = false
      } else this.#found.add(wrong.sort, text, ...because)
    }
    if (judged) this.#judged++
    c.seen++
    c.lastSeen = e.at
    c.carried = c.recent.filter((r) => r.at >= e.at - this.#lag).map((r) => r.value)
    c.recent = []
    c.numbers = 0
    c.nothings = 0
    c.min = Number.POSITIVE_INFINITY
    c.max = Number.NEGATIVE_INFINITY
    return judged
  }

  #wrong(e: Event, c: Channel, since: Instant): { readonly sort: string; readonly text: string } | undefined {
    const valid = field(e, 'Valid')
    const value = field(e, 'Value')
    if (typeof valid !== 'boolean')
      return { sort: 'malformed', text: 'a message without Valid true or false' }
    if (value === undefined) return { sort: 'malformed', text: 'a message without Value' }
    if (field(e, 'Timestamp') === undefined) return { sort: 'malformed', text: 'a message without Timestamp' }
    if (!valid) {
      this.#invalid++
      const healthy = c.numbers > 0 && c.nothings === 0 && !this.#faults.disturbed(since - this.#lag)
      if (!healthy || this.#mayBeInvalid.some((fits) => fits(c.name))) return undefined
      return { sort: 'wrongly invalid', text: 'shown as invalid while the device answered healthily' }
    }
    if (typeof value !== 'number' || !Number.isFinite(value))
      return {
        sort: 'malformed',
        text: `a valid value that is no number (${JSON.stringify(value).slice(0, 40)})`,
      }
    if (c.numbers === 0)
      return c.nothings > 0
        ? { sort: 'wrongly valid', text: 'shown as valid while the device said it has no value' }
        : {
            sort: 'stale',
            text: `shown as valid though the device answered nothing for ${durationText(e.at - since)}`,
          }
    const { low, high } = legal(c)
    if (value < low || value > high)
      return {
        sort: 'wrong value',
        text: `${short(value)} shown where the device answered ${c.min === c.max ? '' : `${short(c.min)} to `}${short(c.max)}`,
      }
    const lying = this.#faults.throughout(this.#role, since).find((f) => this.#o.invalidWhile?.includes(f))
    if (lying !== undefined)
      return { sort: 'wrongly valid', text: `shown as valid during the fault '${lying}'` }
    return undefined
  }

  result(at: Instant): Result {
    const found = this.#found.copy()
    const seen = [...this.#channels.values()].filter((c) => c.seen > 0)
    const names = new Set(seen.map((c) => c.name))
    const missing = (this.#o.channels ?? []).filter((n) => !names.has(n))
    for (const n of missing)
      found.add('missing', `${n}: not one value in ${durationText(at - this.#watch.begin)}`)
    const observed = {
      'channels [1]': seen.length,
      'values judged [1]': this.#judged,
      'values not judged [1]': this.#skipped + seen.filter((c) => c.firstWrong !== undefined).length,
      'values shown as invalid [1]': this.#invalid,
      'answers of the device [1]': this.#answered,
      ...found.counts(),
    }
    const failed = found.result(observed)
    if (failed !== undefined) return failed
    if (this.#ownFault !== undefined)
      return inconclusive('bench', this.#ownFault.text, observed, [this.#ownFault.seq])
    if (this.#answered === 0 && this.#judged > 0)
      return inconclusive(
        'bench',
        `${this.#role} gave no answer that values could be compared with`,
        observed,
      )
    return pass(observed, [])
  }
}

/**
 * The span in which a value may lie: the answers since the last value, and as far beyond as a mean over as many
 * samples can be pulled by those that were answered just before the last value and may not have been used for it.
 * With a single answer there is no mean, and what was answered earlier counts nothing.
 */
function legal(c: Channel): { readonly low: number; readonly high: number } {
  let low = c.min
  let high = c.max
  if (c.numbers >= 2) {
    const carried = c.carried.slice(-Math.floor(c.numbers / 2))
    for (const v of carried) {
      if (v > c.max) high += (v - c.max) / c.numbers
      if (v < c.min) low -= (c.min - v) / c.numbers
    }
  }
  const widen = representation * Math.max(Math.abs(low), Math.abs(high)) + nearZero + c.resolution
  return { low: low - widen, high: high + widen }
}
