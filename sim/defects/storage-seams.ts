/** What defects and variants of Data Storage are made with. */
import type { NewRecord } from '../reference/lvcap/storage/intake.ts'
import type { StorageParts } from '../reference/lvcap/storage/main.ts'
import type { Query, queryStatus } from '../reference/lvcap/storage/query.ts'
import type { Store } from '../reference/lvcap/storage/store.ts'
import type { Defect } from './defect.ts'

export type Wrap = Defect<StorageParts>['wrap']

/** Another store around the shipped one, or around what `open` makes; `change` is called once for each start of the program. */
export function otherStore(
  change: (store: Store, reached: () => void) => Partial<Store>,
  open?: (folder: string) => Store,
): Wrap {
  return (p, reached) => ({
    ...p,
    store(folder) {
      const store = open?.(folder) ?? p.store(folder)
      return Object.assign(Object.create(store) as Store, change(store, reached))
    },
  })
}

/** Shows nothing of what any application has uploaded where it is asked by that API. */
export function hidesUploaded(api: Query['api']): Wrap {
  return otherStore((store, reached) => {
    const done = new Map<string, Set<number>>()
    return {
      mark(by, marks) {
        store.mark(by, marks)
        for (const m of marks) done.set(m.table, new Set([...(done.get(m.table) ?? []), ...m.ids]))
      },
      find(q, maxBytes) {
        const found = store.find(q, maxBytes)
        if (q.api !== api) return found
        const left = found.records.filter((r) => done.get(r.table)?.has(r.id) !== true)
        if (left.length !== found.records.length) reached()
        return { ...found, records: left }
      },
    }
  })
}

/** Another status where the shipped one would be `from`. */
export function says(from: number, to: (typeof queryStatus)[keyof typeof queryStatus]): Wrap {
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
export function keepsAs(change: (r: NewRecord) => NewRecord): Wrap {
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

export function parsed(data: Uint8Array): unknown {
  return JSON.parse(Buffer.from(data).toString('utf8')) as unknown
}
