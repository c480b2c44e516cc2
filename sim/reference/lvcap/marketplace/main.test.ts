import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect as connectTcp } from 'node:net'
import { join } from 'node:path'
import { connect as connectTls, type ConnectionOptions } from 'node:tls'
import { connect, type IClientOptions, type MqttClient } from 'mqtt'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { makePki } from '../pki.ts'
import {
  clientOptions,
  freePort,
  listen,
  marketplaceConfig,
  tempFolder,
  testHost,
  type Listener,
  type TestHost,
} from '../testing.ts'

const app = 'lucy_gridkeysensor_2.0'
const iid = 'lucy_gridkeysensor_01'
const other = 'eatl_modbusrtusensor_1.3'

/** Resolves when a client's connection has closed, however it came to that. */
function closed(client: MqttClient): Promise<void> {
  return new Promise((resolve) => {
    client.once('close', () => resolve())
  })
}

describe('the Data Marketplace', () => {
  const folder = tempFolder()
  const pki = join(folder.path, 'pki')
  let host: TestHost
  let port: number
  let observer: Listener
  const open: Listener[] = []

  beforeAll(() => {
    makePki(pki, { apps: [app, other] })
    return () => folder.remove()
  })

  const start = async (revoked: string[] = []): Promise<void> => {
    host = testHost(folder.path)
    port = await freePort()
    await host.start('marketplace', {
      entry: 'sim/reference/lvcap/marketplace/main.ts',
      defects: [],
      config: marketplaceConfig(
        pki,
        port,
        [
          { apid: app, iid },
          { apid: other, iid: 'eatl_modbusrtusensor_01' },
          { apid: other, iid: 'eatl_modbusrtusensor_02' },
        ],
        revoked,
      ),
    })
    await host.logged((l) => l.entry['event'] === 'listening', 'the marketplace to listen')
    observer = await as('observer')
  }
  beforeEach(() => start())
  afterEach(async () => {
    await Promise.all(open.splice(0).map((l) => l.close()))
    await host.stop()
  })

  async function as(name: string, more: IClientOptions = {}): Promise<Listener> {
    const l = await listen(pki, name, port, more)
    open.push(l)
    return l
  }

  /** A refusal is logged with its reason, and published on the error topic. */
  async function refused(reason: string, fits: Record<string, unknown> = {}): Promise<void> {
    const l = await host.logged(
      ({ entry }) =>
        entry['event'] === 'refused' &&
        entry['reason'] === reason &&
        Object.entries(fits).every(([k, v]) => entry[k] === v),
      `the refusal ${reason}`,
    )
    expect(l.entry['address']).toMatch(/^127\.0\.0\.1:\d+$|^unknown$/)
    const heard = await observer.hears(
      (m) =>
        m.topic === 'storage/data/error/eatl_marketplace_00' && JSON.stringify(m.payload).includes(reason),
      `${reason} on the error topic`,
    )
    expect(heard.payload).toMatchObject({ Errno: 3, Timestamp: expect.any(Number) as number })
  }

  test('lets certified clients in, by TLS 1.2 and 1.3, and passes messages on', async () => {
    const a = await as(app, { maxVersion: 'TLSv1.2' } as IClientOptions)
    const b = await as(other)
    await a.publish({ topic: `sensor/data/${iid}/x`, payload: { Value: 1 } })
    expect((await b.hears((m) => m.topic.endsWith('/x'), 'the message')).payload).toEqual({ Value: 1 })
    const versions = host.logs.filter((l) => l.entry['event'] === 'connected').map((l) => l.entry['protocol'])
    expect(versions).toEqual(['TLSv1.3', 'TLSv1.2', 'TLSv1.3'])
  })

  for (const what of ['expired', 'not-yet-valid', 'foreign-ca', 'self-signed'] as const) {
    test(`refuses ${what} certificates, by name and with the identity that was claimed`, async () => {
      await expect(listen(pki, `intruder/${what}`, port)).rejects.toThrow()
      await refused(what, { identity: app })
    })
  }

  test('refuses who shows no certificate', async () => {
    const { cert: _cert, key: _key, ...bare } = clientOptions(pki, app, port)
    const client = connect(bare)
    client.on('error', () => {})
    await closed(client)
    client.end(true)
    await refused('no-certificate', { identity: 'unknown' })
  })

  test('refuses plain TCP', async () => {
    const socket = connectTcp(port, '127.0.0.1')
    socket.on('error', () => {})
    // CONNECT of MQTT 3.1.1 (section 3.1): clean session, client ID `a`.
    socket.write(Buffer.from([0x10, 13, 0, 4, 77, 81, 84, 84, 4, 2, 0, 60, 0, 1, 97]))
    await once(socket, 'close')
    await refused('plain-tcp')
  })

  test('refuses HTTP, noise and silence that hangs up', async () => {
    for (const bytes of [
      'GET / HTTP/1.1\r\n\r\n',
      '\u0000\u0001\u0002garbage that is no record at all',
      '',
    ]) {
      const socket = connectTcp(port, '127.0.0.1')
      socket.on('error', () => {})
      await once(socket, 'connect')
      socket.end(bytes)
      socket.resume()
      await once(socket, 'close')
    }
    await refused('plain-tcp')
    await refused('handshake')
    expect((await as('operator')).client.connected).toBe(true)
  })

  test('refuses TLS 1.1', async () => {
    const options: ConnectionOptions = {
      host: '127.0.0.1',
      port,
      ca: readFileSync(join(pki, 'ca.crt')),
      minVersion: 'TLSv1',
      maxVersion: 'TLSv1.1',
      ciphers: 'DEFAULT:@SECLEVEL=0',
      servername: 'marketplace',
    }
    const socket = connectTls(options)
    socket.on('error', () => {})
    await new Promise((resolve) => socket.on('close', resolve))
    await refused('tls-version')
  })

  test('refuses revoked certificates', async () => {
    await host.stop()
    await start([new X509Certificate(readFileSync(join(pki, `${app}.crt`))).serialNumber.toLowerCase()])
    await expect(listen(pki, app, port)).rejects.toThrow()
    await refused('revoked', { identity: app })
  })

  test('ends the session of who publishes on somebody else’s topic, and passes nothing on', async () => {
    const a = await as(other, { reconnectPeriod: 0 })
    const end = closed(a.client)
    const topic = `sensor/data/${iid}/Busbar/voltage/60s/L1-N_RMS`
    a.client.publish(topic, '{"Value":666}', { qos: 1 })
    await end
    await refused('publish-topic', { identity: other, topic })
    expect(observer.heard.some((m) => m.topic === topic)).toBe(false)
  })

  test('takes the identity from the certificate, whatever user name is claimed', async () => {
    const a = await as(other, { username: app, clientId: app })
    const end = closed(a.client)
    a.client.publish(`status/response/${iid}`, '{"Status":2}', { qos: 1 })
    await end
    await refused('publish-topic', { identity: other })
    const warnings = host.logs.filter((l) => l.entry['event'] === 'warning' && l.entry['identity'] === other)
    expect(warnings.length).toBeGreaterThanOrEqual(2)
  })

  test('throws nobody out because somebody claims the same client ID', async () => {
    const a = await as(app)
    await as(other, { clientId: app })
    await a.publish({ topic: `sensor/data/${iid}/x`, payload: 1 })
    await observer.hears((m) => m.topic.endsWith('/x'), 'the message')
    expect(a.client.connected).toBe(true)
  })

  test('lets two instances of one application live side by side', async () => {
    const will = (n: number): IClientOptions => ({
      will: {
        topic: `status/response/eatl_modbusrtusensor_0${n}`,
        payload: Buffer.from('{"Status":2}'),
        qos: 1,
        retain: false,
      },
    })
    const one = await as(other, will(1))
    const two = await as(other, will(2))
    await one.publish({ topic: 'sensor/data/eatl_modbusrtusensor_01/x', payload: 1 })
    await two.publish({ topic: 'sensor/data/eatl_modbusrtusensor_02/x', payload: 2 })
    await observer.hears((m) => m.payload === 2, 'the second instance')
    expect(one.client.connected && two.client.connected).toBe(true)
  })

  test('lets a returning instance take its old session over', async () => {
    const old = await as(app)
    const end = closed(old.client)
    await as(app)
    await end
  })

  test('sends the last will of a session that broke, and none of one that ended', async () => {
    const will = {
      topic: `status/response/${iid}`,
      payload: Buffer.from('{"Status":2}'),
      qos: 1 as const,
      retain: false,
    }
    const broken = await as(app, { will })
    broken.client.stream.destroy()
    await observer.hears((m) => m.topic === will.topic, 'the last will')
    const clean = await as(app, { will })
    await clean.client.endAsync()
    await host.logged(
      () =>
        host.logs.filter((l) => l.entry['event'] === 'disconnected' && l.entry['identity'] === app).length ===
        2,
      'the second disconnection',
    )
    await (await as(other)).publish({ topic: 'sensor/data/eatl_modbusrtusensor_01/after', payload: 1 })
    await observer.hears((m) => m.topic.endsWith('/after'), 'a later message')
    expect(observer.heard.filter((m) => m.topic === will.topic).length).toBe(1)
  })

  test('refuses a last will on somebody else’s topic', async () => {
    const will = {
      topic: `status/response/${iid}`,
      payload: Buffer.from('{}'),
      qos: 1 as const,
      retain: false,
    }
    await expect(listen(pki, other, port, { will })).rejects.toThrow()
    await refused('will-topic', { identity: other, topic: will.topic })
  })

  test('keeps metadata for who comes later, and takes retain off everything else', async () => {
    const a = await as(app)
    await a.publish({ topic: `sensor/data/${iid}/x/metadata`, payload: { Name: 'x' }, retain: true })
    await a.publish({ topic: `sensor/data/${iid}/x`, payload: 1, retain: true })
    await observer.hears((m) => m.topic.endsWith('/x'), 'the message')
    const late = await as(other)
    const kept = await late.hears((m) => m.topic.endsWith('/metadata'), 'retained metadata')
    expect(kept.retain).toBe(true)
    await a.publish({ topic: `sensor/data/${iid}/y`, payload: 1 })
    await late.hears((m) => m.topic.endsWith('/y'), 'a later message')
    expect(late.heard.some((m) => m.topic.endsWith('/x'))).toBe(false)
    expect(host.logs.some((l) => JSON.stringify(l.entry).includes('retain taken off'))).toBe(true)
  })

  test('lives on when a client sends what is no MQTT', async () => {
    const socket = connectTls({
      host: '127.0.0.1',
      port,
      servername: 'marketplace',
      ca: readFileSync(join(pki, 'ca.crt')),
      cert: readFileSync(join(pki, `${app}.crt`)),
      key: readFileSync(join(pki, `${app}.key`)),
    })
    socket.on('error', () => {})
    await once(socket, 'secureConnect')
    socket.write(Buffer.from([0xf0, 0xff, 0xff, 0xff, 0xff, 0x01]))
    await once(socket, 'close')
    await host.logged((l) => l.entry['event'] === 'trouble', 'the trouble')
    expect((await as(app)).client.connected).toBe(true)
  })
})
