/**
 * Uploads to a server that the bench plays: what the platform has acknowledged to whoever published it is at the server in
 * the end, once and unchanged, under the platform's own RTU; and what the upload app reports as uploaded the server holds.
 * Words: lost, twice, altered, not asked for, wrong RTU; and, legal, unknown (not there, and power was cut on its way).
 */
import type { Instant, Json } from '../../drivers/faces.ts'
import { duration, durationText } from '../../drivers/units.ts'
import type { AcknowledgedEvent, PublishedEvent } from '../evidence/storage.ts'
import { matcher } from '../evidence/series.ts'
import { hearsAgain } from '../evidence/sight.ts'
import type { Check, Event, Series } from '../faces.ts'
import { compact } from '../platforms/json-text.ts'
import { type CheckOptions, checkOf, inconclusive, into, offences, pass } from './check.ts'
import { isCut } from './power.ts'
import { channelOf, objectOf } from './scalar.ts'

/** `seen`, src of a server, alias `<src>.batch`: rows that it holds from now on, acknowledged or about to be. */
export interface BatchEvent {
  readonly alias: string
  readonly rtu: string
  readonly batch: string
  readonly by: string
  /** It held this batch before: nothing was added. */
  readonly again: boolean
  /** Packed. */
  readonly bytes: number
  /** None where it held the batch before. */
  readonly rows: readonly {
    readonly table: string
    readonly id: number
    readonly subTopic: string | null
    readonly text: string
  }[]
}

export interface ReachesServerOptions extends CheckOptions {
  /** How long after its acknowledgement a message may still be missing at the end of the run; `2 min` unless given (ours). */
  readonly within?: string
  /** The platform's RTU at the server. */
  readonly rtu: string
  /** RTUs of other platforms that upload there meanwhile: what is theirs is not judged, and nothing of this one's may be there. */
  readonly others?: readonly string[]
  /**
   * Power is cut: what was acknowledged less than this before a cut may be lost with it, since it may still have been on its
   * way within the platform; what was not acknowledged by then may come twice, as whoever had published it publishes it
   * again. `1 s` unless given (ours).
   */
  readonly settle?: string
  /** What was selected: tables, or sub-topics of them; all, unless given. Nothing else may be there. */
  readonly selected?: readonly { readonly table: string; readonly subTopic?: string }[]
}

interface Item {
  readonly n: number
  readonly seq: number
  readonly key: string
  ackedAt?: Instant
  times: number
  /** Power was cut while it was on its way into the platform. */
  unsure?: boolean
}

/** `published`: the publisher's series. `batches`: the server's. */
export function reachesServer(published: Series, batches: Series, o: ReachesServerOptions): Check {
  const within = duration(o.within ?? '2 min')
  const settle = duration(o.settle ?? '1 s')
  return checkOf(o, {
    id: 'reaches-server',
    limit: `what was stored is at the server once and unchanged, ${durationText(within)} after it at the latest; nothing is known of what was acknowledged less than ${durationText(settle)} before a power cut`,
    over: batches,
    fold: (watch) => {
      const isPublished = matcher(published)
      const isBatch = matcher(batches)
      const items: Item[] = []
      const byKey = new Map<string, Item[]>()
      const tables = new Set<string>()
      const places = new Set<string>()
      const found = offences()
      let rows = 0
      const isSelected = (table: string, subTopic: string | null): boolean =>
        o.selected === undefined ||
        o.selected.some(
          (s) => s.table === table && (s.subTopic === undefined || s.subTopic === (subTopic ?? '')),
        )
      const keyOf = (table: string, sub: string | null, text: string): string =>
        `${table}\n${sub ?? ''}\n${text}`

      const take = (e: Event): void => {
        const d = e.data as unknown as BatchEvent
        if (o.others?.includes(d.rtu) === true) {
          const ours = d.rows.find((r) => byKey.has(keyOf(r.table, r.subTopic, compact(r.text))))
          if (ours !== undefined)
            found.add('wrong RTU', `${ours.table} ${ours.id} of '${o.rtu}' is kept for '${d.rtu}'`, e.seq)
          return
        }
        if (d.rtu !== o.rtu) found.add('wrong RTU', `a batch came for '${d.rtu}'`, e.seq)
        if (d.again) return
        for (const r of d.rows) {
          if (!isSelected(r.table, r.subTopic)) {
            found.add('not asked for', `${r.table} ${r.subTopic ?? ''} is at the server`, e.seq)
            continue
          }
          // Others store things too: only the publisher's are known here.
          if (!tables.has(r.table)) continue
          rows++
          const place = `${r.table} ${r.id}`
          if (places.has(place)) {
            found.add('twice', `row ${place} came a second time`, e.seq)
            continue
          }
          places.add(place)
          const hit = byKey.get(keyOf(r.table, r.subTopic, compact(r.text)))
          const item = hit?.find((i) => i.times === 0) ?? hit?.[0]
          if (item === undefined)
            found.add('altered', `${place} was never published so: ${r.text.slice(0, 100)}`, e.seq)
          else if (++item.times > 1 && item.unsure !== true)
            found.add('twice', `message ${item.n} is there ${item.times} times`, item.seq, e.seq)
        }
      }
      return {
        see(e) {
          if (isPublished(e)) {
            const d = e.data as unknown as PublishedEvent
            tables.add(d.table)
            if (!d.kept || !isSelected(d.table, d.subTopic)) return false
            d.texts.forEach((text, i) => {
              const item: Item = {
                n: d.first + i,
                seq: e.seq,
                key: keyOf(d.table, d.subTopic, compact(text)),
                times: 0,
              }
              items.push(item)
              byKey.set(item.key, [...(byKey.get(item.key) ?? []), item])
            })
            return false
          }
          if (e.src === published.src && channelOf(e) === 'publisher.acknowledged') {
            const { from, to } = e.data as unknown as AcknowledgedEvent
            for (const i of items) if (i.n >= from && i.n <= to) i.ackedAt ??= e.at
            return false
          }
          if (isCut(e)) {
            for (const i of items) if ((i.ackedAt ?? e.at) > e.at - settle) i.unsure = true
            return false
          }
          if (!isBatch(e)) return false
          take(e)
          return true
        },
        result(at) {
          const end = offences()
          let unknown = 0
          for (const i of items) {
            if (i.times > 0) continue
            if (i.ackedAt === undefined || i.unsure === true) unknown++
            else if (i.ackedAt <= at - within)
              end.add(
                'lost',
                `message ${i.n}, acknowledged ${into(watch, i.ackedAt)}, is not at the server`,
                i.seq,
              )
          }
          const { lost = 0, twice = 0, ...others } = { ...found.counts(), ...end.counts() }
          const observed = {
            'messages published [1]': items.length,
            'acknowledged [1]': items.filter((i) => i.ackedAt !== undefined).length,
            'rows at the server [1]': rows,
            'unknown [1]': unknown,
            'lost [1]': lost,
            'twice [1]': twice,
            ...others,
          }
          const failed = found.result(observed) ?? end.result(observed)
          if (failed !== undefined) return failed
          if (rows === 0)
            return inconclusive('bench', 'nothing of what was published could be there yet', observed)
          return pass(observed)
        },
      }
    },
  })
}

/**
 * Reports of the upload app at the marketplace, against what the server held at that moment. What the bench could not hear,
 * since the marketplace itself was gone, it does not miss: that may be one batch at a time.
 */
export function reportsWhatIsHeld(
  reports: Series,
  batches: Series,
  o: CheckOptions & { readonly within?: string },
): Check {
  const within = duration(o.within ?? '2 min')
  return checkOf(o, {
    id: 'reports',
    limit: `a row is reported as uploaded when the server holds it, not before, and ${durationText(within)} after it at the latest`,
    over: reports,
    needs: ['marketplace'],
    fold: (watch) => {
      const isReport = matcher(reports)
      const isBatch = matcher(batches)
      const held = new Map<string, { readonly at: Instant; readonly seq: number }>()
      const reported = new Set<string>()
      /** May have been reported while nobody could hear it. */
      const unheard = new Set<string>()
      let newest: readonly string[] = []
      const found = offences()
      return {
        see(e) {
          if (isBatch(e)) {
            const d = e.data as unknown as BatchEvent
            // Of one that it held before it is known what is in it.
            if (d.again) return false
            newest = d.rows.map((r) => `${r.table} ${r.id}`)
            for (const key of newest) if (!held.has(key)) held.set(key, { at: e.at, seq: e.seq })
            return false
          }
          if (e.kind === 'note' && e.src === reports.src && objectOf(e.data)?.['what'] === hearsAgain) {
            for (const key of newest) unheard.add(key)
            return false
          }
          if (!isReport(e)) return false
          for (const key of idsIn(objectOf(e.data)?.['payload'] ?? null)) {
            reported.add(key)
            if (!held.has(key))
              found.add('too early', `${key} was reported, and the server does not hold it`, e.seq)
          }
          return true
        },
        result(at) {
          const end = offences()
          let deaf = 0
          for (const [key, h] of held) {
            if (reported.has(key)) continue
            if (unheard.has(key)) deaf++
            else if (h.at <= at - within)
              end.add('never reported', `${key}, at the server ${into(watch, h.at)}, was not reported`, h.seq)
          }
          const observed = {
            'rows held [1]': held.size,
            'rows reported [1]': reported.size,
            ...(deaf === 0 ? {} : { 'perhaps unheard [1]': deaf }),
            ...found.counts(),
            ...end.counts(),
          }
          return found.result(observed) ?? end.result(observed) ?? pass(observed)
        },
      }
    },
  })
}

/** `{ NewData: [{ <IID>: [ID, ...] }] }` (LV-CAP API table 15), as `<IID> <ID>`. */
function idsIn(payload: Json): string[] {
  const list = objectOf(payload)?.['NewData']
  if (!Array.isArray(list)) return []
  return (list as Json[]).flatMap((one) =>
    Object.entries(objectOf(one) ?? {}).flatMap(([table, ids]) =>
      Array.isArray(ids) ? ids.map((id) => `${table} ${String(id)}`) : [],
    ),
  )
}

/** While a server shows a certificate that proves nothing, it is given nothing; and none is asked of it in clear. */
export function tellsOnlyTheServer(
  uploads: Series,
  connections: Series,
  o: CheckOptions & { readonly name: string },
): Check {
  return checkOf(o, {
    id: 'tells-only-the-server',
    limit:
      'no upload is begun or carried on while the server cannot prove that it is the one, and nothing goes in clear',
    over: connections,
    fold: () => {
      const isUpload = matcher(uploads)
      const isConnection = matcher(connections)
      const found = offences()
      const tried = new Set<string>()
      return {
        see(e) {
          const d = objectOf(e.data)
          if (isUpload(e)) {
            if (d?.['shows'] !== o.name)
              found.add('told a stranger', `${JSON.stringify(d?.['shows'])} was sent an upload`, e.seq)
            return false
          }
          if (!isConnection(e)) return false
          if (d?.['clear'] === true) found.add('in clear', 'a request came without TLS', e.seq)
          if (typeof d?.['shows'] === 'string' && d['shows'] !== o.name) tried.add(d['shows'])
          return true
        },
        result() {
          const observed = { 'wrong certificates tried [1]': tried.size, ...found.counts() }
          const failed = found.result(observed)
          if (failed !== undefined) return failed
          if (tried.size === 0)
            return inconclusive('bench', 'no connection was made to a false server', observed)
          return pass(observed)
        },
      }
    },
  })
}
