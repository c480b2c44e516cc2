/** After all trouble a platform catches up: nothing waits any more for being uploaded, or for being delivered. */
import type { Instant } from '../../drivers/faces.ts'
import { duration, durationText } from '../../drivers/units.ts'
import { matcher } from '../evidence/series.ts'
import type { Check, Event, Series } from '../faces.ts'
import { type CheckOptions, checkOf, inconclusive, offences, pass, seconds } from './check.ts'
import { isCut, isRestored } from './power.ts'
import { isDrop } from './resent.ts'
import { channelOf, objectOf } from './scalar.ts'

/** Value of Status where nothing waits (LV-CAP API table 18). */
const empty = 2

/** Gauges of queues in the platform's own words, and what waits there. */
const gauges = {
  queued: 'messages for the marketplace',
  held: 'batches for the server',
  unmarked: 'reports of what was uploaded',
} as const

export interface QueuesEmptyOptions extends CheckOptions {
  /** How long after the last trouble (a drop of the link, power that goes or comes, something published) they may take. */
  readonly within: string
  /** What the platform's apps say of themselves; judged where they say anything after the trouble. */
  readonly health?: Series
}

/**
 * `queue`: answers of Data Storage to the app that uploads, when it asks for what was not uploaded yet; `published`: the
 * publisher's series.
 */
export function queuesEmpty(queue: Series, published: Series, o: QueuesEmptyOptions): Check {
  const within = duration(o.within)
  return checkOf(o, {
    id: 'queues-empty',
    limit: `${durationText(within)} after the last trouble nothing waits any more for being uploaded or delivered, and nothing does at the end`,
    over: queue,
    fold: () => {
      const isAnswer = matcher(queue)
      const isHealth = o.health === undefined ? () => false : matcher(o.health)
      let trouble: Event | undefined
      let last: { readonly seq: number; readonly status: unknown } | undefined
      let answers = 0
      /** Since when each answer said that nothing waits. */
      let emptied: Instant | undefined
      const health = new Map<string, Event>()
      const begins = (e: Event): void => {
        trouble = e
        last = undefined
        answers = 0
        emptied = undefined
        health.clear()
      }
      const isTrouble = (e: Event): boolean =>
        isCut(e) ||
        isRestored(e) ||
        isDrop(e) ||
        (e.kind === 'link' && channelOf(e) === 'link.carrier') ||
        (e.src === published.src && (e.kind === 'sent' || e.kind === 'seen'))
      return {
        see(e) {
          if (isTrouble(e)) {
            begins(e)
            return false
          }
          if (isHealth(e)) {
            const proc = objectOf(e.data)?.['proc']
            health.set(typeof proc === 'string' ? proc : '', e)
            return false
          }
          if (!isAnswer(e)) return false
          const status = objectOf(objectOf(e.data)?.['payload'] ?? null)?.['Status'] ?? null
          last = { seq: e.seq, status }
          answers++
          if (status !== empty) emptied = undefined
          else emptied ??= e.at
          return true
        },
        result(at) {
          const since = trouble?.at
          const observed = {
            'answers after the trouble [1]': answers,
            ...(since === undefined || emptied === undefined
              ? {}
              : { 'empty after [s]': seconds(Math.max(0, emptied - since)) }),
            'apps that told of their queues [1]': health.size,
          }
          if (trouble === undefined || since === undefined)
            return inconclusive('bench', 'nothing was published, and there was no trouble', observed)
          if (since > at - within)
            return inconclusive('bench', `the trouble was not over ${durationText(within)} ago`, observed)
          const found = offences()
          if (last === undefined)
            found.add(
              'not empty',
              'nobody asked Data Storage any more what was not uploaded yet',
              trouble.seq,
            )
          else if (emptied === undefined)
            found.add(
              'not empty',
              `Data Storage said last that something waits (Status ${String(last.status)})`,
              last.seq,
            )
          else if (emptied > since + within)
            found.add(
              'late',
              `nothing waited ${durationText(emptied - since)} after the trouble, not before`,
              last.seq,
            )
          for (const [proc, e] of health)
            for (const [gauge, what] of Object.entries(gauges)) {
              const n = objectOf(objectOf(e.data)?.['payload'] ?? null)?.[gauge]
              if (typeof n === 'number' && n > 0)
                found.add('not empty', `${n} ${what} wait in ${proc}`, e.seq)
            }
          return found.result(observed) ?? pass(observed, last === undefined ? [] : [last.seq])
        },
      }
    },
  })
}
