import { createHash, randomBytes } from 'node:crypto'
import { fsyncSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { LvcapError } from '../../errors.ts'
import type { Line } from '../../upload/line.ts'
import { openDownloads, readJobs, soundDownloads, type DownloadParts, type Job } from './downloads.ts'
import { awayBy, openLife } from './life.ts'
import { openNotices } from './notices.ts'
import { outageReport } from './outage.ts'

const cleanups: (() => void)[] = []
afterEach(() => {
  for (const f of cleanups.splice(0)) f()
})
function folder(): string {
  const f = mkdtempSync(join(tmpdir(), 'gridproof-comms-'))
  cleanups.push(() => rmSync(f, { recursive: true }))
  return f
}
const flush = (fd: number): void => fsyncSync(fd)
const parts: DownloadParts = { ...soundDownloads, flushPart: flush }

function jobOf(bytes: Uint8Array, id = 'one'): Job {
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  return { id, kind: 'software', name: `${id}.tar`, size: bytes.length, sha256, path: `/downloads/${id}` }
}

/** A server of one file; `cut` says after how many bytes of an answer the link goes. */
function served(bytes: Uint8Array, cut: () => number | undefined = () => undefined): Line & { sent: number } {
  const etag = `"${createHash('sha256').update(bytes).digest('hex')}"`
  const line = {
    sent: 0,
    async ask(...[, , headers = {}, , take]: Parameters<Line['ask']>) {
      const m = /^bytes=(\d+)-(\d+)$/.exec(headers['range'] ?? '')
      const applies = m !== null && (headers['if-range'] ?? etag) === etag
      const [from, to] = applies ? [Number(m[1]), Number(m[2]) + 1] : [0, bytes.length]
      const begun = {
        status: applies ? 206 : 200,
        headers: { etag, 'content-range': applies ? `bytes ${from}-${to - 1}/${bytes.length}` : undefined },
      }
      const taken = take?.(begun)
      const left = Math.min(cut() ?? Infinity, to - from)
      taken?.(bytes.subarray(from, from + left))
      line.sent += left
      if (left < to - from) throw new LvcapError('link', 'the answer broke off')
      return { ...begun, body: Buffer.alloc(0) }
    },
    volume: () => ({ sent: 0, received: 0 }),
    cost: (n: number) => n,
    close: () => undefined,
  }
  return line
}

describe('a download', () => {
  test('goes on at the byte where it broke off, over restarts of the program, and is installed whole', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(5_000), { maxLength: 12 }), async (cuts) => {
        const at = folder()
        const bytes = randomBytes(20_000)
        const left = [...cuts]
        const line = served(bytes, () => left.shift())
        const j = jobOf(bytes)
        for (let n = 0; n <= cuts.length; n++) {
          const d = openDownloads(parts, at, 4_096, flush)
          if (d.has(j)) break
          await d.get(line, j).catch(() => undefined)
        }
        expect(openDownloads(parts, at, 4_096, flush).has(j)).toBe(true)
        expect(readFileSync(join(at, 'downloads/software/one.tar')).equals(bytes)).toBe(true)
        expect(line.sent).toBe(bytes.length)
        expect(readdirSync(join(at, 'coming'))).toEqual([])
      }),
      { numRuns: 15 },
    )
  })
  test('begins anew where the server has replaced the file, and is not installed with a wrong digest', async () => {
    const at = folder()
    const [first, second] = [randomBytes(9_000), randomBytes(9_000)]
    const d = openDownloads(parts, at, 1_000, flush)
    let n = 0
    const breaking = served(first, () => (++n > 4 ? 0 : undefined))
    await expect(d.get(breaking, jobOf(first))).rejects.toThrow(/broke off/)
    await d.get(served(second), jobOf(second))
    expect(readFileSync(join(at, 'downloads/software/one.tar')).equals(second)).toBe(true)
    const wrong = { ...jobOf(first, 'two'), sha256: '0'.repeat(64) }
    await expect(d.get(served(first), wrong)).rejects.toThrow(/anew/)
    expect(d.has(wrong)).toBe(false)
    expect(readdirSync(join(at, 'downloads/software'))).toEqual(['one.tar'])
  })
  test('is known again though power went before it was noted', async () => {
    const at = folder()
    const bytes = randomBytes(100)
    await openDownloads(parts, at, 1_000, flush).get(served(bytes), jobOf(bytes))
    rmSync(join(at, 'installed.json'))
    const again = openDownloads(parts, at, 1_000, flush)
    expect(again.has(jobOf(bytes))).toBe(true)
    expect(again.isTold(jobOf(bytes))).toBe(false)
  })
  test('is of a list in which what is no job is passed over', () => {
    const j = jobOf(randomBytes(1))
    expect(readJobs(Buffer.from(JSON.stringify({ jobs: [j, { ...j, name: '../x' }, 3] })))).toEqual([j])
    expect(readJobs(Buffer.from('{'))).toBeUndefined()
    fc.assert(fc.property(fc.uint8Array(), (b) => void readJobs(b)))
  })
})

describe('an outage', () => {
  test('is known by the last sign of life, and is none where only the app was restarted or all ended well', () => {
    const at = folder()
    const life = openLife(at, 100, flush)
    expect(life.before).toBeUndefined()
    life.mark(1_000, false)
    life.mark(6_000, false)
    expect(openLife(at, 100, flush).before).toMatchObject({ started: 100, at: 6_000 })
    // The newer one was cut short: the one before counts.
    const cut = readdirSync(at).find((f) => readFileSync(join(at, f), 'utf8').includes('6000')) ?? ''
    writeFileSync(join(at, cut), '{"n":2,"sta')
    const before = openLife(at, 200, flush).before
    expect(before).toMatchObject({ at: 1_000 })
    expect(awayBy(before, 200, 30_000)).toEqual({ started: 200, lastSign: 1_000, restored: 30_000 })
    expect(awayBy(before, 100, 30_000)).toBeUndefined()
    expect(awayBy({ n: 1, started: 1, at: 1, closed: true }, 2, 3)).toBeUndefined()
    expect(awayBy(undefined, 2, 3)).toBeUndefined()
  })
  test('is reported with what was due and is missing, and no more than is known', () => {
    const away = { started: 59_000, lastSign: 21_000, restored: 60_000 }
    const records = [
      { instance: 'a_b_01', stored: [20, 16, 12, 8, 4] },
      { instance: 'a_b_02', stored: [] },
    ]
    expect(outageReport(away, records, { serial: 's', location: 'l' }, 5)).toEqual({
      id: 'outage-59000',
      kind: 'outage',
      serial: 's',
      location: 'l',
      lastRecord: 20,
      lastSign: 21,
      restored: 60,
      offline: 39,
      uncertain: 5,
      lost: [{ instance: 'a_b_01', missing: 10, interval: 4 }],
    })
    expect(outageReport(away, [], { serial: 's', location: 'l' }, 5).lastRecord).toBeNull()
  })
})

test('notices are kept in order until they are taken', () => {
  const at = folder()
  openNotices(at, flush).add('outage-1', { id: 'one' })
  const n = openNotices(at, flush)
  n.add('outage-2', { id: 'two' })
  expect(n.next()).toEqual({ name: 'outage-1', body: { id: 'one' } })
  n.taken('outage-1')
  expect(n.next()).toEqual({ name: 'outage-2', body: { id: 'two' } })
})
