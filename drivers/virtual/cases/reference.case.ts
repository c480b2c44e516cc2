/**
 * The scenario whose trace must repeat: a broker with TLS and client certificates, QoS 1 and 2, HTTP over a kept
 * connection, Modbus TCP and RTU, a database, carriers that drop, a host that is cut and restored.
 */
import type { Json, World } from '../../faces.ts'
import type { Installed } from '../install.ts'
import { createVirtualWorld } from '../world.ts'
import type { TestPki } from './certificates.ts'

interface Arg {
  readonly pki: TestPki
  readonly minutes: number
  /** Runs in this process; the last one's result is given. */
  readonly times: number
}

export async function task({ kernel }: Installed, arg: Json): Promise<Json> {
  const { pki, minutes, times } = arg as unknown as Arg
  let result: Json = null
  for (let i = 0; i < times; i++)
    result = await kernel.run(async () => {
      await using world = await createVirtualWorld({ names: { marketplace: '10.0.0.2' } })
      return await play(world, pki, minutes)
    })
  return result
}

async function play(world: World, pki: TestPki, minutes: number): Promise<Json> {
  const device = world.realm({ name: 'device', address: '10.0.0.5' })
  const upstream = world.realm({ name: 'upstream', address: '10.0.0.6' })
  const { wire } = await world.tcp({ name: 'device/tcp', realm: device, port: 502 })
  await wire.open((c) => c.onBytes((b) => void c.send(tcpAnswer(b))))
  const settings = { baudRate: 9600, dataBits: 8, parity: 'even', stopBits: 1 } as const
  const line = await world.serial({ name: 'device/serial', realm: device, settings })
  await line.wire.open((c) => c.onBytes((b) => void c.send(rtuAnswer(b))))
  const { createServer } = await import('node:http')
  let posted = 0
  upstream.run(() =>
    createServer((q, s) => {
      q.on('data', (b: Buffer) => (posted += b.length))
      q.on('end', () => s.end('stored'))
    }).listen(80),
  )
  const host = await world.host({ name: 'platform', address: '10.0.0.2' })
  const logs: Json[] = []
  host.onLog((name, entry, at) => void logs.push({ name, entry, at: Math.round(at) }))
  const program = {
    entry: 'drivers/virtual/cases/programs/reference.ts',
    config: { pki: pki as never, serial: line.path },
    defects: [],
  }
  await host.start('platform', program)
  const end = world.now() + minutes * 60_000
  while (world.now() < end) {
    await world.pass(10_000 + world.random('carrier') * 50_000)
    const [a, b] = world.random('which') < 0.5 ? ['10.0.0.2', '10.0.0.5'] : ['10.0.0.2', '10.0.0.6']
    world.network?.carrier(a ?? '', b ?? '', 'down')
    await world.pass(2000 + world.random('carrier') * 30_000)
    world.network?.carrier(a ?? '', b ?? '', 'up')
    if (world.random('cut') < 0.2) {
      host.cut()
      await world.pass(20_000)
      host.clock({ stepMs: -250 })
      await host.restore()
    }
  }
  const { traceHash, traceEvents, escapes } = world.report()
  return {
    hash: traceHash ?? '',
    events: traceEvents ?? 0,
    escapes: escapes as never,
    posted,
    logs: logs.length,
    last: logs.at(-1) ?? null,
  }
}

function tcpAnswer(request: Uint8Array): Uint8Array {
  const q = Buffer.from(request)
  const n = q.readUInt16BE(10)
  const a = Buffer.alloc(9 + 2 * n)
  q.copy(a, 0, 0, 8)
  a.writeUInt16BE(3 + 2 * n, 4)
  a[8] = 2 * n
  for (let i = 0; i < n; i++) a.writeUInt16BE(Math.floor(Math.random() * 65_536), 9 + 2 * i)
  return a
}

function rtuAnswer(request: Uint8Array): Uint8Array {
  const a = Buffer.from([request[0] ?? 1, 3, 2, 0, Math.floor(Math.random() * 256), 0, 0])
  let crc = 0xffff
  for (const x of a.subarray(0, 5)) {
    crc ^= x
    for (let i = 0; i < 8; i++) crc = (crc & 1) === 1 ? (crc >> 1) ^ 0xa001 : crc >> 1
  }
  a.writeUInt16LE(crc, 5)
  return a
}
