/** Each of a list of things is seen at least once, in time. */
import { duration, durationText } from '../../drivers/units.ts'
import type { Instant } from '../../drivers/faces.ts'
import { matcher } from '../evidence/series.ts'
import type { Check, Event, Series } from '../faces.ts'
import { type CheckOptions, checkOf, fail, inconclusive, pass, seconds } from './check.ts'

export interface AllSeenOptions extends CheckOptions {
  readonly id: string
  readonly limit: string
  /** What an event is about; undefined: nothing of interest. Pure. */
  readonly key: (e: Event) => string | undefined
  readonly by: string
}

/** For each of `wanted` there is an event of the series about it, within `by` of the declaration. */
export function allSeen(series: Series, wanted: readonly string[], o: AllSeenOptions): Check {
  const by = duration(o.by)
  return checkOf(o, {
    id: o.id,
    limit: o.limit,
    over: series,
    fold: (watch) => {
      const fits = matcher(series)
      const first = new Map<string, { readonly at: Instant; readonly seq: number }>()
      return {
        see(e) {
          if (!fits(e)) return false
          const key = o.key(e)
          if (key === undefined || !wanted.includes(key)) return false
          if (!first.has(key)) first.set(key, { at: e.at, seq: e.seq })
          return true
        },
        result(at) {
          const missing = wanted.filter((k) => (first.get(k)?.at ?? Infinity) - watch.begin > by)
          const last = Math.max(0, ...[...first.values()].map((f) => f.at - watch.begin))
          const observed = { 'seen [1]': first.size, 'last of them [s]': seconds(last), missing }
          if (missing.length === 0)
            return pass(
              observed,
              [...first.values()].map((f) => f.seq),
            )
          if (at - watch.begin <= by) return inconclusive('bench', 'they may still come', observed)
          return fail(`not seen within ${durationText(by)}: ${missing.join(', ')}`, observed, [])
        },
      }
    },
  })
}
