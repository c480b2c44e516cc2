/**
 * The records on disk: one SQLite table for each instance (API section 7, table 3), and for each upload application what
 * it has uploaded. Write-ahead log, flushed at each commit: what `append` and `mark` have done when they return stays.
 *
 * IDs are unique over all tables and never given twice, so that an acknowledgement that comes twice, or late, can mean
 * no other record. They are counted up to 2^31 - 1 (section 8.1.1: an Integer fits 32 bits with sign).
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { iidPattern } from '../api.ts'
import { LvcapError } from '../errors.ts'
import { errorTable } from './config.ts'
import type { NewRecord } from './intake.ts'
import type { Marks, Query } from './query.ts'

export interface StoredRecord {
  readonly table: string
  readonly id: number
  readonly timestamp: number
  readonly subTopic: string | null
  readonly data: Uint8Array
}

export interface Found {
  readonly records: readonly StoredRecord[]
  /** There is more than was asked for. */
  readonly more: boolean
  /** The data of the records alone is longer than `maxBytes`: none were read. */
  readonly tooBig: boolean
}

/** Bounds of what is kept, for each table. */
export interface Keep {
  readonly records: number
  /** Added before this, Unix seconds: too old. Absent: none is. */
  readonly before?: number
}

/** How it is kept. Every method throws what SQLite throws; what it had begun is then undone. */
export interface Store {
  readonly tables: readonly string[]
  /** Makes the table of an instance, where there is none. */
  open(table: string): void
  append(records: readonly NewRecord[]): void
  /** The records that were appended last, of those that are still there, oldest first. */
  recent(n: number): readonly StoredRecord[]
  find(query: Query, maxBytes: number): Found
  mark(by: string, marks: Marks): void
  /** Lets the oldest go; returns how many. */
  purge(keep: Keep): number
  close(): void
}

/** Largest 32-bit integer with sign. */
const lastId = 2 ** 31 - 1

interface Prepared {
  readonly insert: StatementSync
  readonly get: StatementSync
  readonly mark: StatementSync
}

interface Line {
  readonly ID: number
  readonly Size: number
}

/** When SQLite flushes (PRAGMA synchronous): a commit keeps its promise by FULL in a write-ahead log, else by EXTRA alone. */
export type Synchronous = 'EXTRA' | 'FULL' | 'NORMAL' | 'OFF'

/** And how it can undo what it had begun (PRAGMA journal_mode). */
export type Journal = 'WAL' | 'DELETE'

/** Opens, or makes, the database below a folder of the disk. */
export function openStore(
  folder: string,
  synchronous: Synchronous = 'FULL',
  journal: Journal = 'WAL',
): Store {
  mkdirSync(folder, { recursive: true })
  const db = new DatabaseSync(join(folder, 'records.db'))
  db.exec(`PRAGMA journal_mode=${journal}; PRAGMA synchronous=${synchronous}; PRAGMA busy_timeout=2000`)
  db.exec(`
    CREATE TABLE IF NOT EXISTS counter (next INTEGER NOT NULL);
    INSERT INTO counter SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM counter);
    CREATE TABLE IF NOT EXISTS uploaded (
      reader TEXT NOT NULL, source TEXT NOT NULL, ID INTEGER NOT NULL, PRIMARY KEY (reader, source, ID)
    ) WITHOUT ROWID`)
  const take = db.prepare('UPDATE counter SET next = next + 1 WHERE next <= ? RETURNING next - 1 AS id')
  const tables = new Map<string, Prepared>()
  const queries = new Map<string, StatementSync>()

  const prepare = (sql: string): StatementSync => {
    let s = queries.get(sql)
    if (s === undefined) {
      s = db.prepare(sql)
      queries.set(sql, s)
    }
    return s
  }
  const within = <T>(work: () => T): T => {
    db.exec('BEGIN IMMEDIATE')
    try {
      const result = work()
      db.exec('COMMIT')
      return result
    } catch (error) {
      // SQLite has undone some failures by itself; then there is nothing left to undo.
      if (db.isTransaction) db.exec('ROLLBACK')
      throw error
    }
  }
  const open = (table: string): Prepared => {
    const known = tables.get(table)
    if (known !== undefined) return known
    if (table !== errorTable && !iidPattern.test(table))
      throw new LvcapError('config', `'${table}' is no instance ID, so there is no table of that name.`)
    // The pattern leaves no room for a quote in it.
    db.exec(`CREATE TABLE IF NOT EXISTS "${table}" (
      ID INTEGER PRIMARY KEY, Timestamp INTEGER NOT NULL, SubTopic TEXT, Data BLOB NOT NULL)`)
    const made: Prepared = {
      insert: db.prepare(`INSERT INTO "${table}" (ID, Timestamp, SubTopic, Data) VALUES (?, ?, ?, ?)`),
      get: db.prepare(`SELECT Timestamp, SubTopic, Data FROM "${table}" WHERE ID = ?`),
      mark: db.prepare(
        `INSERT OR IGNORE INTO uploaded (reader, source, ID) SELECT ?, ?, ID FROM "${table}" WHERE ID = ?`,
      ),
    }
    tables.set(table, made)
    return made
  }
  const existing = db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all()
  for (const { name } of existing as { name: string }[])
    if (name === errorTable || iidPattern.test(name)) open(name)

  /** IDs and sizes of the first `max` + 1 records of a table that fit. */
  const scan = (table: string, q: Query): readonly (Line & { readonly table: string })[] => {
    const words: string[] = []
    const values: (string | number)[] = []
    const where = (text: string, ...v: (string | number)[]): void => {
      words.push(text)
      values.push(...v)
    }
    if (q.after !== undefined) where('Timestamp > ?', q.after)
    if (q.before !== undefined) where('Timestamp < ?', q.before)
    if (q.subTopic === null) where('SubTopic IS NULL')
    else if (q.subTopic !== undefined) where('SubTopic = ?', q.subTopic)
    if (q.api === 'newdata')
      where(
        `NOT EXISTS (SELECT 1 FROM uploaded u WHERE u.reader = ? AND u.source = ? AND u.ID = "${table}".ID)`,
        q.by,
        table,
      )
    const condition = words.length === 0 ? '' : `WHERE ${words.join(' AND ')}`
    const sql = `SELECT ID, length(Data) AS Size FROM "${table}" ${condition} ORDER BY ID ${q.oldest ? 'ASC' : 'DESC'} LIMIT ?`
    const lines = prepare(sql).all(...values, q.max + 1) as unknown as Line[]
    return lines.map((l) => ({ ...l, table }))
  }

  const read = (table: string, id: number): StoredRecord => {
    const row = open(table).get.get(id) as { Timestamp: number; SubTopic: string | null; Data: Uint8Array }
    return { table, id, timestamp: row.Timestamp, subTopic: row.SubTopic, data: row.Data }
  }

  return {
    get tables() {
      return [...tables.keys()].toSorted()
    },
    open: (table) => void open(table),
    append(records) {
      within(() => {
        for (const r of records) {
          const { insert } = open(r.table)
          const row = take.get(lastId) as { id: number } | undefined
          if (row === undefined) throw new LvcapError('overflow', `All IDs up to ${lastId} have been given.`)
          insert.run(row.id, r.timestamp, r.subTopic, r.data)
        }
      })
    },
    recent(n) {
      const lines = [...tables.keys()].flatMap((table) =>
        (prepare(`SELECT ID FROM "${table}" ORDER BY ID DESC LIMIT ?`).all(n) as { ID: number }[]).map(
          (l) => ({ table, id: l.ID }),
        ),
      )
      const newest = lines.sort((x, y) => y.id - x.id).slice(0, n)
      return newest.toReversed().map((l) => read(l.table, l.id))
    },
    find(q, maxBytes) {
      const all = q.tables
        .filter((t) => tables.has(t))
        .flatMap((t) => scan(t, q))
        .sort((a, b) => (q.oldest ? a.ID - b.ID : b.ID - a.ID))
      // History comes from one table at a time (section 8.6): that of the record that is first.
      const mine = q.api === 'history' ? all.filter((l) => l.table === all[0]?.table) : all
      const chosen = mine.slice(0, q.max)
      const more = all.length > chosen.length
      if (chosen.reduce((sum, l) => sum + l.Size, 0) > maxBytes) return { records: [], more, tooBig: true }
      return { records: chosen.map((l) => read(l.table, l.ID)), more, tooBig: false }
    },
    mark(by, marks) {
      within(() => {
        for (const { table, ids } of marks) {
          const known = tables.get(table)
          if (known === undefined) continue
          for (const id of ids) known.mark.run(by, table, id)
        }
      })
    },
    purge(keep) {
      return within(() => {
        let gone = 0
        for (const table of tables.keys()) {
          const old = prepare(`DELETE FROM "${table}" WHERE Timestamp < ?`)
          // Every record but the newest ones, by ID: times may have been set back meanwhile.
          const surplus = prepare(
            `DELETE FROM "${table}" WHERE ID <= (SELECT ID FROM "${table}" ORDER BY ID DESC LIMIT 1 OFFSET ?)`,
          )
          const forget = prepare(
            `DELETE FROM uploaded WHERE source = ? AND ID NOT IN (SELECT ID FROM "${table}")`,
          )
          const n = Number(surplus.run(keep.records).changes)
          const m = keep.before === undefined ? 0 : Number(old.run(keep.before).changes)
          if (n + m > 0) forget.run(table)
          gone += n + m
        }
        return gone
      })
    },
    close: () => db.close(),
  }
}
