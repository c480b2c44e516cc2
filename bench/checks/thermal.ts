/**
 * Whether a thermal rating app is right: its forecasts and its ratings of now beside those of the bench's own truth of a
 * transformer (sim/devices/transformer, by IEC 60076-7), from the readings and the load forecast that were seen at the
 * marketplace. A rating is the largest load that, held for an hour and from the state at its beginning, passes no limit.
 */
import type { Instant } from '../../drivers/faces.ts'
import { hotSpot, readTransformer, settled, step } from '../../sim/truth.ts'
import type { ThermalState, TransformerParameters } from '../../sim/truth.ts'
import { matcher } from '../evidence/series.ts'
import type { Check, Event, Series } from '../faces.ts'
import { checkOf, inconclusive, into, offences, pass, short, type CheckOptions } from './check.ts'
import { clock, foretoldIn, type Foretold } from './forecast.ts'
import { channelOf, field } from './scalar.ts'

/** What is told, by the aliases of the app. */
export type Told = 'top_oil' | 'hot_spot' | 'rating'

export interface ThermalOptions extends CheckOptions {
  readonly which: Told
  /** Most that it may be off: K, or for ratings the share of the rated current. */
  readonly within: number
  /** The transformer that the app was told of: a personality. */
  readonly transformer: string
}

/** Normal cyclic loading of IEC 60076-7: °C, °C, and load over rated load. */
const limits = { hotSpot: 120, topOil: 105, load: 1.5 }

/** Valid readings are owed an answer while they are younger than this, and none when they are older than that, s. Ours. */
const young = 120
const old = 300
/** A reading that came so long before an output, ms, may have come too late for it. Ours. */
const justNow = 3000

const hour = 3600
const names = {
  topOil: 'thermocouple.top_oil.temperature',
  air: 'thermocouple.ambient.temperature',
  phases: ['gridkey.feeder1.l1.current', 'gridkey.feeder1.l2.current', 'gridkey.feeder1.l3.current'],
  load: 'predictor.transformer.forecast',
} as const

interface Reading {
  readonly at: Instant
  /** Unix seconds, as stamped. */
  readonly stamp: number
  /** °C, or A; undefined: not valid. */
  readonly value: number | undefined
}

/** Readings as they came in, of the last two hours. */
interface Readings {
  see(e: Event): void
  /** What an app could compute with that had heard all that came by `heard`. */
  at(heard: Instant): Situation
}

interface Situation {
  readonly topOil: Reading | undefined
  readonly air: Reading | undefined
  /** Valid ones, in order. */
  readonly load: readonly Reading[]
  /** Whether the newest of each is valid: then an answer is owed. */
  readonly newestAreValid: boolean
}

function readings(): Readings {
  const lists = { topOil: [] as Reading[], air: [] as Reading[], load: [] as Reading[] }
  const open = new Map<number, Map<string, number | undefined>>()
  const keep = (list: Reading[], r: Reading): void => {
    list.push(r)
    while ((list[0]?.at ?? r.at) < r.at - 2 * hour * 1000) list.shift()
  }
  return {
    see(e) {
      const alias = channelOf(e)
      const key = alias === names.topOil ? 'topOil' : alias === names.air ? 'air' : 'load'
      if (key === 'load' && !names.phases.includes(alias as never)) return
      const v = field(e, 'Value')
      const stamp = Number(field(e, 'Timestamp'))
      const value = field(e, 'Valid') === true && typeof v === 'number' ? v : undefined
      if (key !== 'load') return keep(lists[key], { at: e.at, stamp, value })
      const phases = open.get(stamp) ?? new Map<string, number | undefined>()
      open.set(stamp, phases)
      phases.set(alias, value)
      if (phases.size < 3) return undefined
      open.delete(stamp)
      const all = [...phases.values()]
      const squares = all.reduce((s: number, a) => s + (a ?? Number.NaN) ** 2, 0)
      const amps = Number.isNaN(squares) ? undefined : Math.sqrt(squares / 3)
      return keep(lists.load, { at: e.at, stamp, value: amps })
    },
    at(heard) {
      const upTo = (list: readonly Reading[]): readonly Reading[] => list.filter((r) => r.at <= heard)
      const [oil, air, load] = [upTo(lists.topOil), upTo(lists.air), upTo(lists.load)]
      const valid = (list: readonly Reading[]): readonly Reading[] =>
        list.filter((r) => r.value !== undefined)
      return {
        topOil: valid(oil).at(-1),
        air: valid(air).at(-1),
        load: valid(load),
        newestAreValid: [oil, air, load].every((l) => l.at(-1)?.value !== undefined),
      }
    },
  }
}

/** Whether readings of `s` must lead to a valid answer at `now` (Unix s), must not, or may. */
function owed(s: Situation, now: number): 'valid' | 'invalid' | 'either' {
  const ages = [s.topOil, s.air, s.load.at(-1)].map((r) =>
    r === undefined ? Number.POSITIVE_INFINITY : now - r.stamp,
  )
  if (ages.some((a) => a > old)) return 'invalid'
  return s.newestAreValid && ages.every((a) => a <= young) ? 'valid' : 'either'
}

/** The state at `now`: the oil as measured, the gradients as the load of the last hour left them. */
function stateAt(p: TransformerParameters, s: Situation, now: number): ThermalState {
  const ambient = s.air?.value ?? Number.NaN
  const load = s.load.filter((l) => l.stamp >= now - hour && l.stamp <= now)
  const k = (r: Reading | undefined): number => (r?.value ?? 0) / p.rated_current
  let state = settled(p, { load: k(load[0]), ambient })
  for (const [i, l] of load.entries())
    state = step(p, state, { load: k(l), ambient }, ((load[i + 1]?.stamp ?? now) - l.stamp) / 60)
  return { ...state, topOil: s.topOil?.value ?? Number.NaN }
}

/** Loads that each hold for so many minutes. */
type Spans = readonly { readonly load: number; readonly minutes: number }[]

/** Where they lead, and the worst on the way, looked at each minute or more often. */
function follow(p: TransformerParameters, from: ThermalState, spans: Spans, ambient: number) {
  let state = from
  let oil = from.topOil
  let hot = hotSpot(from)
  for (const { load, minutes } of spans) {
    const n = Math.ceil(minutes)
    for (let i = 0; i < n; i++) {
      state = step(p, state, { load, ambient }, minutes / n)
      oil = Math.max(oil, state.topOil)
      hot = Math.max(hot, hotSpot(state))
    }
  }
  return { state, oil, hot }
}

/** Load over rated load. */
function ratingOf(p: TransformerParameters, from: ThermalState, minutes: number, ambient: number): number {
  const keeps = (load: number): boolean => {
    const { oil, hot } = follow(p, from, [{ load, minutes }], ambient)
    return hot <= limits.hotSpot && oil <= limits.topOil
  }
  if (keeps(limits.load)) return limits.load
  let low = 0
  let high = limits.load
  for (let i = 0; i < 30; i++) {
    const middle = (low + high) / 2
    if (keeps(middle)) low = middle
    else high = middle
  }
  return low
}

/** Hour by hour, in °C or A, from readings and a load forecast, by an app that computes at `now` (Unix s). */
function expectedHours(
  p: TransformerParameters,
  s: Situation,
  load: Foretold,
  now: number,
  which: Told,
): readonly number[] {
  const ambient = s.air?.value ?? Number.NaN
  const ends = load.start + load.values.length * load.interval
  const between = (from: number, to: number): Spans => {
    const spans: { load: number; minutes: number }[] = []
    for (let t = from; t < to;) {
      const i = Math.floor((t - load.start) / load.interval)
      const until = Math.min(to, load.start + (i + 1) * load.interval)
      spans.push({ load: (load.values[i] ?? 0) / p.rated_current, minutes: (until - t) / 60 })
      t = until
    }
    return spans
  }
  const out: number[] = []
  let state = stateAt(p, s, now)
  for (let from = load.start; from + hour <= ends; from += hour) {
    // the first hour is as old as the forecast already
    const begin = Math.max(from, Math.min(now, from + hour))
    const went = follow(p, state, between(begin, from + hour), ambient)
    if (which === 'rating')
      out.push(ratingOf(p, state, (from + hour - begin) / 60, ambient) * p.rated_current)
    else out.push(which === 'top_oil' ? went.oil : went.hot)
    state = went.state
  }
  return out
}

/**
 * Each hour of each forecast that the app publishes is right for the load forecast before it and for the readings then; and
 * it is valid where there were readings, and not where there were none. `marketplace` is everything seen there.
 */
export function thermalForecast(marketplace: Series, o: ThermalOptions): Check {
  const said: Series = { ...marketplace, select: `dtr.transformer.${o.which}.forecast` }
  return checkOf(o, {
    id: `${o.which}-forecast`,
    limit: `each hour within ${limitOf(o)} of the bench's own, from the last load forecast and the readings; valid where those are there`,
    over: said,
    fold: (watch) => {
      const p = readTransformer(o.transformer)
      const isSeen = matcher({ ...marketplace, select: '*' })
      const isSaid = matcher(said)
      const isLoad = matcher({ ...marketplace, select: names.load })
      const heard = readings()
      const found = offences()
      let load: Foretold | undefined
      let hours = 0
      let worst = 0
      return {
        see(e) {
          if (!isSeen(e)) return false
          heard.see(e)
          if (isLoad(e)) load = foretoldIn(e)
          if (!isSaid(e) || load === undefined) return false
          const f = foretoldIn(e)
          const bad = (sort: string, text: string): void =>
            found.add(sort, `that of ${clock(f.start)}: ${text}, ${into(watch, e.at)}`, e.seq)
          const due = [...new Set([heard.at(e.at), heard.at(e.at - justNow)].map((s) => owed(s, f.stamp)))]
          const [only] = due.length === 1 ? due : []
          if (f.valid === true && (load.valid !== true || only === 'invalid'))
            bad(
              'validity',
              `it is valid without ${load.valid === true ? 'readings' : 'a valid load forecast'}`,
            )
          if (f.valid !== true) {
            if (load.valid === true && only === 'valid')
              bad('validity', 'it is not valid, and all that it needs is there')
            return true
          }
          if (load.valid !== true || only === 'invalid') return true
          let least: { off: number; i: number; is: number; expected: number } | undefined
          // of a reading that came just then nobody knows whether the app had it
          for (const by of [e.at, e.at - justNow]) {
            const hoursOf = expectedHours(p, heard.at(by), load, f.stamp, o.which)
            const offs = hoursOf.map((x, i) => Math.abs((f.values[i] ?? Number.NaN) - x) / unitOf(o, p))
            const i = offs.reduce((m, v, k) => (!(v <= (offs[m] ?? 0)) ? k : m), 0)
            const off = offs[i] ?? Number.NaN
            if (least === undefined || off < least.off || Number.isNaN(least.off))
              least = { off, i, is: f.values[i] ?? Number.NaN, expected: hoursOf[i] ?? Number.NaN }
          }
          if (least === undefined) return true
          hours += f.values.length
          if (!(least.off <= o.within))
            bad(
              'not as computed',
              `hour ${least.i + 1} is ${short(least.is)} ${nameOf(o)}, the bench has ${short(least.expected)}`,
            )
          else worst = Math.max(worst, least.off)
          return true
        },
        result() {
          const observed = { 'hours [1]': hours, [farthest(o)]: short(worst), ...found.counts() }
          return found.result(observed) ?? pass(observed)
        },
      }
    },
  })
}

/** The rating or the hot spot of now is right for the readings, minute by minute, and valid just where there are any. */
export function thermalNow(
  marketplace: Series,
  o: ThermalOptions & { readonly which: 'hot_spot' | 'rating' },
): Check {
  const said: Series = { ...marketplace, select: `dtr.transformer.${o.which}` }
  return checkOf(o, {
    id: `${o.which}-now`,
    limit: `within ${limitOf(o)} of the bench's own, from the readings; valid where those are there`,
    over: said,
    fold: (watch) => {
      const p = readTransformer(o.transformer)
      const isSeen = matcher({ ...marketplace, select: '*' })
      const isSaid = matcher(said)
      const heard = readings()
      const found = offences()
      const counts = { valid: 0, invalid: 0 }
      let worst = 0
      const expected = (s: Situation, now: number): number => {
        const state = stateAt(p, s, now)
        if (o.which === 'hot_spot') return hotSpot(state)
        return ratingOf(p, state, 60, s.air?.value ?? Number.NaN) * p.rated_current
      }
      return {
        see(e) {
          if (!isSeen(e)) return false
          heard.see(e)
          if (!isSaid(e)) return false
          const now = Number(field(e, 'Timestamp'))
          const v = field(e, 'Value')
          const valid = field(e, 'Valid') === true
          const bad = (sort: string, text: string): void =>
            found.add(sort, `${text}, ${into(watch, e.at)}`, e.seq)
          const situations = [heard.at(e.at), heard.at(e.at - justNow)]
          const due = new Set(situations.map((s) => owed(s, now)))
          const only = due.size === 1 ? [...due][0] : undefined
          if (!valid) {
            counts.invalid++
            if (only === 'valid') bad('validity', 'it is not valid, and all readings are there')
            return only !== 'either'
          }
          counts.valid++
          if (only === 'invalid') {
            bad('validity', 'it is valid without readings')
            return true
          }
          // readings from before the watch are not known here
          if (due.has('invalid')) return false
          const off = Math.min(
            ...situations.map((s) => {
              const d = Math.abs((typeof v === 'number' ? v : Number.NaN) - expected(s, now)) / unitOf(o, p)
              return Number.isNaN(d) ? Number.POSITIVE_INFINITY : d
            }),
          )
          if (off <= o.within) worst = Math.max(worst, off)
          else
            bad(
              'not as computed',
              `${short(Number(v))} ${nameOf(o)}, the bench has ${short(expected(heard.at(e.at), now))}`,
            )
          return true
        },
        result() {
          const observed = {
            'valid [1]': counts.valid,
            'invalid [1]': counts.invalid,
            [farthest(o)]: short(worst),
            ...found.counts(),
          }
          const failed = found.result(observed)
          if (failed !== undefined) return failed
          if (counts.valid === 0) return inconclusive('bench', 'none was valid', observed)
          return pass(observed)
        },
      }
    },
  })
}

/** What a difference is counted in: K, or shares of the rated current. */
const unitOf = (o: ThermalOptions, p: TransformerParameters): number =>
  o.which === 'rating' ? p.rated_current : 1
const nameOf = (o: ThermalOptions): string => (o.which === 'rating' ? 'A' : '°C')
const limitOf = (o: ThermalOptions): string =>
  o.which === 'rating' ? `${short(100 * o.within)} % of the rated current` : `${o.within} K`
const farthest = (o: ThermalOptions): string =>
  o.which === 'rating' ? 'farthest [of rated]' : 'farthest [K]'
