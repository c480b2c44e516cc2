/**
 * The tus protocol, version 1.0.0 (tus.io): core, and the extensions creation, checksum, expiration and termination. What
 * is in a request is told as data and answered as data; ./serve.ts binds it to node:http.
 */
import { createHash } from 'node:crypto'

export const tusVersion = '1.0.0'
export const extensions = 'creation,checksum,expiration,termination'
export const checksumAlgorithms = ['sha1', 'sha256'] as const

export interface Asked {
  readonly method: string
  /** Path without its query. */
  readonly path: string
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>
}

/** An answer without a body worth speaking of. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly text?: string
}

/** A request that fits the protocol, and what it asks; or the answer that refuses it. */
export type Reading =
  | { readonly is: 'options' }
  | {
      readonly is: 'create'
      readonly length: number
      readonly metadata: Readonly<Record<string, string>>
    }
  | { readonly is: 'offset'; readonly id: string }
  | {
      readonly is: 'append'
      readonly id: string
      readonly offset: number
      readonly checksum?: Checksum
    }
  | { readonly is: 'end'; readonly id: string }
  | { readonly is: 'refused'; readonly answer: Answer }

export interface Checksum {
  readonly algorithm: (typeof checksumAlgorithms)[number]
  readonly digest: Buffer
}

/** IDs are ours: so long, and of these characters. */
const idPattern = /^[0-9a-f]{32}$/

/** Longest metadata that is read, in characters. Ours. */
const longestMetadata = 4096

export interface Limits {
  /** Largest upload, in bytes. */
  readonly maxSize: number
}

/** Reads a request below `base` (`/files`). Undefined: it is none of ours. */
export function readRequest(asked: Asked, base: string, limits: Limits): Reading | undefined {
  const below = asked.path === base || asked.path.startsWith(`${base}/`)
  if (!below) return undefined
  const { headers } = asked
  // A client that cannot send PATCH or DELETE says so by POST (core protocol, X-HTTP-Method-Override).
  const method = (headers['x-http-method-override'] ?? asked.method).toUpperCase()
  if (method === 'OPTIONS') return { is: 'options' }
  if (headers['tus-resumable'] !== tusVersion)
    return refused(412, 'This server speaks tus 1.0.0: say so in Tus-Resumable.', {
      'tus-version': tusVersion,
    })
  const id = asked.path.slice(base.length + 1)
  if (id === '') {
    if (method !== 'POST') return refused(405, 'An upload is made by POST.')
    return readCreation(headers, limits)
  }
  if (!idPattern.test(id)) return refused(404, 'There is no such upload.')
  if (method === 'HEAD') return { is: 'offset', id }
  if (method === 'DELETE') return { is: 'end', id }
  if (method !== 'PATCH') return refused(405, 'An upload takes HEAD, PATCH and DELETE.')
  return readAppend(headers, id)
}

function readCreation(headers: Asked['headers'], limits: Limits): Reading {
  const length = wholeNumber(headers['upload-length'])
  if (headers['upload-defer-length'] !== undefined)
    return refused(400, 'The length of an upload is told at its beginning here.')
  if (length === undefined) return refused(400, 'Upload-Length is missing, or no whole number.')
  if (length > limits.maxSize) return refused(413, `An upload has at most ${limits.maxSize} bytes.`)
  const text = headers['upload-metadata'] ?? ''
  const metadata = text.length > longestMetadata ? undefined : readMetadata(text)
  if (metadata === undefined) return refused(400, 'Upload-Metadata is not as the protocol has it.')
  return { is: 'create', length, metadata }
}

function readAppend(headers: Asked['headers'], id: string): Reading {
  if (headers['content-type'] !== 'application/offset+octet-stream')
    return refused(415, 'The content type of a PATCH is application/offset+octet-stream.')
  const offset = wholeNumber(headers['upload-offset'])
  if (offset === undefined) return refused(400, 'Upload-Offset is missing, or no whole number.')
  const given = headers['upload-checksum']
  if (given === undefined) return { is: 'append', id, offset }
  const checksum = readChecksum(given)
  if (checksum === undefined)
    return refused(400, `Upload-Checksum is <algorithm> <base64>, by ${checksumAlgorithms.join(' or ')}.`)
  return { is: 'append', id, offset, checksum }
}

function wholeNumber(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,15}$/.test(text)) return undefined
  return Number(text)
}

function readChecksum(text: string): Checksum | undefined {
  const [name = '', value = ''] = text.split(' ')
  const algorithm = checksumAlgorithms.find((a) => a === name)
  if (algorithm === undefined) return undefined
  const digest = Buffer.from(value, 'base64')
  const size = algorithm === 'sha1' ? 20 : 32
  return digest.length === size ? { algorithm, digest } : undefined
}

/** `key base64,key base64`; a key may stand without a value. Undefined for what is not that. */
export function readMetadata(text: string): Readonly<Record<string, string>> | undefined {
  const found = new Map<string, string>()
  for (const pair of text.split(',').map((p) => p.trim())) {
    if (pair === '') {
      if (text.trim() === '') continue
      return undefined
    }
    const [key = '', value = '', ...more] = pair.split(' ')
    if (!/^[\x21-\x2b\x2d-\x7e]+$/.test(key) || more.length > 0 || found.has(key)) return undefined
    if (!/^[A-Za-z0-9+/]*={0,2}$/.test(value)) return undefined
    found.set(key, Buffer.from(value, 'base64').toString('utf8'))
  }
  return Object.fromEntries(found)
}

export function metadataText(metadata: Readonly<Record<string, string>>): string {
  return Object.entries(metadata)
    .map(([k, v]) => `${k} ${Buffer.from(v, 'utf8').toString('base64')}`)
    .join(',')
}

/** Whether bytes have the checksum that was told of them. */
export function agrees(bytes: readonly Uint8Array[], c: Checksum): boolean {
  const hash = createHash(c.algorithm)
  for (const b of bytes) hash.update(b)
  return hash.digest().equals(c.digest)
}

function refused(status: number, text: string, headers: Readonly<Record<string, string>> = {}): Reading {
  return { is: 'refused', answer: answerOf(status, headers, text) }
}

/** An answer with what each of them carries. */
export function answerOf(
  status: number,
  headers: Readonly<Record<string, string>> = {},
  text?: string,
): Answer {
  return {
    status,
    headers: { 'tus-resumable': tusVersion, 'cache-control': 'no-store', ...headers },
    ...(text === undefined ? {} : { text }),
  }
}
