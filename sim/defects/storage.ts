/** Defects of Data Storage in its answers (API sections 8.5, 8.6; W:006), and all others of it. */
import type { StorageParts } from '../reference/lvcap/storage/main.ts'
import { queryStatus } from '../reference/lvcap/storage/query.ts'
import { listOf, type Defect } from './defect.ts'
import { storageRecordDefects } from './storage-records.ts'
import { says } from './storage-seams.ts'
import { storageVariants } from './storage-variants.ts'

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
    'permits-a-thousand': [
      'Refuses requests for more than 1000 records, whatever the operator has permitted.',
      (p, reached) => ({
        ...p,
        plan: (...args) => {
          const plan = p.plan(...args)
          if (typeof plan === 'number' || plan.max <= 1_000) return plan
          reached()
          return queryStatus.tooLong
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
    'stops-short-of-the-limit': [
      'Takes nine tenths of the byte limit for the limit.',
      (p, reached) => ({
        ...p,
        judge: (found, length, config) => {
          const less = { ...config, maxBytes: Math.floor(config.maxBytes * 0.9) }
          if (length > less.maxBytes && length <= config.maxBytes) reached()
          return p.judge(found, length, less)
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
  }),
  ...storageRecordDefects,
  ...storageVariants,
]
