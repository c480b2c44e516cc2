/** Half-hour means of a load from its samples, as far back as a forecast asks and no further (I:0085). */
import type { PredictorConfig } from './config.ts'
import { halfHour, reachOf, type History } from './predict.ts'

export interface LoadHistory {
  /** A sample at Unix seconds, in any order; one that is not valid or no number only tells the time. */
  add(at: number, value: number, valid: boolean): void
  /** Of half-hours that have enough samples. */
  readonly mean: History
  /** Half-hours kept. */
  readonly size: () => number
}

interface Sum {
  total: number
  samples: number
  /** A sample delivered again (QoS 1) follows itself, and counts once. */
  last: number
}

export function createHistory(c: PredictorConfig): LoadHistory {
  const sums = new Map<number, Sum>()
  const reach = reachOf(c) + halfHour
  const enough = Math.max(1, (c.coverage * halfHour) / c.sampleEvery)
  let newest = Number.NEGATIVE_INFINITY

  /** What no forecast will ask for again goes. */
  function forget(): void {
    for (const start of sums.keys()) if (start < newest - reach) sums.delete(start)
  }

  return {
    add(at, value, valid) {
      if (!Number.isFinite(at)) return
      const start = Math.floor(at / halfHour) * halfHour
      if (start > newest) {
        newest = start
        forget()
      }
      if (!valid || !Number.isFinite(value) || start < newest - reach) return
      const sum = sums.get(start) ?? { total: 0, samples: 0, last: Number.NaN }
      if (sum.last === at) return
      sum.total += value
      sum.samples++
      sum.last = at
      sums.set(start, sum)
    },
    mean(start) {
      const sum = sums.get(start)
      return sum === undefined || sum.samples < enough ? undefined : sum.total / sum.samples
    },
    size: () => sums.size,
  }
}
