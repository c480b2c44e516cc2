/** What is owed to each forecast of load: one answer of each kind (OpenLV M:0049). */
import type { Instant } from '../../drivers/faces.ts'
import { matcher } from '../evidence/series.ts'
import type { Check, Series } from '../faces.ts'
import { checkOf, into, offences, pass, short, type CheckOptions } from './check.ts'
import { clock, foretoldIn } from './forecast.ts'

/** Each load forecast is followed by one of each output that starts with it, within so long; and none comes otherwise. */
export function onceForEach(
  cause: Series,
  effects: readonly Series[],
  o: CheckOptions & { readonly within: number },
): Check {
  const first = effects[0] ?? cause
  return checkOf(o, {
    id: 'once-for-each',
    limit: `each followed within ${o.within} s by exactly one of each output, which starts with it`,
    over: first,
    fold: (watch) => {
      const isCause = matcher(cause)
      const are = effects.map((s) => matcher(s))
      const causes: {
        readonly start: number
        readonly at: Instant
        readonly seq: number
        readonly n: number[]
      }[] = []
      const found = offences()
      return {
        see(e) {
          if (isCause(e)) {
            causes.push({ start: foretoldIn(e).start, at: e.at, seq: e.seq, n: effects.map(() => 0) })
            return true
          }
          const i = are.findIndex((is) => is(e))
          if (i < 0) return false
          const last = causes.at(-1)
          // an answer to what was said before the watch
          if (last === undefined) return false
          const { start } = foretoldIn(e)
          if (start !== last.start)
            found.add(
              'other start',
              `it starts at ${clock(start)}, the forecast at ${clock(last.start)}, ${into(watch, e.at)}`,
              e.seq,
            )
          else if (e.at - last.at > 1000 * o.within)
            found.add(
              'late',
              `it came ${short((e.at - last.at) / 1000)} s after the forecast, ${into(watch, e.at)}`,
              e.seq,
            )
          last.n[i] = (last.n[i] ?? 0) + 1
          return true
        },
        result(at) {
          const all = found.copy()
          for (const c of causes) {
            const open = at - c.at <= 1000 * o.within
            for (const [i, n] of c.n.entries())
              if (n > 1 || (n === 0 && !open))
                all.add(
                  n === 0 ? 'unanswered' : 'answered twice',
                  `${n} of ${effects[i]?.select ?? ''} followed the forecast, ${into(watch, c.at)}`,
                  c.seq,
                )
          }
          const observed = { 'forecasts [1]': causes.length, ...all.counts() }
          return all.result(observed) ?? pass(observed)
        },
      }
    },
  })
}
