/** What stands in requests and answers of tus 1.0.0, as the bench's own client writes and reads it (role `uploads`). */
import { createHash } from 'node:crypto'
import type { UploadAnswer, UploadAppend, UploadOffers } from '../faces.ts'
import type { HttpAnswer } from './raw-http.ts'

/** Bytes that look like none of their neighbours, by a seed in [0, 1). */
export function noise(length: number, seed: number): Buffer {
  const b = Buffer.alloc(length)
  // xorshift32 (Marsaglia 2003, "Xorshift RNGs", section 3).
  let x = (Math.floor(seed * 0xffff_fffe) + 1) | 0
  for (let i = 0; i < length; i++) {
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    b[i] = x & 0xff
  }
  return b
}

/** The same text with its last letter or digit another one. */
export function altered(id: string): string {
  const at = id.search(/[0-9a-z][^0-9a-z]*$/i)
  if (at < 0) return `${id}0`
  return `${id.slice(0, at)}${id[at] === '0' ? '1' : '0'}${id.slice(at + 1)}`
}

/** Upload-Checksum of a body, of another one, or by an algorithm that nobody has. */
export function checksum(body: Buffer, which: NonNullable<UploadAppend['checksum']>): string {
  if (which === 'unknown') return `nobody-has-this ${Buffer.alloc(20).toString('base64')}`
  const hash = createHash('sha1').update(body)
  if (which === 'wrong') hash.update('and something more')
  return `sha1 ${hash.digest('base64')}`
}

/** Path of the Location of an answer; it may be relative to `base`, or an address of the server as it calls itself. */
export function pathOf(a: HttpAnswer, base: string): string | undefined {
  const { location } = a.headers
  if (location === undefined || a.status < 200 || a.status > 299) return undefined
  const url = URL.parse(location, `http://server${base}`)
  return url === null ? undefined : `${url.pathname}${url.search}`
}

function wholeNumber(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : null
}

/** What of an answer of tus 1.0.0 is judged. */
export function readAnswer(a: HttpAnswer): UploadAnswer {
  const { headers } = a
  const expires = Date.parse(headers['upload-expires'] ?? '')
  return {
    status: a.status,
    'offset [B]': wholeNumber(headers['upload-offset']),
    'length [B]': wholeNumber(headers['upload-length']),
    resumable: headers['tus-resumable'] ?? null,
    versions: headers['tus-version'] ?? null,
    cache: headers['cache-control'] ?? null,
    expires: Number.isFinite(expires) ? expires : null,
    located: pathOf(a, '/') !== undefined,
  }
}

/** As if nobody had answered. */
export const nobody: HttpAnswer = { status: 0, headers: {}, body: new Uint8Array(), closes: true }

/** What a server says of itself. */
export function readOffers(a: HttpAnswer): UploadOffers {
  const list = (name: string): string[] =>
    (a.headers[name] ?? '')
      .split(',')
      .map((x) => x.trim())
      .filter((x) => x !== '')
  return {
    status: a.status,
    versions: list('tus-version'),
    extensions: list('tus-extension'),
    'most [B]': wholeNumber(a.headers['tus-max-size']),
    algorithms: list('tus-checksum-algorithm'),
  }
}
