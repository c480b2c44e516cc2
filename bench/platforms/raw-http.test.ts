/** Answers of HTTP/1.1 as they come, in any pieces, and whatever comes instead. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { answerReader, type Heard } from './raw-http.ts'

/** What is heard of a text that comes in pieces; then the connection ends. */
function heard(text: string | Buffer, o: { bodiless?: boolean; pieces?: readonly number[] } = {}): Heard {
  const reader = answerReader(o.bodiless ?? false)
  const bytes = Buffer.from(text)
  let at = 0
  for (const n of [...(o.pieces ?? []), bytes.length]) {
    const part = bytes.subarray(at, at + n)
    at += part.length
    const h = reader.push(part)
    if (h !== undefined) return h
  }
  return reader.end()
}
const answer = (h: Heard) => (h.is === 'answer' ? h.answer : undefined)
const text = (h: Heard) => Buffer.from(answer(h)?.body ?? []).toString()

describe('an answer', () => {
  const plain = 'HTTP/1.1 200 OK\r\nUpload-Offset: 7\r\nContent-Length: 5\r\n\r\nhello'
  test('is read with its headers and its body, in whatever pieces it comes', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 20 }), (pieces) => {
        const h = heard(plain, { pieces })
        expect(answer(h)).toMatchObject({ status: 200, closes: false, headers: { 'upload-offset': '7' } })
        expect(text(h)).toBe('hello')
      }),
    )
  })
  test('in chunks is put together', () => {
    const h = heard(
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=1\r\nhello\r\n6\r\n world\r\n0\r\n\r\n',
    )
    expect(text(h)).toBe('hello world')
  })
  test('without a length ends with its connection', () => {
    const h = heard('HTTP/1.1 200 OK\r\n\r\nhello')
    expect(text(h)).toBe('hello')
    expect(answer(h)?.closes).toBe(true)
  })
  test('to HEAD has no body, whatever it says of one', () => {
    expect(answer(heard('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n', { bodiless: true }))?.status).toBe(
      200,
    )
  })
  test('comes after interim ones', () => {
    const h = heard(`HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 104 Upload Resumption\r\n\r\n${plain}`)
    expect(answer(h)?.status).toBe(200)
  })
  test('that breaks off is none, and no answer at all is another thing', () => {
    expect(heard(plain.slice(0, -1))).toMatchObject({ is: 'closed', why: expect.stringContaining('midst') })
    expect(heard('')).toMatchObject({ is: 'closed', why: expect.stringContaining('without an answer') })
  })
  test.each(['SSH-2.0-OpenSSH\r\n\r\n', 'HTTP/1.1 200 OK\r\nno header\r\n\r\n', 'HTTP/2 200\r\n\r\n'])(
    'is not %j',
    (odd) => {
      expect(heard(odd).is).toBe('odd')
    },
  )
  test('may be any bytes: it is read or refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, bodiless) => {
        const whole = Buffer.concat([Buffer.from('HTTP/1.1 200 OK\r\n'), bytes])
        for (const b of [Buffer.from(bytes), whole])
          expect(['answer', 'closed', 'odd']).toContain(heard(b, { bodiless }).is)
      }),
    )
  })
})
