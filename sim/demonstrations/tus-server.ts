/** The tus project's server with its file store, as released, on a disk of its own. */
import { createServer } from 'node:http'
import { join } from 'node:path'
import { FileStore } from '@tus/file-store'
import { Server } from '@tus/server'
import type { ProgramEnv } from '../../drivers/faces.ts'

export async function main(env: ProgramEnv): Promise<void> {
  const { port } = env.config as unknown as { readonly port: number }
  const tus = new Server({ path: '/files', datastore: new FileStore({ directory: join(env.disk, 'files') }) })
  const server = createServer((q, r) => void tus.handle(q, r))
  await new Promise<void>((done) => server.listen(port, env.address, done))
  env.log({ what: 'listening' })
  await new Promise<void>((done) => env.term.addEventListener('abort', () => done()))
  server.closeAllConnections()
  await new Promise<void>((done) => server.close(() => done()))
}
