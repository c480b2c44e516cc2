import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { columns, cut, manyLines, oneLine, pad, wrap } from './plain.ts'

describe('text out of a log', () => {
  test('shows controls as pictures and reordering marks by their code', () => {
    expect(oneLine('a\u001b[31mb\nc\u202ed\u0000')).toBe('a␛[31mb␊c<U+202E>d␀')
    expect(manyLines('a\nb\tc\r')).toBe('a\nb\tc␍')
  })

  test('never holds a control, a bidirectional mark or half a character, whatever was in it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (s) => {
        const t = oneLine(s + '\ud800')
        expect(t.isWellFormed()).toBe(true)
        // oxlint-disable-next-line no-control-regex -- this is what must not be there
        expect(t).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/)
      }),
    )
  })

  test('is cut to the columns there are, wide characters counted as two', () => {
    expect(columns('変電所')).toBe(6)
    expect(cut('変電所の計測', 7)).toBe('変電所…')
    expect(cut('the quick brown fox', 12)).toBe('the quick…')
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 40 }), (s, n) => {
        expect(columns(cut(oneLine(s), n))).toBeLessThanOrEqual(n)
      }),
    )
  })

  test('is padded and wrapped by columns', () => {
    expect(pad('°C', 4)).toBe('°C  ')
    expect(wrap('one two three', 8)).toEqual(['one two', 'three'])
    expect(wrap('', 8)).toEqual([''])
  })
})
