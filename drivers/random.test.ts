import { expect, test } from 'vitest'
import { normal, stream, streams } from './random.ts'

test('a stream gives the same numbers for the same seed and name, and others for another', () => {
  const take = (seed: number, name: string): number[] => {
    const r = stream(seed, name)
    return Array.from({ length: 5 }, () => r())
  }
  expect(take(1, 'gridkey/noise')).toEqual(take(1, 'gridkey/noise'))
  expect(take(1, 'gridkey/noise')).not.toEqual(take(2, 'gridkey/noise'))
  expect(take(1, 'gridkey/noise')).not.toEqual(take(1, 'gridkey/noises'))
})

test('one more name changes no other stream', () => {
  const a = streams(7)
  const b = streams(7)
  const first = [a('x'), a('x')]
  expect([b('x'), (b('y'), b('x'))]).toEqual(first)
})

test('numbers are uniform in [0, 1) and normal ones have mean 0 and deviation 1', () => {
  const r = stream(42, 'statistics')
  const n = 100_000
  const u = Array.from({ length: n }, () => r())
  expect(Math.min(...u.slice(0, 50_000))).toBeGreaterThanOrEqual(0)
  expect(Math.max(...u.slice(0, 50_000))).toBeLessThan(1)
  const mean = u.reduce((a, b) => a + b, 0) / n
  expect(mean).toBeCloseTo(0.5, 2)
  const z = Array.from({ length: n }, () => normal(r))
  expect(z.reduce((a, b) => a + b, 0) / n).toBeCloseTo(0, 1)
  expect(Math.sqrt(z.reduce((a, b) => a + b * b, 0) / n)).toBeCloseTo(1, 1)
})
