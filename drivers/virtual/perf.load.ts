/**
 * The reference load: 100 publications a minute with QoS 1 from one client to three subscribers through a broker, a
 * row inserted for each by one of them, a Modbus register read each 5 s, every byte traced.
 */
import { join } from 'node:path'
import type { Json } from '../faces.ts'
import type { Installed } from './install.ts'
import { createVirtualWorld } from './world.ts'

const publicationsPerMinute = 100
const pollEvery = 5_000

export async function task({ kernel }: Installed, arg: Json): Promise<Json> {
  const { hours, profile } = arg as { hours: number; profile?: boolean }
  const libraries = await Promise.all([
    import('aedes'),
    import('mqtt'),
    import('modbus-serial'),
    import('node:net'),
    import('node:sqlite'),
  ])
  const [{ Aedes }, { default: mqtt }, { default: modbusSerial }, net, { DatabaseSync }] = libraries
  const cpu = process.cpuUsage()
  const wall = kernel.natives.hrtime()
  const result = await kernel.run(async () => {
    await using world = await createVirtualWorld()
    const end = world.now() + hours * 3_600_000
    const host = await world.host({ name: 'platform', address: '10.0.0.2' })
    const broker = world.realm({ name: 'broker', address: '10.0.0.2' })
    const device = world.realm({ name: 'device', address: '10.0.0.3' })
    await broker.run(async () => {
      const aedes = await Aedes.createBroker()
      const server = net.createServer(aedes.handle)
      await new Promise<void>((done) => server.listen(1883, done))
    })
    const { wire } = await world.tcp({ name: 'device/tcp', realm: device, port: 502 })
    await device.run(() => wire.open((c) => c.onBytes((b) => void c.send(answer(b)))))
    let seen = 0
    let rows = 0
    let reads = 0
    for (const n of [1, 2, 3]) {
      const realm = world.realm({ name: `subscriber${n}`, address: `10.0.0.${10 + n}` })
      await realm.run(async () => {
        const client = mqtt.connect('mqtt://10.0.0.2:1883', { clientId: `subscriber${n}` })
        await new Promise<void>((done) => client.once('connect', () => done()))
        await client.subscribeAsync('readings/#', { qos: 1 })
        if (n > 1) {
          client.on('message', () => seen++)
          return
        }
        const db = new DatabaseSync(join(host.disk, 'readings.db'))
        db.exec(
          'pragma journal_mode = wal; pragma synchronous = full; create table r (topic text, value text, at real)',
        )
        const insert = db.prepare('insert into r values (?, ?, ?)')
        client.on('message', (topic, m) => {
          seen++
          insert.run(topic, m.toString(), Date.now())
          rows++
        })
      })
    }
    const poller = world.realm({ name: 'poller', address: '10.0.0.20' })
    await poller.run(async () => {
      const modbus = new modbusSerial.default()
      await modbus.connectTCP('10.0.0.3', { port: 502 })
      modbus.setID(1)
      setInterval(() => void modbus.readHoldingRegisters(0, 10).then(() => reads++), pollEvery)
    })
    const publisher = world.realm({ name: 'publisher', address: '10.0.0.21' })
    let sent = 0
    await publisher.run(async () => {
      const client = mqtt.connect('mqtt://10.0.0.2:1883', { clientId: 'publisher' })
      await new Promise<void>((done) => client.once('connect', () => done()))
      const body = JSON.stringify({
        value: 230.1,
        unit: 'V',
        at: '2026-01-05T00:00:00.000Z',
        quality: 'good',
      })
      setInterval(() => {
        client.publish(`readings/feeder${sent % 5}`, body, { qos: 1 })
        sent++
      }, 60_000 / publicationsPerMinute)
    })
    if (profile === true) kernel.natives.writeSync(2, 'running\n')
    await world.pass(end - world.now())
    return { sent, seen, rows, reads, report: world.report() }
  })
  const used = process.cpuUsage(cpu)
  return {
    simulatedSeconds: hours * 3600,
    wallSeconds: Number(kernel.natives.hrtime() - wall) / 1e9,
    cpuSeconds: (used.user + used.system) / 1e6,
    ...result,
  } as unknown as Json
}

/** A Modbus/TCP answer to a read of holding registers (Modbus application protocol V1.1b3, 6.3): zeros. */
function answer(request: Uint8Array): Uint8Array {
  const q = Buffer.from(request)
  const n = q.readUInt16BE(10)
  const a = Buffer.alloc(9 + 2 * n)
  q.copy(a, 0, 0, 4)
  a.writeUInt16BE(3 + 2 * n, 4)
  a[6] = q[6] ?? 0
  a[7] = q[7] ?? 0
  a[8] = 2 * n
  return a
}
