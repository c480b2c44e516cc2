/** The reference platform in virtual time, as shipped or through the launcher: for launch.test.ts. */
import { createHash } from 'node:crypto'
import type { Json } from '../../../drivers/faces.ts'
import type { Installed } from '../../../drivers/virtual/install.ts'
import { createVirtualWorld } from '../../../drivers/virtual/world.ts'

export interface Order {
  readonly pki: string
  readonly minutes: number
  readonly interval: number
  readonly defects: readonly string[]
  /** Through the launcher; else the product's own entry. */
  readonly launched: boolean
}

export async function task({ kernel }: Installed, arg: Json): Promise<Json> {
  const order = arg as unknown as Order
  const { devices } = await import('../../devices/index.ts')
  await import('../launch.ts')
  await import('../../reference/lvcap/platform.ts')
  const { listen } = await import('../../reference/lvcap/testing.ts')
  return kernel.run(async () => {
    await using world = await createVirtualWorld()
    const logs: { proc: string; entry: Json }[] = []
    const field = world.realm({ name: 'field', address: '10.0.0.20' })
    const bench = world.realm({ name: 'bench', address: '10.0.0.5' })
    const said: string[] = []
    const env = (role: string) => ({
      now: () => world.now(),
      random: (name: string) => world.random(`${role}/${name}`),
      emit: (kind: string) => said.push(kind),
    })
    const gridkey = field.bind(devices['gridkey-mcu520'].make())
    const tcp = await world.tcp({ name: 'gridkey/tcp', realm: field, port: 502 })
    await gridkey.start(tcp.wire, env('gridkey'))
    const kind = devices['thermocouple-tc8']
    const thermocouple = field.bind(kind.make())
    const line = await world.serial({ name: 'thermocouple/serial', realm: field, settings: kind.line() })
    await thermocouple.start(line.wire, env('thermocouple'))

    const host = await world.host({ name: 'platform', address: '10.0.0.10' })
    host.onLog((proc, entry) => logs.push({ proc, entry }))
    const config = {
      pki: order.pki,
      marketplace: { port: 8883 },
      apps: [
        {
          apid: 'lucy_gridkeysensor_1.0',
          iid: 'lucy_gridkeysensor_01',
          entry: 'sim/reference/lvcap/apps/gridkey/main.ts',
          config: { address: '10.0.0.20', interval: order.interval },
        },
        {
          apid: 'eatl_modbusrtusensor_1.0',
          iid: 'eatl_modbusrtusensor_01',
          entry: 'sim/reference/lvcap/apps/temperature/main.ts',
          config: { serial: { path: line.path }, interval: order.interval },
        },
      ],
    }
    const app = 'sim/reference/lvcap/platform.ts'
    const proc = await host.start(
      'platform',
      order.launched
        ? { entry: 'sim/defects/launch.ts', defects: order.defects, config: { app, config } }
        : { entry: app, defects: [], config },
    )
    await world.pass(5_000)
    const seen: [topic: string, at: number, payload: Json][] = []
    const observer = await bench.run(() => listen(order.pki, 'observer', 8883, { host: '10.0.0.10' }))
    observer.client.on('message', (topic, payload) => {
      if (topic.startsWith('sensor/data'))
        seen.push([topic, world.now(), JSON.parse(String(payload)) as Json])
    })
    await world.pass(order.minutes * 60_000)
    const messages = seen.length
    await bench.run(() => observer.close())
    proc.signal('TERM')
    const ended = await proc.ended
    const times = new Map<string, number[]>()
    for (const [topic, at] of seen) times.set(topic, [...(times.get(topic) ?? []), at])
    const gaps = [...times.values()].flatMap((list) => list.slice(1).map((t, i) => t - (list[i] ?? t)))
    return {
      messages,
      seen: createHash('sha256').update(JSON.stringify(seen)).digest('hex'),
      topics: times.size,
      shortest: Math.min(...gaps),
      longest: Math.max(...gaps),
      invalid: seen.filter(([, , p]) => (p as { Valid?: Json }).Valid !== true).length,
      ended,
      stages: logs.flatMap((l) => {
        const e = l.entry as { event?: string; phase?: string; defect?: string }
        return e.event === 'defect' ? [`${e.phase} ${e.defect}`] : []
      }),
      troubles: logs.filter((l) => JSON.stringify(l).includes('trouble')) as unknown as Json,
      report: world.report() as unknown as Json,
    }
  })
}
