/**
 * The volume that goes over the link, against the budget that an app was given (OpenLV I:00127), and against what the app
 * says of it. What the link's own counters have is true: bytes below TLS, both ways, those that TCP sent again apart.
 */
import type { Instant, Json } from '../../drivers/faces.ts'
import { duration, durationText } from '../../drivers/units.ts'
import { matcher } from '../evidence/series.ts'
import type { Check, Event, Series } from '../faces.ts'
import { type CheckOptions, checkOf, fail, inconclusive, notShown, offences, pass } from './check.ts'
import { objectOf, payloadOf } from './scalar.ts'

export interface BudgetOptions extends CheckOptions {
  /** Peer of the link, by its name there. */
  readonly peer: string
  /** Bytes of a period at most, both ways; periods begin at midnight UTC. */
  readonly bytes: number
  readonly per: string
}

/** What the link had carried at an instant, both ways, since its start. */
interface Sample {
  readonly at: Instant
  readonly seq: number
  /** Arrived; and given to it, with what TCP sent again of that: whoever counts at an end may have any figure in between. */
  readonly passed: number
  readonly given: number
  readonly resent: number
}

/** Samples of one peer, in order. */
function sampling(
  events: Series,
  peer: string,
): { see(e: Event): boolean; readonly list: readonly Sample[] } {
  const isCounted = matcher({ ...events, select: 'link.counters' })
  const list: Sample[] = []
  return {
    list,
    see(e) {
      if (!isCounted(e)) return false
      const of = objectOf(objectOf(objectOf(e.data)?.['peers'] ?? null)?.[peer] ?? null)
      const sum = (key: string): number =>
        (['up', 'down'] as const).reduce((n, way) => n + figure(objectOf(of?.[way] ?? null)?.[key]), 0)
      const [offered, passed, resent] = [sum('offered [B]'), sum('passed [B]'), sum('resent [B]')]
      list.push({ at: e.at, seq: e.seq, passed, given: offered + resent, resent })
      return true
    },
  }
}

const figure = (j: Json | undefined): number => (typeof j === 'number' ? j : 0)

/** The first whole period that begins after an instant, in whole periods since 1970: those of a day begin at midnight too. */
const firstWhole = (at: Instant, per: number): number => Math.ceil(at / per)

/** A budget counts as pressed from this share of it on: below, nothing was kept from going. Ours. */
const pressed = 0.5

/** What crosses the link in each whole period, and in all of them together, is within the budget; and it was pressed. */
export function staysInBudget(events: Series, o: BudgetOptions): Check {
  const per = duration(o.per)
  return checkOf(o, {
    id: 'in-budget',
    limit: `at most ${o.bytes} bytes to and from ${o.peer} in each ${durationText(per)}, those sent again included`,
    over: events,
    fold: (watch) => {
      const s = sampling(events, o.peer)
      return {
        see: (e) => s.see(e),
        result(end) {
          const first = firstWhole(watch.begin, per)
          const last = Math.floor(end / per)
          const shown: { period: string; 'crossed [B]': number }[] = []
          const found = offences()
          const judge = (a: Instant, b: Instant, most: number, what: string): number | undefined => {
            // Only what surely crossed in it.
            const from = s.list.find((x) => x.at >= a)
            const to = s.list.findLast((x) => x.at <= b)
            if (from === undefined || to === undefined || to.at <= from.at) return undefined
            const crossed = to.passed + to.resent - from.passed - from.resent
            if (crossed > most)
              found.add('too much', `${crossed} bytes crossed in ${what}, of ${most}`, from.seq, to.seq)
            return crossed
          }
          for (let k = first; k < last; k++) {
            const name = new Date(k * per).toISOString().slice(11, 19)
            const crossed = judge(k * per, (k + 1) * per, o.bytes, `the ${durationText(per)} from ${name}`)
            if (crossed !== undefined) shown.push({ period: name, 'crossed [B]': crossed })
          }
          const n = last - first
          if (n > 1) judge(first * per, last * per, n * o.bytes, `${n} periods`)
          const observed = { periods: shown, 'budget [B]': o.bytes }
          const failed = found.result(observed)
          if (failed !== undefined) return failed
          if (shown.length < 2)
            return inconclusive(notShown(o), 'fewer than two whole periods were seen', observed)
          const most = Math.max(...shown.map((x) => x['crossed [B]']))
          if (most < pressed * o.bytes)
            return inconclusive('bench', `the budget was never pressed: ${most} bytes at most`, observed)
          return pass(
            observed,
            s.list.slice(-1).map((x) => x.seq),
          )
        },
      }
    },
  })
}

export interface CountsOptions extends BudgetOptions {
  /** Shares of the budget by which the app's count may be too small, and too large; 0.05 unless given (ours). */
  readonly under?: number
  readonly over?: number
}

/** What the app says that it has used in this period is what the link has carried. `told`: its messages. */
export function countsAsTheLink(told: Series, events: Series, o: CountsOptions): Check {
  const per = duration(o.per)
  const under = (o.under ?? 0.05) * o.bytes
  const over = (o.over ?? 0.05) * o.bytes
  return checkOf(o, {
    id: 'counts-as-the-link',
    limit: `the app's count of a period is the link's, less ${under} bytes or more ${over} bytes at most`,
    over: told,
    needs: ['marketplace'],
    fold: (watch) => {
      const s = sampling(events, o.peer)
      const isTold = matcher(told)
      const counts: { readonly at: Instant; readonly seq: number; readonly bytes: number }[] = []
      return {
        see(e) {
          if (s.see(e)) return false
          if (!isTold(e)) return false
          const bytes = objectOf(payloadOf(e))?.['Value']
          if (typeof bytes === 'number') counts.push({ at: e.at, seq: e.seq, bytes })
          return true
        },
        result() {
          const found = offences()
          let sharp = 0
          let worst = 0
          for (const c of counts) {
            const begin = Math.floor(c.at / per) * per
            if (begin < watch.begin) continue
            const [before, after] = around(s.list, begin)
            const [then, soon] = around(s.list, c.at)
            if (before === undefined || after === undefined || then === undefined || soon === undefined)
              continue
            const least = Math.max(0, then.passed - after.given)
            const most = soon.given - before.passed
            // Much may have crossed between two looks at the link: such a count says little.
            if (most - least > under + over) continue
            if (c.bytes > 0) sharp++
            const off = c.bytes < least ? c.bytes - least : c.bytes > most ? c.bytes - most : 0
            if (Math.abs(off) > Math.abs(worst)) worst = off
            if (off < -under)
              found.add(
                'too little',
                `${c.bytes} bytes are told, and ${least} at least crossed`,
                c.seq,
                then.seq,
              )
            if (off > over)
              found.add('too much', `${c.bytes} bytes are told, and ${most} at most crossed`, c.seq, soon.seq)
          }
          const observed = {
            'counts told [1]': counts.length,
            'compared [1]': sharp,
            'furthest off [B]': worst,
            ...found.counts(),
          }
          const failed = found.result(observed)
          if (failed !== undefined) return failed
          if (counts.length === 0) return fail('the app tells no volume', observed, [])
          if (sharp < 3) return inconclusive('bench', 'hardly a count could be compared', observed)
          return pass(observed)
        },
      }
    },
  })
}

/** The last sample before an instant, and the first one after it. */
function around(
  list: readonly Sample[],
  at: Instant,
): readonly [before: Sample | undefined, after: Sample | undefined] {
  // By halves: there may be many of either.
  let [low, high] = [0, list.length]
  while (low < high) {
    const mid = (low + high) >> 1
    if ((list[mid]?.at ?? 0) < at) low = mid + 1
    else high = mid
  }
  return [list[low - 1], list[low]]
}
