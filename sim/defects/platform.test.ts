import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect as connectTcp } from 'node:net'
import { join } from 'node:path'
import { Duplex } from 'node:stream'
import { connect as connectTls, type ConnectionOptions } from 'node:tls'
import { X509Certificate } from 'node:crypto'
import { connect, type IClientOptions } from 'mqtt'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import * as marketplace from '../reference/lvcap/marketplace/main.ts'
import * as platform from '../reference/lvcap/platform.ts'
import { initial, step, type Input, type State } from '../reference/lvcap/manager/machine.ts'
import { makePki } from '../reference/lvcap/pki.ts'
import {
  clientOptions,
  freePort,
  listen,
  marketplaceConfig,
  tempFolder,
  testHost,
  type TestHost,
} from '../reference/lvcap/testing.ts'
import { managerDefects } from './manager.ts'
import { marketplaceDefects } from './marketplace.ts'

const app = 'lucy_gridkeysensor_2.0'
const iid = 'lucy_gridkeysensor_01'
const other = 'eatl_modbusrtusensor_1.3'
/** What the tests below have broken, to tell that none was left out. */
const shown = new Set<string>()

describe('a Data Marketplace with a subscriber that does not read', () => {
  /** Parts with a defect, and two connections whose other sides take nothing. */
  const broken = (name: string) => {
    const id = `marketplace/${name}`
    shown.add(id)
    let reached = 0
    const defect = marketplaceDefects.find((d) => d.id === id)
    const parts = defect?.wrap(marketplace.parts({}), () => reached++) ?? marketplace.parts({})
    const connection = (): Duplex => new Duplex({ read() {}, write() {} })
    const [slow, innocent] = [connection(), connection()] as const
    for (const stream of [slow, innocent])
      parts.unhurried(stream, { seconds: 5, bytes: 300_000 }, () => void stream.destroy())
    return { slow, innocent, reached: () => reached }
  }
  const much = Buffer.alloc(200_000)
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  test('waits-for-the-slowest tells the broker to wait', () => {
    const b = broken('waits-for-the-slowest')
    expect(b.slow.write(much)).toBe(false)
    expect(b.reached()).toBe(1)
  })

  test('drops-everyone ends the connections of others', () => {
    const b = broken('drops-everyone')
    expect(b.slow.write(much)).toBe(true)
    expect(b.innocent.destroyed).toBe(false)
    vi.advanceTimersByTime(10_000)
    expect([b.slow.destroyed, b.innocent.destroyed, b.reached()]).toEqual([true, true, 1])
  })

  test('keeps-slow-subscribers waits for none and drops none', () => {
    const b = broken('keeps-slow-subscribers')
    expect(b.slow.write(much)).toBe(true)
    vi.advanceTimersByTime(3_600_000)
    expect(b.slow.destroyed).toBe(false)
    expect(b.reached()).toBe(2)
    b.slow.destroy()
  })
})

describe('a broken Data Marketplace', () => {
  const folder = tempFolder()
  const pki = join(folder.path, 'pki')
  let host: TestHost
  let port: number
  beforeAll(() => makePki(pki, { apps: [app, other] }))
  afterAll(() => {
    folder.remove()
    expect([...shown].toSorted()).toEqual(marketplaceDefects.map((d) => d.id).toSorted())
  })
  afterEach(() => host.stop())

  const start = async (name: string, revoked: string[] = []): Promise<void> => {
    const id = `marketplace/${name}`
    shown.add(id)
    host = testHost(folder.path)
    port = await freePort()
    await host.start('marketplace', {
      entry: 'sim/defects/launch.ts',
      defects: [id],
      config: {
        app: 'sim/reference/lvcap/marketplace/main.ts',
        config: marketplaceConfig(
          pki,
          port,
          [
            { apid: app, iid },
            { apid: other, iid: 'eatl_modbusrtusensor_01' },
          ],
          revoked,
        ),
      },
    })
    await host.logged((l) => l.entry['event'] === 'listening', 'the marketplace')
  }
  const reached = (name: string): Promise<unknown> =>
    host.logged(
      (l) => l.entry['phase'] === 'reached' && l.entry['defect'] === `marketplace/${name}`,
      'the defect',
    )

  for (const [name, certificate] of [
    ['accepts-expired', 'intruder/expired'],
    ['accepts-not-yet-valid', 'intruder/not-yet-valid'],
    ['accepts-foreign-ca', 'intruder/foreign-ca'],
    ['accepts-self-signed', 'intruder/self-signed'],
  ] as const) {
    test(`${name} lets the intruder in as the app, and still refuses the others`, async () => {
      await start(name)
      const l = await listen(pki, certificate, port, { clientId: 'x' })
      await l.publish({ topic: `sensor/data/${iid}/x`, payload: 666 })
      await l.hears((m) => m.payload === 666, 'its own message')
      await l.close()
      await reached(name)
      for (const refused of ['expired', 'not-yet-valid', 'foreign-ca', 'self-signed'].filter(
        (r) => !name.endsWith(r),
      ))
        await expect(listen(pki, `intruder/${refused}`, port)).rejects.toThrow()
    })
  }

  test('accepts-revoked lets a revoked certificate in', async () => {
    await start('accepts-revoked', [new X509Certificate(readFileSync(join(pki, `${app}.crt`))).serialNumber])
    await (await listen(pki, app, port)).close()
    await reached('accepts-revoked')
  })

  const intrude = async (options: IClientOptions): Promise<void> => {
    const client = connect(options)
    client.on('error', () => {})
    await new Promise<void>((resolve, reject) => {
      client.once('connect', () => resolve())
      client.once('close', () => reject(new Error('refused')))
    })
    await client.publishAsync(`sensor/data/${iid}/x`, '666', { qos: 1 })
    await client.endAsync(true)
  }
  const plain = (at: number): IClientOptions => ({
    protocol: 'mqtt',
    host: '127.0.0.1',
    port: at,
    clientId: app,
    username: app,
    reconnectPeriod: 0,
  })

  test('accepts-no-certificate lets anybody in as whom it claims to be', async () => {
    await start('accepts-no-certificate')
    const { cert: _cert, key: _key, ...bare } = clientOptions(pki, app, port)
    await intrude(bare)
    await reached('accepts-no-certificate')
  })

  test('plain-tcp-on-the-same-port speaks both', async () => {
    await start('plain-tcp-on-the-same-port')
    await intrude(plain(port))
    await reached('plain-tcp-on-the-same-port')
    await (await listen(pki, app, port)).close()
    await expect(listen(pki, 'intruder/expired', port)).rejects.toThrow()
  })

  test('plain-tcp-on-1883 opens another door', async ({ skip }) => {
    const probe = connectTcp(1883, '127.0.0.1')
    const taken = await new Promise((resolve) => {
      probe.once('connect', () => resolve(true))
      probe.once('error', () => resolve(false))
    })
    probe.destroy()
    shown.add('marketplace/plain-tcp-on-1883')
    if (taken === true) {
      host = testHost(folder.path)
      skip('something else has port 1883 on this machine')
    }
    await start('plain-tcp-on-1883')
    await intrude(plain(1883))
    await reached('plain-tcp-on-1883')
  })

  const speak = async (options: ConnectionOptions): Promise<string> => {
    const socket = connectTls({
      host: '127.0.0.1',
      port,
      servername: 'marketplace',
      ca: readFileSync(join(pki, 'ca.crt')),
      cert: readFileSync(join(pki, `${app}.crt`)),
      key: readFileSync(join(pki, `${app}.key`)),
      ciphers: 'DEFAULT:@SECLEVEL=0',
      minVersion: 'TLSv1',
      ...options,
    })
    try {
      await once(socket, 'secureConnect')
      return socket.getProtocol() ?? ''
    } finally {
      socket.destroy()
    }
  }

  test('no-tls-floor speaks TLS 1.0 and 1.1', async () => {
    await start('no-tls-floor')
    expect(await speak({ maxVersion: 'TLSv1.1' })).toBe('TLSv1.1')
    expect(await speak({ maxVersion: 'TLSv1' })).toBe('TLSv1')
    await reached('no-tls-floor')
  })

  test('tls-1.3-only, a variant, speaks nothing older', async () => {
    await start('tls-1.3-only')
    await expect(speak({ maxVersion: 'TLSv1.2' })).rejects.toThrow()
    expect(await speak({})).toBe('TLSv1.3')
    await reached('tls-1.3-only')
  })

  test('no-publish-acl passes on what anybody says for anybody', async () => {
    await start('no-publish-acl')
    const l = await listen(pki, 'observer', port)
    await l.publish({ topic: `sensor/data/${iid}/x`, payload: 666 })
    await l.hears((m) => m.payload === 666, 'the message')
    await l.close()
    await reached('no-publish-acl')
  })

  test('guards-readings-alone passes on commands of anybody', async () => {
    await start('guards-readings-alone')
    const l = await listen(pki, other, port)
    await l.publish({ topic: `command/${iid}`, payload: 666 })
    await l.hears((m) => m.payload === 666, 'the message')
    await l.close()
    await reached('guards-readings-alone')
  })

  test('identity-by-username lets an app speak as another', async () => {
    await start('identity-by-username')
    const l = await listen(pki, other, port, { username: app })
    await l.publish({ topic: `sensor/data/${iid}/x`, payload: 666 })
    await l.hears((m) => m.payload === 666, 'the message')
    await l.close()
    await reached('identity-by-username')
  })

  test('evicts-by-client-id ends the session of who had that ID', async () => {
    await start('evicts-by-client-id')
    const l = await listen(pki, app, port)
    const gone = new Promise<void>((resolve) => {
      l.client.once('close', () => resolve())
    })
    const thief = await listen(pki, other, port, { clientId: app })
    await gone
    await thief.close()
    await reached('evicts-by-client-id')
  })

  for (const [name, what, times] of [
    ['will-unchecked', 'lets a stranger announce the death of an app', 1],
    ['wills-judged-when-spoken', 'lets a stranger in with such a will, and never speaks it', 0],
  ] as const)
    test(`${name} ${what}`, async () => {
      await start(name)
      const topic = `status/response/${iid}`
      const will = { topic, payload: Buffer.from('{"Status":2}'), qos: 1 as const, retain: false }
      const l = await listen(pki, 'observer', port)
      const stranger = await listen(pki, other, port, { will })
      stranger.client.stream.destroy()
      await reached(name)
      const gone = (): Promise<unknown> =>
        host.logged((x) => x.entry['event'] === 'disconnected' && x.entry['identity'] === other, 'its end')
      if (times > 0) await l.hears((m) => m.topic === topic, 'the forged will')
      else
        await Promise.all([gone(), host.logged((x) => x.entry['reason'] === 'publish-topic', 'the refusal')])
      expect(l.heard.filter((m) => m.topic === topic).length).toBe(times)
      await stranger.close()
      await l.close()
    })

  test('speaks-no-wills says nothing of an app that vanishes', async () => {
    await start('speaks-no-wills')
    const l = await listen(pki, 'observer', port)
    const will = {
      topic: `status/response/${iid}`,
      payload: Buffer.from('{"Status":2}'),
      qos: 1 as const,
      retain: false,
    }
    const vanishing = await listen(pki, app, port, { will })
    vanishing.client.stream.destroy()
    await reached('speaks-no-wills')
    expect(l.heard).toEqual([])
    await vanishing.close()
    await l.close()
  })

  test('insists-on-client-ids lets nobody in with another', async () => {
    await start('insists-on-client-ids')
    await expect(listen(pki, app, port, { clientId: 'mqttjs_1' })).rejects.toThrow()
    await reached('insists-on-client-ids')
    await (await listen(pki, app, port, { clientId: app })).close()
  })

  test('refusals-not-logged refuses in silence', async () => {
    await start('refusals-not-logged')
    await expect(listen(pki, 'intruder/expired', port)).rejects.toThrow()
    await reached('refusals-not-logged')
    expect(host.logs.some((l) => l.entry['event'] === 'refused')).toBe(false)
  })

  test('keeps-readings-to-itself lets no app have the readings of another', async () => {
    await start('keeps-readings-to-itself')
    const observer = await listen(pki, 'observer', port)
    const reader = await listen(pki, other, port)
    const sensor = await listen(pki, app, port)
    await sensor.publish({ topic: `sensor/data/${iid}/x`, payload: 1 })
    await observer.hears((m) => m.payload === 1, 'the reading')
    await sensor.hears((m) => m.payload === 1, 'its own reading')
    await reader.publish({ topic: 'algorithm/data/eatl_modbusrtusensor_01/x', payload: 2 })
    await reader.hears((m) => m.payload === 2, 'its own result')
    expect(reader.heard.map((m) => m.payload)).toEqual([2])
    for (const l of [observer, reader, sensor]) await l.close()
    await reached('keeps-readings-to-itself')
  })

  test('loses-messages loses one in a thousand', async () => {
    await start('loses-messages')
    const l = await listen(pki, app, port)
    for (let n = 1; n <= 1_001; n++) l.client.publish(`sensor/data/${iid}/x`, String(n), { qos: 1 })
    await l.hears((m) => m.payload === 1_001, 'the last message')
    expect(l.heard.length).toBe(1_000)
    await l.close()
    await reached('loses-messages')
  })
})

describe('a broken Container Manager', () => {
  interface Played {
    readonly effects: string[]
    readonly reached: number
  }
  /** What the Container Manager does about one application, with a defect or without. */
  function play(id: string | undefined, inputs: readonly Input[]): Played {
    let reached = 0
    const found = managerDefects.find((d) => d.id === id)
    const shipped = platform.parts({})
    const p = found === undefined ? shipped : found.wrap(shipped, () => reached++)
    let state: State = initial([{ iid: 'a_a_01', config: {} }])
    const effects: string[] = []
    for (const input of inputs) {
      const [next, done] = p.decide(state, input, 0, p.policy(), 'm_m_00')
      state = next
      effects.push(...done.map((e) => (e.do === 'publish' ? e.message.topic : e.do)))
    }
    return { effects, reached }
  }
  const begun: Input[] = [{ kind: 'begin' }, { kind: 'status', iid: 'a_a_01', code: 1 }]
  const polls = (n: number): Input[] => Array.from({ length: n }, () => ({ kind: 'poll' }))
  const stories: Readonly<Record<string, readonly Input[]>> = {
    'never-restarts-silent-apps': polls(4),
    'asks-nothing': polls(1),
    'restarts-after-one-silence': polls(2),
    'restarts-after-two-silences': polls(3),
    'keeps-changes-to-itself': [
      { kind: 'operator', request: { id: '1', do: 'change', iid: 'a_a_01', config: { interval: 10 } } },
    ],
    'leaves-dead-apps': [{ kind: 'exited', iid: 'a_a_01', how: 1 }],
  }

  for (const [name, story] of Object.entries(stories)) {
    test(`${name} comes to bear, and shows`, () => {
      const broken = play(`container-manager/${name}`, [...begun, ...story])
      expect(broken.reached).toBeGreaterThan(0)
      expect(broken.effects).not.toEqual(play(undefined, [...begun, ...story]).effects)
      expect(play(`container-manager/${name}`, begun).reached).toBe(0)
    })
  }

  test('none was left out', () => {
    const names = managerDefects.map((d) => d.id.split('/')[1] ?? '').toSorted()
    expect(Object.keys(stories).toSorted()).toEqual(names)
    expect(step).toBeTypeOf('function')
  })
})
