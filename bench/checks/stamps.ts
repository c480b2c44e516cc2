/**
 * Messages carry the time of their reading by the platform's clock, in whole seconds (LV-CAP API 4.5 and 9.1;
 * OpenLV M:0022, M:0040; our reading of 4.5: a fraction is refused).
 */
import { GridproofError } from '../../drivers/errors.ts'
import type { Instant } from '../../drivers/faces.ts'
import { duration, durationText } from '../../drivers/units.ts'
import { matcher, wildcard } from '../evidence/series.ts'
import type { Check, Event, Result, Series } from '../faces.ts'
import { answerReader } from './answers.ts'
import {
  type CheckOptions,
  type Fold,
  type Watch,
  checkOf,
  into,
  marginal,
  marginalShare,
  offences,
  pass,
  seconds,
  stallShare,
  steadyTime,
} from './check.ts'
import { platformClock } from './platform-clock.ts'
import { channelOf, field } from './scalar.ts'

export interface StampOptions extends CheckOptions {
  /**
   * How far a stamp may lie before the answer of the device, and after its own arrival. Whole seconds alone cost up
   * to 1 s.
   */
  readonly within: string
  /** How long a sample may lie about before it is published; `1 s` unless given. */
  readonly lag?: string
  /** Role of the device that is read; what stands before the first dot of the series' pattern unless given. */
  readonly device?: string
}

interface Channel {
  readonly name: string
  /** Times of the answers since the last message that lie within `lag` of the newest; the newest is last. */
  recent: Instant[]
  seen: number
  lastSeen: Instant
  lastSeq: number
  lastStamp: number
}

/**
 * Each Timestamp must be a whole number of seconds, later than the one before on its channel, and lie between the
 * answer that was sampled (the oldest of the last second, else the last one) and the arrival, widened by `within`
 * and by the platform's clock offset where a note gives it. While the device answers nothing, the stamp must still
 * be newer than the message before.
 */
export function stampedByPlatformClock(series: Series, o: StampOptions): Check {
  const within = duration(o.within)
  const role = o.device ?? series.select.split('.')[0] ?? ''
  if (role === '' || role.includes('*'))
    throw new GridproofError(
      'bad-value',
      `'${series.select}' does not tell which device is read; give its role`,
    )
  return checkOf(o, {
    id: 'stamps',
    limit: `whole seconds, from the device's answer to the arrival ±${durationText(within)}, each later than the one before`,
    over: series,
    needs: [steadyTime],
    bears: () => within * stallShare,
    fold: (watch) => new Stamps(watch, series, role, within, duration(o.lag ?? '1 s')),
  })
}

class Stamps implements Fold {
  readonly #watch: Watch
  readonly #role: string
  readonly #within: number
  readonly #lag: number
  readonly #fits: (e: Event) => boolean
  readonly #answers: ReturnType<typeof answerReader<Channel>>
  readonly #channels = new Map<string, Channel>()
  readonly #found = offences()
  readonly #clock = platformClock()
  #earliest = Number.NEGATIVE_INFINITY
  #latest = Number.NEGATIVE_INFINITY
  #decisive: [early: number, late: number] = [0, 0]
  #judged = 0

  constructor(watch: Watch, series: Series, role: string, within: number, lag: number) {
    this.#watch = watch
    this.#role = role
    this.#within = within
    this.#lag = lag
    this.#fits = matcher(series)
    const inSeries = wildcard(series.select)
    this.#answers = answerReader(role, (alias) => (inSeries(alias) ? this.#channel(alias) : undefined))
  }

  #channel(name: string): Channel {
    let c = this.#channels.get(name)
    if (c === undefined) {
      c = { name, recent: [], seen: 0, lastSeen: Number.NaN, lastSeq: 0, lastStamp: Number.NEGATIVE_INFINITY }
      this.#channels.set(name, c)
    }
    return c
  }

  see(e: Event): boolean {
    if (this.#clock.see(e)) return false
    const answer = this.#answers(e, (c) => {
      while (c.recent[0] !== undefined && c.recent[0] < e.at - this.#lag) c.recent.shift()
      // Of many answers at once the first and the last suffice.
      if (c.recent.length < 64) c.recent.push(e.at)
      else c.recent[63] = e.at
    })
    if (answer || !this.#fits(e)) return false
    const name = channelOf(e)
    if (!name.startsWith(`${this.#role}.`)) return false
    this.#message(e, this.#channel(name))
    return true
  }

  #message(e: Event, c: Channel): void {
    const stamp = field(e, 'Timestamp')
    const where = `${c.name}, ${into(this.#watch, e.at)}`
    if (typeof stamp !== 'number' || !Number.isSafeInteger(stamp))
      this.#found.add(
        'no stamp',
        `${where}: Timestamp is ${stamp === undefined ? 'missing' : `${JSON.stringify(stamp).slice(0, 40)}, no whole number of seconds`}`,
        e.seq,
      )
    else {
      this.#place(e, c, stamp * 1000, where)
      if (c.seen > 0 && stamp <= c.lastStamp)
        this.#found.add(
          'not later',
          `${where}: ${stamp === c.lastStamp ? 'the same time stamp again' : `a time stamp ${c.lastStamp - stamp} s before the last one`}`,
          c.lastSeq,
          e.seq,
        )
      c.lastStamp = Math.max(c.lastStamp, stamp)
    }
    this.#judged++
    c.seen++
    c.lastSeen = e.at
    c.lastSeq = e.seq
    c.recent = []
  }

  #place(e: Event, c: Channel, stamp: Instant, where: string): void {
    const sample = c.recent.find((t) => t >= e.at - this.#lag) ?? c.recent.at(-1)
    // Without any answer: newer than the message before; before the first nothing is known.
    const from = sample ?? (c.seen > 0 ? c.lastSeen : Number.NEGATIVE_INFINITY)
    const early = this.#clock.before(stamp, from)
    const late = this.#clock.after(stamp, e.at)
    if (early > this.#earliest) [this.#earliest, this.#decisive[0]] = [early, e.seq]
    if (late > this.#latest) [this.#latest, this.#decisive[1]] = [late, e.seq]
    if (early > this.#within)
      this.#found.add(
        'too early',
        `${where}: stamped ${durationText(from - stamp)} before the device answered`,
        e.seq,
      )
    if (late > this.#within)
      this.#found.add('too late', `${where}: stamped ${durationText(stamp - e.at)} after it arrived`, e.seq)
  }

  result(): Result {
    const observed = {
      'messages [1]': this.#judged,
      ...(Number.isFinite(this.#earliest)
        ? { 'furthest before the answer [s]': seconds(this.#earliest) }
        : {}),
      ...(Number.isFinite(this.#latest) ? { 'furthest after the arrival [s]': seconds(this.#latest) } : {}),
      ...this.#clock.figures(),
      ...this.#found.counts(),
    }
    const because = [...new Set(this.#decisive)].filter((s) => s > 0)
    const unsure = this.#clock.tooUnsure(this.#within, observed)
    if (unsure !== undefined) return unsure
    const failed = this.#found.result(observed)
    if (failed !== undefined) return failed
    // Whole seconds use up to 1 s of the early side as a matter of course: only what goes beyond counts.
    const free = Math.max(this.#within - 1000, 0)
    const share = Math.max(free > 0 ? (this.#earliest - 1000) / free : 0, this.#latest / this.#within)
    if (share > marginalShare)
      return marginal(`time stamps use ${Math.round(share * 100)} % of their tolerance`, observed, because)
    return pass(observed, because)
  }
}
