/**
 * Watchdogs of a device (OpenLV I:0016, I:0017, S:001, W:001), against what the bench made hang and what was reset at the
 * seams where power is switched. Words: not noticed, not back, needless.
 */
import type { Instant } from '../../drivers/faces.ts'
import { duration, durationText } from '../../drivers/units.ts'
import { matcher } from '../evidence/series.ts'
import type { Check, Event, Series } from '../faces.ts'
import {
  type CheckOptions,
  checkOf,
  inconclusive,
  into,
  isPort,
  notShown,
  offences,
  pass,
  seconds,
} from './check.ts'
import { objectOf } from './scalar.ts'

/** What is watched. */
export type WatchedPart = 'computer' | 'router'

export interface WatchdogOptions extends CheckOptions {
  readonly of: WatchedPart
  /** The fault by which it hangs; any unless given. */
  readonly fault?: 'freeze' | 'modem'
  /** How often it must have hung; once unless given. */
  readonly hangs?: number
}

/** Faults by which it hangs, and where they are told. */
const faultsOf = {
  computer: { src: 'watchdog', names: ['hang'] },
  router: { src: 'router', names: ['freeze', 'modem'] },
} as const

/** Whether the bench made it hang, or freed it again itself. */
function hangOf(e: Event, o: WatchdogOptions): 'on' | 'lifted' | undefined {
  const { src, names } = faultsOf[o.of]
  if (e.kind !== 'fault' || e.src !== src) return undefined
  const d = objectOf(e.data)
  if (!names.some((n) => n === d?.['name'] && n === (o.fault ?? n))) return undefined
  return d?.['phase'] === 'on' ? 'on' : 'lifted'
}

/** Whether its watchdog took its power: at the seam, whatever the watchdog says of itself. */
function isReset(e: Event, of: WatchedPart): boolean {
  if (e.src === faultsOf[of].src && (e.kind === 'host' || e.kind === 'link'))
    return objectOf(e.data)?.['resets'] === of
  return false
}

interface Hang {
  readonly at: Instant
  readonly seq: number
}

/** Each time that it hangs its power is taken by its watchdog, in time. */
export function noticesHangs(o: WatchdogOptions & { readonly within: string }): Check {
  const bound = duration(o.within)
  return checkOf(o, {
    id: `${o.of}-noticed`,
    limit: `the ${o.of} reset by its watchdog within ${durationText(bound)} of the moment at which it hangs`,
    fold: (watch) => {
      const found = offences()
      let open: Hang | undefined
      let hangs = 0
      let slowest = 0
      const overdue = (h: Hang, to: ReturnType<typeof offences>): void =>
        to.add(
          'not noticed',
          `the ${o.of} hung ${into(watch, h.at)}, and ${durationText(bound)} later nobody had reset it`,
          h.seq,
        )
      const look = (at: Instant): void => {
        if (open === undefined || at <= open.at + bound) return
        overdue(open, found)
        open = undefined
      }
      return {
        see(e) {
          look(e.at)
          const hang = hangOf(e, o)
          if (hang === 'on') {
            hangs++
            open ??= { at: e.at, seq: e.seq }
            return true
          }
          if (open !== undefined && isReset(e, o.of)) {
            slowest = Math.max(slowest, e.at - open.at)
            open = undefined
          }
          return false
        },
        result(at) {
          const all = found.copy()
          const late = open !== undefined && at > open.at + bound
          if (open !== undefined && late) overdue(open, all)
          const observed = { 'hangs [1]': hangs, 'slowest reset [s]': seconds(slowest), ...all.counts() }
          const failed = all.result(observed)
          if (failed !== undefined) return failed
          if (hangs < (o.hangs ?? 1))
            return inconclusive(notShown(o), `it hung ${hangs} times, not ${o.hangs ?? 1}`, observed)
          if (open !== undefined)
            return inconclusive(notShown(o), 'the run ended before a reset was due', observed)
          return pass(observed)
        },
      }
    },
  })
}

/** After each reset of what hung, each of some series has its next message in time: with nobody's help. */
export function backAfterReset(
  shows: readonly Series[],
  o: WatchdogOptions & {
    /** From the moment at which it hangs to the reset, at most, and from there to each series' next message. */
    readonly reset: string
    readonly within: string
  },
): Check {
  const reset = duration(o.reset)
  const bound = duration(o.within)
  return checkOf(o, {
    id: `${o.of}-back`,
    limit: `a reset within ${durationText(reset)} of each hang of the ${o.of}, and within ${durationText(bound)} of that a message of each of ${shows.map((s) => s.select).join(', ')}`,
    ...(shows[0] === undefined ? {} : { over: shows[0] }),
    needs: shows.map((s) => s.src).filter((src) => isPort(src)),
    fold: (watch) => {
      const matchers = shows.map((s) => [s, matcher(s)] as const)
      const found = offences()
      let hangs = 0
      let slowest = 0
      let open: (Hang & { readonly due: Instant; readonly left: Set<Series> | undefined }) | undefined
      const overdue = (h: NonNullable<typeof open>, to: ReturnType<typeof offences>): void => {
        if (h.left === undefined)
          to.add(
            'not back',
            `the ${o.of} hung ${into(watch, h.at)}, and was not reset within ${durationText(reset)}`,
            h.seq,
          )
        for (const s of h.left ?? [])
          to.add(
            'not back',
            `the ${o.of} was reset ${into(watch, h.at)}, and ${durationText(bound)} later there was nothing of ${s.select}`,
            h.seq,
          )
      }
      const look = (at: Instant): void => {
        if (open === undefined || at <= open.due) return
        overdue(open, found)
        open = undefined
      }
      return {
        see(e) {
          look(e.at)
          const hang = hangOf(e, o)
          if (hang === 'on') {
            hangs++
            open = { at: e.at, seq: e.seq, due: e.at + reset, left: undefined }
            return true
          }
          if (open === undefined) return false
          if (open.left === undefined) {
            if (isReset(e, o.of)) open = { at: e.at, seq: e.seq, due: e.at + bound, left: new Set(shows) }
            return false
          }
          for (const [s, fits] of matchers) if (fits(e)) open.left.delete(s)
          if (open.left.size > 0) return false
          slowest = Math.max(slowest, e.at - open.at)
          open = undefined
          return false
        },
        result(at) {
          const all = found.copy()
          const late = open !== undefined && at > open.due
          if (open !== undefined && late) overdue(open, all)
          const observed = {
            'hangs [1]': hangs,
            'slowest return after a reset [s]': seconds(slowest),
            ...all.counts(),
          }
          const failed = all.result(observed)
          if (failed !== undefined) return failed
          if (hangs < (o.hangs ?? 1))
            return inconclusive(notShown(o), `it hung ${hangs} times, not ${o.hangs ?? 1}`, observed)
          if (open !== undefined)
            return inconclusive(notShown(o), 'the run ended before it could be back', observed)
          return pass(observed)
        },
      }
    },
  })
}

/** A part is reset once for each time that it hangs, and else at most so often (`spare`; never unless given). */
export function resetsSparingly(
  o: WatchdogOptions & {
    readonly spare?: number
    /** Each of the spare ones so many times later than the one before; any, unless given. */
    readonly slower?: number
  },
): Check {
  const spare = o.spare ?? 0
  const slower = o.slower === undefined ? '' : `, the next each ${o.slower} times later than the one before`
  return checkOf(o, {
    id: `${o.of}-resets`,
    limit: `one reset of the ${o.of} for each time that it hangs, ${spare === 0 ? 'and none else' : `and ${spare} else at most${slower}`}`,
    fold: (watch) => {
      const found = offences()
      let hangs = 0
      let resets = 0
      let owed = 0
      const else_: Event[] = []
      return {
        see(e) {
          const hang = hangOf(e, o)
          if (hang === 'on') {
            hangs++
            owed = 1
            return true
          }
          // What the bench has freed itself needs no reset any more.
          if (hang === 'lifted') {
            owed = 0
            return false
          }
          if (!isReset(e, o.of)) return hangs === 0
          resets++
          if (owed > 0) {
            owed = 0
            return true
          }
          else_.push(e)
          if (else_.length > spare)
            found.add(
              'needless',
              `the ${o.of} was reset ${into(watch, e.at)}, and ${hangs === 0 ? 'it had never hung' : 'since its last reset it had not hung'}`,
              e.seq,
            )
          const [a, b, c] = else_.slice(-3)
          if (o.slower !== undefined && a !== undefined && b !== undefined && c !== undefined)
            if (c.at - b.at < o.slower * (b.at - a.at))
              found.add(
                'needless',
                `the ${o.of} was reset again after ${durationText(c.at - b.at)}, and the time before that was ${durationText(b.at - a.at)}`,
                b.seq,
                c.seq,
              )
          return true
        },
        result() {
          const observed = {
            'hangs [1]': hangs,
            'resets [1]': resets,
            'resets of what did not hang [1]': else_.length,
            ...found.counts(),
          }
          const failed = found.result(observed)
          if (failed !== undefined) return failed
          if (hangs < (o.hangs ?? 0))
            return inconclusive(notShown(o), `it hung ${hangs} times, not ${o.hangs ?? 0}`, observed)
          return pass(observed)
        },
      }
    },
  })
}
