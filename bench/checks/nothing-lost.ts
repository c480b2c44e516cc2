/**
 * What was acknowledged comes out of Data Storage once, unaltered, in its place; nothing else does (LV-CAP API 7, 8.4 to
 * 8.6). Compared with what the publisher knows that it published. Words: lost, altered, wrong sub-topic, duplicated,
 * unexpected, late, returned again; and, legal, recovered (never acknowledged, and there) and unknown (never
 * acknowledged, and not there).
 */
import type { Instant } from '../../drivers/faces.ts'
import { duration, durationText } from '../../drivers/units.ts'
import type {
  AcknowledgedEvent,
  AnsweredEvent,
  AnsweredRow,
  PublishedEvent,
  ReportedEvent,
} from '../evidence/storage.ts'
import { compact } from '../platforms/json-text.ts'
import type { Check, Event, Series } from '../faces.ts'
import { type CheckOptions, checkOf, inconclusive, offences, pass, seconds } from './check.ts'
import { answerIn } from './answered.ts'
import { isCut } from './power.ts'
import { objectOf } from './scalar.ts'

export interface NothingLostOptions extends CheckOptions {
  /** Which upload application's queue is judged; `all` unless given. */
  readonly by?: string
  /** How long after its acknowledgement a message may still be missing from an answer; `5 s` unless given (ours). */
  readonly within?: string
  /** Judges the times of the records too: Unix seconds, between publication and acknowledgement, this much wider. */
  readonly stamps?: string
  /** Tables that are judged; those of the publisher unless given. */
  readonly tables?: readonly string[]
  /**
   * Power is cut: what was acknowledged (or reported as uploaded) less than this before a cut may be lost with it, since it
   * may still have been on its way within the platform. What was not acknowledged by then may come out, and twice, as
   * whoever had published it publishes it again. `1 s` unless given (ours).
   */
  readonly settle?: string
}

interface Item {
  readonly n: number
  readonly table: string
  readonly subTopic: string | null
  readonly text: string
  readonly kept: boolean
  readonly sentAt: Instant
  readonly seq: number
  ackedAt?: Instant
  out?: boolean
  overdue?: boolean
  /** Power was cut while it was on its way: it may be there once, twice or not at all. */
  unsure?: boolean
}

/** `sent`: the publisher's series. `answers`: the series of answers at the port `upload`. */
export function nothingLost(sent: Series, answers: Series, o: NothingLostOptions): Check {
  const by = o.by ?? 'all'
  const bound = duration(o.within ?? '5 s')
  const stamps = o.stamps === undefined ? undefined : duration(o.stamps)
  const settle = duration(o.settle ?? '1 s')
  return checkOf(o, {
    id: 'nothing-lost',
    limit: `what was acknowledged comes out once and unaltered, no later than ${durationText(bound)} after it, and nothing else`,
    over: answers,
    fold: () => {
      const items: Item[] = []
      /** Not yet come out, by everything that must be equal. */
      const awaited = new Map<string, Item[]>()
      const placed = new Map<string, number>()
      /** When, by place. */
      const reported = new Map<string, Instant>()
      /** Messages that power cut on their way, by everything that must be equal. */
      const resent = new Set<string>()
      let cuts = 0
      const known = new Map<string, string>()
      const tables = new Set(o.tables)
      /** Errors of others stand in the same table: only sub-topics that were published on are judged there. */
      const errors = new Set<string>()
      const found = offences()
      let rows = 0
      let drained: Instant | undefined
      const keyOf = (table: string, sub: string | null, text: string): string =>
        `${table}\n${sub ?? ''}\n${text}`

      const publish = (e: Event): void => {
        const d = e.data as unknown as PublishedEvent
        if (o.tables === undefined) tables.add(d.table)
        if (d.table === 'error') errors.add(d.subTopic ?? '')
        d.texts.forEach((text, i) => {
          const item: Item = { ...d, n: d.first + i, text: compact(text), sentAt: e.at, seq: e.seq }
          items[item.n] = item
          const key = keyOf(item.table, item.subTopic, item.text)
          awaited.set(key, [...(awaited.get(key) ?? []), item])
        })
      }
      const row = (table: string, r: AnsweredRow, e: Event): void => {
        const place = `${table} ${JSON.stringify(r.id)}`
        const sub = typeof r.subTopic === 'string' && r.subTopic !== '' ? r.subTopic : null
        if (table === 'error' && !errors.has(sub ?? '')) return
        const text = compact(r.text)
        const key = keyOf(table, sub, text)
        rows++
        if (reported.has(place)) {
          found.add('returned again', `${place} was reported as uploaded, and came again`, e.seq)
          return
        }
        const before = known.get(place)
        if (before !== undefined) {
          // The same row again, before it was reported: legal. Another one under its ID is not.
          if (before !== key) found.add('ID of another', `${place} stands for another row now`, e.seq)
          return
        }
        known.set(place, key)
        const item = awaited.get(key)?.shift()
        if (item === undefined) {
          const times = placed.get(key) ?? 0
          if (times > 0 && resent.has(key)) return
          if (times > 0) found.add('duplicated', `${place} is a second copy of ${text.slice(0, 80)}`, e.seq)
          else found.add(...strange(table, sub, text), e.seq)
          return
        }
        placed.set(key, (placed.get(key) ?? 0) + 1)
        item.out = true
        if (!item.kept) found.add('unexpected', `${place} was not to be stored: ${text.slice(0, 80)}`, e.seq)
        else if (item.overdue === true)
          found.add(
            'late',
            `message ${item.n} was not there ${durationText(bound)} after it`,
            item.seq,
            e.seq,
          )
        if (stamps !== undefined) judgeStamp(place, r, item, e)
      }
      const strange = (table: string, sub: string | null, text: string): [string, string] => {
        const what = `${table} ${sub ?? ''}: ${text.slice(0, 120)}`
        for (const i of items)
          if (i !== undefined && i.out !== true && i.kept && i.table === table) {
            if (i.text === text) return ['wrong sub-topic', `not as it was published: ${what}`]
            if (i.subTopic === sub && similar(i.text, text))
              return ['altered', `not as it was published: ${what}`]
          }
        return ['unexpected', `never published: ${what}`]
      }
      const cutAt = (at: Instant): void => {
        cuts++
        for (const i of items) {
          if (i === undefined || i.out === true || (i.ackedAt ?? at) <= at - settle) continue
          i.unsure = true
        }
        // Also where it has come out by now: a copy of it may be on its way.
        for (const i of items)
          if (i !== undefined && (i.ackedAt ?? at) > at - settle)
            resent.add(keyOf(i.table, i.subTopic, i.text))
        for (const [place, when] of reported) if (when > at - settle) reported.delete(place)
      }
      const judgeStamp = (place: string, r: AnsweredRow, item: Item, e: Event): void => {
        const slack = stamps ?? 0
        const from = item.sentAt - slack - 1000
        const to = (item.ackedAt ?? e.at) + slack
        const t = typeof r.timestamp === 'number' ? r.timestamp * 1000 : Number.NaN
        if (Number.isSafeInteger(r.timestamp) && t >= from && t <= to) return
        const off = Number.isNaN(t) ? 'no number' : `${seconds(t - item.sentAt)} s after its publication`
        found.add(
          'wrong time',
          `${place} has the time ${JSON.stringify(r.timestamp)}: ${off}`,
          item.seq,
          e.seq,
        )
      }
      return {
        see(e) {
          if (e.src === sent.src && e.kind === 'sent') {
            publish(e)
            return false
          }
          if (e.src === sent.src && e.kind === 'seen') {
            const d = e.data as unknown as AcknowledgedEvent
            for (let n = d.from; n <= d.to; n++) {
              const item = items[n]
              if (item !== undefined) item.ackedAt = e.at
            }
            return false
          }
          if (isCut(e)) {
            cutAt(e.at)
            return false
          }
          if (e.src !== answers.src) return false
          if (e.kind === 'sent') {
            const d = e.data as unknown as ReportedEvent
            if (d.alias !== `${answers.src}.report` || d.by !== by) return false
            for (const t of d.tables) for (const id of t.ids) reported.set(`${t.name} ${id}`, e.at)
            return false
          }
          const a = answerIn(e)
          if (a === undefined || a.by !== by) return false
          for (const t of a.tables) if (tables.has(t.name)) for (const r of t.rows) row(t.name, r, e)
          if (a.status === 2 && (objectOf(e.data) as unknown as AnsweredEvent | undefined)?.whole === true) {
            drained = e.at
            for (const i of items)
              if (
                i !== undefined &&
                i.out !== true &&
                i.unsure !== true &&
                i.ackedAt !== undefined &&
                i.ackedAt < e.at - bound
              )
                i.overdue = true
          }
          return true
        },
        result() {
          const all = found.copy()
          const mine = items.filter((i) => i !== undefined && tables.has(i.table) && i.kept)
          const missing = mine.filter((i) => i.out !== true && i.ackedAt !== undefined && i.unsure !== true)
          for (const i of missing)
            if (i.overdue === true)
              all.add('lost', `message ${i.n} to ${i.table} was acknowledged, and is not there`, i.seq)
          const observed = {
            'published [1]': mine.length,
            'acknowledged [1]': mine.filter((i) => i.ackedAt !== undefined).length,
            'came out [1]': mine.filter((i) => i.out === true).length,
            'rows seen [1]': rows,
            'recovered [1]': mine.filter((i) => i.out === true && i.ackedAt === undefined).length,
            'unknown [1]': mine.filter(
              (i) => i.out !== true && (i.ackedAt === undefined || i.unsure === true),
            ).length,
            ...(cuts === 0 ? {} : { 'power cuts [1]': cuts }),
            ...all.counts(),
          }
          const failed = all.result(observed)
          if (failed !== undefined) return failed
          if (drained === undefined || missing.length > 0)
            return inconclusive('bench', 'its queue was not emptied after the last acknowledgement', observed)
          return pass(observed)
        },
      }
    },
  })
}

/** Whether two texts are the same message but for details: most of their keys agree. */
function similar(a: string, b: string): boolean {
  const keys = (t: string): Set<string> => new Set(t.match(/"[^"]{1,40}":[^,}\]]{0,40}/g) ?? [])
  const x = keys(a)
  const y = keys(b)
  let same = 0
  for (const k of y) if (x.has(k)) same++
  return same > 0 && same * 2 >= Math.min(x.size, y.size)
}
