/** Messages of each channel are never further apart than a period; closer they may be. */
import type { Instant } from '../../drivers/faces.ts'
import { duration, durationText, tolerance } from '../../drivers/units.ts'
import { matcher } from '../evidence/series.ts'
import type { Check, Series } from '../faces.ts'
import {
  type CheckOptions,
  checkOf,
  inconclusive,
  into,
  offences,
  pass,
  seconds,
  stallShare,
  steadyTime,
} from './check.ts'
import { channelOf } from './scalar.ts'

export interface AtLeastEveryOptions extends CheckOptions {
  /** Aliases that must each come; those that were seen unless given. */
  readonly channels?: readonly string[]
  /** How much later one may be; ±10 % of the period unless given. */
  readonly gap?: string
}

/** From the declaration to the end: silence at either end counts. */
export function atLeastEvery(period: string, series: Series, o: AtLeastEveryOptions): Check {
  const every = duration(period)
  const gap = o.gap === undefined ? every / 10 : tolerance(o.gap)
  return checkOf(o, {
    id: 'at-least-every',
    limit: `each channel at least every ${durationText(every)}, ${durationText(gap)} late at most`,
    over: series,
    needs: [steadyTime],
    bears: () => gap * stallShare,
    fold: (watch) => {
      const fits = matcher(series)
      const found = offences()
      const last = new Map<string, { readonly at: Instant; readonly seq: number }>()
      let longest = 0
      let messages = 0
      return {
        see(e) {
          if (!fits(e)) return false
          messages++
          const name = channelOf(e)
          const before = last.get(name)
          last.set(name, { at: e.at, seq: e.seq })
          const since = e.at - (before?.at ?? watch.begin)
          longest = Math.max(longest, since)
          if (since > every + gap)
            found.add(
              'late',
              `${name}: ${durationText(since)} after the one before, ${into(watch, e.at)}`,
              ...(before === undefined ? [] : [before.seq]),
              e.seq,
            )
          return true
        },
        result(at) {
          const all = found.copy()
          for (const name of o.channels ?? last.keys()) {
            const since = at - (last.get(name)?.at ?? watch.begin)
            if (since > every + gap)
              all.add(
                'silent',
                `${name}: silent for the last ${durationText(since)}`,
                last.get(name)?.seq ?? 0,
              )
          }
          const observed = {
            'channels [1]': last.size,
            'messages [1]': messages,
            'longest gap [s]': seconds(longest),
            ...all.counts(),
          }
          const failed = all.result(observed)
          if (failed !== undefined) return failed
          const missing = (o.channels ?? []).filter((name) => !last.has(name))
          if (missing.length > 0)
            return inconclusive('bench', `${missing.length} channels are not due yet`, observed)
          return pass(observed)
        },
      }
    },
  })
}
