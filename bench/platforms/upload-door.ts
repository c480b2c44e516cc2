/**
 * Somebody knocks at the door of a server that takes uploads, with a certificate or without: uploads a row, goes on with
 * somebody else's upload, or asks to read. What came of it, as evidence; whether the server kept something its batches show.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { request as clear } from 'node:http'
import { request as secure, type RequestOptions } from 'node:https'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { messageOf } from '../../drivers/errors.ts'
import type { DoorTry } from '../faces.ts'

export interface UploadDoor {
  readonly pki: string
  readonly address: string
  readonly port: number
  /** Common name on the server's certificate. */
  readonly name: string
  /** The app whose uploads it takes, and for which RTU. */
  readonly apid: string
  readonly rtu: string
}

/** Payload of `<server>.door`. */
export interface DoorOutcome {
  readonly attempt: string
  /** `closed`: no answer, the connection was ended. `refused`: an answer that says no. `inside`: it was done. */
  readonly stage: 'closed' | 'refused' | 'inside'
  readonly status?: number
  readonly reason?: string
  /** Under which the server keeps what was uploaded, if it does. */
  readonly batch?: string
}

/** How long an answer may take, ms. Ours. */
const patience = 10_000
/** Somebody who may not upload: an identity of the platform that is no app; and an RTU of nobody. */
const colleague = 'operator'
const strangeRtu = 'site-9'

/** Never rejects. */
export async function tryDoor(door: UploadDoor, t: DoorTry): Promise<DoorOutcome> {
  const batch = `door-${t.name}`
  const said = { attempt: t.name, ...(t.asks === 'read' ? {} : { batch }) }
  try {
    if (t.asks === 'read') return { ...said, ...stageOf((await ask(door, t, 'GET', '/rtus')).status, 200) }
    const row = { table: 'door', id: 1, timestamp: 1, subTopic: null, data: JSON.stringify(t.name) }
    const body = gzipSync(`${JSON.stringify(row)}\n`)
    const metadata = {
      rtu: t.rtu === 'another' ? strangeRtu : door.rtu,
      batch,
      sha256: createHash('sha256').update(body).digest('hex'),
      encoding: 'gzip',
    }
    // Of somebody else's upload, that one has made the beginning.
    const begins: DoorTry = t.asks === 'go-on' ? { name: t.name, as: 'app', asks: 'upload' } : t
    const begun = await ask(door, begins, 'POST', '/files', {
      ...tus,
      'upload-length': String(body.length),
      'upload-metadata': Object.entries(metadata)
        .map(([k, v]) => `${k} ${Buffer.from(v).toString('base64')}`)
        .join(','),
    })
    const at = begun.location?.replace(/^https?:\/\/[^/]+/, '')
    if (begun.status !== 201 || at === undefined) return { ...said, stage: 'refused', status: begun.status }
    const r = await ask(
      door,
      t,
      'PATCH',
      at,
      { ...tus, 'content-type': 'application/offset+octet-stream', 'upload-offset': '0' },
      body,
    )
    return { ...said, ...stageOf(r.status, 204) }
  } catch (e) {
    return { ...said, stage: 'closed', reason: messageOf(e) }
  }
}

const tus = { 'tus-resumable': '1.0.0' }

const stageOf = (status: number, done: number): Pick<DoorOutcome, 'stage' | 'status'> => ({
  stage: status === done ? 'inside' : 'refused',
  status,
})

function ask(
  door: UploadDoor,
  t: DoorTry,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  body: Uint8Array = Buffer.alloc(0),
): Promise<{ readonly status: number; readonly location: string | undefined }> {
  const { promise, resolve, reject } = Promise.withResolvers<{
    status: number
    location: string | undefined
  }>()
  const options: RequestOptions = {
    host: door.address,
    port: door.port,
    method,
    path,
    agent: false,
    timeout: patience,
    headers: { ...headers, 'content-length': String(body.length) },
  }
  const asked =
    t.over === 'clear' ? clear(options) : secure({ ...options, ...keysOf(door, t), ...versionOf(t) })
  asked.on('response', (r) => {
    r.resume()
    r.on('end', () => resolve({ status: r.statusCode ?? 0, location: r.headers.location }))
    r.on('error', reject)
  })
  asked.on('error', reject)
  asked.on('timeout', () => asked.destroy(new Error(`no answer in ${patience / 1000} s`)))
  asked.end(body)
  return promise
}

function keysOf(door: UploadDoor, t: DoorTry): RequestOptions {
  const read = (file: string): string => readFileSync(join(door.pki, file), 'utf8')
  const base =
    t.as === 'app'
      ? door.apid
      : t.as === 'colleague'
        ? colleague
        : t.as === 'nobody'
          ? undefined
          : `intruder/${door.apid}-${t.as}`
  return {
    ca: read('ca.crt'),
    servername: door.name,
    ...(base === undefined ? {} : { cert: read(`${base}.crt`), key: read(`${base}.key`) }),
  }
}

/** The bench's own floor is lowered for this one connection, so that the server must refuse. */
function versionOf(t: DoorTry): RequestOptions {
  if (t.over !== 'old-tls') return {}
  return { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' }
}
