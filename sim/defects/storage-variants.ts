/** Legal variants of Data Storage (API sections 8.5, 8.5.1, 8.6). */
import type { StorageParts } from '../reference/lvcap/storage/main.ts'
import { listOf, type Defect } from './defect.ts'
import { otherStore } from './storage-seams.ts'

export const storageVariants: readonly Defect<StorageParts>[] = listOf<StorageParts>(
  'data-storage',
  'variant',
  {
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
  },
)
