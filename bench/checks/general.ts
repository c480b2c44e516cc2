/** Small checks for what has no check of its own. Predicates must be pure: they run again in a replay. */
import type { Instant, Json } from '../../drivers/faces.ts'
import { duration, durationText } from '../../drivers/units.ts'
import { matcher } from '../evidence/series.ts'
import type { Check, Event, Series } from '../faces.ts'
import {
  type CheckOptions,
  checkOf,
  fail,
  inconclusive,
  into,
  marginal,
  marginalShare,
  offences,
  pass,
  seconds,
} from './check.ts'
import { channelOf, objectOf } from './scalar.ts'

export interface GeneralOptions extends CheckOptions {
  /** Must be given: these checks have no name of their own. */
  readonly id: string
  /** The limit in words, with units. */
  readonly limit: string
}

export type Predicate = (e: Event) => boolean

/** Each event of the series fits the predicate. Without any event: inconclusive. */
export function always(series: Series, holds: Predicate, o: GeneralOptions): Check {
  return everyEvent(series, holds, 'against the limit', o)
}

/**
 * No event of the series fits the predicate. Silence proves nothing: at least one event of `alive` (the series itself
 * unless given) must have been seen, as proof that the observation point worked.
 */
export function never(
  series: Series,
  happens: Predicate,
  o: GeneralOptions & { readonly alive?: Series },
): Check {
  return everyEvent(series, (e) => !happens(e), 'never to happen', o, o.alive)
}

function everyEvent(series: Series, good: Predicate, sort: string, o: GeneralOptions, alive?: Series): Check {
  return checkOf(o, {
    id: o.id,
    limit: o.limit,
    over: series,
    fold: (watch) => {
      const fits = matcher(series)
      const lives = alive === undefined ? fits : matcher(alive)
      const found = offences()
      let events = 0
      return {
        see(e) {
          const living = lives(e)
          if (!fits(e)) return living
          events++
          if (!good(e))
            found.add(sort, `${channelOf(e) || e.src}: ${o.limit} was broken, ${into(watch, e.at)}`, e.seq)
          return living
        },
        result() {
          const observed = { 'events [1]': events, ...found.counts() }
          return found.result(observed) ?? pass(observed)
        },
      }
    },
  })
}

/** Some event of the series fits the predicate, `by` that time after the declaration or before the end. */
export function eventually(
  series: Series,
  happens: Predicate,
  o: GeneralOptions & { readonly by?: string },
): Check {
  const by = o.by === undefined ? undefined : duration(o.by)
  return checkOf(o, {
    id: o.id,
    limit: o.limit,
    over: series,
    fold: (watch) => {
      const fits = matcher(series)
      let events = 0
      let first: { readonly at: Instant; readonly seq: number } | undefined
      return {
        see(e) {
          if (!fits(e)) return false
          events++
          if (first === undefined && happens(e)) first = { at: e.at, seq: e.seq }
          return true
        },
        result(at) {
          const span = at - watch.begin
          if (first === undefined) {
            const observed = { 'events [1]': events }
            if (by !== undefined && span <= by) return inconclusive('bench', 'it may still happen', observed)
            return fail(`it did not happen in ${durationText(span)}`, observed, [])
          }
          const took = first.at - watch.begin
          const observed = { 'events [1]': events, 'after [s]': seconds(took) }
          if (by !== undefined && took > by)
            return fail(`it happened only after ${durationText(took)}`, observed, [first.seq])
          if (by !== undefined && took > marginalShare * by)
            return marginal(`it uses ${Math.round((took / by) * 100)} % of its time`, observed, [first.seq])
          return pass(observed, [first.seq])
        },
      }
    },
  })
}

/**
 * Each event of `cause` is followed by one of `effect` within a time; one effect answers all causes before it that
 * are still open. `pairs` may tie an effect to its cause; `when` takes only some causes, `how` only some effects.
 * `early`: an effect may come so long before its cause, where two observation points tell of one moment in any order.
 */
export function within(
  time: string,
  cause: Series,
  effect: Series,
  o: GeneralOptions & {
    readonly pairs?: (cause: Event, effect: Event) => boolean
    readonly when?: Predicate
    readonly how?: Predicate
    readonly early?: string
  },
): Check {
  const bound = duration(time)
  const early = o.early === undefined ? undefined : duration(o.early)
  return checkOf(o, {
    id: o.id,
    limit: o.limit,
    over: effect,
    fold: (watch) => {
      const isCause = matcher(cause)
      const isEffect = matcher(effect)
      const found = offences()
      let open: Event[] = []
      /** Effects that may belong to a cause still to come. */
      let before: Event[] = []
      let causes = 0
      let slowest = 0
      let slowestSeqs: readonly number[] = []
      const overdue = (at: Instant, sink: typeof found): void => {
        for (const c of open)
          if (at - c.at > bound)
            sink.add('overdue', `nothing followed within ${durationText(bound)}, ${into(watch, c.at)}`, c.seq)
      }
      return {
        see(e) {
          if (open[0] !== undefined && e.at - open[0].at > bound) {
            overdue(e.at, found)
            open = open.filter((c) => e.at - c.at <= bound)
          }
          let ours = false
          if (early !== undefined && isEffect(e) && o.how?.(e) !== false)
            before = [...before.filter((x) => e.at - x.at <= early), e].slice(-1000)
          if (isEffect(e) && open.length > 0 && o.how?.(e) !== false) {
            ours = true
            open = open.filter((c) => {
              if (o.pairs !== undefined && !o.pairs(c, e)) return true
              if (e.at - c.at >= slowest) [slowest, slowestSeqs] = [e.at - c.at, [c.seq, e.seq]]
              return false
            })
          }
          if (isCause(e) && o.when?.(e) !== false) {
            ours = true
            causes++
            const told = before.some((x) => e.at - x.at <= (early ?? 0) && o.pairs?.(e, x) !== false)
            if (!told) open.push(e)
          }
          return ours
        },
        result(at) {
          const all = found.copy()
          overdue(at, all)
          const observed = { 'causes [1]': causes, 'slowest [s]': seconds(slowest), ...all.counts() }
          const failed = all.result(observed)
          if (failed !== undefined) return failed
          if (open.some((c) => at - c.at <= bound))
            return inconclusive('bench', 'the watch ended before the last one was due', observed)
          if (slowest > marginalShare * bound)
            return marginal(
              `it uses ${Math.round((slowest / bound) * 100)} % of its time`,
              observed,
              slowestSeqs,
            )
          return pass(observed, slowestSeqs)
        },
      }
    },
  })
}

/**
 * Events of the series come from nobody but those allowed. `key` is the path of the sender in the event's data, parts
 * joined by `.`: `payload.from`, `peer`. An event that tells no sender is a failure: it cannot be shown to be legal.
 */
export function onlyFrom(
  series: Series,
  allowed: readonly string[],
  o: Omit<GeneralOptions, 'limit' | 'id'> & { readonly id?: string; readonly key: string },
): Check {
  const legal = new Set(allowed)
  const sender = (e: Event): Json | undefined => {
    let at: Json | undefined = e.data
    for (const part of o.key.split('.')) {
      const object = objectOf(at)
      at = object !== undefined && Object.hasOwn(object, part) ? object[part] : undefined
    }
    return at
  }
  return checkOf(o, {
    id: 'only-from',
    limit: `only from ${allowed.join(', ')}`,
    over: series,
    fold: (watch) => {
      const fits = matcher(series)
      const found = offences()
      const senders = new Map<string, number>()
      return {
        see(e) {
          if (!fits(e)) return false
          const from = sender(e)
          const name = typeof from === 'string' ? from : '(nobody)'
          if (senders.size < 100 || senders.has(name)) senders.set(name, (senders.get(name) ?? 0) + 1)
          if (typeof from !== 'string' || !legal.has(from))
            found.add('from others', `an event from '${name.slice(0, 80)}', ${into(watch, e.at)}`, e.seq)
          return true
        },
        result() {
          const observed = { senders: Object.fromEntries(senders), ...found.counts() }
          return found.result(observed) ?? pass(observed)
        },
      }
    },
  })
}
