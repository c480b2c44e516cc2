/**
 * A program that is never still: timers, awaited functions, sockets as client and server, files, a database. It goes
 * on after every error, so that only death stops it.
 */
import { appendFile } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ProgramEnv } from '../../../faces.ts'

export async function main(env: ProgramEnv): Promise<void> {
  const { peers } = env.config as { peers?: readonly string[] }
  const db = new DatabaseSync(join(env.disk, `${env.name}.db`))
  db.exec('pragma journal_mode = wal; create table if not exists t (n integer, at real)')
  const insert = db.prepare('insert into t values (?, ?)')
  const server = createServer((s) => {
    s.on('error', () => {})
    s.pipe(s)
  })
  server.on('error', () => {})
  server.listen(env.config !== null && env.name === 'app' ? 700 : 0)
  for (const address of peers ?? []) keep(address)
  let n = 0
  setInterval(() => {
    try {
      insert.run(n++, Date.now())
    } catch {
      // Goes on.
    }
  }, 70)
  for (;;) {
    try {
      await step()
    } catch {
      // Goes on.
    }
  }

  async function step(): Promise<void> {
    await sleep(50)
    await log()
    insert.run(n++, Date.now())
  }
  async function log(): Promise<void> {
    await appendFile(join(env.disk, `${env.name}.log`), `${n}\n`)
    env.log({ n })
  }
  /** Talks to a peer for as long as it answers, and calls it again when it does not. */
  function keep(address: string): void {
    const s: Socket = connect(700, address)
    s.setTimeout(5000, () => s.destroy(new Error('silent')))
    s.on('error', () => {})
    s.on('data', () => {})
    const beat = setInterval(() => s.write(`${env.name} ${n}`), 100)
    s.on('close', () => {
      clearInterval(beat)
      setTimeout(() => keep(address), 1000)
    })
  }
}
