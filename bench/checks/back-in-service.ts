/**
 * After power came back the platform is in service again with no help (OpenLV M:0090, S:007): each of some series has its
 * next message within a bound. A return that is cut short by the next cut asks for nothing.
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
  isPort,
  seconds,
} from './check.ts'
import { isCut, isRestored } from './power.ts'

export interface BackInServiceOptions extends CheckOptions {
  /** How long it may take. */
  readonly within: string
  /** Which host's power; any unless given. */
  readonly host?: string
  /** Cuts that there must be; 1 unless given. */
  readonly cuts?: number
  /** Messages of each series that it takes to be in service; 1 unless given: enough to have come from before the cut. */
  readonly messages?: number
}

interface Awaited {
  readonly at: Instant
  readonly seq: number
  readonly left: Map<Series, number>
}

/** What stands in each of these series shows that a part of the platform is in service. */
export function backInService(shows: readonly Series[], o: BackInServiceOptions): Check {
  const bound = duration(o.within)
  const needed = o.messages ?? 1
  return checkOf(o, {
    id: 'back-in-service',
    limit: `within ${durationText(bound)} of power coming back, ${needed === 1 ? 'a message' : `${needed} messages`} of each of ${shows.map((s) => s.select).join(', ')}`,
    ...(shows[0] === undefined ? {} : { over: shows[0] }),
    needs: shows.map((s) => s.src).filter(isPort),
    fold: (watch) => {
      const matchers = shows.map((s) => [s, matcher(s)] as const)
      const found = offences()
      let cuts = 0
      let returns = 0
      let slowest = 0
      let waiting: Awaited | undefined
      const overdue = (w: Awaited, into_: ReturnType<typeof offences>): void => {
        for (const s of w.left.keys())
          into_.add(
            'away',
            `power came back ${into(watch, w.at)}, and ${durationText(bound)} later there was nothing of ${s.select}`,
            w.seq,
          )
      }
      const look = (at: Instant): void => {
        if (waiting === undefined || at <= waiting.at + bound) return
        overdue(waiting, found)
        waiting = undefined
      }
      return {
        see(e) {
          look(e.at)
          if (isCut(e, o.host)) {
            cuts++
            waiting = undefined
            return false
          }
          if (isRestored(e, o.host)) {
            returns++
            waiting = { at: e.at, seq: e.seq, left: new Map(shows.map((s) => [s, needed])) }
            return true
          }
          if (waiting === undefined) return false
          for (const [s, fits] of matchers) {
            const left = waiting.left.get(s)
            if (left === undefined || !fits(e)) continue
            if (left > 1) waiting.left.set(s, left - 1)
            else waiting.left.delete(s)
          }
          if (waiting.left.size === 0) {
            slowest = Math.max(slowest, e.at - waiting.at)
            waiting = undefined
          }
          return false
        },
        result(at) {
          const all = found.copy()
          const over = waiting !== undefined && at > waiting.at + bound
          if (waiting !== undefined && over) overdue(waiting, all)
          const observed = {
            'power cuts [1]': cuts,
            'returns [1]': returns,
            'slowest return to service [s]': seconds(slowest),
            ...all.counts(),
          }
          const failed = all.result(observed)
          if (failed !== undefined) return failed
          if (cuts < (o.cuts ?? 1))
            return inconclusive(notShown(o), `power was cut ${cuts} times, not ${o.cuts ?? 1}`, observed)
          if (waiting !== undefined)
            return inconclusive(notShown(o), 'the run ended before the platform could be back', observed)
          return pass(observed)
        },
      }
    },
  })
}
