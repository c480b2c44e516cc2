/**
 * Whether a predictor says what it should: by the method that its maker has documented, and by how far it is off. Folds over
 * the log: what the predictor was given (`forecaster.past`), what it could hear (readings), and what it said.
 */
import type { Instant } from '../../drivers/faces.ts'
import { duration } from '../../drivers/units.ts'
import { halfHour } from '../analysis/past.ts'
import { matcher } from '../evidence/series.ts'
import type { Check, Event, Series } from '../faces.ts'
import { checkOf, fail, inconclusive, into, offences, pass, short, type CheckOptions } from './check.ts'
import { clock, foretoldIn } from './forecast.ts'
import { channelOf, field, objectOf, payloadOf, textOf } from './scalar.ts'

export type CircuitName = 'transformer' | 'feeder'

/** What was given. */
interface Given {
  readonly name: string
  readonly group: string | undefined
  readonly beside: boolean
  readonly begins: number
  readonly values: readonly (number | null)[]
  readonly next: readonly number[]
}

function givenIn(e: Event, circuit: CircuitName): Given | undefined {
  const p = objectOf(payloadOf(e))
  const values = p?.[circuit]
  const next = objectOf(p?.['next'])?.[circuit]
  if (p === undefined || !Array.isArray(values) || !Array.isArray(next)) return undefined
  const group = p['group']
  return {
    name: textOf(p['name']),
    group: typeof group === 'string' ? group : undefined,
    beside: p['beside'] === true,
    begins: Number(p['begins']),
    values: values as readonly (number | null)[],
    next: next as readonly number[],
  }
}

const week = 7 * 86_400
const steps = 48

/**
 * The documented method of the reference predictor (sim/reference/lvcap/README.md), written anew from its description:
 * the mean of the same half-hour of the last four weeks, without outages among live ones, times the ratio of the last day
 * to what the same says of it, at most doubled or halved, to the power 0.7.
 */
interface Method {
  readonly values: readonly number[]
  readonly confidence: readonly number[]
  readonly valid: boolean
  readonly oldest: number | undefined
  readonly newest: number | undefined
}

const weeks = 4
const power = 0.7
const most = 2
const leastWeeks = 2

function byMethod(known: (t: number) => number | undefined, start: number): Method {
  const used: number[] = []
  const lastDay: number[] = []
  const alike = (t: number): { mean: number; of: number; from: readonly number[] } => {
    const from: number[] = []
    for (let w = 1; w <= weeks; w++) if (known(t - w * week) !== undefined) from.push(t - w * week)
    const lit = from.filter((s) => known(s) !== 0)
    const taken = lit.length > 0 ? lit : from
    const total = taken.reduce((a, s) => a + (known(s) ?? 0), 0)
    return { mean: taken.length > 0 ? total / taken.length : 0, of: taken.length, from: taken }
  }
  let day = 0
  let expected = 0
  for (let t = start - steps * halfHour; t < start; t += halfHour) {
    const v = known(t)
    const usual = alike(t)
    if (v === undefined || usual.of === 0 || (v === 0 && usual.mean > 0)) continue
    lastDay.push(t, ...usual.from)
    day += v
    expected += usual.mean
  }
  const follows = day > 0 && expected > 0
  const ratio = follows ? Math.min(most, Math.max(1 / most, day / expected)) : 1
  if (follows) used.push(...lastDay)
  const level = ratio ** power
  const ahead = Array.from({ length: steps }, (_, i) => alike(start + i * halfHour))
  for (const a of ahead) used.push(...a.from)
  return {
    values: ahead.map((a) => a.mean * level),
    confidence: ahead.map((a) => a.of / weeks),
    valid: ahead.every((a) => a.of >= leastWeeks),
    oldest: used.length === 0 ? undefined : Math.min(...used),
    newest: used.length === 0 ? undefined : Math.max(...used) + halfHour,
  }
}

/** Half-hour means out of readings of three phases, as documented: at least half of it must be covered by valid ones. */
function measuring(aliases: readonly string[], every: number) {
  const open = new Map<number, Map<string, number>>()
  const sums = new Map<number, { total: number; n: number }>()
  return {
    see(e: Event): boolean {
      const alias = channelOf(e)
      if (!aliases.includes(alias)) return false
      const at = field(e, 'Timestamp')
      const v = field(e, 'Value')
      if (typeof at !== 'number') return true
      const phases = open.get(at) ?? new Map<string, number>()
      open.set(at, phases)
      phases.set(alias, field(e, 'Valid') === true && typeof v === 'number' ? v : Number.NaN)
      if (phases.size < aliases.length) return true
      open.delete(at)
      const squares = [...phases.values()].reduce((s, a) => s + a * a, 0)
      if (Number.isNaN(squares)) return true
      const start = Math.floor(at / halfHour) * halfHour
      const sum = sums.get(start) ?? { total: 0, n: 0 }
      sum.total += Math.sqrt(squares / aliases.length)
      sum.n++
      sums.set(start, sum)
      return true
    },
    mean(start: number): number | undefined {
      const sum = sums.get(start)
      return sum === undefined || sum.n * every < halfHour / 2 ? undefined : sum.total / sum.n
    },
    forget: () => sums.clear(),
  }
}

export interface MethodOptions extends CheckOptions {
  readonly circuit: CircuitName
  /** What it was given: `forecaster.past`. */
  readonly past: Series
  /** The currents of the circuit's three phases, by alias. */
  readonly phases: readonly string[]
  /** How often they are read. */
  readonly every: string
}

/** How soon after its start an app that has a past forecasts, ms: it need not wait for the next half-hour. Ours. */
const soon = 60_000

/** How far a value may be from the documented method's, of the value: rounding of sums, and nothing else. */
const share = 1e-6

/**
 * Each forecast is what the documented method gives: values, and where they are told confidences and the span of the data;
 * and it is valid just where that says so. `marketplace` is everything seen there.
 */
export function forecastByMethod(marketplace: Series, o: MethodOptions): Check {
  const every = duration(o.every) / 1000
  const said: Series = { ...marketplace, select: `predictor.${o.circuit}.forecast` }
  return checkOf(o, {
    id: `method-${o.circuit}`,
    limit: `each value within ${share} of the documented method's, from the past that was given and the readings since; valid with ${leastWeeks} weeks or more; the first one within ${soon / 1000} s of the start with a past`,
    over: said,
    fold: (watch) => {
      const isSeen = matcher({ ...marketplace, select: '*' })
      const isSaid = matcher(said)
      const isGiven = matcher(o.past)
      const live = measuring(o.phases, every)
      const given = new Map<number, number>()
      const found = offences()
      let judged = 0
      let worst = 0
      /** A past that no forecast has followed yet. */
      let open: Event | undefined
      const unanswered = (now: Instant, sink: typeof found): void => {
        if (open !== undefined && now - open.at > soon)
          sink.add(
            'unanswered',
            `no forecast came within ${soon / 1000} s, ${into(watch, open.at)}`,
            open.seq,
          )
      }
      return {
        see(e) {
          if (isGiven(e)) {
            const g = givenIn(e, o.circuit)
            if (g === undefined) return false
            unanswered(e.at, found)
            open = e
            if (!g.beside) {
              given.clear()
              live.forget()
            }
            g.values.forEach((v, i) => {
              if (v !== null) given.set(g.begins + i * halfHour, v)
            })
            return false
          }
          if (!isSeen(e)) return false
          if (!isSaid(e)) {
            live.see(e)
            return false
          }
          unanswered(e.at, found)
          open = undefined
          const f = foretoldIn(e)
          const m = byMethod((t) => (t < f.start ? (live.mean(t) ?? given.get(t)) : undefined), f.start)
          judged++
          const bad = (sort: string, text: string): void =>
            found.add(sort, `that of ${clock(f.start)}: ${text}, ${into(watch, e.at)}`, e.seq)
          if (f.valid !== m.valid) bad('validity', `Valid is ${f.valid}, by its data it is ${m.valid}`)
          for (const [i, expected] of m.values.entries()) {
            const v = f.values[i]
            if (v === undefined && !m.valid) continue
            const off = Math.abs((v ?? Number.NaN) - expected) / Math.max(1e-9, Math.abs(expected))
            if (off <= share) {
              worst = Math.max(worst, off)
              continue
            }
            bad(
              'value',
              `half-hour ${i + 1} is ${short(v ?? Number.NaN)} A, by the method ${short(expected)} A`,
            )
            break
          }
          if (f.confidence?.some((c, i) => Math.abs(c - (m.confidence[i] ?? 0)) > share) === true)
            bad('confidence', 'a confidence is not the share of its weeks that there are')
          if (f.oldest !== undefined && f.oldest !== m.oldest)
            bad('span', `TimestampStart is ${f.oldest}, the oldest data ${m.oldest}`)
          if (f.newest !== undefined && f.newest !== m.newest)
            bad('span', `TimestampEnd is ${f.newest}, the newest data end at ${m.newest}`)
          return true
        },
        result(at) {
          const everything = found.copy()
          unanswered(at, everything)
          const observed = { 'forecasts [1]': judged, 'farthest [1]': short(worst), ...everything.counts() }
          return everything.result(observed) ?? pass(observed)
        },
      }
    },
  })
}

/**
 * Forecasts made from pasts of one group are alike, and from pasts of different groups are not: by more than `share` of a
 * value. What the pasts differ in shows what a forecast depends on.
 */
export function forecastDependsOn(
  marketplace: Series,
  o: CheckOptions & { readonly circuit: CircuitName; readonly past: Series; readonly says: string },
): Check {
  const said: Series = { ...marketplace, select: `predictor.${o.circuit}.forecast` }
  return checkOf(o, {
    id: 'depends-on',
    limit: o.says,
    over: said,
    fold: () => {
      const isSaid = matcher(said)
      const isGiven = matcher(o.past)
      const firsts: { readonly given: Given; readonly values: readonly number[]; readonly seq: number }[] = []
      let waiting: Given | undefined
      return {
        see(e) {
          if (isGiven(e)) {
            waiting = givenIn(e, o.circuit)
            return false
          }
          if (!isSaid(e) || waiting?.group === undefined) return false
          firsts.push({ given: waiting, values: foretoldIn(e).values, seq: e.seq })
          waiting = undefined
          return firsts.length > 1
        },
        result() {
          const found = offences()
          let pairs = 0
          for (const [i, a] of firsts.entries())
            for (const b of firsts.slice(i + 1)) {
              pairs++
              const off = Math.max(
                ...a.values.map(
                  (v, k) => Math.abs(v - (b.values[k] ?? Number.NaN)) / Math.max(1e-9, Math.abs(v)),
                ),
              )
              const alike = off <= share
              if (alike === (a.given.group === b.given.group)) continue
              const what = alike
                ? 'nothing of the forecast'
                : `a value of the forecast by ${short(100 * off)} %`
              found.add(
                alike ? 'without effect' : 'with effect',
                `'${b.given.name}' instead of '${a.given.name}' changes ${what}`,
                a.seq,
                b.seq,
              )
            }
          const observed = { 'pairs [1]': pairs, ...found.counts() }
          return found.result(observed) ?? pass(observed)
        },
      }
    },
  })
}

/**
 * Over all pasts that were given, each with what came after it, the mean error of the forecasts made from them is at most
 * `atMost` times that of the same day a week before. Days with a half-hour of no load are left out.
 */
export function forecastError(
  marketplace: Series,
  o: CheckOptions & {
    readonly circuit: CircuitName
    readonly past: Series
    readonly atMost: number
    /** Days that must be judged. */
    readonly days: number
  },
): Check {
  const said: Series = { ...marketplace, select: `predictor.${o.circuit}.forecast` }
  return checkOf(o, {
    id: `error-${o.circuit}`,
    limit: `a mean error (MAPE) of at most ${o.atMost} times that of the same day a week before, over ${o.days} days`,
    over: said,
    fold: () => {
      const isSaid = matcher(said)
      const isGiven = matcher(o.past)
      let waiting: Given | undefined
      const seqs: number[] = []
      const sums = { app: 0, week: 0, yesterday: 0, off: 0, all: 0 }
      let days = 0
      let unsaid = 0
      return {
        see(e) {
          if (isGiven(e)) {
            if (waiting !== undefined) unsaid++
            waiting = givenIn(e, o.circuit)
            return false
          }
          if (!isSaid(e) || waiting === undefined) return false
          const f = foretoldIn(e)
          const g = waiting
          waiting = undefined
          const before = (n: number): readonly (number | null)[] =>
            g.values.slice(g.values.length - n, g.values.length - n + steps)
          const [last, yesterday] = [before(7 * steps), before(steps)]
          // a half-hour has begun since: what came after it is not what was foretold
          if (f.start === g.begins + (g.values.length + 1) * halfHour) return false
          if (g.next.some((a) => a === 0) || last.includes(null) || yesterday.includes(null)) return false
          if (
            f.valid !== true ||
            f.values.length < steps ||
            f.start !== g.begins + g.values.length * halfHour
          ) {
            unsaid++
            return true
          }
          days++
          if (seqs.length < 24) seqs.push(e.seq)
          g.next.forEach((a, i) => {
            const off = Math.abs((f.values[i] ?? 0) - a)
            sums.app += off / a
            sums.off += off
            sums.all += a
            sums.week += Math.abs((last[i] ?? 0) - a) / a
            sums.yesterday += Math.abs((yesterday[i] ?? 0) - a) / a
          })
          return true
        },
        result() {
          const percent = (sum: number): number => short((100 * sum) / Math.max(1, days * steps))
          const observed = {
            'days [1]': days,
            'error [%]': percent(sums.app),
            'error of the sum [%]': short((100 * sums.off) / Math.max(1e-9, sums.all)),
            'a week before [%]': percent(sums.week),
            'a day before [%]': percent(sums.yesterday),
          }
          if (unsaid > 0) return fail(`${unsaid} of the pasts led to no valid forecast`, observed, seqs)
          if (days < o.days)
            return inconclusive('bench', `only ${days} days of ${o.days} were judged`, observed)
          if (sums.app > o.atMost * sums.week)
            return fail(
              `it is off by ${percent(sums.app)} %, the same day a week before by ${percent(sums.week)} %`,
              observed,
              seqs,
            )
          return pass(observed, seqs)
        },
      }
    },
  })
}
