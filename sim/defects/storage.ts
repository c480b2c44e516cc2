/** Defects and variants of Data Storage (API sections 4.9, 7, 8.4 to 8.6; W:006, M:0073, M:0081). */
import type { NewRecord } from '../reference/lvcap/storage/intake.ts'
import type { StorageParts } from '../reference/lvcap/storage/main.ts'
import { queryStatus, type Marks } from '../reference/lvcap/storage/query.ts'
import type { Found, Store } from '../reference/lvcap/storage/store.ts'
import { listOf, type Defect } from './defect.ts'
import { objectOf } from './payload.ts'

type Wrap = Defect<StorageParts>['wrap']

/** Another store around the shipped one; `change` is called once for each start of the program. */
function otherStore(change: (store: Store, reached: () => void) => Partial<Store>): Wrap {
  return (p, reached) => ({
    ...p,
    store(folder) {
      const store = p.store(folder)
      return Object.assign(Object.create(store) as Store, change(store, reached))
    },
  })
}

/** Another status where the shipped one would be `from`. */
function says(from: number, to: (typeof queryStatus)[keyof typeof queryStatus]): Wrap {
  return (p, reached) => ({
    ...p,
    plan: (...args) => {
      const plan = p.plan(...args)
      if (plan !== from) return plan
      reached()
      return to
    },
    judge: (...args) => {
      const status = p.judge(...args)
      if (status !== from) return status
      reached()
      return to
    },
  })
}

/** Another record than arrived. */
function keepsAs(change: (r: NewRecord) => NewRecord): Wrap {
  return (p, reached) => ({
    ...p,
    record: (place, payload, now) => {
      const shipped = p.record(place, payload, now)
      const other = change(shipped)
      if (other.timestamp !== shipped.timestamp || other.subTopic !== shipped.subTopic) reached()
      if (!Buffer.from(other.data).equals(Buffer.from(shipped.data))) reached()
      return other
    },
  })
}

function parsed(data: Uint8Array): unknown {
  return JSON.parse(Buffer.from(data).toString('utf8')) as unknown
}

/** Records above this number in one second are given up by `loses-when-flooded`. */
const tooFast = 150

export const storageDefects: readonly Defect<StorageParts>[] = [
  ...listOf<StorageParts>('data-storage', 'defect', {
    'one-record-too-many': [
      'Returns one record more than it was asked for.',
      (p, reached) => ({
        ...p,
        plan: (...args) => {
          const plan = p.plan(...args)
          if (typeof plan === 'number') return plan
          reached()
          return { ...plan, max: plan.max + 1 }
        },
      }),
    ],
    'ignores-max-length': [
      'Returns up to 100 records, whatever MaxLength says.',
      (p, reached) => ({
        ...p,
        plan: (...args) => {
          const plan = p.plan(...args)
          if (typeof plan === 'number' || plan.max === 100) return plan
          reached()
          return { ...plan, max: 100 }
        },
      }),
    ],
    'cuts-long-requests': [
      'Answers a request that is too long with as much as it permits.',
      (p, reached) => ({
        ...p,
        plan: (asked, config, tables, now) => {
          const plan = p.plan(asked, config, tables, now)
          if (plan !== queryStatus.tooLong) return plan
          reached()
          const all = p.plan(asked, { ...config, maxRecords: Number.MAX_SAFE_INTEGER }, tables, now)
          return typeof all === 'number' ? all : { ...all, max: config.maxRecords }
        },
      }),
    ],
    'ignores-the-byte-limit': [
      'Sends responses that are longer than the limit.',
      (p, reached) => ({
        ...p,
        judge: (found, length, config) => {
          if (length > config.maxBytes) reached()
          return p.judge(found, 0, config)
        },
      }),
    ],
    'counts-only-the-data': [
      'Compares the byte limit with the stored data alone, not with the whole packet.',
      (p, reached) => ({
        ...p,
        judge: (found, length, config) => {
          const data = found.records.reduce((sum, r) => sum + r.data.length, 0)
          if (length > config.maxBytes && data <= config.maxBytes) reached()
          return p.judge(found, data, config)
        },
      }),
    ],
    'more-said-as-ok': ['Says that there is no more where there is.', says(queryStatus.more, queryStatus.ok)],
    'more-at-the-limit': [
      'Says that there is more where there are exactly as many as asked for.',
      (p, reached) => ({
        ...p,
        judge: (found, length, config) => {
          const status = p.judge(found, length, config)
          if (status !== queryStatus.ok || found.records.length % 50 !== 0) return status
          reached()
          return queryStatus.more
        },
      }),
    ],
    'empty-said-as-ok': ['Says OK without a record.', says(queryStatus.empty, queryStatus.ok)],
    'denied-said-as-empty': [
      'Answers a denied table as if it were empty.',
      says(queryStatus.denied, queryStatus.empty),
    ],
    'invalid-said-as-empty': [
      'Answers what is no JSON as if nothing had been found.',
      says(queryStatus.invalid, queryStatus.empty),
    ],
    'too-old-said-as-empty': [
      'Answers a query into the forbidden past as if nothing had been found.',
      says(queryStatus.tooOld, queryStatus.empty),
    ],
    'serves-denied-tables': [
      'Lets an upload application have every table.',
      (p, reached) => ({
        ...p,
        plan: (asked, config, tables, now) => {
          const plan = p.plan(asked, config, tables, now)
          const granted = config.uploaders[asked.by]
          if (asked.api === 'history' || granted === undefined || granted === 'all') return plan
          const open = { ...config, uploaders: { ...config.uploaders, [asked.by]: 'all' as const } }
          const other = p.plan(asked, open, tables, now)
          if (JSON.stringify(other) !== JSON.stringify(plan)) reached()
          return other
        },
      }),
    ],
    'serves-anybody': [
      'Lets applications upload that no operator has authorised.',
      (p, reached) => ({
        ...p,
        plan: (asked, config, tables, now) => {
          if (asked.api === 'history' || config.uploaders[asked.by] !== undefined)
            return p.plan(asked, config, tables, now)
          reached()
          const open = { ...config, uploaders: { ...config.uploaders, [asked.by]: 'all' as const } }
          return p.plan(asked, open, tables, now)
        },
      }),
    ],
    'newest-first-always': [
      'Takes no heed of PreferOldest.',
      (p, reached) => ({
        ...p,
        plan: (...args) => {
          const plan = p.plan(...args)
          if (typeof plan === 'number' || !plan.oldest) return plan
          reached()
          return { ...plan, oldest: false }
        },
      }),
    ],
    'ignores-the-times': [
      'Takes no heed of StartTime and EndTime.',
      (p, reached) => ({
        ...p,
        plan: (...args) => {
          const plan = p.plan(...args)
          if (typeof plan === 'number' || (plan.after === undefined && plan.before === undefined)) return plan
          reached()
          const { after: _after, before: _before, ...rest } = plan
          return rest
        },
      }),
    ],
    'times-inclusive': [
      'Returns records that were added at StartTime and EndTime themselves.',
      (p, reached) => ({
        ...p,
        plan: (...args) => {
          const plan = p.plan(...args)
          if (typeof plan === 'number' || (plan.after === undefined && plan.before === undefined)) return plan
          reached()
          return {
            ...plan,
            ...(plan.after === undefined ? {} : { after: plan.after - 1 }),
            ...(plan.before === undefined ? {} : { before: plan.before + 1 }),
          }
        },
      }),
    ],
    'ignores-the-sub-topic': [
      'Takes no heed of SubTopic in a query.',
      (p, reached) => ({
        ...p,
        plan: (...args) => {
          const plan = p.plan(...args)
          if (typeof plan === 'number' || plan.subTopic === undefined) return plan
          reached()
          const { subTopic: _subTopic, ...rest } = plan
          return rest
        },
      }),
    ],
    'refuses-priorities': [
      'Refuses a query with priority keys.',
      (p, reached) => ({
        ...p,
        plan: (asked, ...rest) => {
          if (!Buffer.from(asked.payload).toString().includes('Priority')) return p.plan(asked, ...rest)
          reached()
          return queryStatus.invalid
        },
      }),
    ],
    'obeys-priorities': [
      'Finds nothing for a query with priority keys: it keeps no priorities.',
      (p, reached) => ({
        ...p,
        plan: (asked, ...rest) => {
          const plan = p.plan(asked, ...rest)
          if (typeof plan === 'number' || !Buffer.from(asked.payload).toString().includes('Priority'))
            return plan
          reached()
          return { ...plan, tables: [] }
        },
      }),
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
      (p, reached) => ({
        ...p,
        place: (topic) => {
          if (!topic.startsWith('storage/data/error/')) return p.place(topic)
          reached()
          return undefined
        },
      }),
    ],
    'no-slash-at-the-end': [
      'Does not store what comes on storage/data/<IID>/.',
      (p, reached) => ({
        ...p,
        place: (topic) => {
          if (!topic.endsWith('/')) return p.place(topic)
          reached()
          return undefined
        },
      }),
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
      otherStore((store, reached) => {
        const done = new Map<string, Set<number>>()
        return {
          mark(by, marks) {
            store.mark(by, marks)
            for (const m of marks) done.set(m.table, new Set([...(done.get(m.table) ?? []), ...m.ids]))
          },
          find(q, maxBytes) {
            const found = store.find(q, maxBytes)
            if (q.api === 'history') return found
            const left = found.records.filter((r) => done.get(r.table)?.has(r.id) !== true)
            if (left.length !== found.records.length) reached()
            return { ...found, records: left }
          },
        }
      }),
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
      otherStore((store, reached) => {
        let base = 0
        let highest = 0
        return {
          purge(keep) {
            const gone = store.purge(keep)
            if (gone > 0) base = highest
            return gone
          },
          find(q, maxBytes) {
            const found = store.find(q, maxBytes)
            for (const r of found.records) highest = Math.max(highest, r.id)
            if (base === 0) return found
            const again = (id: number): number => (id > base ? id - base : id)
            if (found.records.some((r) => r.id > base)) reached()
            return { ...found, records: found.records.map((r) => ({ ...r, id: again(r.id) })) }
          },
          mark(by, marks) {
            const meant = marks.map((m) => ({ ...m, ids: m.ids.map((id) => id + base) }))
            store.mark(by, base === 0 ? marks : meant)
          },
        }
      }),
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
      otherStore((store, reached) => {
        const done = new Map<string, Set<number>>()
        return {
          mark(by, marks) {
            store.mark(by, marks)
            for (const m of marks) done.set(m.table, new Set([...(done.get(m.table) ?? []), ...m.ids]))
          },
          find(q, maxBytes): Found {
            const found = store.find(q, maxBytes)
            if (q.api === 'newdata') return found
            const left = found.records.filter((r) => done.get(r.table)?.has(r.id) !== true)
            if (left.length !== found.records.length) reached()
            return { ...found, records: left }
          },
        }
      }),
    ],
  }),
  ...listOf<StorageParts>('data-storage', 'variant', {
    'one-table-at-a-time': [
      'Answers from one table only, and says that there is more (section 8.5 leaves it the choice).',
      otherStore((store, reached) => ({
        find(q, maxBytes) {
          reached()
          const found = store.find(q, maxBytes)
          const first = found.records[0]?.table
          const records = found.records.filter((r) => r.table === first)
          return { ...found, records, more: found.more || records.length < found.records.length }
        },
      })),
    ],
    'spaced-responses': [
      'Puts spaces between the parts of a response.',
      (p, reached) => ({
        ...p,
        respond: (...args) => {
          reached()
          return p
            .respond(...args)
            .replaceAll('"TableRows":[', '"TableRows" : [ ')
            .replace('"Response":[', '"Response": [\n')
        },
      }),
    ],
    'empty-text-for-no-sub-topic': [
      'Gives an empty sub-topic where none was there.',
      (p, reached) => ({
        ...p,
        respond: (status, records, now) => {
          reached()
          const shown = records.map((r) => ({ ...r, subTopic: r.subTopic ?? '' }))
          return p.respond(status, shown, now)
        },
      }),
    ],
    'other-order': [
      'Sorts the records that it chose the other way round.',
      (p, reached) => ({
        ...p,
        respond: (status, records, now) => {
          reached()
          return p.respond(status, records.toReversed(), now)
        },
      }),
    ],
    'other-ids': [
      'Counts IDs from a million, for each start of the program on.',
      otherStore((store, reached) => ({
        find(q, maxBytes) {
          reached()
          const found = store.find(q, maxBytes)
          return { ...found, records: found.records.map((r) => ({ ...r, id: r.id + 1_000_000 })) }
        },
        mark: (by, marks) =>
          store.mark(
            by,
            marks.map((m) => ({ ...m, ids: m.ids.map((id) => id - 1_000_000) })),
          ),
      })),
    ],
  }),
]
