/**
 * Readings on their way out: on disk before anything is sent, gone once the broker has acknowledged them. What the thesis
 * lost while its network was away (chapter 8) waits here. SQLite, with a write-ahead log that is flushed for each reading kept.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

export interface Waiting {
  readonly sequence: number
  readonly payload: string
}

export interface Outbox {
  /** The number that the next reading gets: one more than any before, over restarts too. */
  next(): number
  /** Keeps a reading; it is on the disk when this returns. Throws what SQLite throws. */
  keep(w: Waiting): void
  /** The oldest after a number. */
  after(sequence: number, most: number): readonly Waiting[]
  /** It has arrived: it need not be kept. Never throws: a disk that takes no deletion now is asked again later. */
  done(sequence: number): void
  /** Lets the oldest go above so many; returns how many went. */
  trim(most: number): number
  readonly size: number
  close(): void
}

export function openOutbox(folder: string): Outbox {
  mkdirSync(folder, { recursive: true })
  const db = new DatabaseSync(join(folder, 'outbox.db'))
  db.exec('PRAGMA journal_mode=WAL; PRAGMA busy_timeout=2000')
  db.exec(`
    CREATE TABLE IF NOT EXISTS waiting (sequence INTEGER PRIMARY KEY, payload TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS counter (last INTEGER NOT NULL);
    INSERT INTO counter SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM counter)`)
  const insert = db.prepare('INSERT INTO waiting (sequence, payload) VALUES (?, ?)')
  const count = db.prepare('UPDATE counter SET last = ?')
  const after = db.prepare(
    'SELECT sequence, payload FROM waiting WHERE sequence > ? ORDER BY sequence LIMIT ?',
  )
  const remove = db.prepare('DELETE FROM waiting WHERE sequence = ?')
  const oldest = db.prepare(
    'DELETE FROM waiting WHERE sequence IN (SELECT sequence FROM waiting ORDER BY sequence LIMIT ?)',
  )
  const first = (sql: string): number => Number(Object.values(db.prepare(sql).get() ?? { n: 0 })[0])
  let last = first('SELECT last FROM counter')
  let size = first('SELECT count(*) FROM waiting')
  /** Arrived, and still on a disk that took no deletion: must not be sent again. */
  const arrived = new Set<number>()

  /** Flushed: on the disk itself when it returns. Else with the operating system: a loss of power may undo it, a crash not. */
  const transaction = (flushed: boolean, work: () => void): void => {
    db.exec(`PRAGMA synchronous=${flushed ? 'FULL' : 'NORMAL'}; BEGIN IMMEDIATE`)
    try {
      work()
      db.exec('COMMIT')
    } catch (e) {
      try {
        db.exec('ROLLBACK')
      } catch {
        // SQLite has rolled back by itself, as it does on a full disk.
      }
      throw e
    }
  }
  const clear = (): void => {
    if (arrived.size === 0) return
    let gone = 0
    try {
      // Undone by a loss of power, it is sent once more under its number, which is allowed; a flush each would set the pace.
      transaction(false, () => {
        for (const n of arrived) gone += Number(remove.run(n).changes)
      })
    } catch {
      return
    }
    arrived.clear()
    size -= gone
  }

  return {
    get size() {
      return size - arrived.size
    },
    next: () => last + 1,
    keep(w) {
      // First what frees room.
      clear()
      transaction(true, () => {
        insert.run(w.sequence, w.payload)
        count.run(w.sequence)
      })
      last = w.sequence
      size++
    },
    after(sequence, most) {
      const rows = after.all(sequence, most + arrived.size).map((row) => ({
        sequence: Number(row['sequence']),
        payload: String(row['payload']),
      }))
      return (arrived.size === 0 ? rows : rows.filter((r) => !arrived.has(r.sequence))).slice(0, most)
    },
    done(sequence) {
      arrived.add(sequence)
      clear()
    },
    trim(most) {
      const over = size - arrived.size - most
      if (over <= 0) return 0
      clear()
      if (arrived.size > 0) return 0
      const gone = Number(oldest.run(over).changes)
      size -= gone
      return gone
    },
    close() {
      clear()
      db.close()
    },
  }
}
