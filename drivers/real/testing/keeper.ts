/** A program that keeps numbers on its disk, by SQLite or in a file, and tells each one that it has kept: for tests of disks. */
import { fdatasyncSync, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ProgramEnv } from '../../faces.ts'

export interface KeeperConfig {
  readonly way: 'full' | 'normal' | 'file' | 'flushed-file'
  readonly everyMs: number
}

export async function main(env: ProgramEnv): Promise<void> {
  const { way, everyMs } = env.config as unknown as KeeperConfig
  const kept = way === 'full' || way === 'normal' ? inDatabase(env.disk, way) : inFile(env.disk, way)
  env.log({ found: kept.found })
  for (let n = kept.found; ; n++) {
    kept.keep(n)
    env.log({ kept: n + 1 })
    await sleep(everyMs)
  }
}

interface Kept {
  /** How many there are. */
  readonly found: number
  keep(n: number): void
}

function inDatabase(disk: string, way: 'full' | 'normal'): Kept {
  const db = new DatabaseSync(join(disk, 'kept.db'))
  db.exec(`pragma journal_mode = wal; pragma synchronous = ${way}; create table if not exists t (n integer)`)
  const insert = db.prepare('insert into t values (?)')
  const { found } = db.prepare('select count(*) found from t').get() as { found: number }
  return { found, keep: (n) => void insert.run(n) }
}

function inFile(disk: string, way: 'file' | 'flushed-file'): Kept {
  const path = join(disk, 'kept.txt')
  const fd = openSync(path, 'a')
  const found = readFileSync(path, 'utf8').split('\n').length - 1
  return {
    found,
    keep(n) {
      writeSync(fd, `${n}\n`)
      if (way === 'flushed-file') fdatasyncSync(fd)
    },
  }
}
