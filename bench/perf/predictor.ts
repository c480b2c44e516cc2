/**
 * How far the reference platform's Load Profile Predictor is off on a real series, beside what anybody could say: the
 * same half-hour a week ago, and a day ago. Every 24 h are judged that begin at a half-hour of the series, but those
 * with an actual of zero (an outage), and those before two weeks of history.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { readSeries, type Series } from '../../sim/devices/profile-csv.ts'
import { readConfig } from '../../sim/reference/lvcap/apps/predictor/config.ts'
import { halfHour, predict } from '../../sim/reference/lvcap/apps/predictor/predict.ts'

const file = join(import.meta.dirname, '../../../shared/profiles/wpd_primary_2017-11-03_2018-07-22.csv')

/** The series, or why there is none. It does not come with the project: its licence has not been cleared. */
export function realSeries(): Series | string {
  return existsSync(file) ? readSeries(file, 'demand_MW') : 'there is no ../shared/profiles here'
}

/** Shares, not per cent. */
export interface Errors {
  /** Mean of |e| / a. */
  readonly mape: number
  /** Sum of |e| over sum of a. */
  readonly ofSum: number
}

export interface PredictorScore {
  readonly judged: number
  /** Left out: an actual of zero; the predictor said that it is not valid. */
  readonly zeros: number
  readonly notValid: number
  readonly predictor: Errors
  readonly lastWeek: Errors
  readonly yesterday: Errors
}

/** Judges 24 h from every `every`-th half-hour of the series on. */
export function scorePredictor(series: Series, every: number): PredictorScore {
  const { means } = series
  const began = series.begins / 1000
  const at = (t: number): number | undefined => means[(t - began) / halfHour]
  const config = readConfig({})
  const day = 48
  const week = 7 * day
  const sums = { predictor: [0, 0, 0], lastWeek: [0, 0, 0], yesterday: [0, 0, 0] }
  const [out, counts] = [Object.entries(sums), { judged: 0, zeros: 0, notValid: 0 }]
  for (let from = 2 * week; from + day <= means.length; from += every) {
    const now = began + from * halfHour
    const actual = means.subarray(from, from + day)
    if (actual.some((a) => a === 0)) {
      counts.zeros++
      continue
    }
    // what is not past yet is not there
    const f = predict((t) => (t < now ? at(t) : undefined), now, config)
    if (!f.valid) {
      counts.notValid++
      continue
    }
    counts.judged++
    const said: Record<string, ArrayLike<number>> = {
      predictor: f.values,
      lastWeek: means.subarray(from - week, from - week + day),
      yesterday: means.subarray(from - day, from),
    }
    for (const [name, sum] of out)
      for (const [i, a] of actual.entries()) {
        const e = Math.abs((said[name]?.[i] ?? 0) - a)
        sum[0] = (sum[0] ?? 0) + e / a
        sum[1] = (sum[1] ?? 0) + e
        sum[2] = (sum[2] ?? 0) + a
      }
  }
  const errors = ([relative = 0, e = 0, a = 0]: readonly number[]): Errors => ({
    mape: relative / (counts.judged * day),
    ofSum: e / a,
  })
  return {
    ...counts,
    predictor: errors(sums.predictor),
    lastWeek: errors(sums.lastWeek),
    yesterday: errors(sums.yesterday),
  }
}
