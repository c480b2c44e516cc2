/** mqtt.js as released, used as its documentation shows: it publishes or subscribes, and tells what becomes of it. */
import { connect } from 'mqtt'
import type { Json, ProgramEnv } from '../../drivers/faces.ts'

export interface ClientConfig {
  readonly address: string
  readonly port: number
  /** Seconds. */
  readonly keepalive: number
  readonly publishes?: { readonly everyMs: number; readonly count: number }
  readonly subscribes?: true
}

export async function main(env: ProgramEnv): Promise<void> {
  const c = env.config as unknown as ClientConfig
  const log = (what: string, more: { readonly [k: string]: Json }): void => env.log({ what, ...more })
  let connection = 0
  /** On which connection each message was met first. */
  const met = new Map<number, number>()
  const client = connect({
    protocol: 'mqtt',
    host: c.address,
    port: c.port,
    clientId: 'site',
    clean: false,
    keepalive: c.keepalive,
    reconnectPeriod: 1000,
    connectTimeout: 10_000,
  })
  client.on('error', () => undefined)
  client.on('connect', (ack) => {
    connection++
    log('connected', { connection, 'session present': ack.sessionPresent })
    if (c.subscribes === true && !ack.sessionPresent) client.subscribe('to-site', { qos: 1 }, () => undefined)
  })
  client.on('packetreceive', (p) => {
    if (p.cmd !== 'publish') return
    const { n } = JSON.parse(String(p.payload)) as { n: number }
    const first = met.get(n)
    if (first === undefined) met.set(n, connection)
    // The same message on another connection of the same session: a delivery that is made again.
    const again = first !== undefined && first !== connection
    log('received', { n, dup: p.dup, again, connection, 'packet id': p.messageId ?? 0 })
  })
  let n = 0
  const timer =
    c.publishes === undefined
      ? undefined
      : setInterval(() => {
          const mine = ++n
          if (mine >= (c.publishes?.count ?? 0)) clearInterval(timer)
          log('published', { n: mine })
          client.publish('from-site', JSON.stringify({ n: mine }), { qos: 1 }, (e) => {
            if (e === null || e === undefined) log('acknowledged', { n: mine })
            else log('failed', { n: mine, why: e.message })
          })
        }, c.publishes.everyMs)
  await new Promise<void>((done) => env.term.addEventListener('abort', () => done()))
  clearInterval(timer)
  client.end(true)
}
