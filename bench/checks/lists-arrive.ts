/**
 * Each list that a meter sent whole comes out of the reader once, with its values, in time (HAN thesis, SR-1.3 and those
 * that rest on it). Compared with what the meter says that it said (`said`). Words: lost, late, altered, incomplete,
 * invented, doubled, wrong time. A list under its old number again is a repetition, which MQTT allows (QoS 1).
 */
import type { Instant, Json } from '../../drivers/faces.ts'
import { duration, durationText } from '../../drivers/units.ts'
import { readerDown, readerUp } from '../platforms/reader-events.ts'
import { readerList, type ReaderList } from '../platforms/reader-json.ts'
import type { Check, Event, Series } from '../faces.ts'
import {
  type CheckOptions,
  checkOf,
  inconclusive,
  into,
  notShown,
  offences,
  pass,
  seconds,
  short,
} from './check.ts'
import { matcher } from '../evidence/series.ts'
import { objectOf, textOf } from './scalar.ts'

export interface ListsArriveOptions extends CheckOptions {
  /** Whose lists; `meter` unless given. */
  readonly meters?: readonly ('meter' | 'meter2')[]
  /** Of them only this one is judged; the others are followed, so that their lists do not look invented. */
  readonly of?: 'meter' | 'meter2'
  /** From the end of a list on the line to its reading; `5 s` unless given (ours). */
  readonly within?: string
  /** The same for what came while the cloud was away, from its return; `20 s` unless given (ours). */
  readonly afterOutage?: string
  /** Only these lists (1 to 3); all unless given. */
  readonly lists?: readonly number[]
  /** Only lists sent at this rate. */
  readonly baud?: number
  /** Only lists that came while the reader's modem was at this rate. */
  readonly modem?: number
  /** Judges the reader's time of arrival too: this much about the end of the list on the line. */
  readonly stamps?: string
  /** Lists that are expected at the least; 1 unless given. Fewer: inconclusive. */
  readonly atLeast?: number
}

interface Said {
  readonly at: Instant
  readonly seq: number
  readonly role: string
  readonly list: number
  readonly values: ReadonlyMap<string, number>
  /** Its last bit on the line. */
  readonly end: Instant
  /** The reader was down during some of it: it may be there or not. */
  optional: boolean
  due: Instant
}

/** So many lists that are read already are remembered, to tell a doubled one from an invented one. */
const remembered = 200

/** `readings`: what came out of the reader, in a cloud or on a debugging line. */
export function listsArrive(readings: Series, o: ListsArriveOptions): Check {
  const meters = new Set<string>(o.meters ?? ['meter'])
  const bound = duration(o.within ?? '5 s')
  const catchUp = duration(o.afterOutage ?? '20 s')
  const stamps = o.stamps === undefined ? undefined : duration(o.stamps)
  const words = [
    `each list${o.lists === undefined ? '' : ` ${o.lists.join(', ')}`} of ${o.of ?? [...meters].join(' and ')}`,
    ...(o.baud === undefined ? [] : [`at ${o.baud} baud`]),
    ...(o.modem === undefined ? [] : [`with the modem at ${o.modem} baud`]),
    `comes out once, with its values, within ${durationText(bound)} of its last bit`,
    ...(stamps === undefined ? [] : [`, its time within ${durationText(stamps)} of it`]),
  ]
  return checkOf(o, {
    id: 'lists-arrive',
    limit: words.join(' ').replace(' ,', ','),
    over: readings,
    fold: (watch) => {
      const isReading = matcher(readings)
      const found = offences()
      let open: Said[] = []
      const read: Said[] = []
      const sequences = new Map<number, string>()
      let [judged, arrived, again, slowest] = [0, 0, 0, 0]
      let down: boolean = false
      let modem: Json | undefined
      const outages = new Set<string>()
      const wanted = (list: number, baud: Json | undefined): boolean =>
        (o.lists === undefined || o.lists.includes(list)) && (o.baud === undefined || o.baud === baud)

      const said = (e: Event): boolean => {
        const d = objectOf(e.data)
        const asked = objectOf(d?.['asked'])
        const answers = objectOf(d?.['answers'])
        if (asked === undefined || answers === undefined || asked['to'] === 0) return false
        const list = Number(asked['list'])
        const values = new Map<string, number>()
        for (const [q, pair] of Object.entries(answers))
          if (Array.isArray(pair) && typeof pair[0] === 'number') values.set(q, pair[0])
        const end = e.at + Number(asked['took_ms'])
        const ours =
          (o.modem === undefined || o.modem === modem) &&
          (o.of ?? e.src) === e.src &&
          wanted(list, asked['baud'])
        // Those of other lists and rates are followed too: else they would look invented.
        open.push({
          at: e.at,
          seq: e.seq,
          role: e.src,
          list,
          values,
          end,
          optional: down || !ours,
          due: end + bound,
        })
        if (ours && !down) judged++
        return ours
      }
      const overdue = (at: Instant, sink: typeof found): void => {
        if (outages.size > 0) return
        for (const s of open)
          if (!s.optional && s.due < at)
            sink.add('lost', `List ${s.list} of ${s.role}, ${into(watch, s.at)}, has not come out`, s.seq)
      }
      const reading = (e: Event): boolean => {
        const d = objectOf(e.data)
        const r = readerList(d?.['payload'])
        if (r === undefined) {
          found.add('unreadable', `what came out ${into(watch, e.at)} is no list in JSON`, e.seq)
          return true
        }
        if (r.sequence !== undefined) {
          const text = JSON.stringify(d?.['payload'])
          const before = sequences.get(r.sequence)
          sequences.set(r.sequence, text)
          if (before === text) {
            again++
            return false
          }
          if (before !== undefined)
            found.add('doubled', `number ${r.sequence} stands for another reading now`, e.seq)
        }
        // Lists in a row may say the same: then the reader's own time tells which one it is, else the oldest is meant.
        const same = open.filter((s) => differs(s.values, r) === undefined)
        const [match] = same.toSorted((a, b) => away(a, r) - away(b, r))
        if (match === undefined) return strange(e, r)
        open = open.filter((s) => s !== match)
        read.push(match)
        if (read.length > remembered) read.shift()
        if (match.optional) return false
        arrived++
        slowest = Math.max(slowest, e.at - match.end)
        if (e.at > match.due && outages.size === 0)
          found.add(
            'late',
            `List ${match.list} came out ${seconds(e.at - match.end)} s after its last bit`,
            match.seq,
            e.seq,
          )
        judgeStamp(e, r, match)
        return true
      }
      const judgeStamp = (e: Event, r: ReaderList, s: Said): void => {
        if (stamps === undefined) return
        if (r.stamp !== undefined && Math.abs(r.stamp - s.end) <= stamps) return
        const off = r.stamp === undefined ? 'no time' : `${seconds(r.stamp - s.end)} s off`
        found.add('wrong time', `List ${s.list}, ${into(watch, s.at)}, is filed ${off}`, s.seq, e.seq)
      }
      /** A reading that no open list is like: the nearest one tells what is wrong with it. */
      const strange = (e: Event, r: ReaderList): boolean => {
        // Of a list from before the watch.
        if (r.stamp !== undefined && r.stamp <= watch.begin + 2000) return false
        const twice = read.find((s) => differs(s.values, r) === undefined)
        if (twice !== undefined) {
          if (!twice.optional) found.add('doubled', `a list was told twice, ${into(watch, e.at)}`, e.seq)
          return true
        }
        const [near] = open
          .filter((s) => s.values.size >= r.values.size || [...s.values.keys()].every((q) => r.values.has(q)))
          .toSorted((a, b) => far(a, r) - far(b, r))
        if (near === undefined) {
          found.add('invented', `no list of a meter is like what came out ${into(watch, e.at)}`, e.seq)
          return true
        }
        open = open.filter((s) => s !== near)
        const why = differs(near.values, r) ?? ''
        const sort = why.endsWith('is missing') ? 'incomplete' : 'altered'
        if (!near.optional)
          found.add(
            sort,
            `List ${near.list} of ${near.role}, ${into(watch, near.at)}: ${why}`,
            near.seq,
            e.seq,
          )
        return true
      }
      const away = (s: Said, r: ReaderList): number => (r.stamp === undefined ? 0 : Math.abs(s.end - r.stamp))
      const far = (s: Said, r: ReaderList): number =>
        away(s, r) + 10_000 * Math.abs(s.values.size - r.values.size)

      return {
        see(e) {
          if (e.kind === 'said' && meters.has(e.src)) return said(e)
          if (e.src === 'reader' && e.kind === 'host') {
            const what = objectOf(e.data)?.['what']
            if (what === readerDown) {
              down = true
              for (const s of open) if (s.end > e.at - 1000) s.optional = true
            }
            if (what === readerUp) {
              down = false
              modem = objectOf(e.data)?.['modem']
              for (const s of open) s.due = Math.max(s.due, e.at + catchUp)
            }
            return false
          }
          if ((e.src === 'cloud' || e.src === 'modem') && e.kind === 'fault') {
            const d = objectOf(e.data)
            const id = textOf(d?.['id'])
            if (d?.['phase'] === 'on') {
              overdue(e.at, found)
              open = open.filter((s) => s.optional || s.due >= e.at)
              outages.add(id)
            } else outages.delete(id)
            for (const s of open) s.due = Math.max(s.due, e.at + catchUp)
            return false
          }
          return isReading(e) ? reading(e) : false
        },
        result(at) {
          const all = found.copy()
          overdue(at, all)
          const observed = {
            'lists sent [1]': judged,
            'arrived [1]': arrived,
            'repeated [1]': again,
            'slowest [s]': short(seconds(slowest)),
            ...all.counts(),
          }
          const failed = all.result(observed)
          if (failed !== undefined) return failed
          if (judged < (o.atLeast ?? 1))
            return inconclusive(notShown(o), `only ${judged} lists were sent`, observed)
          return pass(observed)
        },
      }
    },
  })
}

/** How a reading is unlike a list; nothing where it is the list. */
function differs(values: ReadonlyMap<string, number>, r: ReaderList): string | undefined {
  for (const [q, v] of values) {
    const got = r.values.get(q)
    if (got === undefined) return `${q} is missing`
    if (Math.abs(got - v) > 1e-6 * Math.max(1, Math.abs(v)))
      return `${q} was ${short(v)}, and is ${short(got)}`
  }
  const extra = [...r.values.keys()].find((q) => !values.has(q))
  if (extra !== undefined) return `${extra} was not said`
  return r.unknown[0] === undefined ? undefined : `'${r.unknown[0]}' means nothing`
}
