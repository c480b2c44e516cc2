/** Sends so many bytes at once, and waits. */
import { connect } from 'node:net'
import type { ProgramEnv } from '../../../drivers/faces.ts'

export async function main(env: ProgramEnv): Promise<void> {
  const { port, address, bytes } = env.config as { port: number; address: string; bytes: number }
  const s = connect(port, address)
  s.on('error', () => undefined)
  s.write(Buffer.alloc(bytes, 7))
  await new Promise<void>((done) => env.term.addEventListener('abort', () => done()))
}
