/** The client that misbehaves on purpose, at a server of ours: what it does on the wire, and what it tells of it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { isGridproofError } from '../../drivers/errors.ts'
import type { Json, Realm } from '../../drivers/faces.ts'
import { answerOf } from '../../sim/servers/uploads/protocol.ts'
import { serveUploads } from '../../sim/servers/uploads/serve.ts'
import { openUploads } from '../../sim/servers/uploads/store.ts'
import type { UploadExchange, UploadObject, Uploads } from '../faces.ts'
import { labUploads, uploadsFrom } from '../rigs/lab-uploads.ts'
import { uploadClient } from './upload-client.ts'
import { remoteSite } from './upload-sites.ts'

const cleanups: (() => void)[] = []
afterEach(() => {
  for (const f of cleanups.splice(0).toReversed()) f()
})

const realm: Realm = { name: 'bench', address: '127.0.0.1', run: (f) => f(), bind: (x) => x }

interface Standing {
  readonly uploads: Uploads
  readonly seen: { readonly alias: string; readonly payload: Json }[]
  /** What was seen of one alias, in order. */
  of(alias: string): readonly UploadExchange[]
  readonly asked: { readonly authorization: string | undefined; readonly metadata: string | undefined }[]
}

/** A server of ours by HTTP without TLS, which gives back what it has by GET; and the client before it. */
async function stand(more: Record<string, unknown> = {}): Promise<Standing> {
  const folder = mkdtempSync(join(tmpdir(), 'gridproof-client-'))
  cleanups.push(() => rmSync(folder, { recursive: true }))
  const store = openUploads(join(folder, 'uploads'))
  cleanups.push(() => store.close())
  const server = serveUploads({
    store,
    base: '/files',
    limits: { maxSize: 1_000_000 },
    expiresAfter: 60_000,
    now: () => Date.now(),
    admits: () => true,
    complete: () => answerOf(204),
  })
  const asked: Standing['asked'][number][] = []
  const web = createServer((q, r) => {
    const { authorization } = q.headers
    const metadata = q.headers['upload-metadata']
    asked.push({ authorization, metadata: typeof metadata === 'string' ? metadata : undefined })
    const id = /^\/files\/(\w+)$/.exec(q.url ?? '')?.[1]
    if (q.method === 'GET' && id !== undefined) r.end(store.read(id))
    else if (!server.handle(q, r, 'one')) r.writeHead(404).end()
  })
  await new Promise<void>((done) => web.listen(0, '127.0.0.1', done))
  cleanups.push(() => {
    web.closeAllConnections()
    web.close()
  })
  const { port } = web.address() as AddressInfo
  writeFileSync(join(folder, 'headers'), 'Authorization: Bearer abcdef\n')
  const spec = labUploads.parse({ url: `http://127.0.0.1:${port}/files`, reads: 'get', ...more })
  const site = await remoteSite(uploadsFrom(spec, folder), { realm, armed: false })
  const seen: Standing['seen'][number][] = []
  const client = uploadClient({
    site,
    realm,
    emit(_kind, data) {
      seen.push(data as Standing['seen'][number])
      return seen.length
    },
    now: () => Date.now(),
    random: () => 0.3,
  })
  cleanups.push(() => void client[Symbol.asyncDispose]())
  const of = (alias: string): readonly UploadExchange[] =>
    seen.filter((e) => e.alias === alias).map((e) => e.payload as unknown as UploadExchange)
  return { uploads: client, seen, of, asked }
}

describe('the client of resumable uploads', () => {
  test('resumes after breaks at any byte, and tells what it had to send for it', async () => {
    const s = await stand()
    const u = await s.uploads.begin('x', { length: 200_000 })
    for (const after of [0, 1, 30_000]) {
      await u.append('x', { breaks: { after, how: 'reset' } })
      await u.ask('x')
    }
    await u.finish('x')
    await u.collect('x')
    const told = s.of('uploads.x.offset')
    for (const x of told) {
      expect(x.answer?.['offset [B]']).toBeGreaterThanOrEqual(x['told before [B]'])
      expect(x.answer?.['offset [B]']).toBeLessThanOrEqual(x['left [B]'])
    }
    const object = s.seen.at(-1)?.payload as unknown as UploadObject
    expect(object.sha256).toBe(object.expected)
    expect(object['broken [B]']).toBe(30_001)
    expect(object['sent [B]']).toBeLessThanOrEqual(200_000 + 30_001)
  })

  test('leaves a connection in silence, goes on over another, and comes back as a ghost', async () => {
    const s = await stand()
    const u = await s.uploads.begin('x', { length: 100_000 })
    await u.append('x', { breaks: { after: 30_000, how: 'silence' } })
    await u.ask('x')
    await u.append('x')
    await u.wakeGhost('ghost')
    await u.finish('x')
    await u.collect('x')
    const object = s.seen.at(-1)?.payload as unknown as UploadObject
    expect(object.sha256).toBe(object.expected)
    // Ours ends the old connection as soon as a new one asks.
    expect(s.of('uploads.ghost.append')[0]).toMatchObject({ answer: null, ignored: true })
  })

  test('says what is wrong on purpose, and nothing of it is what the server keeps', async () => {
    const s = await stand()
    const u = await s.uploads.begin('x', { length: 10_000 })
    await u.append('x', { claims: 5_000, bytes: 100 })
    await u.append('x', { bytes: 100, type: 'text/plain' })
    await u.append('x', { bytes: 100, version: '0.2.2' })
    await u.append('x', { bytes: 100, checksum: 'wrong' })
    await u.append('x', { bytes: 100, checksum: 'unknown' })
    await u.append('x', { beyond: 1 })
    await s.uploads.begin('x', { length: 1_000_001 })
    await s.uploads.unknown().ask('none')
    await u.ask('x')
    expect(s.of('uploads.x.append').map((x) => x.answer?.status)).toEqual([409, 415, 412, 460, 400, 413])
    expect(s.of('uploads.x.create').map((x) => x.answer?.status)).toEqual([201, 413])
    expect(s.of('uploads.none.offset')[0]?.answer?.status).toBe(404)
    expect(s.of('uploads.x.offset')[0]?.answer?.['offset [B]']).toBe(0)
  })

  test('takes an answer for lost, and learns from HEAD that all has come', async () => {
    const s = await stand()
    const u = await s.uploads.begin('x', { length: 10_000 })
    await u.append('x', { ignores: true })
    expect(u.offset).toBe(0)
    await u.ask('x')
    expect(u.offset).toBe(10_000)
  })

  test('shows its headers and metadata, and cuts no power that it was not allowed to', async () => {
    const s = await stand({
      headersFile: 'headers',
      metadata: { filename: 'ä.bin' },
      power: { cut: ['false'], restore: ['false'] },
    })
    await s.uploads.begin('x', { length: 10 })
    expect(s.asked[0]).toEqual({ authorization: 'Bearer abcdef', metadata: 'filename w6QuYmlu' })
    expect(await s.uploads.cut('1 s')).toBe(false)
    expect(s.seen.at(-1)).toMatchObject({ alias: 'uploads.lacks', payload: { what: 'power' } })
    expect(JSON.stringify(s.seen)).not.toContain('abcdef')
  })
})

test('a server that is not there is a rig fault, and so is a file of headers that is none', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'gridproof-client-'))
  cleanups.push(() => rmSync(folder, { recursive: true }))
  const nowhere = labUploads.parse({ url: 'http://127.0.0.1:1/files' })
  const refused: unknown = await remoteSite(nowhere, { realm, armed: false }).catch((e: unknown) => e)
  expect(isGridproofError(refused, 'rig-broke')).toBe(true)
})

describe('the server of uploads in a rig file', () => {
  test.each([
    ['a scheme that is neither http nor https', { url: 'ftp://192.0.2.1/files' }],
    ['TLS for an address without', { url: 'http://192.0.2.1/files', tls: { ca: 'ca.crt' } }],
    ['a certificate without its key', { url: 'https://192.0.2.1/files', tls: { cert: 'a.crt' } }],
    ['a command that is none', { url: 'http://192.0.2.1/files', power: { cut: [], restore: ['x'] } }],
  ])('is refused with %s', (_what, given) => {
    expect(labUploads.safeParse(given).success).toBe(false)
  })

  test('has its files beside it', () => {
    const u = uploadsFrom(
      labUploads.parse({
        url: 'https://192.0.2.1',
        tls: { ca: 'pki/ca.crt', key: '/k', cert: 'c' },
        headersFile: 'h',
      }),
      '/rigs',
    )
    expect(u.tls).toEqual({ ca: '/rigs/pki/ca.crt', key: '/k', cert: '/rigs/c' })
    expect(u.headersFile).toBe('/rigs/h')
  })
})
