/** Checks of budgets of mobile data, against histories written by hand. Periods of a minute. */
import { describe, expect, test } from 'vitest'
import type { Json } from '../../drivers/faces.ts'
import type { Check, Kind, Result } from '../faces.ts'
import { countsAsTheLink, staysInBudget } from './budget.ts'

type Told = readonly [second: number, src: string, kind: Kind, data: Json]

const link = { src: 'link', kind: 'link', select: 'link.*' } as const
const told = { src: 'marketplace', kind: 'seen', select: 'upload.volume' } as const
const o = { verifies: ['I:00127'], peer: 'centre', bytes: 10_000, per: '60 s' }

function judged(check: Check, events: readonly Told[], end: number): Result {
  const all: Told[] = [[0, 'bench', 'check', { phase: 'declared', id: check.id }], ...events]
  all.forEach(([second, src, kind, data], seq) => check.see({ seq, at: second * 1_000, src, kind, data }))
  return check.result(end * 1_000)
}

/** What the link had carried by then, all of it upwards. */
const carried = (second: number, passed: number, more: { offered?: number; resent?: number } = {}): Told => {
  const none = { 'offered [B]': 0, 'passed [B]': 0, 'lost [B]': 0, 'resent [B]': 0 }
  const up = { ...none, 'offered [B]': more.offered ?? passed, 'passed [B]': passed }
  const counted = { up: { ...up, 'resent [B]': more.resent ?? 0 }, down: none, 'connections [1]': 1 }
  return [second, 'link', 'link', { alias: 'link.counters', peers: { centre: counted } }]
}
/** Bytes by second, with a look each second: as a line between the corners. */
const course = (corners: readonly (readonly [second: number, bytes: number])[], end: number): Told[] =>
  Array.from({ length: end + 1 }, (_, s) => {
    const next = corners.findIndex(([at]) => at > s)
    const [a, b] = [corners[next < 0 ? corners.length - 1 : next - 1], corners[next]]
    if (a === undefined) return carried(s, 0)
    return carried(s, b === undefined ? a[1] : a[1] + ((b[1] - a[1]) * (s - a[0])) / (b[0] - a[0]))
  })
const says = (second: number, bytes: number): Told => [
  second,
  'marketplace',
  'seen',
  { alias: 'upload.volume', payload: { Timestamp: second, Value: bytes, Valid: true } },
]

describe('staysInBudget', () => {
  const good = course(
    [
      [0, 0],
      [10, 9_000],
      [60, 9_000],
      [70, 18_500],
    ],
    180,
  )
  test('passes where each whole period stays within it', () => {
    expect(judged(staysInBudget(link, o), good, 180)).toMatchObject({ verdict: 'pass' })
  })
  test('fails where more crosses in one', () => {
    const much = course(
      [
        [60, 0],
        [70, 10_500],
      ],
      180,
    )
    expect(judged(staysInBudget(link, o), much, 180)).toMatchObject({ verdict: 'fail', blame: 'product' })
  })
  test('counts what TCP sent again', () => {
    const again = [carried(60, 0), carried(70, 9_900, { resent: 200 }), carried(119, 9_900, { resent: 200 })]
    expect(judged(staysInBudget(link, o), [carried(1, 0), carried(59, 0), ...again], 180).verdict).toBe(
      'fail',
    )
  })
  test('does not judge what the period before the watch began with', () => {
    const before = course(
      [
        [-1, 0],
        [0, 50_000],
        [60, 50_000],
        [70, 59_000],
      ],
      180,
    )
    expect(judged(staysInBudget(link, o), before, 180).verdict).toBe('pass')
  })
  test('says nothing where the budget was never pressed, or no two periods were seen', () => {
    const little = course(
      [
        [60, 0],
        [70, 1_000],
      ],
      180,
    )
    expect(judged(staysInBudget(link, o), little, 180)).toMatchObject({
      verdict: 'inconclusive',
      blame: 'bench',
    })
    expect(judged(staysInBudget(link, o), good.slice(0, 65), 64)).toMatchObject({ verdict: 'inconclusive' })
  })
})

describe('countsAsTheLink', () => {
  const steps = course(
    [
      [60, 0],
      [70, 6_000],
      [120, 6_000],
      [130, 9_000],
    ],
    180,
  )
  const with_ = (...counts: readonly Told[]): readonly Told[] =>
    [...steps, ...counts].toSorted((a, b) => a[0] - b[0])
  test('passes where the counts of each period are the link’s', () => {
    const counts = [says(80.5, 6_010), says(100.5, 5_990), says(140.5, 3_000)]
    expect(judged(countsAsTheLink(told, link, o), with_(...counts), 180)).toMatchObject({
      verdict: 'pass',
      observed: { 'compared [1]': 3 },
    })
  })
  test.each([
    ['too little', says(140.5, 2_400)],
    ['too much', says(140.5, 3_600)],
    ['of the period before too', says(140.5, 9_000)],
  ])('fails where one is %s', (_, wrong) => {
    const counts = [says(80.5, 6_000), says(100.5, 6_000), wrong]
    expect(judged(countsAsTheLink(told, link, o), with_(...counts), 180).verdict).toBe('fail')
  })
  test('lets what is on its way be counted or not', () => {
    const waiting = [
      carried(59, 0),
      carried(61, 0, { offered: 400 }),
      carried(170, 0, { offered: 400 }),
      ...[65, 66, 67, 68].map((s) => says(s, s % 2 === 0 ? 0.1 : 400)),
    ].toSorted((a, b) => a[0] - b[0])
    expect(judged(countsAsTheLink(told, link, o), waiting, 180).verdict).toBe('pass')
  })
  test('fails where the app tells nothing', () => {
    expect(judged(countsAsTheLink(told, link, o), steps, 180).verdict).toBe('fail')
  })
})
