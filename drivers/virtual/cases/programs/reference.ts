/** The platform of the reference scenario: broker, readers of the devices, a store, an uploader. */
import { request, Agent } from 'node:http'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { createServer } from 'node:tls'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { Aedes } from 'aedes'
import modbus from 'modbus-serial'
import mqtt from 'mqtt'
import type { ProgramEnv } from '../../../faces.ts'
import type { TestPki } from '../certificates.ts'

export async function main(env: ProgramEnv): Promise<void> {
  const { pki, serial } = env.config as unknown as { pki: TestPki; serial: string }
  const broker = await Aedes.createBroker()
  const server = createServer(
    { ca: pki.ca, cert: pki.server.cert, key: pki.server.key, requestCert: true, rejectUnauthorized: true },
    broker.handle,
  )
  server.listen(8883)
  const client = (clientId: string, clean: boolean): mqtt.MqttClient =>
    mqtt.connect('mqtts://marketplace:8883', {
      clientId,
      clean,
      keepalive: 20,
      ca: pki.ca,
      cert: pki.client.cert,
      key: pki.client.key,
      will: { topic: 'gone', payload: Buffer.from(clientId), qos: 1, retain: false },
    })

  const db = new DatabaseSync(join(env.disk, 'store.db'))
  db.exec(
    'pragma journal_mode = wal; pragma synchronous = full; create table if not exists r (id integer primary key, topic text, v text, at integer)',
  )
  const insert = db.prepare('insert into r (topic, v, at) values (?, ?, ?)')
  const store = client('store', false)
  store.on(
    'connect',
    () => void store.subscribe({ 'tcp/#': { qos: 2 }, 'rtu/#': { qos: 1 }, gone: { qos: 1 } }),
  )
  store.on('message', (topic, m) => void insert.run(topic, m.toString(), Date.now()))

  const publisher = client(`publisher-${Math.random().toString(16).slice(2, 10)}`, true)
  void poll('tcp', 2, 5000, async () => {
    const c = new modbus.default()
    c.on('error', () => {})
    await c.connectTCP('10.0.0.5', { port: 502 })
    return c
  })
  void poll('rtu', 1, 3000, async () => {
    const c = new modbus.default()
    await c.connectRTUBuffered(serial, { baudRate: 9600, parity: 'even' })
    return c
  })
  const agent = new Agent({ keepAlive: true, timeout: 60_000 })
  let uploaded = 0
  for (;;) {
    await sleep(30_000)
    const rows = db.prepare('select id, topic, v, at from r where id > ? order by id').all(uploaded) as {
      id: number
    }[]
    const last = rows.at(-1)?.id
    if (last !== undefined && (await upload(gzipSync(JSON.stringify(rows))))) uploaded = last
    env.log({ uploaded, rows: rows.length })
  }

  async function poll(
    name: string,
    qos: 1 | 2,
    every: number,
    open: () => Promise<modbus.default>,
  ): Promise<void> {
    let c: modbus.default | undefined
    for (;;) {
      try {
        if (c?.isOpen !== true) {
          c = await open()
          c.setID(1)
          c.setTimeout(1000)
        }
        const r = await c.readHoldingRegisters(0, name === 'tcp' ? 6 : 1)
        publisher.publish(`${name}/reading`, JSON.stringify(r.data), { qos })
      } catch (e) {
        env.log({ name, error: (e as Error).message ?? 'none' })
        c?.close(() => {})
        c = undefined
      }
      await sleep(every)
    }
  }

  function upload(body: Buffer): Promise<boolean> {
    return new Promise((done) => {
      const r = request({ host: '10.0.0.6', method: 'POST', path: '/rows', agent, timeout: 10_000 }, (s) => {
        s.resume()
        s.on('end', () => done(s.statusCode === 200))
        s.on('error', () => done(false))
      })
      r.on('timeout', () => r.destroy(new Error('slow')))
      r.on('error', () => done(false))
      r.end(body)
    })
  }
}
