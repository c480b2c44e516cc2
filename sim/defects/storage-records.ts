/** Defects of Data Storage in what it keeps and in what it lets go (API sections 4.9, 7, 8.4 to 8.6; M:0073, M:0081). */
import type { NewRecord } from '../reference/lvcap/storage/intake.ts'
import type { StorageParts } from '../reference/lvcap/storage/main.ts'
import type { Marks } from '../reference/lvcap/storage/query.ts'
import { listOf, type Defect } from './defect.ts'
import { objectOf } from './payload.ts'
import { hidesUploaded, keepsAs, otherStore, parsed, type Wrap } from './storage-seams.ts'

/** Records above this number in one second are given up by `loses-when-flooded`. */
const tooFast = 150

/** Has no place for what comes on some topics. */
function placesNot(where: (topic: string) => boolean): Wrap {
  return (p, reached) => ({
    ...p,
    place: (topic) => {
      if (!where(topic)) return p.place(topic)
      reached()
      return undefined
    },
  })
}

export const storageRecordDefects: readonly Defect<StorageParts>[] = listOf<StorageParts>(
  'data-storage',
  'defect',
  {
    'keeps-nothing-of-sensors': [
      'Does not store what sensor applications ask to be stored.',
      placesNot((topic) => topic.startsWith('sensor/')),
    ],
    'drops-prioritised-data': [
      'Does not store data with a Priority.',
      (p, reached) => ({
        ...p,
        keeps: (place, value, config) => {
          if (objectOf(value)['Priority'] === undefined) return p.keeps(place, value, config)
          reached()
          return false
        },
      }),
    ],
    'leaves-out-low-priorities': [
      'Returns no data of priority 5 or of none that counts.',
      otherStore((store, reached) => ({
        find(q, maxBytes) {
          const found = store.find(q, maxBytes)
          const high = found.records.filter(
            (r) => !/"Priority":(?:[05-9]|-)/.test(Buffer.from(r.data).toString('utf8')),
          )
          if (high.length !== found.records.length) reached()
          return { ...found, records: high }
        },
      })),
    ],
    'alters-numbers': [
      'Stores what JSON becomes when it is parsed and written again.',
      keepsAs((r) => ({ ...r, data: Buffer.from(JSON.stringify(parsed(r.data))) })),
    ],
    'keeps-standard-keys-only': [
      'Stores of an object only the keys of the standard formats.',
      keepsAs((r) => {
        const object = parsed(r.data)
        if (typeof object !== 'object' || object === null || Array.isArray(object)) return r
        const known = Object.entries(object).filter(([k]) =>
          ['Timestamp', 'Value', 'Valid', 'ToStore', 'Priority'].includes(k),
        )
        const same = known.length === Object.keys(object).length
        return same ? r : { ...r, data: Buffer.from(JSON.stringify(Object.fromEntries(known))) }
      }),
    ],
    'cuts-long-data': [
      'Cuts texts of more than 10,000 characters.',
      keepsAs((r) => {
        if (r.data.length <= 10_000) return r
        const cut = Buffer.from(r.data)
          .toString('utf8')
          .replaceAll(/([^"]{10000})[^"]+/g, '$1')
        return { ...r, data: Buffer.from(cut) }
      }),
    ],
    'forgets-the-sub-topic': ['Stores no sub-topic.', keepsAs((r) => ({ ...r, subTopic: null }))],
    'stamps-with-the-payload': [
      'Stamps a record with the time in its payload, not with that of its arrival.',
      keepsAs((r) => {
        const t = objectOf(parsed(r.data) as never)['Timestamp']
        return typeof t === 'number' ? { ...r, timestamp: Math.floor(t) } : r
      }),
    ],
    'stamps-in-milliseconds': [
      'Stamps records in milliseconds.',
      keepsAs((r) => ({ ...r, timestamp: r.timestamp * 1000 })),
    ],
    'stores-everything': [
      'Takes no heed of ToStore.',
      (p, reached) => ({
        ...p,
        keeps: (place, value, config) => {
          if (p.keeps(place, value, config)) return true
          reached()
          return true
        },
      }),
    ],
    'stores-unless-told': [
      'Stores what has no ToStore key.',
      (p, reached) => ({
        ...p,
        keeps: (place, value, config) => {
          if (p.keeps(place, value, config)) return true
          if (Object.hasOwn(objectOf(value), 'ToStore')) return false
          reached()
          return true
        },
      }),
    ],
    'no-errors': [
      'Does not store what comes on the error topic.',
      placesNot((topic) => topic.startsWith('storage/data/error/')),
    ],
    'no-slash-at-the-end': [
      'Does not store what comes on storage/data/<IID>/.',
      placesNot((topic) => topic.endsWith('/')),
    ],
    'acks-before-commit': [
      'Acknowledges at once and writes every ten seconds.',
      (p, reached) => {
        const waiting: NewRecord[] = []
        let timer: NodeJS.Timeout | undefined
        return {
          ...p,
          append: async (record, append) => {
            reached()
            waiting.push(record)
            timer ??= setTimeout(() => {
              timer = undefined
              try {
                append(waiting.splice(0))
              } catch {
                // It has been acknowledged: nobody will send it again.
              }
            }, 10_000)
          },
        }
      },
    ],
    'forgets-on-a-full-disk': [
      'Acknowledges what the disk did not take.',
      (p, reached) => ({
        ...p,
        append: async (record, append) => {
          try {
            await p.append(record, append)
          } catch {
            reached()
          }
        },
      }),
    ],
    'loses-when-flooded': [
      `Gives up what comes beyond ${tooFast} records in a second.`,
      (p, reached) => {
        let second = 0
        let count = 0
        return {
          ...p,
          append: async (record, append) => {
            count = record.timestamp === second ? count + 1 : 1
            second = record.timestamp
            if (count <= tooFast) return p.append(record, append)
            reached()
          },
        }
      },
    ],
    'stores-twice': [
      'Stores every fiftieth record twice.',
      (p, reached) => {
        let n = 0
        return {
          ...p,
          append: async (record, append) => {
            await p.append(record, append)
            if (++n % 50 !== 0) return
            reached()
            await p.append(record, append)
          },
        }
      },
    ],
    'returns-uploaded-again': [
      'Forgets the last record of each report of uploaded ones.',
      (p, reached) => ({
        ...p,
        marks: (...args) => {
          reached()
          return p.marks(...args).map((m) => ({ ...m, ids: m.ids.slice(0, -1) }))
        },
      }),
    ],
    'marks-the-wrong-record': [
      'Marks, instead of the last record of a report, the one after it.',
      (p, reached) => ({
        ...p,
        marks: (...args) => {
          reached()
          return p.marks(...args).map((m) => ({ ...m, ids: m.ids.map((id) => id + 1) }))
        },
      }),
    ],
    'one-queue-for-all': [
      'What one application has uploaded is gone for every other one.',
      hidesUploaded('newdata'),
    ],
    'forgets-reports-at-a-restart': [
      'Keeps in memory alone what has been uploaded.',
      otherStore((store, reached) => {
        const done: { readonly by: string; readonly marks: Marks }[] = []
        return {
          mark(by, marks) {
            reached()
            done.push({ by, marks })
          },
          find(q, maxBytes) {
            if (q.api === 'history') return store.find(q, maxBytes)
            const mine = done.filter((d) => d.by === q.by).flatMap((d) => d.marks)
            const gone = new Set(mine.flatMap((m) => m.ids.map((id) => `${m.table} ${id}`)))
            const found = store.find({ ...q, max: q.max + gone.size }, maxBytes)
            const left = found.records.filter((r) => !gone.has(`${r.table} ${r.id}`))
            return { ...found, records: left.slice(0, q.max), more: found.more || left.length > q.max }
          },
        }
      }),
    ],
    'reuses-ids': [
      'Begins again with the first ID after a purge.',
      (p, reached) => {
        let base = 0
        let highest = 0
        return otherStore((store) => ({
          purge(keep) {
            const gone = store.purge(keep)
            if (gone > 0) base = highest
            return gone
          },
          find(q, maxBytes) {
            const found = store.find(q, maxBytes)
            for (const r of found.records) highest = Math.max(highest, r.id)
            if (found.records.some((r) => base > 0 && r.id > base)) reached()
            const again = (id: number): number => (id > base ? id - base : id)
            return { ...found, records: found.records.map((r) => ({ ...r, id: again(r.id) })) }
          },
          mark(by, marks) {
            if (base > 0) reached()
            store.mark(
              by,
              marks.map((m) => ({ ...m, ids: m.ids.map((id) => id + base) })),
            )
          },
        }))(p, reached)
      },
    ],
    'never-purges': [
      'Keeps old records beyond the bound that the operator set.',
      otherStore((_store, reached) => ({
        purge() {
          reached()
          return 0
        },
      })),
    ],
    'answers-at-qos-0': [
      'Sends responses at QoS 0.',
      (p, reached) => ({
        ...p,
        publish: (message, send) => {
          if (!message.topic.startsWith('storage/response/')) return p.publish(message, send)
          reached()
          return p.publish({ ...message, qos: 0 }, send)
        },
      }),
    ],
    'answers-on-one-topic': [
      'Answers queries for new data on the topic of the other interface.',
      (p, reached) => ({
        ...p,
        publish: (message, send) => {
          const topic = message.topic.replace('storage/response/newdata/', 'storage/response/')
          if (topic !== message.topic) reached()
          return p.publish({ ...message, topic }, send)
        },
      }),
    ],
    'history-only-of-new-data': [
      'Leaves out of the history what has been uploaded.',
      hidesUploaded('history'),
    ],
  },
)
