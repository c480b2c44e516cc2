/**
 * What the data centre keeps: a virtual RTU for each platform, and its rows. A batch is taken whole or not at all, in one
 * transaction that is on the disk before anybody hears of it; a batch that comes again is known by its name.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { gunzipSync } from 'node:zlib'
import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { UploadedRow as Row } from '../../faces.ts'

const row = z.strictObject({
  table: z.string().min(1).max(200),
  id: z.int().min(0),
  timestamp: z.int(),
  subTopic: z.string().nullable(),
  data: z.string(),
})

export interface Batch {
  readonly rtu: string
  /** Its own name, given by whoever made it; the same when it is sent again. */
  readonly batch: string
  /** Of what it came packed in, hexadecimal. */
  readonly sha256: string
  readonly rows: readonly Row[]
}

/** Largest batch after it was unpacked, in bytes. Ours. */
const longestUnpacked = 512 * 1024 * 1024

export type Unpacked =
  | { readonly ok: true; readonly rows: readonly Row[] }
  | { readonly ok: false; readonly why: string }

/** Lines of JSON, one a row, as they come out of an upload: gzip, and the SHA-256 (hexadecimal) of what is packed. */
export function unpack(packed: Uint8Array, sha256: string): Unpacked {
  const digest = createHash('sha256').update(packed).digest('hex')
  if (digest !== sha256) return { ok: false, why: `its SHA-256 is ${digest}, and not what was told` }
  let text: string
  try {
    text = gunzipSync(packed, { maxOutputLength: longestUnpacked }).toString('utf8')
  } catch (e) {
    return { ok: false, why: `it cannot be unpacked: ${e instanceof Error ? e.message : String(e)}` }
  }
  const rows: Row[] = []
  for (const [i, line] of text.split('\n').entries()) {
    if (line === '') continue
    const r = row.safeParse(parsed(line))
    if (!r.success) return { ok: false, why: `line ${i + 1} is no row` }
    rows.push(r.data)
  }
  return { ok: true, rows }
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

export interface Rtus {
  /** Takes a batch; false: it was taken before. Throws what SQLite throws: nothing of it counts then. */
  take(b: Batch): boolean
  /** Whether this batch, as packed so, was taken. */
  has(b: Omit<Batch, 'rows'>): boolean
  readonly names: readonly string[]
  rows(rtu: string): readonly Row[]
  count(rtu: string): number
  close(): void
}

export function openRtus(folder: string): Rtus {
  mkdirSync(folder, { recursive: true })
  const db = new DatabaseSync(join(folder, 'rtus.sqlite'))
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
  db.exec(`CREATE TABLE IF NOT EXISTS batches (rtu TEXT NOT NULL, batch TEXT NOT NULL, sha256 TEXT NOT NULL,
    PRIMARY KEY (rtu, batch)) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS rows (seq INTEGER PRIMARY KEY, rtu TEXT NOT NULL, tbl TEXT NOT NULL, id INTEGER NOT NULL,
    timestamp INTEGER NOT NULL, sub TEXT, data TEXT NOT NULL);
    CREATE INDEX IF NOT EXISTS byRtu ON rows (rtu, seq)`)
  const known = db.prepare('SELECT sha256 FROM batches WHERE rtu = ? AND batch = ?')
  const note = db.prepare('INSERT INTO batches VALUES (?, ?, ?)')
  const insert = db.prepare('INSERT INTO rows (rtu, tbl, id, timestamp, sub, data) VALUES (?, ?, ?, ?, ?, ?)')
  const list = db.prepare(
    'SELECT tbl AS "table", id, timestamp, sub AS subTopic, data FROM rows WHERE rtu = ? ORDER BY seq',
  )
  const counted = db.prepare('SELECT count(*) AS n FROM rows WHERE rtu = ?')
  const named = db.prepare('SELECT DISTINCT rtu FROM batches ORDER BY rtu')
  return {
    take(b) {
      if (known.get(b.rtu, b.batch) !== undefined) return false
      db.exec('BEGIN IMMEDIATE')
      try {
        note.run(b.rtu, b.batch, b.sha256)
        for (const r of b.rows) insert.run(b.rtu, r.table, r.id, r.timestamp, r.subTopic, r.data)
        db.exec('COMMIT')
      } catch (e) {
        db.exec('ROLLBACK')
        throw e
      }
      return true
    },
    has: (b) => known.get(b.rtu, b.batch)?.['sha256'] === b.sha256,
    get names() {
      return named.all().map((r) => String(r['rtu']))
    },
    rows: (rtu) => list.all(rtu) as unknown as Row[],
    count: (rtu) => Number(counted.get(rtu)?.['n'] ?? 0),
    close: () => db.close(),
  }
}
