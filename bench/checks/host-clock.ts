/**
 * Messages are stamped by the clock of the platform's host as it is at that moment, also just after it has been set
 * (OpenLV Appendix C, 2.6; LV-CAP API 4.5). Where a clock steps back, stamps repeat: order is not asked.
 */
import type { Instant } from '../../drivers/faces.ts'
import { duration, durationText } from '../../drivers/units.ts'
import { matcher } from '../evidence/series.ts'
import type { Check, Series } from '../faces.ts'
import {
  type CheckOptions,
  checkOf,
  inconclusive,
  into,
  notShown,
  offences,
  pass,
  seconds,
  stallShare,
  steadyTime,
} from './check.ts'
import { channelOf, field, objectOf } from './scalar.ts'

export interface HostClockOptions extends CheckOptions {
  /** How far a stamp may lie before its arrival, and after it, by the host's clock. Whole seconds alone cost up to 1 s. */
  readonly within: string
  /** A message that arrives so soon after a step may still carry the time before it; `2 s` unless given. */
  readonly settle?: string
  /** At least so many steps of the clock must have been seen, else the check is inconclusive. */
  readonly steps: number
}

/** The host's clock against the bench's, from one note of source `clock` on. */
interface Reading {
  readonly since: Instant
  readonly offset: number
  readonly ppm: number
}

/** Each stamp lies within `within` of the host's clock at its arrival. Needs the capability `clock`. */
export function stampedByHostClock(series: Series, o: HostClockOptions): Check {
  const within = duration(o.within)
  const settle = duration(o.settle ?? '2 s')
  return checkOf(o, {
    id: 'host-clock',
    limit: `stamps within ${durationText(within)} of the host's clock, also after it was set (${o.steps} times at least)`,
    over: series,
    needs: [steadyTime, 'clock'],
    bears: () => within * stallShare,
    fold: (watch) => {
      const fits = matcher(series)
      const found = offences()
      let now: Reading = { since: Number.NEGATIVE_INFINITY, offset: 0, ppm: 0 }
      let before: Reading | undefined
      let steps = 0
      let judged = 0
      let sinceStep = 0
      let worst = 0
      const offsetAt = (r: Reading, at: Instant): number =>
        r.offset + (r.ppm === 0 ? 0 : (at - r.since) * r.ppm * 1e-6)
      return {
        see(e) {
          if (e.kind === 'note' && e.src === 'clock') {
            const d = objectOf(e.data)
            const [offset, ppm] = [d?.['offsetMs'], d?.['ppm']]
            if (typeof offset !== 'number') return false
            if (Math.abs(offset - offsetAt(now, e.at)) >= 500) {
              steps++
              sinceStep = 0
            }
            before = now
            now = { since: e.at, offset, ppm: typeof ppm === 'number' ? ppm : 0 }
            return false
          }
          if (!fits(e)) return false
          judged++
          sinceStep++
          const stamp = field(e, 'Timestamp')
          if (typeof stamp !== 'number' || !Number.isSafeInteger(stamp)) {
            found.add('no stamp', `${channelOf(e)}: no whole number of seconds, ${into(watch, e.at)}`, e.seq)
            return true
          }
          const off = (r: Reading): number => stamp * 1000 - (e.at + offsetAt(r, e.at))
          const candidates = [off(now)]
          if (before !== undefined && e.at - now.since <= settle) candidates.push(off(before))
          const best = candidates.reduce((a, b) => (Math.abs(b) < Math.abs(a) ? b : a))
          worst = Math.max(worst, Math.abs(best))
          if (Math.abs(best) > within)
            found.add(
              best < 0 ? 'behind the clock' : 'ahead of the clock',
              `${channelOf(e)}: stamped ${durationText(Math.abs(best))} ${best < 0 ? 'behind' : 'ahead of'} the platform's clock, ${into(watch, e.at)}`,
              e.seq,
            )
          return true
        },
        result() {
          const observed = {
            'messages [1]': judged,
            'steps of the clock [1]': steps,
            'furthest from the clock [s]': seconds(worst),
            ...found.counts(),
          }
          const failed = found.result(observed)
          if (failed !== undefined) return failed
          if (steps < o.steps || sinceStep === 0)
            return inconclusive(
              notShown(o),
              `the clock was set ${steps} times before messages were seen`,
              observed,
            )
          return pass(observed)
        },
      }
    },
  })
}
