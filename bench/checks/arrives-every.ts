/**
 * Messages arrive at a steady interval for as long as anyone watches (OpenLV M:0023, M:0024, I:0062, I:0068; LV-CAP
 * API 4.8 and 8.3.1). Each channel is judged on its own.
 */
import { GridproofError } from '../../drivers/errors.ts'
import type { Instant, Json } from '../../drivers/faces.ts'
import { duration, durationText, ratio, tolerance } from '../../drivers/units.ts'
import { matcher } from '../evidence/series.ts'
import type { Check, Event, Result, Series } from '../faces.ts'
import {
  type CheckOptions,
  type Fold,
  type Offences,
  type Watch,
  checkOf,
  fail,
  inconclusive,
  into,
  marginal,
  marginalShare,
  offences,
  pass,
  seconds,
  short,
  stallShare,
  steadyTime,
} from './check.ts'
import { channelOf, objectOf, stampOf, textOf } from './scalar.ts'

export interface ArrivesEveryOptions extends CheckOptions {
  /**
   * Tolerance of each spacing: `±6 s`. Without it ±max(1 s, 10 %) of the period: our reading of API 8.3.1, whose own
   * example is out by a quarter of its interval.
   */
  readonly gap?: string
  /** Limit of the mean spacing's deviation from the period; `0.1 %` unless given. */
  readonly drift?: string
  /** Aliases that must each be there. Without it those that were seen, at least one. */
  readonly channels?: readonly string[]
  /** `free`: stamps are not judged, for instance because the platform's clock is set meanwhile; `spaced` unless given. */
  readonly stamps?: 'spaced' | 'free'
  /** How soon after the declaration each channel must have shown itself; one period and the tolerance unless given. */
  readonly start?: string
}

interface Channel {
  readonly name: string
  n: number
  readonly first: Instant
  last: Instant
  lastSeq: number
  lastStamp: number | undefined
  /** Topics of the last message and of the one before. */
  topic: string
  topicBefore: string
  shortest: number
  longest: number
  longestSeq: number
  shortestSeq: number
  /** Spacings within their tolerance: the mean is theirs, so that one lost message is not told twice. */
  readonly good: { n: number; sum: number; longest: number; shortest: number }
}

/**
 * Judges spacing of arrivals and of the stamps inside, count, drift of the mean, missing and silent channels,
 * duplicates and order. Stamps are whole seconds, so their spacing may be off by one second more.
 */
export function arrivesEvery(period: string, series: Series, o: ArrivesEveryOptions): Check {
  const every = duration(period)
  if (every <= 0) throw new GridproofError('bad-value', `a period of '${period}' cannot be kept`)
  const gap = o.gap === undefined ? Math.max(1000, every / 10) : tolerance(o.gap)
  const drift = ratio(o.drift ?? '0.1 %')
  const start = o.start === undefined ? every + gap : duration(o.start)
  const among = o.channels === undefined ? '' : `, each of ${o.channels.length} channels`
  return checkOf(o, {
    id: 'spacing',
    limit: `every ${durationText(every)} ±${durationText(gap)}, mean within ${o.drift ?? '0.1 %'}${among}`,
    over: series,
    needs: [steadyTime],
    // A stall shifts a spacing by itself, and the mean spacing by itself over the whole watch.
    bears: (watched) => Math.min(gap * stallShare, drift * watched),
    fold: (watch) =>
      arrivals(watch, series, {
        every,
        gap,
        drift,
        start,
        channels: o.channels,
        stamps: o.stamps !== 'free',
      }),
  })
}

interface Limits {
  readonly every: number
  readonly gap: number
  readonly drift: number
  readonly start: number
  readonly channels: readonly string[] | undefined
  /** Whether stamps are judged. */
  readonly stamps: boolean
}

function arrivals(watch: Watch, series: Series, l: Limits): Fold {
  const fits = matcher(series)
  const wanted = l.channels === undefined ? undefined : new Set(l.channels)
  const channels = new Map<string, Channel>()
  const found = offences()

  return {
    see(e) {
      if (!fits(e)) return false
      const name = channelOf(e)
      if (wanted !== undefined && !wanted.has(name)) return false
      const stamp = stampOf(e)
      if (stamp === undefined) found.add('without stamp', `${name}: a message without a time stamp`, e.seq)
      const c = channels.get(name)
      if (c === undefined) channels.set(name, firstOf(e, name, stamp, found, watch, l))
      else follow(c, e, stamp, found, watch, l)
      return true
    },
    result: (at) => resultOf(at, [...channels.values()], found.copy(), watch, l),
  }
}

function firstOf(
  e: Event,
  name: string,
  stamp: number | undefined,
  found: Offences,
  watch: Watch,
  l: Limits,
): Channel {
  const wait = e.at - watch.begin
  if (wait > l.start)
    found.add(
      'late',
      `${name}: its first message came after ${durationText(wait)} (limit ${durationText(l.start)})`,
      e.seq,
    )
  return {
    name,
    n: 1,
    first: e.at,
    last: e.at,
    lastSeq: e.seq,
    lastStamp: stamp,
    topic: topicOf(e),
    topicBefore: topicOf(e),
    shortest: Number.POSITIVE_INFINITY,
    longest: Number.NEGATIVE_INFINITY,
    longestSeq: e.seq,
    shortestSeq: e.seq,
    good: { n: 0, sum: 0, longest: Number.NEGATIVE_INFINITY, shortest: Number.POSITIVE_INFINITY },
  }
}

function follow(
  c: Channel,
  e: Event,
  stamp: number | undefined,
  found: Offences,
  watch: Watch,
  l: Limits,
): void {
  const spacing = e.at - c.last
  if (spacing > c.longest) [c.longest, c.longestSeq] = [spacing, e.seq]
  if (spacing < c.shortest) [c.shortest, c.shortestSeq] = [spacing, e.seq]
  const where = `${c.name}: ${durationText(spacing)} between two messages, ${into(watch, e.at)}`
  if (spacing > l.every + l.gap) {
    const lost = Math.round(spacing / l.every) - 1
    const limit = `(limit ${durationText(l.every + l.gap)})`
    found.add(lost > 0 ? 'lost' : 'late', `${where} ${limit}`, c.lastSeq, e.seq)
  } else if (spacing < l.every - l.gap)
    found.add('early', `${where} (least ${durationText(l.every - l.gap)})`, c.lastSeq, e.seq)
  else {
    c.good.n++
    c.good.sum += spacing
    c.good.longest = Math.max(c.good.longest, spacing)
    c.good.shortest = Math.min(c.good.shortest, spacing)
  }

  if (l.stamps && stamp !== undefined && c.lastStamp !== undefined) {
    const step = stamp - c.lastStamp
    // Two whole seconds may be a second further apart, or nearer, than the readings were.
    const off = Math.abs(step - l.every) - l.gap
    if (step === 0)
      found.add('duplicated', `${c.name}: the same time stamp twice, ${into(watch, e.at)}`, c.lastSeq, e.seq)
    else if (step < 0)
      found.add(
        'out of order',
        `${c.name}: a time stamp before the last one, ${into(watch, e.at)}`,
        c.lastSeq,
        e.seq,
      )
    else if (off > 1000)
      found.add(
        'stamps apart',
        `${c.name}: time stamps ${durationText(step)} apart, ${into(watch, e.at)}`,
        c.lastSeq,
        e.seq,
      )
  }
  // A name may change with a configuration, and stays changed then; one that comes back strayed.
  const topic = topicOf(e)
  if (topic === c.topicBefore && topic !== c.topic)
    found.add(
      'strayed',
      `${c.name}: a message on '${c.topic.slice(0, 80)}' between two on '${topic.slice(0, 80)}', ${into(watch, e.at)}`,
      c.lastSeq,
      e.seq,
    )
  c.topicBefore = c.topic
  c.topic = topic
  c.n++
  c.last = e.at
  c.lastSeq = e.seq
  if (stamp !== undefined) c.lastStamp = stamp
}

function topicOf(e: Event): string {
  return textOf(objectOf(e.data)?.['topic'] ?? '')
}

/** How far the mean spacing of a channel is off, and how sure that is. */
function driftOf(c: Channel, every: number): { readonly off: number; readonly unsure: number } {
  const { n, sum, longest, shortest } = c.good
  const mean = sum / n
  // The first and the last message may each be off their time; the spacings tell by how much at most.
  const jitter = Math.max(longest - mean, mean - shortest)
  return { off: Math.abs(mean - every) / every, unsure: jitter / sum }
}

function resultOf(
  at: Instant,
  channels: readonly Channel[],
  found: Offences,
  watch: Watch,
  l: Limits,
): Result {
  const span = at - watch.begin
  const known = new Set(channels.map((c) => c.name))
  const missing = (l.channels ?? []).filter((name) => !known.has(name))
  if (channels.length === 0 && span <= l.start)
    return inconclusive('bench', `after ${durationText(span)} nothing is due yet`)
  if (span > l.start) for (const name of missing) found.add('missing', `${name}: no message at all`)
  if (channels.length === 0 && l.channels === undefined) {
    return fail(`no message at all in ${durationText(span)}`, { 'messages [1]': 0 }, [])
  }
  for (const c of channels)
    if (at - c.last > l.every + l.gap)
      found.add('silent', `${c.name}: silent for the last ${durationText(at - c.last)}`, c.lastSeq)

  const worst = worstOf(channels, l.every)
  if (worst.drift !== undefined && worst.drift.off - worst.drift.unsure > l.drift) {
    const percent = `${short(worst.drift.off * 100)} %`
    found.add(
      'drifting',
      `${worst.drift.name}: the mean spacing is off by ${percent} (limit ${short(l.drift * 100)} %)`,
      worst.drift.seq,
    )
  }
  const observed = observedOf(at, channels, missing.length, worst, found, l)
  const failed = found.result(observed)
  if (failed !== undefined) return failed
  if (missing.length > 0) return inconclusive('bench', `${missing.length} channels are not due yet`, observed)

  const because = [...new Set([worst.longestSeq, worst.shortestSeq, worst.drift?.seq])].filter(
    (s) => s !== undefined,
  )
  if (worst.drift === undefined || worst.drift.unsure > l.drift)
    return inconclusive(
      'rig',
      `too few messages to tell a drift of ${short(l.drift * 100)} %`,
      observed,
      because,
    )
  const share = Math.max(worst.longest - l.every, l.every - worst.shortest) / l.gap
  if (share > marginalShare)
    return marginal(`spacing uses ${Math.round(share * 100)} % of its tolerance`, observed, because)
  if (worst.drift.off > marginalShare * l.drift)
    return marginal(
      `drift uses ${Math.round((worst.drift.off / l.drift) * 100)} % of its limit`,
      observed,
      because,
    )
  return pass(observed, because)
}

interface Worst {
  longest: number
  longestSeq: number | undefined
  shortest: number
  shortestSeq: number | undefined
  drift: { name: string; seq: number; off: number; unsure: number } | undefined
}

function worstOf(channels: readonly Channel[], every: number): Worst {
  const w: Worst = {
    longest: Number.NEGATIVE_INFINITY,
    longestSeq: undefined,
    shortest: Number.POSITIVE_INFINITY,
    shortestSeq: undefined,
    drift: undefined,
  }
  for (const c of channels) {
    if (c.longest > w.longest) [w.longest, w.longestSeq] = [c.longest, c.longestSeq]
    if (c.shortest < w.shortest) [w.shortest, w.shortestSeq] = [c.shortest, c.shortestSeq]
    if (c.good.n < 2) continue
    const d = driftOf(c, every)
    if (w.drift === undefined || d.off > w.drift.off) w.drift = { name: c.name, seq: c.lastSeq, ...d }
  }
  return w
}

function observedOf(
  at: Instant,
  channels: readonly Channel[],
  missing: number,
  w: Worst,
  found: Offences,
  l: Limits,
): Json {
  let expected = 0
  let seen = 0
  for (const c of channels) {
    // Those whose time, tolerance included, has passed.
    expected += Math.max(0, Math.floor((at - c.first - l.gap) / l.every)) + 1
    seen += c.n
  }
  const finite = Number.isFinite(w.longest)
  return {
    'channels [1]': channels.length,
    'channels missing [1]': missing,
    'messages [1]': seen,
    'messages due [1]': expected,
    ...(finite ? { 'longest gap [s]': seconds(w.longest), 'shortest gap [s]': seconds(w.shortest) } : {}),
    ...(w.drift === undefined
      ? {}
      : { 'drift [%]': short(w.drift.off * 100), 'drift known to [%]': short(w.drift.unsure * 100) }),
    ...found.counts(),
  }
}
