import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { parseConfig } from '../config.ts'
import type { JsonObject, Proc } from '../env.ts'
import { makePki } from '../pki.ts'
import {
  freePort,
  listen,
  marketplaceConfig,
  tempFolder,
  testHost,
  type Heard,
  type Listener,
  type TestHost,
} from '../testing.ts'
import { runApp, sdkParts, type Operate } from './app.ts'
import { z } from 'zod'

const apid = 'eatl_scripted_1.0'
const iid = 'eatl_scripted_01'
const other = { apid: 'eatl_source_1.0', iid: 'eatl_source_01' }
const configured = z.strictObject({ interval: z.number(), hears: z.string().optional() })

/** An application on the SDK, against a Container Manager that the test plays. */
describe('an application', () => {
  const folder = tempFolder()
  const pki = join(folder.path, 'pki')
  let host: TestHost
  let manager: Listener
  let proc: Proc
  let port: number
  const operations: { readonly config: JsonObject; stopped: boolean }[] = []

  beforeAll(() => {
    makePki(pki, { apps: [apid, other.apid] })
    return () => folder.remove()
  })

  const operate: Operate = (config, context) => {
    const { hears } = parseConfig(configured, config, 'the configuration')
    const operation = { config, stopped: false }
    operations.push(operation)
    context.publish({ topic: `sensor/data/${iid}/begun`, payload: config, qos: 1, retain: false })
    const ready =
      hears === undefined
        ? Promise.resolve()
        : context.hear([hears], (topic, payload) => {
            const text = `${topic} ${Buffer.from(payload).toString()}`
            context.publish({ topic: `sensor/data/${iid}/heard`, payload: text, qos: 1, retain: false })
          })
    return {
      ready,
      gauges: () => ({ operations: operations.length }),
      stop: () => {
        operation.stopped = true
        return Promise.resolve()
      },
    }
  }

  beforeEach(async () => {
    operations.length = 0
    port = await freePort()
    host = testHost(folder.path, async (entry) => {
      if (entry === 'app') return (env) => runApp(sdkParts(), env, operate)
      const { main } = await import('../marketplace/main.ts')
      return main
    })
    await host.start('marketplace', {
      entry: 'marketplace',
      defects: [],
      config: marketplaceConfig(pki, port, [{ apid, iid }, other]),
    })
    await host.logged((l) => l.entry['event'] === 'listening', 'the marketplace')
    manager = await listen(pki, 'container-manager', port)
    proc = await host.start(iid, {
      entry: 'app',
      defects: [],
      config: { apid, iid, pki, marketplace: { address: '127.0.0.1', port }, topics: 'spec' },
    })
  })
  afterEach(async () => {
    await host.stop()
    await manager.close()
  })

  const on = (topic: string) => (m: Heard) => m.topic === topic
  const statusIs =
    (code: number) =>
    (m: Heard): boolean =>
      m.topic === `status/response/${iid}` && (m.payload as JsonObject)['Status'] === code
  const configure = async (config: unknown): Promise<void> => {
    await manager.hears(on(`config/request/${iid}`), 'the request for a configuration')
    await manager.publish({
      topic: `config/response/${iid}`,
      payload: { Configuration: config as JsonObject },
    })
  }
  const command = (payload: JsonObject): Promise<void> =>
    manager.publish({ topic: `command/${iid}`, payload })
  const count = (fits: (m: Heard) => boolean): number => manager.heard.filter(fits).length

  test('asks for its configuration, applies it, and then says that it runs', async () => {
    await configure({ interval: 60 })
    await manager.hears(statusIs(1), 'status 1')
    expect(operations.map((o) => o.config)).toEqual([{ interval: 60 }])
    expect(
      manager.heard
        .map((m) => m.topic)
        .filter((t) => t.startsWith('config/request') || t.startsWith('sensor')),
    ).toEqual([`config/request/${iid}`, `sensor/data/${iid}/begun`])
  })

  test('unwraps a configuration that comes as the whole file', async () => {
    await configure({ ContainerName: iid, ContainerConfig: { interval: 30 } })
    await manager.hears(statusIs(1), 'status 1')
    expect(operations[0]?.config).toEqual({ interval: 30 })
  })

  test('answers each status request: 5 while it waits, 1 when it runs', async () => {
    await manager.hears(on(`config/request/${iid}`), 'the request')
    await manager.publish({ topic: 'status/request', payload: {} })
    await manager.hears(statusIs(5), 'status 5')
    await configure({ interval: 60 })
    await manager.hears(statusIs(1), 'status 1')
    await manager.client.publishAsync('status/request', '', { qos: 0 })
    await host.logged((l) => l.entry['event'] === 'health' && l.entry['operations'] === 1, 'the gauges')
  })

  test('hears what others publish under a filter of its own, and no more once it is configured anew', async () => {
    const source = await listen(pki, other.apid, port)
    const say = (n: number): Promise<void> =>
      source.publish({ topic: `algorithm/data/${other.iid}/x`, payload: n })
    const heard = (): readonly unknown[] =>
      manager.heard.filter((m) => m.topic === `sensor/data/${iid}/heard`).map((m) => m.payload)
    await configure({ interval: 60, hears: `algorithm/data/${other.iid}/#` })
    await manager.hears(statusIs(1), 'status 1')
    await say(1)
    await manager.hears((m) => m.topic === `sensor/data/${iid}/heard`, 'what was heard')
    await manager.publish({ topic: `config/response/${iid}`, payload: { Configuration: { interval: 61 } } })
    await manager.hears(() => count(statusIs(1)) === 2, 'status 1 again')
    await say(2)
    await manager.hears((m) => m.payload === 2, 'the second message')
    expect(heard()).toEqual([`algorithm/data/${other.iid}/x 1`])
    await source.close()
  })

  test('waits, with status 5, where no configuration is known', async () => {
    await configure(null)
    await manager.hears(statusIs(5), 'status 5')
    expect(operations).toEqual([])
    await configure({ interval: 60 })
    await manager.hears(statusIs(1), 'status 1')
  })

  test('says status 3 and why, where its configuration does not fit', async () => {
    await configure({ interval: 'often' })
    await manager.hears(statusIs(3), 'status 3')
    const error = await manager.hears(on(`storage/data/error/${iid}`), 'the error')
    expect(error.payload).toMatchObject({ Errno: 9 })
    expect(JSON.stringify(error.payload)).toContain('interval')
  })

  test('takes the same configuration twice without starting anew, and another one at once', async () => {
    await configure({ interval: 60 })
    await configure({ interval: 60 })
    await configure({ interval: 10 })
    await manager.hears(
      (m) => m.topic.endsWith('/begun') && (m.payload as JsonObject)['interval'] === 10,
      'the change',
    )
    expect(operations.map((o) => [o.config['interval'], o.stopped])).toEqual([
      [60, true],
      [10, false],
    ])
  })

  test('logs what it cannot read, and goes on', async () => {
    await configure({ interval: 60 })
    await manager.client.publishAsync(`command/${iid}`, '{"Command":', { qos: 1 })
    const error = await manager.hears(on(`storage/data/error/${iid}`), 'the error')
    expect(error.payload).toMatchObject({ Errno: 1 })
    await command({ Command: 42 })
    await manager.hears((m) => JSON.stringify(m.payload).includes('Command 42'), 'the second error')
    await manager.client.publishAsync(`command/${iid}`, '', { qos: 1 })
    await manager.hears((m) => JSON.stringify(m.payload).includes('Command null'), 'the third error')
    await manager.publish({ topic: 'status/request', payload: {} })
    await manager.hears(statusIs(1), 'status 1')
  })

  test('shuts down on command: stops, says status 4, and leaves without a last will', async () => {
    await configure({ interval: 60 })
    await manager.hears(statusIs(1), 'status 1')
    await command({ Command: 1 })
    expect(await proc.ended).toBe(0)
    await manager.hears(statusIs(4), 'status 4')
    expect(operations[0]?.stopped).toBe(true)
    await host.logged((l) => l.entry['event'] === 'disconnected' && l.entry['identity'] === apid, 'the end')
    expect(count(statusIs(2))).toBe(0)
  })

  test('shuts down likewise when its process is told to end, configured or not', async () => {
    await manager.hears(on(`config/request/${iid}`), 'the request')
    proc.signal('TERM')
    expect(await proc.ended).toBe(0)
    await manager.hears(statusIs(4), 'status 4')
    expect(count(statusIs(2))).toBe(0)
  })
})
