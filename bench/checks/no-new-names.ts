/** Names do not go on growing: what a platform calls things settles (IDs, topics), or it fills every memory in time. */
import { duration, durationText } from '../../drivers/units.ts'
import { matcher } from '../evidence/series.ts'
import type { Check, Series } from '../faces.ts'
import { type CheckOptions, checkOf, marginal, marginalShare, offences, pass, seconds } from './check.ts'
import { objectOf } from './scalar.ts'

export interface NoNewNamesOptions extends CheckOptions {
  /** Key of the event's data that holds the name: `topic`. */
  readonly key: string
  /** Names that come up within this time of the declaration are known ones: `10 min`. */
  readonly warmUp: string
  /** How many more may come up later. Ours. */
  readonly atMost: number
}

/** Most names that are remembered; more than that have failed long before. */
const mostNames = 100_000

/** After the warm-up, at most so many names come up that were never seen before. */
export function noNewNames(series: Series, o: NoNewNamesOptions): Check {
  const warmUp = duration(o.warmUp)
  return checkOf(o, {
    id: 'names',
    limit: `after ${durationText(warmUp)} at most ${o.atMost} new names (${o.key})`,
    over: series,
    fold: (watch) => {
      const fits = matcher(series)
      const known = new Set<string>()
      let late = 0
      let last = 0
      const because: number[] = []
      let example = ''
      return {
        see(e) {
          if (!fits(e)) return false
          const name = objectOf(e.data)?.[o.key]
          if (typeof name !== 'string') return false
          last = e.at - watch.begin
          if (known.has(name)) return true
          if (known.size < mostNames) known.add(name)
          if (last < warmUp) return true
          late++
          if (because.length < 6) because.push(e.seq)
          if (example === '') example = name
          return true
        },
        result() {
          const observed = {
            'names [1]': known.size,
            'new after the warm-up [1]': late,
            'watched [s]': seconds(last),
          }
          const found = offences()
          if (late > o.atMost)
            found.add(
              'new names',
              `${late} names came up after ${durationText(warmUp)}, first '${example}'`,
              ...because,
            )
          const failed = found.result(observed)
          if (failed !== undefined) return failed
          if (o.atMost > 0 && late > o.atMost * marginalShare)
            return marginal(`${late} new names of ${o.atMost} allowed`, observed, because)
          return pass(observed, because)
        },
      }
    },
  })
}
