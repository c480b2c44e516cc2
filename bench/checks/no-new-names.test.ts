import { expect, test } from 'vitest'
import type { Event } from '../faces.ts'
import { noNewNames } from './no-new-names.ts'

const series = { src: 'marketplace', kind: 'seen', select: '*' } as const
const check = () => noNewNames(series, { verifies: ['M:0023'], key: 'topic', warmUp: '10 min', atMost: 2 })
const minute = 60_000

/** One message a minute; `topicOf` gives its topic. */
function history(minutes: number, topicOf: (i: number) => string): Event[] {
  return Array.from({ length: minutes }, (_, i) => ({
    seq: i + 1,
    at: i * minute,
    src: 'marketplace',
    kind: 'seen' as const,
    data: { alias: 'x', topic: topicOf(i), payload: {} },
  }))
}

function verdict(events: readonly Event[]): string {
  const c = check()
  for (const e of events) c.see(e)
  return c.result(events.at(-1)?.at ?? 0).verdict
}

test('names that settle pass', () => {
  expect(verdict(history(120, (i) => `t/${i % 7}`))).toBe('pass')
})

test('a counter in a topic fails', () => {
  expect(verdict(history(120, (i) => `t/${i}`))).toBe('fail')
})

test('as many late names as are allowed are marginal, one more fails', () => {
  expect(verdict(history(60, (i) => (i === 30 || i === 40 ? `late/${i}` : 't')))).toBe('marginal')
  expect(verdict(history(60, (i) => (i >= 30 && i < 33 ? `late/${i}` : 't')))).toBe('fail')
})

test('silence is no pass', () => {
  expect(verdict([{ seq: 1, at: 0, src: 'bench', kind: 'note', data: {} }])).toBe('inconclusive')
})
