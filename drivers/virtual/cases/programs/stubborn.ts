/** A program that, once it runs, tries everything again and again without a pause and forgives every error. */
import { appendFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { ProgramEnv } from '../../../faces.ts'

export async function main(env: ProgramEnv): Promise<void> {
  const db = new DatabaseSync(join(env.disk, 'app.db'))
  db.exec('create table t (n integer)')
  const insert = db.prepare('insert into t values (?)')
  const attempt = (f: () => unknown): void => {
    try {
      f()
    } catch {
      // Tries again.
    }
  }
  await new Promise((done) => setTimeout(done, 100))
  for (let i = 0; i < 1000; i++) {
    attempt(() => appendFileSync(join(env.disk, 'app.log'), 'x\n'))
    attempt(() => insert.run(i))
    attempt(() => connect(700, '10.0.0.9').on('error', () => {}))
    attempt(() => env.log({ i }))
    attempt(() => new DatabaseSync(join(env.disk, 'new.db')).exec('create table if not exists u (n)'))
    // Awaits without a pause: after the cut this is where a retry loop must come to rest.
    await Promise.resolve()
  }
  for (;;) {
    try {
      await new Promise((done) => setTimeout(done, 10))
    } catch {
      // Tries again, at once.
    }
  }
}
