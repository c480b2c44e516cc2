import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { rangeOf } from './range.ts'
import { watchSilence } from './silence.ts'

const etag = '"abc"'

describe('a range', () => {
  test('is what RFC 9110 says of it', () => {
    expect(rangeOf({}, etag, 10)).toBeUndefined()
    expect(rangeOf({ range: 'bytes=2-4' }, etag, 10)).toEqual({ from: 2, to: 5 })
    expect(rangeOf({ range: 'bytes=2-' }, etag, 10)).toEqual({ from: 2, to: 10 })
    expect(rangeOf({ range: 'bytes=-3' }, etag, 10)).toEqual({ from: 7, to: 10 })
    expect(rangeOf({ range: 'bytes=8-99' }, etag, 10)).toEqual({ from: 8, to: 10 })
    expect(rangeOf({ range: 'bytes=10-' }, etag, 10)).toBe('none')
    expect(rangeOf({ range: 'bytes=-0' }, etag, 10)).toBe('none')
    expect(rangeOf({ range: 'bytes=4-2' }, etag, 10)).toBeUndefined()
    expect(rangeOf({ range: 'lines=1-2' }, etag, 10)).toBeUndefined()
    expect(rangeOf({ range: 'bytes=0-1,3-4' }, etag, 10)).toBeUndefined()
  })
  test('counts only for the file that If-Range names', () => {
    expect(rangeOf({ range: 'bytes=2-4', 'if-range': etag }, etag, 10)).toEqual({ from: 2, to: 5 })
    expect(rangeOf({ range: 'bytes=2-4', 'if-range': '"other"' }, etag, 10)).toBeUndefined()
    expect(rangeOf({ range: 'bytes=2-4', 'if-range': `W/${etag}` }, etag, 10)).toBeUndefined()
  })
  test('lies within the file, whatever was asked for', () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(20), fc.nat(20), fc.nat(15), (noise, a, b, size) => {
        for (const range of [noise, `bytes=${a}-${b}`, `bytes=${a}-`, `bytes=-${b}`, `bytes=${noise}`]) {
          const r = rangeOf({ range }, etag, size)
          if (r === undefined || r === 'none') continue
          expect(r.from).toBeGreaterThanOrEqual(0)
          expect(r.to).toBeLessThanOrEqual(size)
          expect(r.from).toBeLessThan(r.to)
        }
      }),
    )
  })
})

describe('silence', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())
  const hour = 3_600_000
  const watched = () => {
    const raised: string[] = []
    const began = Date.now()
    const silence = watchSilence({
      now: () => Date.now(),
      raise: (rtu, days) => void raised.push(`${rtu} ${days} ${Math.floor((Date.now() - began) / hour)}`),
    })
    return { raised, silence }
  }

  test('raises each alert once, after more than 1, 3 and 5 days, and again in the next silence', () => {
    const { raised, silence } = watched()
    silence.heard('a')
    vi.advanceTimersByTime(24 * hour)
    expect(raised).toEqual([])
    vi.advanceTimersByTime(1)
    expect(raised).toEqual(['a 1 24'])
    vi.advanceTimersByTime(300 * hour)
    expect(raised).toEqual(['a 1 24', 'a 3 72', 'a 5 120'])
    silence.heard('a')
    vi.advanceTimersByTime(25 * hour)
    expect(raised.slice(3)).toEqual(['a 1 348'])
    silence.end()
    vi.advanceTimersByTime(300 * hour)
    expect(raised).toHaveLength(4)
  })
  test('is broken by any word, and of no account in a platform that is out of service', () => {
    const { raised, silence } = watched()
    silence.heard('a')
    silence.heard('b')
    for (let n = 0; n < 10; n++) {
      vi.advanceTimersByTime(23 * hour)
      silence.heard('a')
      if (n === 0) silence.forget('b')
      silence.heard('b')
    }
    expect(raised).toEqual([])
    silence.end()
  })
})
