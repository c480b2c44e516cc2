import { describe, expect, test } from 'vitest'
import type { Json } from '../../drivers/faces.ts'
import type { Check, Result, Series } from '../faces.ts'
import { draft, numbered } from './history.fixture.ts'
import { declaredEvent, jury } from './judge.ts'
import { reconstructs } from './reconstructs.ts'

const begin = 1_700_000_000_321
const lines: Series = { src: 'csv', kind: 'seen', select: '*' }
const first = 1_700_000_010
const topic = 'sensor/data/a_b_01/x'

type Payload = { readonly [k: string]: Json }
interface Row {
  readonly alias: string
  readonly topic: string
  readonly payload: Payload
  readonly columns: { readonly [k: string]: Json }
}

function row(topic_: string, alias: string, payload: Payload): Row {
  return {
    alias,
    topic: topic_,
    payload,
    columns: {
      timestamp: JSON.stringify(payload['Timestamp'] ?? null),
      value: JSON.stringify(payload['Value']),
      valid: JSON.stringify(payload['Valid']),
    },
  }
}

/** Six readings ten seconds apart, the fourth not valid, and a series after each three of them. */
function good(): Row[] {
  const rows: Row[] = []
  for (let k = 0; k < 6; k++) {
    const stamp = first + k * 10
    rows.push(row(topic, 'a.x', { Timestamp: stamp, Value: k + 0.25, Valid: k !== 3 }))
    if (k % 3 === 2)
      rows.push(
        row(`${topic}/profile`, 'unknown', {
          Timestamp: stamp,
          StartPoint: stamp - 20,
          Interval: 10,
          Value: [k - 1.75, k - 0.75, k + 0.25],
          Confidence: [k === 5 ? 0 : 1, 1, 1],
          Valid: true,
        }),
      )
  }
  return rows
}

const check = (): Check =>
  reconstructs(lines, {
    verifies: ['X'],
    readingsOf: (t) => (t.endsWith('/profile') ? t.slice(0, -8) : undefined),
    of: ['a.x'],
  })

function judged(rows: readonly Row[], read = true): Result {
  const c = check()
  const end = begin + 400_000
  const bar = jury([c])
  const history = [
    draft(begin, 'bench', 'check', declaredEvent(c) as unknown as Json),
    ...rows.map((r, i) =>
      draft(end + i / 1000, 'csv', 'seen', {
        ...r,
        publisher: 'a_b_01',
        file: '1.csv',
        line: i + 1,
        bytes: 9,
      }),
    ),
    ...(read ? [draft(end + 1, 'csv', 'seen', { alias: 'csv.read', payload: {} })] : []),
  ]
  for (const e of numbered(history)) bar.see(e)
  return bar.judge(c.id, end + 2).result
}

/** The rows with other keys in the payload, or other columns, of row i. */
function change(i: number, payload: Payload, columns: { readonly [k: string]: Json } = {}): Row[] {
  return good().map((r, k) =>
    k === i ? { ...r, payload: { ...r.payload, ...payload }, columns: { ...r.columns, ...columns } } : r,
  )
}

describe('results beside their readings', () => {
  test('pass where each value stands beside a reading of its time and value', () => {
    expect(judged(good())).toMatchObject({
      verdict: 'pass',
      observed: { 'series judged [1]': 2, 'values judged [1]': 6, 'beside their readings [1]': 6 },
    })
  })

  test('do not mind the order of lines, a stamp that is a second off, ISO times, nor columns that are not there', () => {
    expect(judged(good().toReversed()).verdict).toBe('pass')
    expect(judged(change(1, { Timestamp: first + 11 }, { timestamp: String(first + 11) })).verdict).toBe(
      'pass',
    )
    expect(
      judged(
        good().map((r) => ({
          ...r,
          columns: {
            ...r.columns,
            timestamp: new Date((r.payload['Timestamp'] as number) * 1000).toISOString(),
          },
        })),
      ).verdict,
    ).toBe('pass')
    expect(
      judged(good().map((r) => ({ ...r, columns: { timestamp: null, value: null, valid: null } }))).verdict,
    ).toBe('pass')
  })

  test('do not compare a value of no confidence, but want its reading', () => {
    expect(judged(change(4, { Value: 99 }, { value: '99' })).verdict).toBe('pass')
    expect(judged(good().filter((_, i) => i !== 4))).toMatchObject({ observed: { 'without reading': 1 } })
  })

  test.each([
    ['a series that starts elsewhere', change(3, { StartPoint: first + 25 }), 'without reading'],
    ['a series of another interval', change(7, { Interval: 20 }), 'other value'],
    ['a series without interval', change(3, { Interval: null }), 'without times'],
    ['a reading left out', good().filter((_, i) => i !== 1), 'without reading'],
    ['a reading stored with another value', change(1, {}, { value: '1.3' }), 'other value'],
    ['a reading stored with another stamp', change(1, {}, { timestamp: '1700000025' }), 'without reading'],
    ['stamps in milliseconds', change(1, {}, { timestamp: '1700000020000' }), 'without reading'],
    ['a stamp that is none', change(1, {}, { timestamp: 'noon' }), 'without reading'],
    ['no series at all', good().filter((r) => r.topic === topic), 'missing'],
  ])('fail at %s', (_what, rows, sort) => {
    const r = judged(rows)
    expect(r.verdict).toBe('fail')
    expect(r.observed).toHaveProperty(sort)
  })

  test('leave alone a series that goes back to before the watch', () => {
    const early = row(`${topic}/profile`, 'unknown', {
      Timestamp: first - 10,
      StartPoint: first - 30,
      Interval: 10,
      Value: [1, 2, 3],
      Valid: true,
    })
    expect(judged([early, ...good()])).toMatchObject({
      verdict: 'pass',
      observed: { 'series judged [1]': 2 },
    })
  })

  test('are inconclusive where the files were not read', () => {
    expect(judged(good(), false)).toMatchObject({ verdict: 'inconclusive', blame: 'bench' })
  })

  test('believe no payload: any JSON is judged or passed over', () => {
    for (const odd of [
      null,
      7,
      'x',
      [],
      { Value: [] },
      { Value: {}, Timestamp: 'x' },
      { Value: [{}], StartPoint: 1, Interval: 1 },
    ])
      expect(() =>
        judged([...good(), { ...row(`${topic}/profile`, '', {}), payload: odd as Payload }]),
      ).not.toThrow()
  })
})
