/** The tus project's server with its file store, as released, on a disk of its own. */
import { createServer } from 'node:http'
import { join } from 'node:path'
import { FileStore } from '@tus/file-store'
import { Server } from '@tus/server'
import type { ProgramEnv } from '../../drivers/faces.ts'
import { patientLocker } from './patient-locker.ts'

/** Set by whoever judges the server, so that there is something to judge. */
interface TusLimits {
  /** Largest upload, bytes. */
  readonly maxSize: number
  /** ms */
  readonly expiresAfter: number
}

export async function main(env: ProgramEnv): Promise<void> {
  const { port, limits } = env.config as unknown as { readonly port: number; readonly limits?: TusLimits }
  const directory = join(env.disk, 'files')
  const tus = new Server({
    path: '/files',
    datastore: new FileStore(
      limits === undefined
        ? { directory }
        : { directory, expirationPeriodInMilliseconds: limits.expiresAfter },
    ),
    ...(limits === undefined ? {} : { maxSize: limits.maxSize, locker: patientLocker() }),
  })
  const server = createServer((q, r) => void tus.handle(q, r))
  await new Promise<void>((done) => server.listen(port, env.address, done))
  env.log({ what: 'listening' })
  await new Promise<void>((done) => env.term.addEventListener('abort', () => done()))
  server.closeAllConnections()
  await new Promise<void>((done) => server.close(() => done()))
}
