/**
 * What the application tells (M:0047 to M:0050): from the measured top oil and the forecast load, hour by hour for as
 * long as the load's forecast goes, the worst hot spot and top oil of the hour, and the rating of the hour: the
 * largest constant load that, held through that hour alone, from the state in which the forecast load leaves the
 * transformer at its beginning, passes no limit. The ratings are of one hour each: to follow all of them one after
 * another is not what they promise.
 */
import type { DtrConfig } from './config.ts'
import { after, endOf, hotSpotOf, ratingOver, through, type Heat, type Piece } from './model.ts'

/** Values that each hold from `start + i * interval` for `interval`; seconds, Unix time. */
export interface Steps {
  readonly start: number
  readonly interval: number
  readonly values: readonly number[]
}

export interface Measured {
  /** Unix seconds of the readings below. */
  readonly at: number
  /** °C */
  readonly topOil: number
  /** °C outside. Held through the forecast where `air` is not given. */
  readonly ambient: number
  /** Amps of the last hour in order of time: each holds until the next. What is older is not looked at. */
  readonly load: readonly { readonly at: number; readonly amps: number }[]
}

export interface ThermalForecast {
  /** Unix seconds: that of the load's forecast. */
  readonly start: number
  readonly interval: 3600
  /** °C, the worst in each hour. */
  readonly topOil: readonly number[]
  readonly hotSpot: readonly number[]
  /** Amps per phase. */
  readonly rating: readonly number[]
  /** Amps per phase, for the hour that begins now. */
  readonly ratingNow: number
}

export type Outcome =
  | { readonly ok: true; readonly forecast: ThermalForecast }
  | { readonly ok: false; readonly why: string }

const hour = 3600
/** °C of air: beyond these a sensor is broken. Ours. */
const coldest = -60
const warmest = 70

/**
 * @param load forecast amps per phase, in steps that divide an hour. It may have begun before the readings (then its
 *   first hour is looked at from the readings on) or begin up to an hour after them (the last load is held until then).
 * @param air forecast °C outside; past its ends its first and last value hold.
 */
export function forecastOf(c: DtrConfig, m: Measured, load: Steps, air?: Steps): Outcome {
  const why = refusalOf(c, m, load, air)
  if (why !== undefined) return { ok: false, why }
  const rated = c.transformer.ratedCurrent
  const airSteps: Steps = air ?? { start: m.at, interval: hour, values: [m.ambient] }
  const pieces = (from: number, to: number): Piece[] =>
    cut(from, to, [load, airSteps]).map(([a, b]) => ({
      seconds: b - a,
      load: valueAt(load, a) / rated,
      air: valueAt(airSteps, a),
    }))

  const now = startHeat(c, m, valueAt(load, m.at))
  // readings later than the profile's beginning cut its first hour short
  const first = Math.max(m.at, load.start)
  const last = recentOf(m).at(-1)?.amps ?? valueAt(load, m.at)
  const held = (amps: number, ps: readonly Piece[]): Piece[] => ps.map((p) => ({ ...p, load: amps / rated }))
  let heat = through(c.transformer, now, held(last, pieces(m.at, first))).heat
  const topOil: number[] = []
  const hotSpot: number[] = []
  const rating: number[] = []
  const hours = Math.floor((load.values.length * load.interval) / hour)
  for (let i = 0; i < hours; i++) {
    const span = pieces(i === 0 ? first : load.start + i * hour, load.start + (i + 1) * hour)
    rating.push(ratingOver(c.transformer, heat, span, c.limits) * rated)
    const walked = through(c.transformer, heat, span)
    topOil.push(walked.topOil)
    hotSpot.push(walked.hotSpot)
    heat = walked.heat
  }
  const ratingNow = ratingOver(c.transformer, now, pieces(m.at, m.at + hour), c.limits) * rated
  return { ok: true, forecast: { start: load.start, interval: hour, topOil, hotSpot, rating, ratingNow } }
}

/** What can be told of now without any forecast: °C of the hot spot, and amps per phase for the hour that begins now. */
export type Present =
  | { readonly ok: true; readonly hotSpot: number; readonly rating: number }
  | { readonly ok: false; readonly why: string }

export function presentOf(c: DtrConfig, m: Measured): Present {
  const why =
    refusalOfReadings(c, m) ?? (recentOf(m).length === 0 ? 'there is no load of the last hour' : undefined)
  if (why !== undefined) return { ok: false, why }
  const now = startHeat(c, m, 0)
  const span = [{ seconds: hour, load: 0, air: m.ambient }]
  const rating = ratingOver(c.transformer, now, span, c.limits) * c.transformer.ratedCurrent
  return { ok: true, hotSpot: hotSpotOf(now), rating }
}

/**
 * The heat at the readings: the oil is what its probe says; the gradients, which nothing measures, follow from the
 * last hour of load (they forget it with time constants of minutes). They begin settled under the first load of the
 * hour; without any load of that hour they are settled under `otherwise`.
 */
export function startHeat(c: DtrConfig, m: Measured, otherwise: number): Heat {
  const rated = c.transformer.ratedCurrent
  const recent = recentOf(m)
  let heat = endOf(c.transformer, (recent[0]?.amps ?? otherwise) / rated, m.ambient)
  for (const [i, l] of recent.entries()) {
    const until = recent[i + 1]?.at ?? m.at
    heat = after(c.transformer, heat, { seconds: until - l.at, load: l.amps / rated, air: m.ambient })
  }
  return { ...heat, oil: m.topOil }
}

/** The measured load of the last hour. */
function recentOf(m: Measured): Measured['load'] {
  return m.load.filter((l) => l.at >= m.at - hour && l.at <= m.at)
}

function refusalOfReadings(c: DtrConfig, m: Measured, air?: Steps): string | undefined {
  const [low, high] = c.plausible
  if (!(m.topOil >= low && m.topOil <= high)) return `a top oil of ${m.topOil} °C is not plausible`
  if (air === undefined && !(m.ambient >= coldest && m.ambient <= warmest))
    return `an ambient temperature of ${m.ambient} °C is not plausible`
  if (!m.load.every((l) => Number.isFinite(l.amps) && Number.isFinite(l.at)))
    return 'a measured load is no number'
  return undefined
}

function refusalOf(c: DtrConfig, m: Measured, load: Steps, air: Steps | undefined): string | undefined {
  const readings = refusalOfReadings(c, m, air)
  if (readings !== undefined) return readings
  for (const [what, s] of [
    ['load', load],
    ['air', air],
  ] as const) {
    if (s === undefined) continue
    if (s.values.length === 0 || !s.values.every(Number.isFinite))
      return `the forecast of the ${what} has gaps`
    if (!(s.interval > 0) || !Number.isFinite(s.start)) return `the forecast of the ${what} has no times`
  }
  if (hour % load.interval !== 0) return `steps of ${load.interval} s do not make whole hours`
  if (load.values.length * load.interval < hour) return 'the forecast load does not reach for an hour'
  if (m.at >= load.start + hour) return 'the forecast load is out of date'
  if (m.at < load.start - hour) return 'the readings are out of date'
  return undefined
}

function valueAt(s: Steps, t: number): number {
  const i = Math.floor((t - s.start) / s.interval)
  return s.values[Math.max(0, Math.min(s.values.length - 1, i))] ?? 0
}

/** [from, to] cut wherever one of the series goes on to its next value. */
function cut(from: number, to: number, series: readonly Steps[]): [number, number][] {
  const marks = new Set([from, to])
  for (const s of series)
    for (let i = 1; i < s.values.length; i++) {
      const at = s.start + i * s.interval
      if (at > from && at < to) marks.add(at)
    }
  const sorted = [...marks].sort((a, b) => a - b)
  return sorted.slice(1).map((b, i) => [sorted[i] ?? from, b])
}

/** A Series object (API section 9.2). What could not be told has no values, and Valid false (section 4.8). */
export function seriesOf(
  outcome: Outcome,
  which: 'topOil' | 'hotSpot' | 'rating',
  at: number,
  start: number,
): {
  readonly Timestamp: number
  readonly StartPoint: number
  readonly Interval: number
  readonly Value: readonly number[]
  readonly Valid: boolean
} {
  const values = outcome.ok ? outcome.forecast[which] : []
  const from = outcome.ok ? outcome.forecast.start : start
  return { Timestamp: Math.floor(at), StartPoint: from, Interval: hour, Value: values, Valid: outcome.ok }
}
