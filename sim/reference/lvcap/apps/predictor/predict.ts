/** The forecast: half-hour by half-hour for the next 24 h (M:0038), from a bounded past. Times are Unix seconds, UTC. */
import type { PredictorConfig } from './config.ts'

export const halfHour = 1800
/** Values of a forecast (M:0038). */
export const count = 48
const week = 7 * 86_400

/** The mean load of the half-hour that begins at `start` (a multiple of 1800), in any unit; undefined: not known. */
export type History = (start: number) => number | undefined

export interface Forecast {
  /** Beginning of the half-hour in which it was made: that of its first value. */
  readonly start: number
  readonly values: readonly number[]
  /** By value, 0 to 1: the share of its weeks that there are. */
  readonly confidence: readonly number[]
  /** False where a value has too few weeks behind it. */
  readonly valid: boolean
  /** Beginning of the oldest and end of the newest half-hour used; undefined where there was none. */
  readonly oldest: number | undefined
  readonly newest: number | undefined
}

/** How far back `predict` asks, in seconds from the half-hour in which it is made. */
export function reachOf(c: PredictorConfig): number {
  return c.weeks * week + (c.follow > 0 ? count * halfHour : 0)
}

/**
 * Each value is the mean of the same half-hour in the last weeks, times the ratio of the last day to what the same
 * means say of it. A half-hour of exactly nothing among others that have load was an outage, and is not learnt from.
 */
export function predict(history: History, now: number, c: PredictorConfig): Forecast {
  const start = Math.floor(now / halfHour) * halfHour
  let oldest = Number.POSITIVE_INFINITY
  let newest = Number.NEGATIVE_INFINITY
  const seen = (t: number): void => {
    oldest = Math.min(oldest, t)
    newest = Math.max(newest, t + halfHour)
  }

  function weeksBefore(t: number): {
    readonly mean: number
    readonly weeks: number
    readonly used: readonly number[]
  } {
    const found: [at: number, value: number][] = []
    for (let j = 1; j <= c.weeks; j++) {
      const value = history(t - j * week)
      if (value !== undefined && Number.isFinite(value)) found.push([t - j * week, value])
    }
    const live = found.some(([, v]) => v !== 0) ? found.filter(([, v]) => v !== 0) : found
    const sum = live.reduce((s, [, v]) => s + v, 0)
    return {
      mean: live.length === 0 ? 0 : sum / live.length,
      weeks: live.length,
      used: live.map(([at]) => at),
    }
  }

  /** The last day over what was to be expected of it. 1 where that says nothing: no data, or power both ways. */
  function ratio(): number {
    let was = 0
    let expected = 0
    let size = 0
    const used: number[] = []
    for (let i = 1; i <= count; i++) {
      const t = start - i * halfHour
      const value = history(t)
      if (value === undefined || !Number.isFinite(value)) continue
      const usual = weeksBefore(t)
      if (usual.weeks === 0 || (value === 0 && usual.mean !== 0)) continue
      used.push(t, ...usual.used)
      was += value
      expected += usual.mean
      size += Math.abs(usual.mean)
    }
    if (Math.abs(expected) < size / 2 || expected * was <= 0) return 1
    used.forEach(seen)
    return Math.max(1 / c.mostRatio, Math.min(c.mostRatio, was / expected))
  }

  const level = c.follow > 0 ? ratio() ** c.follow : 1
  const means = Array.from({ length: count }, (_, i) => weeksBefore(start + i * halfHour))
  for (const m of means) m.used.forEach(seen)
  return {
    start,
    values: means.map((m) => m.mean * level),
    confidence: means.map((m) => m.weeks / c.weeks),
    valid: means.every((m) => m.weeks >= c.leastWeeks),
    oldest: Number.isFinite(oldest) ? oldest : undefined,
    newest: Number.isFinite(newest) ? newest : undefined,
  }
}

/**
 * As a Series object (API section 9.2, figure 10). StartPoint is the beginning of a half-hour, as the text of the
 * figure has it; TimestampStart and TimestampEnd span the data behind any of its values.
 */
export function seriesOf(
  f: Forecast,
  now: number,
): {
  readonly Timestamp: number
  readonly StartPoint: number
  readonly Interval: number
  readonly Value: readonly number[]
  readonly Confidence: readonly number[]
  readonly Valid: boolean
  readonly TimestampStart?: number
  readonly TimestampEnd?: number
} {
  return {
    Timestamp: Math.floor(now),
    StartPoint: f.start,
    Interval: halfHour,
    Value: f.values,
    Confidence: f.confidence,
    Valid: f.valid,
    ...(f.oldest === undefined ? {} : { TimestampStart: f.oldest }),
    ...(f.newest === undefined ? {} : { TimestampEnd: f.newest }),
  }
}
