/** aedes as released, with its own store in memory: it takes what is published, and may publish by itself. */
import { createServer } from 'node:net'
import { Aedes } from 'aedes'
import type { Json, ProgramEnv } from '../../drivers/faces.ts'

export interface BrokerConfig {
  readonly port: number
  readonly publishes?: { readonly everyMs: number; readonly count: number }
}

export async function main(env: ProgramEnv): Promise<void> {
  const c = env.config as unknown as BrokerConfig
  const log = (what: string, more: { readonly [k: string]: Json }): void => env.log({ what, ...more })
  const broker = await Aedes.createBroker({ id: 'broker' })
  const server = createServer((s) => void broker.handle(s))
  await new Promise<void>((done) => server.listen(c.port, env.address, done))
  log('listening', {})
  broker.on('publish', (p, client) => {
    if (client === null || p.topic !== 'from-site') return
    const { n } = JSON.parse(String(p.payload)) as { n: number }
    log('taken', { n, dup: p.dup })
  })
  let n = 0
  const timer =
    c.publishes === undefined
      ? undefined
      : setInterval(() => {
          const mine = ++n
          if (mine >= (c.publishes?.count ?? 0)) clearInterval(timer)
          log('sends', { n: mine })
          broker.publish(
            {
              cmd: 'publish',
              topic: 'to-site',
              payload: Buffer.from(JSON.stringify({ n: mine })),
              qos: 1,
              retain: false,
              dup: false,
            },
            () => undefined,
          )
        }, c.publishes.everyMs)
  await new Promise<void>((done) => env.term.addEventListener('abort', () => done()))
  clearInterval(timer)
  await new Promise<void>((done) => {
    server.close(() => done())
    broker.close()
  })
}
