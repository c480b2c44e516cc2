import { describe, expect, test } from 'vitest'
import type { Json } from '../../drivers/faces.ts'
import type { Check, Event, Series } from '../faces.ts'
import { answered } from './answered.ts'
import { nothingLost } from './nothing-lost.ts'

const table = 'maker_app_01'
const sent: Series = { src: 'publisher', kind: 'sent', select: '*' }
const answers: Series = { src: 'upload', kind: 'seen', select: 'upload.*' }

type Row = readonly [id: number, text: string, more?: { subTopic?: string | null; timestamp?: Json }]

/** A history, told event by event; seconds since the begin. */
function history(check: Check) {
  let seq = 0
  const see = (second: number, src: string, kind: Event['kind'], data: object): void =>
    check.see({ seq: ++seq, at: second * 1000, src, kind, data: data as Json })
  see(0, 'bench', 'check', { phase: 'declared', id: check.id })
  return {
    publish(second: number, first: number, texts: readonly string[], more: object = {}) {
      see(second, 'publisher', 'sent', {
        alias: 'publisher.first',
        table,
        subTopic: null,
        kept: true,
        first,
        texts,
        ...more,
      })
    },
    acknowledge(second: number, from: number, to: number) {
      see(second, 'publisher', 'seen', { alias: 'publisher.acknowledged', from, to })
    },
    answer(second: number, status: number | null, rows: readonly Row[] = [], more: object = {}) {
      const tables = [
        {
          name: table,
          rows: rows.map(([id, text, m]) => ({ id, timestamp: second, subTopic: null, text, ...m })),
        },
      ]
      const payload = { by: 'all', status, tables, 'length [B]': 100, qos: 2, retain: false, ...more }
      see(second, 'upload', 'seen', { alias: 'upload.drained', whole: true, payload })
    },
    report(second: number, ids: readonly number[]) {
      see(second, 'upload', 'sent', { alias: 'upload.report', by: 'all', tables: [{ name: table, ids }] })
    },
    verdict: (second: number) => check.result(second * 1000),
  }
}

describe('nothingLost', () => {
  const make = (more = {}) =>
    history(nothingLost(sent, answers, { verifies: ['API:7'], within: '5 s', ...more }))
  const two = (h: ReturnType<typeof make>): typeof h => {
    h.publish(1, 1, ['{"a":1.0}', '{"a":2.0}'])
    h.acknowledge(2, 1, 2)
    return h
  }

  test('passes where each message came out once, as it was written, blanks aside', () => {
    const h = two(make())
    h.answer(10, 1, [
      [7, '{ "a": 1.0 }'],
      [8, '{"a":2.0}'],
    ])
    h.report(11, [7, 8])
    h.answer(20, 2)
    expect(h.verdict(30)).toMatchObject({ verdict: 'pass', observed: { 'came out [1]': 2 } })
  })

  test.each<[string, (h: ReturnType<typeof make>) => void]>([
    ['lost', (h) => h.answer(10, 1, [[7, '{"a":1.0}']])],
    [
      'altered',
      (h) =>
        h.answer(10, 1, [
          [7, '{"a":1.0,"x":2}'],
          [8, '{"a":2.0}'],
        ]),
    ],
    [
      'duplicated',
      (h) =>
        h.answer(10, 1, [
          [7, '{"a":1.0}'],
          [8, '{"a":2.0}'],
          [9, '{"a":2.0}'],
        ]),
    ],
    [
      'unexpected',
      (h) =>
        h.answer(10, 1, [
          [7, '{"a":1.0}'],
          [8, '{"a":2.0}'],
          [9, '{"z":true}'],
        ]),
    ],
    [
      'wrong sub-topic',
      (h) =>
        h.answer(10, 1, [
          [7, '{"a":1.0}', { subTopic: 'x' }],
          [8, '{"a":2.0}'],
        ]),
    ],
    [
      'ID of another',
      (h) => {
        h.answer(10, 1, [[7, '{"a":1.0}']])
        h.answer(11, 1, [[7, '{"a":2.0}']])
      },
    ],
    [
      'returned again',
      (h) => {
        h.answer(10, 1, [
          [7, '{"a":1.0}'],
          [8, '{"a":2.0}'],
        ])
        h.report(11, [7, 8])
        h.answer(12, 1, [[8, '{"a":2.0}']])
      },
    ],
    [
      'late',
      (h) => {
        h.answer(10, 2)
        h.answer(11, 1, [
          [7, '{"a":1.0}'],
          [8, '{"a":2.0}'],
        ])
      },
    ],
  ])('fails with the word %s', (word, happens) => {
    const h = two(make())
    happens(h)
    h.answer(20, 2)
    const r = h.verdict(30)
    expect(r.verdict).toBe('fail')
    expect(Object.keys(r.observed as object)).toContain(word)
  })

  test('knows what was not to be stored', () => {
    const h = make()
    h.publish(1, 1, ['{"a":1}'], { kept: false })
    h.acknowledge(2, 1, 1)
    h.answer(10, 2)
    expect(h.verdict(20).verdict).toBe('pass')
    h.answer(21, 1, [[7, '{"a":1}']])
    expect(h.verdict(30).why).toContain('was not to be stored')
  })

  test('takes what was never acknowledged either way: recovered, or unknown', () => {
    const h = make()
    h.publish(1, 1, ['{"a":1}', '{"a":2}'])
    h.answer(10, 1, [[7, '{"a":1}']])
    h.answer(20, 2)
    expect(h.verdict(30)).toMatchObject({
      verdict: 'pass',
      observed: { 'recovered [1]': 1, 'unknown [1]': 1 },
    })
  })

  test('is inconclusive where the queue was never seen empty after the last acknowledgement', () => {
    const h = two(make())
    h.answer(3, 2)
    expect(h.verdict(30)).toMatchObject({ verdict: 'inconclusive', blame: 'bench' })
    h.answer(10, 1, [[7, '{"a":1.0}']])
    expect(h.verdict(30).verdict).toBe('inconclusive')
  })

  test('judges times in seconds, between publication and acknowledgement', () => {
    for (const [timestamp, verdict] of [
      [2, 'pass'],
      [2000, 'fail'],
      [2.5, 'fail'],
      [60, 'fail'],
      [null, 'fail'],
    ] as const) {
      const h = make({ stamps: '2 s' })
      h.publish(1, 1, ['{"a":1}'])
      h.acknowledge(2, 1, 1)
      h.answer(10, 1, [[7, '{"a":1}', { timestamp }]])
      h.answer(20, 2)
      expect(h.verdict(30).verdict, String(timestamp)).toBe(verdict)
    }
  })
})

describe('answered', () => {
  const make = (expected: Parameters<typeof answered>[1][string], more = {}) =>
    history(answered(answers, { drained: expected }, { verifies: ['API:8.5'], ...more }))
  const rows: readonly Row[] = [
    [1, '{"n":1}'],
    [2, '{"n":2}'],
  ]

  test('passes where everything fits', () => {
    const h = make(
      { status: 1, rows: 2, tables: [table], numbers: [1, 2], subTopic: null, bytes: 100 },
      { qos: 2 },
    )
    h.answer(1, 1, rows)
    expect(h.verdict(2).verdict).toBe('pass')
  })

  test.each<[string, Parameters<typeof answered>[1][string], number | null, readonly Row[], object?]>([
    ['wrong status', { status: [1, 8] }, 2, []],
    ['wrong number', { status: 1, rows: 1 }, 1, rows],
    ['rows with an error', { status: 3 }, 3, rows],
    ['no rows', { status: 1 }, 1, []],
    ['wrong table', { status: 1, tables: ['other_app_01'] }, 1, rows],
    ['wrong sub-topic', { status: 1, subTopic: 'x' }, 1, rows],
    ['wrong rows', { status: 1, numbers: [2, 3] }, 1, rows],
    ['same ID twice', { status: 1 }, 1, [...rows, [2, '{"n":3}']]],
    ['too long', { status: 1, bytes: 99 }, 1, rows],
    ['wrong QoS', { status: 1 }, 1, rows, { qos: 0 }],
    ['retained', { status: 1 }, 1, rows, { retain: true }],
    ['no answer', { status: 1 }, null, [], { problem: 'no answer within 30 s' }],
  ])('fails with the word %s', (word, expected, status, given, more = {}) => {
    const h = make(expected, { qos: 2 })
    h.answer(1, status, given, more)
    const r = h.verdict(2)
    expect(r.verdict).toBe('fail')
    expect(Object.keys(r.observed as object)).toContain(word)
  })

  test('is inconclusive where a query was never asked', () => {
    const h = history(
      answered(answers, { drained: { status: 1 }, other: { status: 1 } }, { verifies: ['API:8.5'] }),
    )
    h.answer(1, 1, rows)
    expect(h.verdict(2)).toMatchObject({ verdict: 'inconclusive', blame: 'bench' })
  })
})
