import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { DeviceEnv, Device, GridKey, Thermocouple } from '../../faces.ts'
import { streams } from '../../../drivers/random.ts'
import { openPty, ptyProvider } from '../../../drivers/real/pty.ts'
import { listenTcp } from '../../../drivers/wires/tcp.ts'
import { devices } from '../../devices/index.ts'
import type { Json, JsonObject, Proc } from './env.ts'
import { makePki } from './pki.ts'
import {
  freePort,
  listen,
  tempFolder,
  testHost,
  type Heard,
  type Listener,
  type TestHost,
} from './testing.ts'

const gridkeyApp = { apid: 'lucy_gridkeysensor_2.0', iid: '96d6f19b-7022-45f2-b753-cb5012626b4d' }
const temperatureApp = { apid: 'eatl_modbusrtusensor_1.3', iid: 'eatl_modbusrtusensor_01' }

/** The whole platform on loopback, with the devices that the bench plays. Intervals are short; nothing waits for the clock. */
describe('the platform', () => {
  const folder = tempFolder()
  const pki = join(folder.path, 'pki')
  const stack: (() => Promise<void>)[] = []
  let host: TestHost
  let port: number
  let disk: ReturnType<typeof tempFolder>
  let platform: Proc
  let observer: Listener

  beforeAll(() => {
    makePki(pki, { apps: [gridkeyApp.apid, temperatureApp.apid] })
    return () => folder.remove()
  })
  beforeEach(async () => {
    disk = tempFolder()
    host = testHost(disk.path)
    port = await freePort()
  })
  afterEach(async () => {
    await observer?.close()
    await host.stop()
    for (const undo of stack.splice(0).toReversed()) await undo()
    disk.remove()
  })

  const start = async (
    apps: readonly { apid: string; iid: string; entry: string; config: Json }[],
    more: JsonObject = {},
  ): Promise<void> => {
    platform = await host.start('platform', {
      entry: 'sim/reference/lvcap/platform.ts',
      defects: [],
      config: { pki, marketplace: { port }, manager: { statusInterval: 600 }, apps, ...more },
    })
    await host.logged((l) => l.entry['event'] === 'listening', 'the marketplace')
    observer = await listen(pki, 'observer', port, { reconnectPeriod: 100 })
    observer.client.on('connect', () => void observer.client.subscribeAsync('#', { qos: 1 }))
  }
  const gridkey = (config: JsonObject): Parameters<typeof start>[0][number] => ({
    ...gridkeyApp,
    entry: 'sim/reference/lvcap/apps/gridkey/main.ts',
    config: { address: '127.0.0.1', interval: 0.3, readAhead: 0.15, staleAfter: 2.5, ...config },
  })
  const env = (): DeviceEnv => ({ now: Date.now, random: streams(1), emit: () => 0 })

  async function play<D extends Device>(
    device: D,
  ): Promise<{ device: D; port: number; close(): Promise<void> }> {
    const tcp = await listenTcp({ name: 'device', host: '127.0.0.1', port: 0 })
    await device.start(tcp.wire, env())
    const close = async (): Promise<void> => {
      await device[Symbol.asyncDispose]()
      await tcp[Symbol.asyncDispose]()
    }
    stack.push(close)
    return { device, port: tcp.port, close }
  }
  const booted = async (g: GridKey): Promise<void> => {
    // The unit boots for some seconds; its commands and faults are its own affair.
    void g
    await observer.hears((m) => isSensor(m) && valid(m), 'a valid value')
  }
  const isSensor = (m: Heard): boolean => m.topic.startsWith('sensor/data/')
  const object = (m: Heard): JsonObject => m.payload as JsonObject
  const valid = (m: Heard): boolean => object(m)['Valid'] === true
  const since = (from: number, fits: (m: Heard) => boolean): Promise<Heard> =>
    observer.hears((m) => m.at >= from && fits(m), 'a later message')

  const operator = async (request: JsonObject): Promise<JsonObject> => {
    const o = await listen(pki, 'operator', port)
    try {
      await o.publish({ topic: 'manager/request', payload: { Id: 'test', ...request } })
      return object(await o.hears((m) => m.topic === 'manager/response', 'the answer'))
    } finally {
      await o.close()
    }
  }

  test('publishes every measurement of the feeder monitor, as the device has it', async () => {
    const { device, port: modbus } = await play(devices['gridkey-mcu520'].make())
    await start([gridkey({ port: modbus, frequency: true })])
    await booted(device)
    await since(performance.now(), (m) => m.topic.endsWith('Feeder5/reactive_power/0.3s/L3') && valid(m))
    const names = new Set(
      observer.heard.filter(isSensor).map((m) => m.topic.replace(`sensor/data/${gridkeyApp.iid}/`, '')),
    )
    expect(names.size).toBe(67)
    expect(names).toContain('Busbar/voltage/0.3s/L3-L1_RMS')
    expect(names).toContain('Feeder1/current/0.3s/L1_RMS')
    expect(names).toContain('Feeder3/power_factor/0.3s/L2')
    const last = (name: string): number => {
      const m = observer.heard.findLast((h) => h.topic.endsWith(name) && valid(h))
      return Number(m === undefined ? Number.NaN : object(m)['Value'])
    }
    const now = Date.now()
    const truth = device.truth.at('busbar.l1n.voltage [V]', now)
    expect(Math.abs(last('L1-N_RMS') - truth)).toBeLessThan(
      2 * device.accuracy('busbar.l1n.voltage [V]', truth),
    )
    const current = device.truth.at('feeder1.l1.current [A]', now)
    expect(Math.abs(last('Feeder1/current/0.3s/L1_RMS') - current)).toBeLessThan(
      3 * device.accuracy('feeder1.l1.current [A]', current),
    )
    for (const m of observer.heard.filter(isSensor)) {
      expect(Object.keys(object(m))).toEqual(['Timestamp', 'Value', 'Valid'])
      expect(Number.isInteger(object(m)['Timestamp'])).toBe(true)
      expect(m.retain).toBe(false)
    }
  })

  test('goes on publishing, not valid and newly stamped, when the device is dead, frozen or speaks nonsense; and recovers', async () => {
    const { device, port: modbus } = await play(devices['gridkey-mcu520'].make())
    await start([gridkey({ port: modbus, feeders: [1] })])
    await booted(device)
    for (const name of ['freeze', 'nan']) {
      const fault = device.inflict(name, {})
      const bad = await since(performance.now(), (m) => isSensor(m) && !valid(m))
      const later = await since(bad.at + 1_000, (m) => m.topic === bad.topic)
      expect(Number(object(later)['Timestamp'])).toBeGreaterThan(Number(object(bad)['Timestamp']))
      fault.lift()
      await since(performance.now(), (m) => m.topic === bad.topic && valid(m))
    }
    const reboot = device.inflict('reboot', { seconds: 86_400 })
    await since(performance.now() + 300, (m) => isSensor(m) && !valid(m))
    await observer.hears(
      (m) => m.topic === `storage/data/error/${gridkeyApp.iid}` && object(m)['Errno'] === 4,
      'the error message',
    )
    reboot.lift()
    await since(performance.now(), (m) => isSensor(m) && valid(m))
  })

  test('publishes on time, not valid, where there never was a device', async () => {
    await start([gridkey({ port: await freePort(), feeders: [1] })])
    const first = await observer.hears(isSensor, 'a message')
    expect(valid(first)).toBe(false)
    const later = await since(first.at + 900, (m) => m.topic === first.topic)
    const n = observer.heard.filter((m) => m.topic === first.topic && m.at <= later.at).length
    expect(n).toBeGreaterThanOrEqual(3)
  })

  test('publishes temperatures from a serial line, and none of an open input', async ({ skip }) => {
    const provider = ptyProvider()
    if ('lacks' in provider) skip(provider.lacks)
    const kind = devices['thermocouple-tc8']
    const device: Thermocouple = kind.make()
    const line = await openPty({ name: 'thermocouple', settings: kind.line() })
    await device.start(line.wire, env())
    stack.push(async () => {
      await device[Symbol.asyncDispose]()
      await line[Symbol.asyncDispose]()
    })
    device.set('top_oil', { constant: 55.5 })
    await start([
      {
        ...temperatureApp,
        entry: 'sim/reference/lvcap/apps/temperature/main.ts',
        config: { serial: { path: line.path }, interval: 0.5, readAhead: 0.3 },
      },
    ])
    const oil = await observer.hears(
      (m) => m.topic.endsWith('/TopOil/temperature/0.5s/C') && valid(m),
      'top oil',
    )
    expect(Math.abs(Number(object(oil)['Value']) - 55.5)).toBeLessThan(1)
    expect(new Set(observer.heard.filter(isSensor).map((m) => m.topic.split('/')[3])).size).toBe(3)
    const fault = device.inflict('open', { input: 'top_oil' })
    const from = performance.now() + 1_000
    expect(valid(await since(from, (m) => m.topic === oil.topic))).toBe(false)
    expect(valid(await since(from, (m) => m.topic.includes('/Ambient/')))).toBe(true)
    fault.lift()
    await since(performance.now(), (m) => m.topic === oil.topic && valid(m))
  })

  test('uses the fielded topic names where it is told to', async () => {
    const { port: modbus } = await play(devices['gridkey-mcu520'].make())
    await start([gridkey({ port: modbus })], { topics: 'openlv-2018' })
    const top = `sensor/data/${gridkeyApp.iid}/gridkey-mcu520/0.3`
    for (const name of ['busbar/l1/voltage-mean', 'busbar/l1-l2/voltage-mean', 'feeder/1/l1/current-mean'])
      await observer.hears((m) => m.topic === `${top}/${name}`, name)
  })

  test('takes a new interval from the operator at once, and keeps it on its disk', async () => {
    await start([gridkey({ port: await freePort(), feeders: [1] })])
    await observer.hears(isSensor, 'a message')
    const answer = await operator({ Do: 'change', IID: gridkeyApp.iid, ContainerConfig: { interval: 0.2 } })
    expect(answer).toMatchObject({ Id: 'test', Ok: true })
    await observer.hears((m) => m.topic.includes('/0.2s/'), 'the new interval')
    const file = join(disk.path, 'config', `${gridkeyApp.iid}.json`)
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({
      ContainerName: gridkeyApp.iid,
      ContainerConfig: { interval: 0.2, feeders: [1] },
    })
    expect(existsSync(`${file}.new`)).toBe(false)
    const state = await operator({ Do: 'state' })
    expect(state['Apps']).toMatchObject([{ IID: gridkeyApp.iid, Phase: 'running' }])
  })

  test('starts an application again that dies', async () => {
    await start([gridkey({ port: await freePort(), feeders: [1] })])
    await observer.hears(isSensor, 'a message')
    expect(await operator({ Do: 'restart', IID: gridkeyApp.iid })).toMatchObject({ Ok: true })
    const down = await observer.hears(
      (m) => m.topic.startsWith('status/response') && object(m)['Status'] === 4,
      'status 4',
    )
    await since(down.at, (m) => m.topic.startsWith('status/response') && object(m)['Status'] === 1)
    await since(performance.now(), isSensor)
  })

  test('ends in good order, and leaves nothing running', async () => {
    await start([gridkey({ port: await freePort(), feeders: [1] })])
    await observer.hears(isSensor, 'a message')
    platform.signal('TERM')
    expect(await platform.ended).toBe(0)
    const ends = host.logs.filter((l) => l.entry['event'] === 'exited').map((l) => l.entry['how'])
    expect(ends).toEqual([0])
  })

  test('refuses a configuration that does not fit, and says where', async () => {
    const proc = await host.start('platform', {
      entry: 'sim/reference/lvcap/platform.ts',
      defects: [],
      config: {
        pki,
        marketplace: { port: 'x' },
        apps: [{ ...gridkeyApp, iid: 'no', entry: 'x', config: null }],
      },
    })
    expect(await proc.ended).toBe(1)
    const text = JSON.stringify(host.logs)
    expect(text).toContain('marketplace.port')
    expect(text).toContain('apps.0.iid')
  })
})
