/** Messages that carry the time of their sending, such as status answers (LV-CAP API 4.5, 8.2.2). */
import { duration, durationText } from '../../drivers/units.ts'
import { matcher } from '../evidence/series.ts'
import type { Check, Series } from '../faces.ts'
import { type CheckOptions, checkOf, into, offences, pass, seconds, stallShare, steadyTime } from './check.ts'
import { platformClock } from './platform-clock.ts'
import { field } from './scalar.ts'

export interface SendingOptions extends CheckOptions {
  /** How far a stamp may lie from the arrival; whole seconds alone cost up to 1 s. */
  readonly within: string
}

/**
 * Each Timestamp is a whole number of seconds within `within` of the arrival, by the platform's clock as far as a note tells
 * of it. A message without one (a last will) is not judged.
 */
export function stampedOnSending(series: Series, o: SendingOptions): Check {
  const within = duration(o.within)
  return checkOf(o, {
    id: 'stamped-on-sending',
    limit: `whole seconds, within ${durationText(within)} of the arrival`,
    over: series,
    needs: [steadyTime],
    bears: () => within * stallShare,
    fold: (watch) => {
      const fits = matcher(series)
      const clock = platformClock()
      const found = offences()
      let judged = 0
      let worst = Number.NEGATIVE_INFINITY
      let worstSeq = 0
      return {
        see(e) {
          if (clock.see(e) || !fits(e)) return false
          const stamp = field(e, 'Timestamp')
          if (stamp === undefined) return false
          judged++
          if (typeof stamp !== 'number' || !Number.isSafeInteger(stamp)) {
            const shown = JSON.stringify(stamp).slice(0, 40)
            found.add(
              'no stamp',
              `${into(watch, e.at)}: Timestamp is ${shown}, no whole number of seconds`,
              e.seq,
            )
            return true
          }
          const off = Math.max(clock.before(stamp * 1000, e.at), clock.after(stamp * 1000, e.at))
          if (off > worst) [worst, worstSeq] = [off, e.seq]
          if (off > within)
            found.add(
              'other time',
              `${into(watch, e.at)}: stamped ${durationText(Math.abs(stamp * 1000 - e.at))} ${stamp * 1000 < e.at ? 'before' : 'after'} it arrived`,
              e.seq,
            )
          return true
        },
        result() {
          const observed = {
            'messages [1]': judged,
            ...(Number.isFinite(worst) ? { 'furthest from the arrival [s]': seconds(worst) } : {}),
            ...clock.figures(),
            ...found.counts(),
          }
          return (
            clock.tooUnsure(within, observed) ??
            found.result(observed) ??
            pass(observed, worstSeq > 0 ? [worstSeq] : [])
          )
        },
      }
    },
  })
}
