import { createHash, randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { Agent, createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { FileStore } from '@tus/file-store'
import { Server as TusServer } from '@tus/server'
import { afterEach, describe, expect, test } from 'vitest'
import { idsOf, nameOf, pack, readAnswer, reportOf, type Row } from './batch.ts'
import type { Line } from './line.ts'
import { sendOnce, soundSending } from './send.ts'
import { openSpool, type Spooled } from './spool.ts'
import { openVolume } from './volume.ts'

const cleanups: (() => void)[] = []
afterEach(() => {
  for (const f of cleanups.splice(0).toReversed()) f()
})

function folder(): string {
  const f = mkdtempSync(join(tmpdir(), 'gridproof-upload-'))
  cleanups.push(() => rmSync(f, { recursive: true }))
  return f
}

const rows: Row[] = [
  { table: 'a_b_01', id: 3, timestamp: 1_500_000_000, subTopic: 'x/y', data: '{"Value":1}' },
  { table: 'a_b_01', id: 4, timestamp: 1_500_000_060, subTopic: null, data: '{"Value":2}' },
  { table: 'error', id: 5, timestamp: 1_500_000_061, subTopic: null, data: '"text"' },
]

function batchOf(bytes: Uint8Array): Spooled {
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  return { name: 'one', rtu: 'site-1', sha256, ids: { a_b_01: [3] }, bytes, url: undefined }
}

describe('a batch', () => {
  test('is read from an answer of Data Storage', () => {
    const body = {
      Status: 8,
      Response: [
        {
          TableName: 'a_b_01',
          TableRows: [{ ID: 3, Timestamp: 1_500_000_000, SubTopic: 'x/y', Data: { Value: 1 } }],
        },
      ],
    }
    expect(readAnswer(body)).toEqual({ status: 8, rows: rows.slice(0, 1) })
    expect(readAnswer({ Status: 2, Response: [] })).toEqual({ status: 2, rows: [] })
    expect(readAnswer({ Status: 1, Response: [{ TableName: 'x' }] })).toBeUndefined()
    expect(readAnswer([])).toBeUndefined()
  })
  test('has its rows in packed lines, a name that depends on which they are alone, and a report of their IDs', () => {
    const lines = gunzipSync(pack(rows)).toString('utf8').trimEnd().split('\n')
    expect(lines.map((l) => JSON.parse(l) as unknown)).toEqual(rows)
    expect(nameOf(rows)).toBe(nameOf(rows.map((r) => ({ ...r, data: '0' }))))
    expect(nameOf(rows)).not.toBe(nameOf(rows.slice(1)))
    expect(reportOf(idsOf(rows))).toEqual({ NewData: [{ a_b_01: [3, 4] }, { error: [5] }] })
  })
})

describe('the spool', () => {
  test('holds its batch over a restart, and where it is sent to', () => {
    const f = folder()
    const b = batchOf(randomBytes(100))
    const first = openSpool(f)
    first.put(b)
    first.at('/files/1')
    expect(openSpool(f).held).toEqual({ ...b, url: '/files/1' })
    first.clear()
    expect(openSpool(f).held).toBeUndefined()
  })
  test('holds nothing that is not whole', () => {
    const f = folder()
    openSpool(f).put(batchOf(randomBytes(100)))
    truncateSync(join(f, 'batch.gz'), 50)
    expect(openSpool(f).held).toBeUndefined()
    writeFileSync(join(f, 'batch.json'), '{"name":')
    expect(openSpool(f).held).toBeUndefined()
  })
  test('flushes the bytes, the note and the folder before a batch counts', () => {
    const flushed: number[] = []
    openSpool(folder(), { flush: (fd) => void flushed.push(fd) }).put(batchOf(randomBytes(10)))
    expect(flushed).toHaveLength(4)
  })
})

test('the volume is of a month, and is kept', () => {
  const file = join(folder(), 'volume.json')
  const v = openVolume(file, Date.UTC(2018, 0, 15), 1000)
  v.keep({ sent: 300, received: 100 }, Date.UTC(2018, 0, 16))
  expect(v.used()).toBe(400)
  const again = openVolume(file, Date.UTC(2018, 0, 17), 1000)
  expect(again.isSpent({ sent: 599, received: 0 }, Date.UTC(2018, 0, 18))).toBe(false)
  expect(again.isSpent({ sent: 600, received: 0 }, Date.UTC(2018, 0, 18))).toBe(true)
  expect(again.isSpent({ sent: 600, received: 0 }, Date.UTC(2018, 1, 1))).toBe(false)
})

/** A line over plain HTTP. `cut`: the connection is broken so many bytes into the body of the n-th request that has one. */
function plainLine(
  port: number,
  cut: (n: number) => number | undefined = () => undefined,
): Line & { sent: number } {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  cleanups.push(() => agent.destroy())
  let n = 0
  const line = {
    sent: 0,
    ask: (method: string, path: string, headers: Readonly<Record<string, string>> = {}, body?: Uint8Array) =>
      new Promise<Awaited<ReturnType<Line['ask']>>>((resolve, reject) => {
        const length = { 'content-length': String(body?.length ?? 0) }
        const q = request(
          { host: '127.0.0.1', port, method, path, agent, headers: { ...headers, ...length } },
          (r) => {
            const parts: Buffer[] = []
            r.on('data', (b: Buffer) => parts.push(b))
            r.on('end', () =>
              resolve({
                status: r.statusCode ?? 0,
                headers: r.headers as Record<string, string | undefined>,
                body: Buffer.concat(parts),
              }),
            )
          },
        )
        q.on('error', reject)
        const at = body === undefined ? undefined : cut(++n)
        if (at === undefined || body === undefined) {
          line.sent += body?.length ?? 0
          q.end(body)
        } else {
          line.sent += at
          q.write(body.subarray(0, at), () => q.destroy(new Error('the link is cut')))
        }
      }),
    volume: () => ({ sent: line.sent, received: 0 }),
    close: () => agent.destroy(),
  }
  return line
}

/** The tus project's own server and store. */
async function others(): Promise<{ readonly port: number; readonly directory: string }> {
  const directory = folder()
  mkdirSync(directory, { recursive: true })
  const tus = new TusServer({ path: '/files', datastore: new FileStore({ directory }) })
  const server: Server = createServer((q, r) => void tus.handle(q, r))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanups.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, directory }
}

test("a batch gets to the tus project's own server whole, though the link is cut in every other piece", async () => {
  const { port, directory } = await others()
  const bytes = randomBytes(100_000)
  const spool = openSpool(folder())
  spool.put(batchOf(bytes))
  const window = 16_384
  const line = plainLine(port, (n) => (n % 2 === 0 ? (n * 977) % window : undefined))
  let cuts = 0
  for (;;) {
    try {
      await sendOnce(soundSending, line, spool, '/files', window)
      break
    } catch {
      cuts++
    }
  }
  expect(cuts).toBeGreaterThan(3)
  const id = spool.held?.url?.slice('/files/'.length) ?? ''
  expect(readFileSync(join(directory, id)).equals(bytes)).toBe(true)
  expect(line.sent).toBeLessThanOrEqual(bytes.length + cuts * window)
})

test('a server that has forgotten an upload is told of it anew', async () => {
  const { port } = await others()
  const spool = openSpool(folder())
  spool.put(batchOf(randomBytes(500)))
  spool.at('/files/0123456789abcdef0123456789abcdef')
  const line = plainLine(port)
  await expect(sendOnce(soundSending, line, spool, '/files', 100)).rejects.toThrow(/404/)
  await sendOnce(soundSending, line, spool, '/files', 100)
})
