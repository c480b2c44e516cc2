import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import * as fc from 'fast-check'
import { tempFolder } from '../testing.ts'
import type { NewRecord } from './intake.ts'
import type { Query } from './query.ts'
import { openStore, type Store } from './store.ts'

const a = 'maker_app_01'
const b = 'maker_app_02'
const huge = 1_000_000_000

function record(text: string, more: Partial<NewRecord> = {}): NewRecord {
  return { table: a, subTopic: null, data: Buffer.from(text), timestamp: 1000, ...more }
}

function query(more: Partial<Query> = {}): Query {
  return { by: 'x', api: 'newdata', tables: [a, b], max: 100, oldest: true, ...more }
}

describe('the store', () => {
  let folder: ReturnType<typeof tempFolder>
  let store: Store
  beforeEach(() => {
    folder = tempFolder()
    store = openStore(folder.path)
    store.open(a)
    store.open(b)
  })
  afterEach(() => {
    store.close()
    folder.remove()
  })
  const texts = (q: Query): string[] =>
    store.find(q, huge).records.map((r) => Buffer.from(r.data).toString('utf8'))

  test('keeps every byte, through a restart too', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (data) => {
        store.append([record('', { data })])
        const found = store.find(query({ max: 1, oldest: false }), huge).records[0]
        expect(Buffer.from(found?.data ?? []).equals(Buffer.from(data))).toBe(true)
      }),
      { numRuns: 50 },
    )
    const before = store.find(query(), huge)
    store.close()
    store = openStore(folder.path)
    expect(store.find(query(), huge)).toEqual(before)
    expect(store.tables).toEqual([a, b])
  })

  test('gives the newest or the oldest, says whether there is more, and looks through all tables', () => {
    store.append([record('1'), record('2', { table: b }), record('3'), record('4', { table: b })])
    expect(texts(query({ max: 3 }))).toEqual(['1', '2', '3'])
    expect(texts(query({ max: 3, oldest: false }))).toEqual(['4', '3', '2'])
    expect(store.find(query({ max: 3 }), huge).more).toBe(true)
    expect(store.find(query({ max: 4 }), huge).more).toBe(false)
    expect(texts(query({ tables: [b] }))).toEqual(['2', '4'])
    expect(texts(query({ tables: ['maker_none_01'] }))).toEqual([])
  })

  test('reads history from one table at a time', () => {
    store.append([record('1'), record('2', { table: b })])
    const found = store.find(query({ api: 'history' }), huge)
    expect(found.records.map((r) => r.table)).toEqual([a])
    expect(found.more).toBe(true)
  })

  test('leaves out the moments that bound a query, and other sub-topics', () => {
    store.append([
      record('1', { timestamp: 10 }),
      record('2', { timestamp: 11, subTopic: 'a/b' }),
      record('3', { timestamp: 12, subTopic: 'a' }),
    ])
    expect(texts(query({ after: 10, before: 12 }))).toEqual(['2'])
    expect(texts(query({ subTopic: 'a' }))).toEqual(['3'])
    expect(texts(query({ subTopic: null }))).toEqual(['1'])
  })

  test('counts the data of a result before it is read', () => {
    store.append([record('x'.repeat(50)), record('y'.repeat(50))])
    expect(store.find(query(), 100)).toMatchObject({ tooBig: false })
    expect(store.find(query(), 99)).toEqual({ records: [], more: false, tooBig: true })
  })

  test('keeps a queue for each reader, for good', () => {
    store.append([record('1'), record('2')])
    const [first] = store.find(query(), huge).records
    store.mark('x', [{ table: a, ids: [first?.id ?? 0, 999_999] }])
    store.mark('x', [{ table: 'maker_none_01', ids: [1] }])
    expect(texts(query())).toEqual(['2'])
    expect(texts(query({ by: 'y' }))).toEqual(['1', '2'])
    expect(texts(query({ api: 'history', tables: [a] }))).toEqual(['1', '2'])
    store.close()
    store = openStore(folder.path)
    expect(texts(query())).toEqual(['2'])
  })

  test('lets the oldest go, and never gives an ID twice', () => {
    store.append([record('1'), record('2', { timestamp: 2000 }), record('3', { timestamp: 3000 })])
    const ids = store.find(query(), huge).records.map((r) => r.id)
    expect(store.purge({ records: 2 })).toBe(1)
    expect(store.purge({ records: 2, before: 3000 })).toBe(1)
    expect(texts(query())).toEqual(['3'])
    expect(store.purge({ records: 1, before: 9999 })).toBe(1)
    store.close()
    store = openStore(folder.path)
    store.append([record('4')])
    const [next] = store.find(query(), huge).records
    expect(next?.id).toBeGreaterThan(Math.max(...ids))
    // A report that comes after the purge means nothing any more.
    store.mark('x', [{ table: a, ids }])
    expect(texts(query())).toEqual(['4'])
  })

  test('undoes what it could not do whole', () => {
    expect(() => store.append([record('1'), record('2', { table: 'no name' })])).toThrow('no instance ID')
    expect(texts(query())).toEqual([])
    store.append([record('3')])
    expect(texts(query())).toEqual(['3'])
    expect(store.recent(5)).toMatchObject([{ table: a, subTopic: null }])
  })
})
