import { expect, test } from 'vitest'
import { Channel, gapFactor } from './channel.ts'

function minutely(n: number, without: readonly number[] = []): Channel {
  const c = new Channel('x')
  for (let i = 0; i < n; i++) if (!without.includes(i)) c.add(i * 60_000, i, i * 60_000 - 500)
  return c
}

test('the usual spacing is the median, and a gap is what goes well beyond it', () => {
  const c = minutely(1000, [400, 401, 700])
  expect(c.usualSpacing()).toBeCloseTo(60_000, 0)
  expect(c.largestSpacing()).toBe(180_000)
  expect(c.gaps(999 * 60_000)).toEqual([
    { from: 399 * 60_000, to: 402 * 60_000 },
    { from: 699 * 60_000, to: 701 * 60_000 },
  ])
})

test('silence up to the end is a gap too', () => {
  const c = minutely(10)
  expect(c.gaps(9 * 60_000 + 60_000 * gapFactor)).toEqual([])
  expect(c.gaps(20 * 60_000)).toEqual([{ from: 9 * 60_000, to: 20 * 60_000 }])
})

test('late is what arrives later after its stamp than readings are apart', () => {
  const c = minutely(10)
  c.add(10 * 60_000 + 1, 5, 8 * 60_000)
  expect(c.late()).toEqual([{ at: 10 * 60_000 + 1, value: 5, delay: 120_001 }])
})

test('messages without a figure count, and are not drawn', () => {
  const c = new Channel('x')
  c.add(0, undefined)
  c.add(1, NaN)
  expect(c.count).toBe(2)
  expect(c.seen.count).toBe(0)
})

test('one message has no spacing, no gap and nothing late', () => {
  const c = minutely(1)
  expect(c.usualSpacing()).toBeUndefined()
  expect(c.gaps(1e9)).toEqual([])
  expect(c.late()).toEqual([])
})
