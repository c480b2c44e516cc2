/** Things happen in a given order (LV-CAP API 5.1.2: apps are started in the order of their installation). */
import { matcher } from '../evidence/series.ts'
import type { Check, Event, Series } from '../faces.ts'
import { type CheckOptions, checkOf, fail, inconclusive, pass } from './check.ts'
import { objectOf } from './scalar.ts'

export interface InOrderOptions extends CheckOptions {
  readonly id: string
  readonly limit: string
  /** What an event is about; undefined: nothing of interest. Pure. */
  readonly key?: (e: Event) => string | undefined
}

/** The first event about each of `order`, since the declaration, comes after that of the one before it. */
export function inOrder(series: Series, order: readonly string[], o: InOrderOptions): Check {
  return checkOf(o, {
    id: o.id,
    limit: o.limit,
    over: series,
    fold: () => {
      const fits = matcher(series)
      const first = new Map<string, number>()
      const seen: string[] = []
      return {
        see(e) {
          if (!fits(e)) return false
          const key = (o.key ?? iidOf)(e)
          if (key === undefined || !order.includes(key) || first.has(key)) return false
          first.set(key, e.seq)
          seen.push(key)
          return true
        },
        result() {
          const observed = { order: seen }
          const wanted = order.filter((k) => first.has(k))
          const at = seen.findIndex((k, i) => k !== wanted[i])
          if (at >= 0) {
            const because = [seen[at], wanted[at]].map((k) => first.get(k ?? '') ?? 0)
            return fail(
              `'${seen[at] ?? ''}' came where '${wanted[at] ?? ''}' was next`,
              observed,
              because.toSorted((a, b) => a - b),
            )
          }
          if (seen.length < order.length)
            return inconclusive('bench', `only ${seen.length} of ${order.length} were seen`, observed)
          return pass(observed, [...first.values()])
        },
      }
    },
  })
}

/** `iid` of a line of the platform's log. */
function iidOf(e: Event): string | undefined {
  const iid = objectOf(objectOf(e.data)?.['payload'])?.['iid']
  return typeof iid === 'string' ? iid : undefined
}
