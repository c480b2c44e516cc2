/** A program that dies within a transaction. */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { ProgramEnv } from '../../../faces.ts'

export async function main(env: ProgramEnv): Promise<void> {
  const db = new DatabaseSync(join(env.disk, 'a.db'))
  db.exec('pragma journal_mode = wal; create table if not exists t (n integer)')
  db.exec('insert into t values (1)')
  const { rows } = db.prepare('select count(*) rows from t').get() as { rows: number }
  env.log({ rows })
  await new Promise((done) => setTimeout(done, 1000))
  db.exec('begin immediate; insert into t values (2)')
  await new Promise(() => {})
}
