import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { X509Certificate } from 'node:crypto'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { connect, type IClientOptions, type MqttClient } from 'mqtt'
import type { Json } from '../env.ts'
import { makePki } from '../pki.ts'
import {
  clientOptions,
  eventually,
  freePort,
  listen,
  marketplaceConfig,
  tempFolder,
  testHost,
  type Listener,
  type TestHost,
} from '../testing.ts'
import { mosquittoLacks } from './mosquitto-programs.ts'

const app = 'lucy_gridkeysensor_2.0'
const iid = 'lucy_gridkeysensor_01'
const other = 'eatl_modbusrtusensor_1.3'
const gone = 'thirdparty_visitor_0.9'
const entry = 'sim/reference/lvcap/marketplace/mosquitto.ts'

const lacks = mosquittoLacks()
const suffix = lacks.length === 0 ? '' : ` (skipped: ${lacks.join('; ')})`

function closed(client: MqttClient): Promise<void> {
  return new Promise((resolve) => {
    client.once('close', () => resolve())
  })
}

/** Process numbers of the children of a process (proc(5)); none where it is gone. */
function childrenOf(pid: number): readonly number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
      .trim()
      .split(' ')
      .filter(Boolean)
      .map(Number)
  } catch {
    return []
  }
}

/** Resolves when no such process runs any more. */
async function goneFor(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0)
    } catch {
      return
    }
    await new Promise((resolve) => {
      setImmediate(resolve)
    })
  }
}

describe.skipIf(lacks.length > 0)(`the Data Marketplace with mosquitto${suffix}`, () => {
  const folder = tempFolder()
  const pki = join(folder.path, 'pki')
  let host: TestHost
  let port: number
  let observer: Listener
  const open: Listener[] = []

  beforeAll(() => {
    makePki(pki, { apps: [app, other, gone], revoked: [gone], withSessions: [app] })
    return () => folder.remove()
  })

  const serial = (name: string): string =>
    new X509Certificate(readFileSync(join(pki, `${name}.crt`))).serialNumber
  const configOf = (revoked: readonly string[]): { readonly [k: string]: Json } =>
    marketplaceConfig(
      pki,
      port,
      [
        { apid: app, iid },
        { apid: other, iid: 'eatl_modbusrtusensor_01' },
      ],
      revoked,
    )
  beforeEach(async () => {
    host = testHost(folder.path)
    port = await freePort()
    await host.start('marketplace', { entry, defects: [], config: configOf([serial(gone)]) })
    await host.logged((l) => l.entry['event'] === 'listening', 'the marketplace to listen')
    observer = await as('observer')
  })
  afterEach(async () => {
    await Promise.all(open.splice(0).map((l) => l.close()))
    await host.stop()
  })

  async function as(name: string, more: IClientOptions = {}): Promise<Listener> {
    const l = await listen(pki, name, port, more)
    open.push(l)
    return l
  }

  async function refused(reason: string, fits: Record<string, unknown> = {}): Promise<void> {
    await host.logged(
      (l) =>
        l.entry['event'] === 'refused' &&
        l.entry['reason'] === reason &&
        Object.entries(fits).every(([k, v]) => l.entry[k] === v),
      `the refusal ${reason}`,
    )
    const heard = await observer.hears(
      (m) =>
        m.topic === 'storage/data/error/eatl_marketplace_00' && JSON.stringify(m.payload).includes(reason),
      `${reason} on the error topic`,
    )
    expect(heard.payload).toMatchObject({ Errno: 3, Timestamp: expect.any(Number) as number })
  }

  test('lets certified clients in, by TLS 1.2 and 1.3, each session of an application too, and passes messages on', async () => {
    const a = await as(app, { maxVersion: 'TLSv1.2' } as IClientOptions)
    const recording = await as(`${app}.recording`)
    await a.publish({ topic: `sensor/data/${iid}/x`, payload: { Value: 1 } })
    expect((await recording.hears((m) => m.topic.endsWith('/x'), 'the message')).payload).toEqual({
      Value: 1,
    })
    await recording.publish({ topic: `sensor/data/${iid}/y`, payload: { Value: 2 } })
    await observer.hears((m) => m.topic.endsWith('/y'), 'the message of the further session')
    expect(a.client.connected).toBe(true)
  })

  test('refuses certificates that are not good, who shows none, and who speaks no TLS', async () => {
    for (const name of ['expired', 'not-yet-valid', 'foreign-ca', 'self-signed'].map(
      (n) => `intruder/${n}`,
    )) {
      await expect(listen(pki, name, port), name).rejects.toThrow()
    }
    await expect(listen(pki, gone, port), 'revoked').rejects.toThrow()
    await refused('bad-certificate')
    const bad = (): number => host.logs.filter((l) => l.entry['reason'] === 'bad-certificate').length
    await host.logged(() => bad() === 5, 'all five in the log')
    const { cert: _cert, key: _key, ...bare } = clientOptions(pki, app, port)
    for (const options of [bare, { ...bare, protocol: 'mqtt' as const }]) {
      const client = connect(options)
      client.on('error', () => {})
      await closed(client)
      client.end(true)
    }
    await refused('no-certificate')
    await refused('plain-tcp')
    expect(host.logs.filter((l) => l.entry['event'] === 'connected').map((l) => l.entry['identity'])).toEqual(
      ['observer'],
    )
  })

  test('passes nothing on that is published on somebody else’s topic, and says so', async () => {
    const a = await as(other, { clientId: app, username: app })
    const topic = `sensor/data/${iid}/forged`
    a.client.publish(topic, '{"Value":666}', { qos: 1 })
    await refused('publish-topic', { identity: other, topic })
    expect(observer.heard.some((m) => m.topic === topic)).toBe(false)
  })

  test('speaks the last will of a session that broke, and none on somebody else’s topic', async () => {
    const will = (topic: string): IClientOptions => ({
      will: { topic, payload: Buffer.from('{"Status":2}'), qos: 1, retain: false },
    })
    const forged = await as(other, will(`status/response/${iid}`))
    await refused('will-topic', { identity: other, topic: `status/response/${iid}` })
    forged.client.stream.destroy()
    const honest = await as(app, will(`status/response/${iid}`))
    honest.client.stream.destroy()
    await observer.hears((m) => m.topic === `status/response/${iid}`, 'the last will')
    await (await as('operator')).publish({ topic: 'manager/request', payload: 'after' })
    await observer.hears((m) => m.payload === 'after', 'a later message')
    expect(observer.heard.filter((m) => m.topic === `status/response/${iid}`).length).toBe(1)
  })

  test('throws nobody out because somebody claims the same client ID; the same certificate takes the session over', async () => {
    const a = await as(app)
    await as(other, { clientId: app })
    await a.publish({ topic: `sensor/data/${iid}/still-here`, payload: 1 })
    const end = closed(a.client)
    await as(app, { clientId: 'another' })
    await end
    await host.logged((l) => l.entry['event'] === 'warning' && l.entry['identity'] === app, 'the warning')
  })

  test('says why it cannot serve: a port that is taken, a revoked certificate that its list does not name', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const address = taken.address()
    port = typeof address === 'object' && address !== null ? address.port : 0
    const proc = await host.start('second', { entry, defects: [], config: configOf([]) })
    expect(await proc.ended).toBe(1)
    const unlisted = await host.start('third', { entry, defects: [], config: configOf([serial(app)]) })
    expect(await unlisted.ended).toBe(1)
    const texts = host.logs.filter((l) => l.entry['event'] === 'failed').map((l) => l.entry['text'])
    expect(texts[0]).toMatch(/^Cannot listen: .*Address already in use/)
    expect(texts[1]).toContain(`does not list ${serial(app)}`)
    taken.close()
  })

  test('ends with the program that runs it, asked or killed, and the program ends when it does', async () => {
    const script = (config: Json): string => `
      const { main } = await import(${JSON.stringify(new URL('mosquitto.ts', import.meta.url).href)})
      const term = new AbortController()
      process.on('SIGTERM', () => term.abort())
      const log = (e) => console.log(JSON.stringify(e))
      const env = { name: 'm', address: '127.0.0.1', defects: [], term: term.signal, log }
      process.exitCode = await main({ ...env, disk: ${JSON.stringify(folder.path)}, config: ${JSON.stringify(config)} })`
    for (const [end, code] of [
      ['SIGTERM', 0],
      ['SIGKILL', 'SIGKILL'],
      ['broker', 1],
    ] as const) {
      port = await freePort()
      const args = ['--input-type=module', '-e', script(configOf([]))]
      const program = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
      const exited = once(program, 'exit')
      await eventually<void>('the broker to listen', (resolve) => {
        let said = ''
        program.stdout.on('data', (chunk: Buffer) => {
          said += chunk.toString()
          if (said.includes('"listening"')) resolve()
        })
      })
      const [broker = 0] = childrenOf(program.pid ?? 0)
      expect(readFileSync(`/proc/${broker}/comm`, 'utf8')).toBe('mosquitto\n')
      if (end === 'broker') process.kill(broker, 'SIGKILL')
      else program.kill(end)
      const [status, signal] = (await exited) as [number | null, string | null]
      expect(status ?? signal, end).toBe(code)
      await goneFor(broker)
    }
  })
})
