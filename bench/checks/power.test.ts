/** Checks over losses of power, against histories written by hand. */
import { describe, expect, test } from 'vitest'
import type { Json } from '../../drivers/faces.ts'
import type { Check, Kind, Result, Series } from '../faces.ts'
import { backInService } from './back-in-service.ts'
import { keptThrough } from './kept-through.ts'
import { nothingLost } from './nothing-lost.ts'

type Told = readonly [second: number, src: string, kind: Kind, data: Json]

/** Judges a history, in the order of its seconds. */
function judged(check: Check, events: readonly Told[], end: number): Result {
  const all: Told[] = [[0, 'bench', 'check', { phase: 'declared', id: check.id }], ...events]
  all
    .toSorted((a, b) => a[0] - b[0])
    .forEach(([second, src, kind, data], seq) => check.see({ seq, at: second * 1000, src, kind, data }))
  return check.result(end * 1000)
}

const cut = (s: number, host = 'platform'): Told => [
  s,
  'mains',
  'host',
  { alias: 'mains.cut', what: '', host },
]
const restored = (s: number, host = 'platform'): Told => [
  s,
  'mains',
  'host',
  { alias: 'mains.restored', what: '', host },
]
const message = (s: number, alias = 'x.a'): Told => [
  s,
  'marketplace',
  'seen',
  {
    alias,
    topic: 'sensor/data/a_b_01/x',
    payload: { Timestamp: s, Value: s, Valid: true },
    qos: 1,
    retain: false,
  },
]

describe('backInService', () => {
  const x: Series = { src: 'marketplace', kind: 'seen', select: 'x.*' }
  const y: Series = { src: 'marketplace', kind: 'seen', select: 'y.*' }
  const make = (more = {}): Check =>
    backInService([x, y], { verifies: ['S:007/three-cuts'], within: '20 s', ...more })
  const back = (s: number): readonly Told[] => [message(s), message(s, 'y.b')]

  test('passes where everything is there again in time, after each cut', () => {
    const r = judged(
      make({ cuts: 2 }),
      [cut(10), restored(12), ...back(20), cut(40), restored(50), ...back(69)],
      90,
    )
    expect(r).toMatchObject({
      verdict: 'pass',
      observed: { 'power cuts [1]': 2, 'slowest return to service [s]': 19 },
    })
  })
  test('fails where a part of it is not', () => {
    const late = [cut(10), restored(12), message(15), message(33, 'y.b')]
    expect(judged(make(), late, 90)).toMatchObject({ verdict: 'fail', observed: { away: 1 } })
    expect(judged(make(), [cut(10), restored(12)], 90)).toMatchObject({
      verdict: 'fail',
      observed: { away: 2 },
    })
  })
  test('takes what came before the cut, or while power was away, for nothing', () => {
    const before = [...back(9), cut(10), ...back(11), restored(12), message(14)]
    expect(judged(make(), before, 90)).toMatchObject({ verdict: 'fail', observed: { away: 1 } })
  })
  test('asks nothing of a return that the next cut broke into, nor of another host', () => {
    const again = [cut(10), restored(12), cut(20), restored(22), ...back(30)]
    expect(judged(make({ cuts: 2 }), again, 90).verdict).toBe('pass')
    expect(judged(make({ host: 'platform2' }), [cut(10), restored(12)], 90).verdict).toBe('inconclusive')
  })
  test('cannot tell where power was cut too seldom, or the run ended too early', () => {
    expect(judged(make({ cuts: 3 }), [cut(10), restored(12), ...back(14)], 90)).toMatchObject({
      verdict: 'inconclusive',
      blame: 'bench',
    })
    expect(judged(make(), [cut(10), restored(12)], 20)).toMatchObject({ verdict: 'inconclusive' })
  })
})

describe('nothingLost over a loss of power', () => {
  const table = 'maker_app_01'
  const check = (): Check =>
    nothingLost(
      { src: 'publisher', kind: 'sent', select: '*' },
      { src: 'upload', kind: 'seen', select: 'upload.*' },
      { verifies: ['API:7'], within: '5 s' },
    )
  const publish = (s: number, first: number, ...texts: string[]): Told => [
    s,
    'publisher',
    'sent',
    { alias: 'publisher.first', table, subTopic: null, kept: true, first, texts },
  ]
  const acked = (s: number, from: number, to = from): Told => [
    s,
    'publisher',
    'seen',
    { alias: 'publisher.acknowledged', from, to },
  ]
  const answer = (s: number, status: number, ...rows: [number, string][]): Told => [
    s,
    'upload',
    'seen',
    {
      alias: 'upload.drained',
      whole: true,
      payload: {
        by: 'all',
        status,
        tables: [
          { name: table, rows: rows.map(([id, text]) => ({ id, timestamp: s, subTopic: null, text })) },
        ],
        'length [B]': 1,
        qos: 2,
        retain: false,
      },
    },
  ]
  const report = (s: number, ...ids: number[]): Told => [
    s,
    'upload',
    'sent',
    { alias: 'upload.report', by: 'all', tables: [{ name: table, ids }] },
  ]

  test('what was acknowledged well before the cut must be there', () => {
    const events = [publish(1, 1, '1', '2'), acked(2, 1, 2), cut(10), answer(30, 1, [1, '1']), answer(31, 2)]
    expect(judged(check(), events, 40)).toMatchObject({ verdict: 'fail', observed: { lost: 1 } })
  })
  test('what was acknowledged just before it, or not at all, may be there or not', () => {
    const events = [
      publish(1, 1, '1'),
      acked(2, 1),
      publish(9, 2, '2', '3', '4'),
      acked(9.5, 2),
      cut(10),
      answer(30, 1, [1, '1'], [3, '3']),
      answer(31, 2),
    ]
    expect(judged(check(), events, 40)).toMatchObject({
      verdict: 'pass',
      observed: { 'unknown [1]': 2, 'recovered [1]': 1, 'power cuts [1]': 1 },
    })
  })
  test('what was on its way may come twice; what had been acknowledged before may not', () => {
    const twice = (first: number): Told[] => [
      publish(first, 1, '1'),
      ...(first < 9 ? [acked(first + 1, 1)] : []),
      cut(10),
      ...(first < 9 ? [] : [acked(20, 1)]),
      answer(30, 1, [1, '1'], [2, '1']),
      answer(31, 2),
    ]
    expect(judged(check(), twice(9), 40)).toMatchObject({ verdict: 'pass' })
    expect(judged(check(), twice(1), 40)).toMatchObject({ verdict: 'fail', observed: { duplicated: 1 } })
  })
  test('a report of uploaded rows stays, unless it was on its way', () => {
    const again = (at: number): Told[] => [
      publish(1, 1, '1'),
      acked(2, 1),
      answer(5, 1, [1, '1']),
      report(at, 1),
      cut(10),
      answer(30, 1, [1, '1']),
      report(32, 1),
      answer(40, 2),
    ]
    expect(judged(check(), again(6), 50)).toMatchObject({
      verdict: 'fail',
      observed: { 'returned again': 1 },
    })
    expect(judged(check(), again(9.5), 50)).toMatchObject({ verdict: 'pass' })
  })
})

describe('keptThrough over losses of power', () => {
  const check = (): Check =>
    keptThrough(
      { src: 'marketplace', kind: 'seen', select: '*' },
      { src: 'csv', kind: 'seen', select: '*' },
      { verifies: ['M:0042/non-volatile'], settle: '2 s', boot: '10 s' },
    )
  const line = (s: number): Told => [
    200,
    'csv',
    'seen',
    {
      alias: 'x.a',
      topic: 'sensor/data/a_b_01/x',
      payload: { Timestamp: s, Value: s, Valid: true },
      recordedAt: s * 1000,
      publisher: 'a_b_01',
      columns: {},
      file: '1.csv',
      line: s,
      bytes: 1,
    },
  ]
  const read: Told = [201, 'csv', 'seen', { alias: 'csv.read', payload: {} }]
  const published = [10, 49, 65, 80, 99, 120]
  const power = [cut(50), restored(60), cut(100), restored(110)]

  test('excuses what came just before a cut and just after the power, and nothing else', () => {
    const seen = published.map((s) => message(s))
    expect(judged(check(), [...seen, ...power, line(10), line(80), read], 300)).toMatchObject({
      verdict: 'pass',
      observed: { 'ends [1]': 2 },
    })
    for (const kept of [10, 80])
      expect(judged(check(), [...seen, ...power, line(kept), read], 300)).toMatchObject({
        verdict: 'fail',
        observed: { lost: 1 },
      })
  })
})
