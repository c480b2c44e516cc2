/** One program with many ways to behave, for the tests of hosts. */
import { createServer } from 'node:net'
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ProgramEnv } from '../../faces.ts'

const self = 'drivers/real/testing/programs.ts'

const aborted = (s: AbortSignal): Promise<void> =>
  new Promise((done) => {
    if (s.aborted) done()
    else s.addEventListener('abort', () => done(), { once: true })
  })

/** Waits for ever, whatever happens. */
const forever = (): Promise<never> =>
  new Promise(() => {
    setInterval(() => {}, 1_000_000)
  })

const ways: Readonly<Record<string, (env: ProgramEnv) => Promise<number | void>>> = {
  /** Logs what it was given and ends with 7. */
  async tell(env) {
    env.log({
      name: env.name,
      address: env.address,
      disk: env.disk,
      config: env.config,
      defects: env.defects,
    })
    process.stdout.write('to standard output\n')
    return 7
  },
  /** Ends in order at TERM, leaving a mark on the disk. */
  async obedient(env) {
    env.log({ pid: process.pid })
    const beat = setInterval(() => {}, 1000)
    await aborted(env.term)
    clearInterval(beat)
    appendFileSync(join(env.disk, 'marks'), 'term\n')
    env.log('bye')
  },
  async stubborn(env) {
    env.log({ pid: process.pid })
    return forever()
  },
  /** Never gives its thread back: no channel, no signal handler of its own would be seen. */
  async hog(env) {
    env.log({ pid: process.pid })
    await new Promise((done) => {
      setImmediate(done)
    })
    for (;;);
  },
  async crash() {
    throw new Error('on purpose')
  },
  /** Starts a child and a grandchild, and stays. */
  async family(env) {
    env.log({ pid: process.pid })
    await env.start('child', { entry: self, config: { way: 'parent' }, defects: [] })
    env.log('child runs')
    await aborted(env.term)
    return 3
  },
  async parent(env) {
    env.log({ pid: process.pid })
    await env.start('grandchild', { entry: self, config: { way: 'stubborn' }, defects: [] })
    return forever()
  },
  /** Supervises: starts a child, ends it, and says how it ended; asks for one that is not there. */
  async supervisor(env) {
    const child = await env.start('worker', {
      entry: self,
      config: { way: 'obedient' },
      defects: [],
    })
    child.signal('TERM')
    env.log({ worker: await child.ended })
    const other = await env.start('other', {
      entry: self,
      config: { way: 'stubborn' },
      defects: [],
    })
    other.signal('KILL')
    env.log({ other: await other.ended })
    const none = { entry: 'drivers/real/testing/none.ts', config: null, defects: [] }
    await env.start('none', none).catch((e: { code?: string }) => env.log({ none: e.code ?? '' }))
  },
  /** Holds a TCP port of its host's address until it is killed. */
  async listens(env) {
    const s = createServer(() => {})
    await new Promise<void>((done) => {
      s.listen({ host: env.address, port: 0 }, done)
    })
    env.log({ port: (s.address() as { port: number }).port })
    return forever()
  },
}

export async function main(env: ProgramEnv): Promise<number | void> {
  const { way } = env.config as { way: string }
  return ways[way]?.(env)
}
