/** Half-hour means of a load from its samples: as many as a forecast can ask for, and no more (I:0085). */
import type { PredictorConfig } from './config.ts'
import { halfHour, reachOf, type History } from './predict.ts'

/** A half-hour as it is kept: its beginning, the sum of amps times seconds, and the seconds that it is the sum of. */
export type KeptHalfHour = readonly [start: number, total: number, seconds: number]

export interface LoadHistory {
  /**
   * A sample at Unix seconds, in any order, which stands for `seconds`; it belongs to the half-hour of its stamp. One that
   * is not valid or no number is not learnt.
   */
  add(at: number, value: number, valid: boolean, seconds?: number): void
  /** The mean of a half-hour from elsewhere; what was measured here goes before it. */
  put(start: number, mean: number): void
  /** Of half-hours that have enough samples. */
  readonly mean: History
  /** Half-hours kept. */
  readonly size: () => number
  /** All of them, to be kept elsewhere, and brought back. */
  kept(): readonly KeptHalfHour[]
  restore(all: readonly KeptHalfHour[]): void
}

interface Sum {
  total: number
  seconds: number
  /** A sample delivered again (QoS 1) follows itself, and counts once. */
  last: number
}

/** A clock that says less has never been set: 2017, the year of the API. Unix seconds. */
const clockUnset = Date.UTC(2017, 0, 1) / 1000
const day = 86_400

export function createHistory(c: PredictorConfig): LoadHistory {
  const sums = new Map<number, Sum>()
  const most = reachOf(c) / halfHour + 2
  const enough = Math.max(1, c.coverage * halfHour)

  /**
   * The oldest goes where there are too many. What lies more than a day ahead goes first: a clock was wrong when it came.
   * By number and not by age, so that a clock that is wrong for an hour does not cost four weeks.
   */
  function forget(now: number): void {
    while (sums.size > most) {
      let oldest = Number.POSITIVE_INFINITY
      let newest = Number.NEGATIVE_INFINITY
      for (const start of sums.keys()) {
        oldest = Math.min(oldest, start)
        newest = Math.max(newest, start)
      }
      sums.delete(newest > now + day ? newest : oldest)
    }
  }

  const known = (start: number): boolean => (sums.get(start)?.seconds ?? 0) >= enough

  return {
    add(at, value, valid, seconds = c.sampleEvery) {
      if (!valid || !Number.isFinite(value) || !Number.isFinite(at) || at < clockUnset) return
      const start = Math.floor(at / halfHour) * halfHour
      const sum = sums.get(start) ?? { total: 0, seconds: 0, last: Number.NaN }
      if (sum.last === at) return
      const stands = Math.min(halfHour, seconds)
      sum.total += value * stands
      sum.seconds += stands
      sum.last = at
      sums.set(start, sum)
      forget(at)
    },
    put(start, mean) {
      if (start % halfHour !== 0 || start < clockUnset || !Number.isFinite(mean) || known(start)) return
      sums.set(start, { total: mean * halfHour, seconds: halfHour, last: Number.NaN })
      forget(start)
    },
    mean(start) {
      const sum = sums.get(start)
      return sum === undefined || !known(start) ? undefined : sum.total / sum.seconds
    },
    size: () => sums.size,
    kept: () => [...sums].map(([start, { total, seconds }]) => [start, total, seconds] as const),
    restore(all) {
      for (const [start, total, seconds] of all) sums.set(start, { total, seconds, last: Number.NaN })
      forget(Math.max(...sums.keys()))
    },
  }
}
