/**
 * Data keeps flowing whatever happens to the device (LV-CAP API 4.8): messages at the interval with new time stamps,
 * Valid false while there is nothing to show, and values again soon after.
 */
import type { Instant } from '../../drivers/faces.ts'
import { duration, durationText, tolerance } from '../../drivers/units.ts'
import { matcher, wildcard } from '../evidence/series.ts'
import type { Check, Event, Result, Series } from '../faces.ts'
import { type Oracle, answerReader } from './answers.ts'
import {
  type CheckOptions,
  type Fold,
  type Watch,
  checkOf,
  inconclusive,
  into,
  marginal,
  marginalShare,
  offences,
  pass,
  seconds,
  stallShare,
  steadyTime,
} from './check.ts'
import { channelOf, field, objectOf, stampOf, textOf } from './scalar.ts'

export interface FlowsOptions extends CheckOptions {
  readonly period: string
  /** Tolerance of each spacing, also during faults; ±max(1 s, 10 %) of the period unless given. */
  readonly gap?: string
  /** Within which time of the last fault's lifting each channel must show a valid value again. */
  readonly recover: string
  /** Aliases that must each go on. Without it those that were seen. */
  readonly channels?: readonly string[]
  /** Other sources whose faults count, beside the device: a wire, a link. */
  readonly also?: readonly string[]
}

interface Channel {
  readonly name: string
  last: Instant
  lastSeq: number
  lastStamp: number | undefined
  /** When the device last answered with a number. */
  answeredAt: Instant
  /** A valid value since the faults were lifted came at this time; nothing: none yet. */
  recovered: Instant | undefined
  invalid: number
  valid: number
}

/** Needs at least one fault of the device (or of `also`) that was put on and lifted: else inconclusive. */
export function flowsWhateverHappens(series: Series, device: Oracle | string, o: FlowsOptions): Check {
  const every = duration(o.period)
  const gap = o.gap === undefined ? Math.max(1000, every / 10) : tolerance(o.gap)
  const recover = duration(o.recover)
  const role = typeof device === 'string' ? device : device.role
  return checkOf(o, {
    id: 'flow',
    limit: `during faults of ${role} messages every ${durationText(every)} ±${durationText(gap)}, invalid while there is nothing to show; valid again within ${durationText(recover)}`,
    over: series,
    needs: [steadyTime],
    bears: () => gap * stallShare,
    fold: (watch) => new Flow(watch, series, role, { every, gap, recover }, o),
  })
}

class Flow implements Fold {
  readonly #watch: Watch
  readonly #l: { readonly every: number; readonly gap: number; readonly recover: number }
  readonly #fits: (e: Event) => boolean
  readonly #wanted: ReadonlySet<string> | undefined
  readonly #sources: ReadonlySet<string>
  readonly #answers: ReturnType<typeof answerReader<Channel>>
  readonly #channels = new Map<string, Channel>()
  readonly #active = new Set<string>()
  readonly #found = offences()
  #faults = 0
  #from: Instant = Number.NaN
  /** When the last fault was lifted; nothing while one is in force, and before the first. */
  #lifted: Instant | undefined
  #longest = 0
  #longestSeq = 0
  #slowest = 0
  #during = 0

  constructor(
    watch: Watch,
    series: Series,
    role: string,
    l: { readonly every: number; readonly gap: number; readonly recover: number },
    o: FlowsOptions,
  ) {
    this.#watch = watch
    this.#l = l
    this.#fits = matcher(series)
    this.#wanted = o.channels === undefined ? undefined : new Set(o.channels)
    this.#sources = new Set([role, ...(o.also ?? [])])
    const inSeries = wildcard(series.select)
    this.#answers = answerReader(role, (alias) =>
      inSeries(alias) && this.#wants(alias) ? this.#channel(alias) : undefined,
    )
    for (const name of o.channels ?? []) this.#channel(name)
  }

  #wants(name: string): boolean {
    return this.#wanted === undefined || this.#wanted.has(name)
  }

  #channel(name: string): Channel {
    let c = this.#channels.get(name)
    if (c === undefined) {
      c = {
        name,
        last: Number.NaN,
        lastSeq: 0,
        lastStamp: undefined,
        answeredAt: Number.NEGATIVE_INFINITY,
        recovered: undefined,
        invalid: 0,
        valid: 0,
      }
      this.#channels.set(name, c)
    }
    return c
  }

  see(e: Event): boolean {
    if (e.kind === 'fault' && this.#sources.has(e.src)) this.#fault(e)
    const answer = this.#answers(e, (c, answered) => {
      if (answered !== null) c.answeredAt = e.at
    })
    if (answer || !this.#fits(e) || !this.#wants(channelOf(e))) return false
    return this.#message(e, this.#channel(channelOf(e)))
  }

  #fault(e: Event): void {
    const d = objectOf(e.data)
    const key = `${e.src}\u0000${textOf(d?.['id'])}`
    if (d?.['phase'] === 'on') {
      // The device and the rig may both tell of it.
      if (this.#active.has(key)) return
      // Channels that had no time to come back before the next fault are not asked for it.
      for (const c of this.#channels.values()) c.recovered = undefined
      if (this.#active.size === 0) this.#from = e.at
      this.#active.add(key)
      this.#faults++
      this.#lifted = undefined
    } else if (this.#active.delete(key) && this.#active.size === 0) this.#lifted = e.at
  }

  #message(e: Event, c: Channel): boolean {
    const valid = field(e, 'Valid')
    const stamp = stampOf(e)
    const where = `${c.name}, ${into(this.#watch, e.at)}`
    // Before the first fault other checks judge.
    const concerns = this.#faults > 0
    if (concerns && !Number.isNaN(c.last)) {
      const spacing = e.at - c.last
      if (spacing > this.#longest) [this.#longest, this.#longestSeq] = [spacing, e.seq]
      if (spacing > this.#l.every + this.#l.gap)
        this.#found.add('silent', `${where}: ${durationText(spacing)} without a message`, c.lastSeq, e.seq)
      if (stamp !== undefined && c.lastStamp !== undefined && stamp <= c.lastStamp)
        this.#found.add('old stamp', `${where}: its time stamp did not move on`, c.lastSeq, e.seq)
      if (valid === true && c.answeredAt < c.last)
        this.#found.add(
          'wrongly valid',
          `${where}: valid though the device answered nothing since the message before`,
          e.seq,
        )
    }
    if (concerns && (stamp === undefined || typeof valid !== 'boolean'))
      this.#found.add('malformed', `${where}: a message without time stamp or Valid`, e.seq)
    if (this.#active.size > 0) {
      this.#during++
      if (valid === true) c.valid++
      else c.invalid++
    }
    if (this.#lifted !== undefined && valid === true && c.recovered === undefined)
      this.#recovered(e, c, where)
    c.last = e.at
    c.lastSeq = e.seq
    if (stamp !== undefined) c.lastStamp = stamp
    return concerns
  }

  #recovered(e: Event, c: Channel, where: string): void {
    const took = e.at - (this.#lifted ?? e.at)
    c.recovered = e.at
    this.#slowest = Math.max(this.#slowest, took)
    if (took > this.#l.recover)
      this.#found.add(
        'slow to recover',
        `${where}: valid again only ${durationText(took)} after the last fault`,
        e.seq,
      )
  }

  result(at: Instant): Result {
    const found = this.#found.copy()
    const channels = [...this.#channels.values()]
    const concerned = this.#faults > 0
    if (concerned)
      for (const c of channels) {
        if (Number.isNaN(c.last)) {
          if (at - this.#watch.begin > this.#l.every + this.#l.gap)
            found.add('missing', `${c.name}: no message at all`)
        } else if (at - c.last > this.#l.every + this.#l.gap)
          found.add('silent', `${c.name}: silent for the last ${durationText(at - c.last)}`, c.lastSeq)
        else if (
          this.#lifted !== undefined &&
          c.recovered === undefined &&
          at - this.#lifted > this.#l.recover
        )
          found.add(
            'not recovered',
            `${c.name}: no valid value in ${durationText(at - this.#lifted)} since the last fault`,
            c.lastSeq,
          )
      }
    const observed = {
      'channels [1]': channels.length,
      'faults [1]': this.#faults,
      'messages during faults [1]': this.#during,
      'of them invalid [1]': channels.reduce((n, c) => n + c.invalid, 0),
      'longest gap [s]': seconds(this.#longest),
      'slowest recovery [s]': seconds(this.#slowest),
      ...found.counts(),
    }
    const failed = found.result(observed)
    if (failed !== undefined) return failed
    if (!concerned) return inconclusive('bench', 'no fault was put on, so nothing was shown', observed)
    if (this.#during === 0)
      return inconclusive(
        'bench',
        `the faults were too short: no message fell into them (from ${into(this.#watch, this.#from)})`,
        observed,
      )
    if (this.#lifted === undefined) return inconclusive('bench', 'a fault is still in force', observed)
    if (channels.some((c) => c.recovered === undefined))
      return inconclusive(
        'bench',
        `the watch ended before the time to recover (${durationText(this.#l.recover)})`,
        observed,
      )
    const share = Math.max((this.#longest - this.#l.every) / this.#l.gap, this.#slowest / this.#l.recover)
    if (share > marginalShare)
      return marginal(`it uses ${Math.round(share * 100)} % of a limit`, observed, [this.#longestSeq])
    return pass(observed, this.#longestSeq > 0 ? [this.#longestSeq] : [])
  }
}
