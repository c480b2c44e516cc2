/**
 * The data centre's upload server alone, as a program on a host of its own: tus 1.0.0 over mutual TLS, and each upload that
 * has all its bytes becomes one object `objects/<id>` on its disk. Parts: what ../../defects/upload-server.ts wraps.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs'
import { createServer } from 'node:https'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { z } from 'zod'
import type { Json, ProgramEnv } from '../../../drivers/faces.ts'
import type { UploadEvent } from '../../faces.ts'
import { answerOf, readRequest, type Answer } from './protocol.ts'
import { serveUploads, type UploadSeams, type UploadServer } from './serve.ts'
import { openUploads, soundIo, type StoreIo, type Upload, type UploadStore } from './store.ts'

const schema = z.strictObject({
  port: z.int().min(1).max(65_535),
  /** PEM files. */
  ca: z.string(),
  cert: z.string(),
  key: z.string(),
  /** Largest upload, in bytes. */
  maxSize: z.int().min(1),
  /** An upload that gets nothing for so long is forgotten, ms. */
  expiresAfter: z.int().min(1000),
})

/** How often it looks for uploads that have expired, ms. Ours. */
const expiryEvery = 1000

type Seam<K extends keyof UploadSeams> = NonNullable<UploadSeams[K]>

/** What the server is made of. */
export interface UploadServerParts {
  /** How it flushes. */
  readonly io: StoreIo
  store(folder: string, io: StoreIo): UploadStore
  read: Seam<'read'>
  alters: Seam<'alters'>
  second: Seam<'second'>
  room: Seam<'room'>
  /** Hears what becomes of transfers. */
  hears(e: UploadEvent, store: UploadStore): void
  /** An upload has all its bytes on the disk; it may be told so again. */
  complete(u: Upload, store: UploadStore, objects: string, io: StoreIo): Answer
  /** Looks for what has expired. */
  expire(server: UploadServer): void
}

export function parts(_config: Json): UploadServerParts {
  return {
    io: soundIo,
    store: openUploads,
    read: readRequest,
    alters: (_reading, answer) => answer,
    second(_asked, end) {
      end()
      return undefined
    },
    room: (length, offset) => length - offset,
    hears: () => undefined,
    complete(u, store, objects, io) {
      if (!existsSync(join(objects, u.id))) place(objects, u.id, store.read(u.id), io)
      return answerOf(204)
    },
    expire: (server) => server.expire(),
  }
}

/** Puts an object where it stays: whole or not at all, also after a loss of power. */
export function place(objects: string, name: string, bytes: Uint8Array, io: StoreIo): void {
  const file = join(objects, `.${name}`)
  const fd = openSync(file, 'w')
  try {
    for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done)
    io.flush(fd)
  } finally {
    closeSync(fd)
  }
  renameSync(file, join(objects, name))
  io.flushFolder(objects)
}

/** Runs until it is asked to stop. Throws where its configuration does not fit. */
export async function run(p: UploadServerParts, env: ProgramEnv): Promise<number> {
  const config = schema.parse(env.config)
  const objects = join(env.disk, 'objects')
  mkdirSync(objects, { recursive: true })
  const store = p.store(join(env.disk, 'uploads'), p.io)
  // Of both folders it must be on the disk that they exist.
  const fd = openSync(env.disk, 'r')
  fsyncSync(fd)
  closeSync(fd)
  const uploads = serveUploads({
    store,
    base: '/files',
    limits: { maxSize: config.maxSize },
    expiresAfter: config.expiresAfter,
    now: () => Date.now(),
    admits: () => true,
    complete: (u) => p.complete(u, store, objects, p.io),
    tell(e) {
      p.hears(e, store)
      env.log({ event: 'upload', ...e })
    },
    seams: {
      read: (asked, base, limits) => p.read(asked, base, limits),
      alters: (reading, answer, asked) => p.alters(reading, answer, asked),
      second: (asked, end) => p.second(asked, end),
      room: (length, offset) => p.room(length, offset),
    },
  })
  const server = createServer(
    {
      ca: readFileSync(config.ca),
      cert: readFileSync(config.cert),
      key: readFileSync(config.key),
      requestCert: true,
      rejectUnauthorized: true,
      minVersion: 'TLSv1.2',
    },
    (request, response) => {
      const cn: unknown = (request.socket as TLSSocket).getPeerCertificate().subject?.CN
      if (!uploads.handle(request, response, typeof cn === 'string' ? cn : '')) response.writeHead(404).end()
    },
  )
  server.requestTimeout = 0
  server.on('clientError', (_e, socket) => socket.destroy())
  server.on('tlsClientError', (_e, socket) => socket.destroy())
  await new Promise<void>((done, failed) => {
    server.once('error', failed)
    server.listen(config.port, env.address, done)
  })
  env.log({ event: 'listening' })
  const timer = setInterval(() => p.expire(uploads), expiryEvery)
  await new Promise<void>((done) => env.term.addEventListener('abort', () => done()))
  clearInterval(timer)
  server.closeAllConnections()
  await new Promise<void>((done) => server.close(() => done()))
  store.close()
  return 0
}

/** As shipped. */
export function main(env: ProgramEnv): Promise<number> {
  return run(parts(env.config), env)
}
