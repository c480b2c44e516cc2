/** Events come at a steady interval, whatever they say: a heartbeat (LV-CAP API 8.2.2) needs no time stamp. */
import type { Instant } from '../../drivers/faces.ts'
import { duration, durationText } from '../../drivers/units.ts'
import { matcher } from '../evidence/series.ts'
import type { Check, Series } from '../faces.ts'
import {
  type CheckOptions,
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

export interface SpacedOptions extends CheckOptions {
  /** Tolerance of each gap: `2 s`. */
  readonly gap: string
  /** When the first one is due at the latest, after the declaration. */
  readonly start: string
}

/** Each event of the series follows the one before after `every`, give or take `gap`; so to the end of the watch. */
export function spaced(every: string, series: Series, o: SpacedOptions): Check {
  const period = duration(every)
  const gap = duration(o.gap)
  const start = duration(o.start)
  return checkOf(o, {
    id: 'spaced',
    limit: `every ${durationText(period)} ± ${durationText(gap)}, the first within ${durationText(start)}`,
    over: series,
    needs: [steadyTime],
    bears: () => gap * stallShare,
    fold: (watch) => {
      const fits = matcher(series)
      const found = offences()
      let last: { readonly at: Instant; readonly seq: number } | undefined
      let n = 0
      let worst = 0
      let worstSeq = 0
      return {
        see(e) {
          if (!fits(e)) return false
          n++
          if (last !== undefined) {
            const off = Math.abs(e.at - last.at - period)
            if (off >= worst) [worst, worstSeq] = [off, e.seq]
            if (off > gap)
              found.add(
                e.at - last.at > period ? 'late' : 'early',
                `after ${durationText(e.at - last.at)}, ${into(watch, e.at)}`,
                last.seq,
                e.seq,
              )
          }
          last = { at: e.at, seq: e.seq }
          return true
        },
        result(at) {
          const all = found.copy()
          const due = last === undefined ? watch.begin + start : last.at + period + gap
          if (at > due)
            all.add(
              'missing',
              `nothing came in time, ${into(watch, due)}`,
              ...(last === undefined ? [] : [last.seq]),
            )
          const observed = { 'events [1]': n, 'worst deviation [s]': seconds(worst), ...all.counts() }
          const failed = all.result(observed)
          if (failed !== undefined) return failed
          if (n < 2) return inconclusive('bench', 'fewer than two came: no gap to judge', observed)
          if (worst > marginalShare * gap)
            return marginal(`a gap uses ${Math.round((worst / gap) * 100)} % of its tolerance`, observed, [
              worstSeq,
            ])
          return pass(observed, [worstSeq])
        },
      }
    },
  })
}
