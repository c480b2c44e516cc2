/** The upload server against a client of others, and by hand where a client would never do it. */
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, request, type Server } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { Upload as Client } from 'tus-js-client'
import { answerOf } from './protocol.ts'
import type { UploadEvent } from '../../faces.ts'
import { serveUploads, type UploadServerOptions } from './serve.ts'
import { openUploads, type Upload } from './store.ts'

const cleanups: (() => void)[] = []
afterEach(() => {
  for (const f of cleanups.splice(0).toReversed()) f()
})

interface Standing {
  readonly url: string
  readonly port: number
  readonly events: UploadEvent[]
  readonly whole: Upload[]
  readonly folder: string
  now: number
  expire(): void
  /** The next answers to appended bytes are not sent. */
  loseAnswers: number
  bytesOf(id: string): Buffer
}

async function stand(more: Partial<UploadServerOptions> = {}): Promise<Standing> {
  const folder = mkdtempSync(join(tmpdir(), 'gridproof-uploads-'))
  cleanups.push(() => rmSync(folder, { recursive: true }))
  const store = openUploads(folder)
  cleanups.push(() => store.close())
  const s: { -readonly [K in keyof Standing]: Standing[K] } = {
    url: '',
    port: 0,
    events: [],
    whole: [],
    folder,
    now: 1_000_000,
    expire: () => uploads.expire(),
    loseAnswers: 0,
    bytesOf: (id) => store.read(id),
  }
  const uploads = serveUploads({
    store,
    base: '/files',
    limits: { maxSize: 10_000_000 },
    expiresAfter: 60_000,
    now: () => s.now,
    admits: () => true,
    complete: (u) => {
      s.whole.push(u)
      return answerOf(204)
    },
    tell: (e) => void s.events.push(e),
    seams: { answers: (asked) => !(asked === 'append' && s.loseAnswers-- > 0) },
    ...more,
  })
  const server: Server = createServer((q, r) => {
    if (!uploads.handle(q, r, String(q.headers['x-owner'] ?? 'one'))) r.writeHead(404).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanups.push(() => {
    server.closeAllConnections()
    server.close()
  })
  s.port = (server.address() as AddressInfo).port
  s.url = `http://127.0.0.1:${s.port}/files`
  return s
}

interface Got {
  readonly status: number
  readonly offset: string | undefined
  readonly headers: Record<string, unknown>
}

function ask(
  s: Standing,
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body?: Buffer,
): Promise<Got> {
  return new Promise((resolve, reject) => {
    const q = request(
      {
        port: s.port,
        host: '127.0.0.1',
        method,
        path,
        agent: false,
        headers: { 'tus-resumable': '1.0.0', ...headers },
      },
      (r) => {
        r.resume()
        r.on('end', () =>
          resolve({
            status: r.statusCode ?? 0,
            offset: r.headers['upload-offset'] as string | undefined,
            headers: { ...r.headers },
          }),
        )
      },
    )
    q.on('error', reject)
    q.end(body)
  })
}

async function made(s: Standing, length: number): Promise<string> {
  const r = await ask(s, 'POST', '/files', { 'upload-length': String(length) })
  expect(r.status).toBe(201)
  return String(r.headers['location'])
}

const patch = (offset: number): Record<string, string> => ({
  'content-type': 'application/offset+octet-stream',
  'upload-offset': String(offset),
})

test('a client of the tus project uploads a file in pieces, though answers are lost on the way', async () => {
  const s = await stand()
  s.loseAnswers = 3
  const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 31) % 251))
  const done = Promise.withResolvers<void>()
  new Client(bytes, {
    endpoint: s.url,
    chunkSize: 40_000,
    retryDelays: [0, 0, 0, 0, 0, 0],
    metadata: { rtu: 'site-1' },
    onSuccess: () => done.resolve(),
    onError: (e) => done.reject(e),
  }).start()
  await done.promise
  expect(s.whole).toHaveLength(1)
  const [u] = s.whole
  expect(u?.metadata).toEqual({ rtu: 'site-1' })
  expect(s.bytesOf(u?.id ?? '').equals(bytes)).toBe(true)
  // no byte came twice that was acknowledged, and a lost answer costs no bytes at all: HEAD says where it stands
  const came = s.events.reduce((n, e) => n + (e.what === 'appended' ? (e.bytes ?? 0) : 0), 0)
  expect(came).toBe(bytes.length)
})

test('what arrived before a connection broke off is kept, and told', async () => {
  const s = await stand()
  const url = await made(s, 1000)
  const socket: Socket = connect(s.port, '127.0.0.1')
  await new Promise<void>((resolve) => socket.once('connect', resolve))
  socket.write(
    `PATCH ${url} HTTP/1.1\r\nhost: x\r\ntus-resumable: 1.0.0\r\ncontent-type: application/offset+octet-stream\r\n` +
      `upload-offset: 0\r\ncontent-length: 1000\r\n\r\n${'a'.repeat(400)}`,
  )
  // while the ghost is still there, a new connection asks: it takes over
  let told = await ask(s, 'HEAD', url)
  while (told.offset !== '400') told = await ask(s, 'HEAD', url)
  expect(s.events.some((e) => e.what === 'taken-over')).toBe(true)
  expect((await ask(s, 'PATCH', url, patch(400), Buffer.alloc(600, 'b'))).status).toBe(204)
  expect(s.whole).toHaveLength(1)
  socket.destroy()
})

test('an append at another offset is answered 409 with the right one; too much with 413, and nothing of it is kept', async () => {
  const s = await stand()
  const url = await made(s, 10)
  expect(await ask(s, 'PATCH', url, patch(3), Buffer.from('xyz'))).toMatchObject({ status: 409, offset: '0' })
  expect((await ask(s, 'PATCH', url, patch(0), Buffer.alloc(11))).status).toBe(413)
  expect((await ask(s, 'HEAD', url)).offset).toBe('0')
  expect(await ask(s, 'PATCH', url, patch(0), Buffer.alloc(10))).toMatchObject({ status: 204, offset: '10' })
  // replayed
  expect(await ask(s, 'PATCH', url, patch(0), Buffer.alloc(10))).toMatchObject({ status: 409, offset: '10' })
  // an append of nothing at the end is in order
  expect((await ask(s, 'PATCH', url, patch(10))).status).toBe(204)
})

test('bytes whose checksum does not agree are answered 460 and not kept', async () => {
  const s = await stand()
  const url = await made(s, 5)
  const sum = (text: string): string => `sha256 ${createHash('sha256').update(text).digest('base64')}`
  const wrong = { ...patch(0), 'upload-checksum': sum('other') }
  expect((await ask(s, 'PATCH', url, wrong, Buffer.from('bytes'))).status).toBe(460)
  expect((await ask(s, 'HEAD', url)).offset).toBe('0')
  const right = { ...patch(0), 'upload-checksum': sum('bytes') }
  expect((await ask(s, 'PATCH', url, right, Buffer.from('bytes'))).status).toBe(204)
})

test("nobody touches another's upload, and one that nobody goes on with is forgotten", async () => {
  const s = await stand()
  const url = await made(s, 5)
  expect((await ask(s, 'HEAD', url, { 'x-owner': 'two' })).status).toBe(404)
  expect((await ask(s, 'PATCH', url, { ...patch(0), 'x-owner': 'two' }, Buffer.from('bytes'))).status).toBe(
    404,
  )
  s.now += 59_000
  s.expire()
  expect((await ask(s, 'HEAD', url)).status).toBe(200)
  s.now += 60_000
  s.expire()
  expect((await ask(s, 'HEAD', url)).status).toBe(404)
})

test('what a store had flushed is there for the next one, and what was half made is not', async () => {
  const s = await stand()
  const url = await made(s, 10)
  await ask(s, 'PATCH', url, patch(0), Buffer.from('12345'))
  const again = openUploads(s.folder)
  expect(again.find(url.slice('/files/'.length))?.offset).toBe(5)
  again.close()
})
