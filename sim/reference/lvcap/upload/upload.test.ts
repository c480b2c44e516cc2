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
import { idsOf, keyOf, nameOf, pack, readAnswer, reportOf, type Row } from './batch.ts'
import type { Line } from './line.ts'
import { sendOnce, soundSending } from './send.ts'
import { openSpool, type Spooled } from './spool.ts'
import { metered, openVolume, soundVolume, Spent } from './volume.ts'

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
  return { name: 'one', rtu: 'site-1', sha256, ids: { a_b_01: [3] }, rows: ['a'], bytes, url: undefined }
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
    expect(new Set(rows.map(keyOf)).size).toBe(3)
    expect(rows.map((r) => keyOf({ ...r, data: '0' }))).not.toEqual(rows.map(keyOf))
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
  test('remembers over a restart which rows were uploaded with the last batches', () => {
    const f = folder()
    const upload = (row: string, still: readonly string[] = []): void => {
      const spool = openSpool(f)
      spool.put({ ...batchOf(randomBytes(10)), rows: [row] })
      spool.clear(still)
    }
    const has = (...list: readonly string[]): boolean[] => list.map((row) => openSpool(f).has(row))
    expect(has('a')).toEqual([false])
    upload('a')
    upload('b')
    expect(has('a', 'b', 'c')).toEqual([true, true, false])
    upload('c', ['b'])
    expect(has('a', 'b', 'c')).toEqual([false, true, true])
    upload('d', ['b'])
    upload('e', ['b'])
    expect(has('b', 'c', 'd', 'e')).toEqual([true, false, true, true])
    writeFileSync(join(f, 'uploaded.json'), '[1,["x",')
    expect(has('e')).toEqual([false])
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

describe('the volume', () => {
  const budget = { bytes: 100_000, per: 'month', reserve: 0.2 } as const
  const at = (month: number, day: number): number => Date.UTC(2018, month, day)
  /** A line that has carried so many bytes. */
  const carrying = (sent: number): Line & { sent: number } => {
    const line = {
      sent,
      ask: () => Promise.reject(new Error('not asked here')),
      volume: () => ({ sent: line.sent, received: 0 }),
      cost: (n: number) => n,
      close: () => undefined,
    }
    return line
  }

  test('is of a month, of all lines together, and is kept over a restart', () => {
    const file = join(folder(), 'volume.json')
    const v = openVolume(soundVolume, file, at(0, 15), budget)
    const [one, two] = [carrying(7), carrying(0)]
    v.count(one)
    v.count(two)
    one.sent += 300
    two.sent += 100
    expect(v.used(at(0, 16))).toBe(400)
    v.keep(at(0, 16))
    const again = openVolume(soundVolume, file, at(0, 17), budget)
    expect(again.used(at(0, 17))).toBe(400)
    expect(again.used(at(1, 1))).toBe(0)
  })
  test('keeps a share back for what must not wait', () => {
    const v = openVolume(soundVolume, join(folder(), 'volume.json'), at(0, 15), budget)
    const line = carrying(0)
    v.count(line)
    line.sent = 75_000
    expect(v.affords(5_000, 'ordinary', at(0, 15))).toBe(true)
    expect(v.affords(5_001, 'ordinary', at(0, 15))).toBe(false)
    expect(v.affords(15_000, 'contact', at(0, 15))).toBe(true)
    expect(v.affords(15_001, 'contact', at(0, 15))).toBe(false)
    expect(v.affords(25_000, 'important', at(0, 15))).toBe(true)
    expect(v.affords(25_001, 'important', at(0, 15))).toBe(false)
    expect(v.affords(80_000, 'ordinary', at(1, 1))).toBe(true)
  })
  test('is never too small after a loss of power, and at most a 20th of the budget too large', () => {
    const file = join(folder(), 'volume.json')
    const v = openVolume(soundVolume, file, at(0, 15), budget)
    const line = carrying(0)
    v.count(line)
    for (let n = 0; n < 40; n++) {
      expect(v.affords(1_500, 'ordinary', at(0, 15))).toBe(true)
      line.sent += 1_400
      const after = openVolume(soundVolume, file, at(0, 15), budget).used(at(0, 15))
      expect(after).toBeGreaterThanOrEqual(line.sent)
      expect(after).toBeLessThanOrEqual(line.sent + 5_000 + 1_600)
    }
  })
  test('periods of seconds begin at midnight UTC', () => {
    const hourly = { ...budget, per: 3_600 }
    const v = openVolume(soundVolume, join(folder(), 'volume.json'), at(0, 15), hourly)
    const line = carrying(0)
    v.count(line)
    line.sent = 9
    expect(v.used(at(0, 15) + 3_599_999)).toBe(9)
    expect(v.used(at(0, 15) + 3_600_000)).toBe(0)
    expect(v.contactEvery).toBe(150_000)
  })
  test('a line with nothing left for it is asked nothing', async () => {
    const v = openVolume(soundVolume, join(folder(), 'volume.json'), at(0, 15), budget)
    const line = carrying(0)
    v.count(line)
    const asks = (n: number): Promise<unknown> =>
      Promise.resolve().then(() =>
        metered(line, v, 'ordinary', () => at(0, 15)).ask('PATCH', '/x', {}, Buffer.alloc(n)),
      )
    await expect(asks(80_000)).rejects.toThrow('not asked here')
    await expect(asks(80_001)).rejects.toThrow(Spent)
  })
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
    cost: (n: number) => n,
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
