import * as fc from 'fast-check'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { watchCarrier } from './carrier.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const words = Buffer.from('\r\nNO CARRIER\r\n')
/** Bytes rich in pieces of the words. */
const bytes = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 6 }),
      fc.integer({ min: 0, max: 13 }).map((n) => words.subarray(0, n)),
    ),
    { maxLength: 12 },
  )
  .map((parts) => Buffer.concat(parts))
const cuts = fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 40 })

function pieces(b: Buffer, lengths: readonly number[]): Buffer[] {
  const out: Buffer[] = []
  let at = 0
  for (const n of lengths) {
    if (at >= b.length) break
    out.push(b.subarray(at, at + n))
    at += n
  }
  if (at < b.length) out.push(b.subarray(at))
  return out
}

test('however it comes in pieces, all passes up to the words, and nothing of them or after them', () => {
  fc.assert(
    fc.property(bytes, bytes, fc.boolean(), cuts, (before, after, says, lengths) => {
      const all = says ? Buffer.concat([before, words, after]) : before
      const end = all.indexOf(words)
      const got: Buffer[] = []
      let lost = 0
      const watch = watchCarrier(
        100,
        (b) => got.push(b),
        () => lost++,
      )
      for (const piece of pieces(all, lengths)) watch.take(piece)
      vi.advanceTimersByTime(100)
      expect(Buffer.concat(got)).toEqual(end < 0 ? all : all.subarray(0, end))
      expect(lost).toBe(end < 0 ? 0 : 1)
    }),
  )
})

test('what looks like the beginning of the words is held back no longer than the gap', () => {
  const got: string[] = []
  const watch = watchCarrier(
    100,
    (b) => got.push(b.toString()),
    () => got.push('lost'),
  )
  watch.take(Buffer.from('abc\r\nNO'))
  expect(got).toEqual(['abc'])
  vi.advanceTimersByTime(99)
  expect(got).toEqual(['abc'])
  vi.advanceTimersByTime(1)
  expect(got).toEqual(['abc', '\r\nNO'])
  watch.take(Buffer.from(' CARRIER\r\n'))
  watch.take(Buffer.from('\r'))
  watch.stop()
  vi.advanceTimersByTime(1000)
  expect(got).toEqual(['abc', '\r\nNO', ' CARRIER', '\r\n'])
})
