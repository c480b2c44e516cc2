import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Json } from '../../drivers/faces.ts'
import { payloadOf, stampOf } from './observer.ts'

const bytes = (text: string): Uint8Array => Buffer.from(text, 'utf8')

describe('the payload of a message', () => {
  test('is what its JSON says', () => {
    expect(payloadOf(bytes('{"Timestamp":1516060800,"Value":230.1,"Valid":true}'))).toEqual({
      Timestamp: 1516060800,
      Value: 230.1,
      Valid: true,
    })
    expect(payloadOf(bytes('7'))).toBe(7)
    expect(payloadOf(bytes('null'))).toBe(null)
  })

  test('that is empty is an empty object', () => {
    expect(payloadOf(new Uint8Array())).toEqual({})
  })

  test('that is text is kept as text, up to a length', () => {
    expect(payloadOf(bytes('ON'))).toEqual({ notJson: 'ON' })
    expect(payloadOf(bytes(`{"Value":${'x'.repeat(10_000)}`))).toEqual({
      notJson: `{"Value":${'x'.repeat(4087)}`,
    })
  })

  test('that is no text is kept in hexadecimal', () => {
    expect(payloadOf(Uint8Array.of(0xff, 0xfe, 0))).toEqual({ notJson: 'fffe00' })
  })

  test('that is nested deeper than anything can be written is kept as text', () => {
    for (const text of [
      '['.repeat(200_000),
      '['.repeat(200_000) + ']'.repeat(200_000),
      '{"a":'.repeat(5000) + '1' + '}'.repeat(5000),
    ])
      expect(payloadOf(bytes(text))).toEqual({ notJson: text.slice(0, 4096) })
    expect(payloadOf(bytes(`${'['.repeat(64)}${']'.repeat(64)}`))).toHaveProperty('0.0.0')
  })

  test('with a number that no double holds is kept as text: the evidence could not tell it from none', () => {
    expect(payloadOf(bytes('{"Value":1e999}'))).toEqual({ notJson: '{"Value":1e999}' })
  })

  test('whatever its bytes are, can be written to the evidence and comes back the same', () => {
    const hostile = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.json().map(bytes),
      fc.string({ unit: 'binary', maxLength: 100 }).map(bytes),
      // JSON with a byte that is not the one it was.
      fc
        .tuple(fc.json(), fc.nat(), fc.nat(255))
        .map(([text, at, byte]) => bytes(text).map((b, i, all) => (i === at % all.length ? byte : b))),
    )
    fc.assert(
      fc.property(hostile, (b) => {
        const before = Buffer.from(b)
        const payload = payloadOf(b)
        const text = JSON.stringify(payload)
        expect(typeof text).toBe('string')
        // Written again: minus nought and nought are the same to JSON.
        expect(JSON.stringify(JSON.parse(text))).toBe(text)
        expect(Buffer.from(b).equals(before)).toBe(true)
        const stamp = stampOf(payload)
        expect(stamp === undefined || Number.isFinite(stamp)).toBe(true)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('the stamp of a payload', () => {
  test('is its Timestamp in milliseconds', () => {
    expect(stampOf({ Timestamp: 1_516_060_800 })).toBe(1_516_060_800_000)
    expect(stampOf({ Timestamp: 0 })).toBe(0)
    expect(stampOf({ Timestamp: -1.5 })).toBe(-1500)
  })

  test.each<Json>([
    null,
    7,
    'Timestamp',
    [],
    [{ Timestamp: 1 }],
    {},
    { timestamp: 1 },
    { Timestamp: '1516060800' },
    { Timestamp: null },
    { Timestamp: [1] },
    { Timestamp: 1e308 },
  ])('is none in %j', (payload) => {
    expect(stampOf(payload)).toBe(undefined)
  })

  test('is none or a finite number in whatever JSON there is', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (v) => {
        const stamp = stampOf(v as Json)
        expect(stamp === undefined || Number.isFinite(stamp)).toBe(true)
      }),
    )
  })
})
