/** Checks on the life of apps: spacing, order, completeness, and causes of one kind alone. */
import { describe, expect, test } from 'vitest'
import type { Event, Series } from '../faces.ts'
import { allSeen } from './all-seen.ts'
import { within } from './general.ts'
import { inOrder } from './in-order.ts'
import { spaced } from './spaced.ts'

const series: Series = { src: 'log', kind: 'seen', select: 'log.*' }
let seq = 0
function event(at: number, alias: string, iid?: string): Event {
  return {
    seq: ++seq,
    at,
    src: 'log',
    kind: 'seen',
    data: { alias, payload: iid === undefined ? {} : { iid } },
  }
}
function judge(check: ReturnType<typeof spaced>, events: readonly Event[], end: number): string {
  check.see({ seq: ++seq, at: 0, src: 'bench', kind: 'check', data: { phase: 'declared', id: check.id } })
  for (const e of events) check.see(e)
  return check.result(end).verdict
}
const beats = (...at: number[]): Event[] => at.map((t) => event(t * 1000, 'log.beat'))

describe('spaced', () => {
  const check = (): ReturnType<typeof spaced> =>
    spaced('10 s', series, { verifies: ['x'], gap: '1 s', start: '12 s' })

  test('takes steady events', () => {
    expect(judge(check(), beats(10, 20, 30, 40), 45_000)).toBe('pass')
  })
  test('finds one that is left out, one too many, and the last ones missing', () => {
    expect(judge(check(), beats(10, 20, 40), 45_000)).toBe('fail')
    expect(judge(check(), beats(10, 20, 25, 30), 35_000)).toBe('fail')
    expect(judge(check(), beats(10, 20), 45_000)).toBe('fail')
    expect(judge(check(), [], 45_000)).toBe('fail')
  })
  test('passes nothing on a single event, and only just what is nearly off', () => {
    expect(judge(check(), beats(10), 15_000)).toBe('inconclusive')
    expect(judge(check(), beats(10, 20.9), 25_000)).toBe('marginal')
  })
})

describe('inOrder', () => {
  const check = (): ReturnType<typeof inOrder> =>
    inOrder(series, ['a', 'b', 'c'], { id: 'order', limit: 'in order', verifies: ['x'] })
  const named = (...names: string[]): Event[] => names.map((n, i) => event(i * 1000, 'log.started', n))

  test('looks at the first event about each', () => {
    expect(judge(check(), named('a', 'z', 'b', 'a', 'c', 'b'), 9_000)).toBe('pass')
  })
  test('finds two that are swapped, also while others are still missing', () => {
    expect(judge(check(), named('b', 'a', 'c'), 9_000)).toBe('fail')
    expect(judge(check(), named('b', 'a'), 9_000)).toBe('fail')
  })
  test('does not pass while one is missing', () => {
    expect(judge(check(), named('a', 'c'), 9_000)).toBe('inconclusive')
    expect(judge(check(), [], 9_000)).toBe('inconclusive')
  })
})

describe('allSeen', () => {
  const check = (): ReturnType<typeof allSeen> =>
    allSeen(series, ['a', 'b'], {
      id: 'all',
      limit: 'both',
      verifies: ['x'],
      by: '10 s',
      key: (e) => (e.data as { payload: { iid?: string } }).payload.iid,
    })

  test('wants each of them in time', () => {
    const both = [event(1000, 'log.started', 'a'), event(9000, 'log.started', 'b')]
    expect(judge(check(), both, 60_000)).toBe('pass')
    expect(judge(check(), [event(1000, 'log.started', 'a')], 60_000)).toBe('fail')
    const late = [event(1000, 'log.started', 'a'), event(11_000, 'log.started', 'b')]
    expect(judge(check(), late, 60_000)).toBe('fail')
  })
  test('waits where they may still come', () => {
    expect(judge(check(), [event(1000, 'log.started', 'a')], 5_000)).toBe('inconclusive')
  })
})

describe('within', () => {
  const check = (): ReturnType<typeof within> =>
    within('5 s', series, series, {
      id: 'follows',
      limit: 'follows',
      verifies: ['x'],
      when: (e) => (e.data as { alias: string }).alias === 'log.cause',
      how: (e) => (e.data as { alias: string }).alias === 'log.effect',
    })

  test('takes causes and effects of the given kinds alone', () => {
    expect(judge(check(), [event(1000, 'log.cause'), event(2000, 'log.effect')], 60_000)).toBe('pass')
    expect(judge(check(), [event(1000, 'log.cause'), event(2000, 'log.other')], 60_000)).toBe('fail')
    expect(judge(check(), [event(1000, 'log.other')], 60_000)).toBe('inconclusive')
  })
})
