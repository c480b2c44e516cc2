/** The reader of HAN ports between a line, a cloud and a modem, in whichever world: for reader.test.ts of sim/reference/han-logger. */
import { readFileSync } from 'node:fs'
import { request } from 'node:https'
import { connect as connectTcp, type Socket } from 'node:net'
import { join } from 'node:path'
import { createServer, type TLSSocket } from 'node:tls'
import { Aedes } from 'aedes'
import type { Conn, Host, Json, Proc, Realm, SerialSettings, World } from '../../../drivers/faces.ts'
import {
  aidonBody,
  apduOf,
  envelopes,
  frameOf,
  kaifaBody,
  type MeterState,
} from '../../../drivers/protocols/han/lists.ts'
import type { Installed } from '../../../drivers/virtual/install.ts'
import { createVirtualWorld } from '../../../drivers/virtual/world.ts'

export const entry = 'sim/reference/han-logger/main.ts'

const clock = {
  year: 2018,
  month: 5,
  day: 24,
  dayOfWeek: 4,
  hour: 17,
  minute: 0,
  second: 10,
  hundredths: 255,
  deviation: undefined,
  status: 0,
} as const

/** Values of figure 7.9 of the thesis. */
export const figure: MeterState = {
  meterId: '1972681403753285',
  meterType: 'MA304H3E',
  clock,
  values: {
    activePowerImport: 604,
    activePowerExport: 0,
    reactivePowerImport: 0,
    reactivePowerExport: 156,
    current1: 1.091,
    current2: 1442 / 1000,
    current3: 1.447,
    voltage1: 240.2,
    voltage2: 0,
    voltage3: 241.9,
    activeEnergyImport: 103_293,
    activeEnergyExport: 0,
    reactiveEnergyImport: 837,
    reactiveEnergyExport: 21_992,
  },
}

/** A frame of a Kaifa list; `watts` tells lists apart. */
export function kaifa(list: 1 | 2 | 3, watts = 604): Uint8Array {
  const state = { ...figure, values: { ...figure.values, activePowerImport: watts } }
  return frameOf(apduOf(kaifaBody(list, state), envelopes.kaifa, clock), envelopes.kaifa)
}

function aidon(watts: number): Uint8Array {
  const state = { ...figure, values: { ...figure.values, activePowerImport: watts } }
  return frameOf(apduOf(aidonBody(1, state), envelopes.aidon, clock), envelopes.aidon)
}

interface Said {
  readonly DataID: number
  readonly Logger_MAC: string
  readonly data: { readonly [k: string]: Json }
  readonly [k: string]: Json
}

export interface Cloud {
  /** Payloads as they came, acknowledged or not. */
  readonly came: string[]
  readonly said: () => Said[]
  /** While true it acknowledges nothing. */
  mute: boolean
  /** Ends everything, as a broker that is away; `open` brings it back. */
  shut(): Promise<void>
  open(): Promise<void>
  readonly passwords: string[]
}

/** A broker with TLS on its own address. */
export async function makeCloud(realm: Realm, pki: string, port: number, cert = 'broker'): Promise<Cloud> {
  const read = (f: string): Buffer => readFileSync(join(pki, f))
  const broker = await realm.run(() => Aedes.createBroker({ id: 'cloud' }))
  const sockets = new Set<TLSSocket>()
  const cloud = { came: [] as string[], mute: false, passwords: [] as string[] }
  broker.authenticate = (_client, username, password, done) => {
    cloud.passwords.push(`${username ?? ''}:${String(password ?? '')}`)
    done(null, true)
  }
  broker.authorizePublish = (_client, packet, done) => {
    cloud.came.push(String(packet.payload))
    if (!cloud.mute) done(null)
  }
  const make = () => {
    const server = createServer(
      { cert: read(`${cert}.crt`), key: read(`${cert}.key`), minVersion: 'TLSv1.2' },
      (s) => {
        sockets.add(s)
        s.on('close', () => sockets.delete(s))
        s.on('error', () => undefined)
        broker.handle(s, {} as never)
      },
    )
    server.on('tlsClientError', () => undefined)
    return server
  }
  let server: ReturnType<typeof make> | undefined
  const open = (): Promise<void> =>
    realm.run(
      () =>
        new Promise((resolve, reject) => {
          server = make()
          server.once('error', reject)
          server.listen(port, realm.address, resolve)
        }),
    )
  await open()
  return Object.assign(cloud, {
    said: () => cloud.came.map((c) => JSON.parse(c) as Said),
    open,
    shut: () =>
      realm.run(
        () =>
          new Promise<void>((resolve) => {
            server?.close(() => resolve())
            for (const s of sockets) s.destroy()
          }),
      ),
  })
}

export interface ModemManners {
  /** Commands that get no answer before it begins to speak. */
  readonly silentFor?: number
  /** It answers no call, neither way. */
  readonly mum?: boolean
  /** Calls that are answered BUSY before one gets through. */
  readonly busyFor?: number
  /** After so many bytes to the network it resets once, without a word. */
  readonly resetAfter?: number
  /** After so many bytes to the network it loses its carrier once, and says so. */
  readonly dropAfter?: number
}

/** A played modem at the other end of the reader's line. */
export function playModem(
  realm: Realm,
  conn: Conn,
  manners: ModemManners = {},
): { readonly heard: string[]; readonly online: () => boolean } {
  let { mum = false, silentFor = 0, busyFor = 0, resetAfter = Infinity, dropAfter = Infinity } = manners
  const heard: string[] = []
  let line = ''
  let socket: Socket | undefined
  let passed = 0
  let lastAt = 0
  let plus = 0
  let escape: NodeJS.Timeout | undefined
  const say = (word: string): void => void conn.send(Buffer.from(`\r\n${word}\r\n`)).catch(() => undefined)
  const drop = (): void => {
    const s = socket
    socket = undefined
    s?.destroy()
  }
  const call = (host: string, port: number): void => {
    const s = connectTcp({ host, port }, () => {
      socket = s
      passed = 0
      say(`CONNECT`)
    })
    s.on('data', (b) => {
      if (socket === s) void conn.send(b).catch(() => undefined)
    })
    s.on('error', () => {
      if (socket === undefined) say('NO CARRIER')
    })
    s.on('close', () => {
      if (socket !== s) return
      socket = undefined
      say('NO CARRIER')
    })
  }
  const command = (text: string): void => {
    heard.push(text)
    if (silentFor-- > 0) return
    if (text === 'AT' || text === 'ATZ' || text === 'ATH') {
      drop()
      return say('OK')
    }
    const number = /^ATD(.+):(\d+)$/.exec(text)
    if (number === null) return say('ERROR')
    if (mum) return undefined
    if (busyFor-- > 0) return say('BUSY')
    call(number[1] ?? '', Number(number[2]))
  }
  const take = (b: Uint8Array, at: number): void => {
    const quiet = at - lastAt
    lastAt = at
    clearTimeout(escape)
    if (socket !== undefined) {
      const text = Buffer.from(b).toString('latin1')
      plus = /^\++$/.test(text) && (plus > 0 || quiet >= 1000) ? plus + text.length : 0
      if (plus === 3)
        escape = setTimeout(() => {
          plus = 0
          heard.push('+++')
          drop()
          say('OK')
        }, 1000)
      if (plus > 0) return
      passed += b.length
      if (passed > resetAfter) {
        resetAfter = Infinity
        return drop()
      }
      socket.write(b)
      if (passed > dropAfter) {
        dropAfter = Infinity
        drop()
        say('NO CARRIER')
      }
      return
    }
    line += Buffer.from(b).toString('latin1')
    for (let at = line.indexOf('\r'); at >= 0; at = line.indexOf('\r')) {
      const text = line.slice(0, at)
      line = line.slice(at + 1)
      if (text.length > 0) command(text.slice(-200))
    }
    if (line.length > 1000) line = ''
  }
  conn.onBytes((b, at) => realm.run(() => take(b, at)))
  return { heard, online: () => socket !== undefined }
}

export interface Kit {
  readonly world: World
  readonly meter: Realm
  readonly cloudRealm: Realm
  readonly host: Host
  readonly cloud: Cloud
  readonly logs: { readonly [k: string]: Json }[]
  readonly config: (more?: { readonly [k: string]: Json }) => Json
  /** Ends when it holds; throws after `ms`. */
  until(what: string, holds: () => boolean, ms?: number): Promise<void>
  start(config?: Json): Promise<Proc>
  line(settings?: Partial<SerialSettings>): Promise<{ readonly path: string; readonly conn: Conn }>
  readonly path: string
  readonly conn: Conn
  send(...frames: Uint8Array[]): Promise<void>
}

export interface Order {
  readonly story: string
  readonly arg?: Json
}

/** What became of an order. */
export type Told = { readonly result: Json; readonly escapes: Json } | { readonly error: string }

const settings = { baudRate: 2400, dataBits: 8, parity: 'even', stopBits: 1 } as const

/** Builds all that a story needs. `port` is one that is free. */
export async function makeKit(world: World, pki: string, port: number, cert = 'broker'): Promise<Kit> {
  const meter = world.realm({ name: 'meter', address: '10.0.0.20' })
  const cloudRealm = world.realm({ name: 'cloud', address: '10.0.0.30' })
  const cloud = await makeCloud(cloudRealm, pki, port, cert)
  const host = await world.host({ name: 'reader', address: '10.0.0.10' })
  const logs: { readonly [k: string]: Json }[] = []
  host.onLog((_proc, e) => void logs.push(e as { readonly [k: string]: Json }))
  let lines = 0
  const line: Kit['line'] = async (more = {}) => {
    const made = await world.serial({
      name: `line${lines++}`,
      realm: meter,
      settings: { ...settings, ...more },
    })
    return new Promise((resolve, reject) => {
      made.wire.open((conn) => resolve({ path: made.path, conn })).catch(reject)
    })
  }
  const first = await line()
  const kit: Kit = {
    world,
    meter,
    cloudRealm,
    host,
    cloud,
    logs,
    ...first,
    line,
    config: (more = {}) => ({
      id: '5C:CF:7F:53:BA:8A',
      lines: [{ path: first.path }],
      broker: {
        host: cloudRealm.address,
        port,
        clientId: 'reader-1',
        topic: 'han/1',
        ca: join(pki, 'ca.crt'),
      },
      retry: 0.5,
      ...more,
    }),
    async until(what, holds, ms = 60_000) {
      for (const end = world.now() + ms; !holds(); await world.pass(20))
        if (world.now() > end)
          throw new Error(`waited in vain for ${what}; the log says ${JSON.stringify(logs.slice(-12))}`)
    },
    async start(config) {
      const before = logs.length
      const proc = await host.start('reader', { entry, config: config ?? kit.config(), defects: [] })
      await kit.until('the port', () => logs.slice(before).some((l) => l['event'] === 'port-open'))
      return proc
    },
    async send(...frames) {
      for (const f of frames) await first.conn.send(f)
    },
  }
  return kit
}

const ids = (k: Kit): number[] => k.cloud.said().map((s) => s.DataID)
const watts = (k: Kit): Json[] => k.cloud.said().map((s) => s.data['ActiveImportPower'] ?? null)
const seen =
  (k: Kit, event: string, from = 0) =>
  (): boolean =>
    k.logs.slice(from).some((l) => l['event'] === event)

/** What happens in each story; each gives what its test looks at. */
export const stories: Readonly<Record<string, (k: Kit, arg: Json) => Promise<Json>>> = {
  async plain(k) {
    const second = await k.line()
    await k.start(k.config({ lines: [{ path: k.path }, { path: second.path }] }))
    await k.send(kaifa(1, 980), kaifa(2), kaifa(3))
    await k.until('three messages', () => k.cloud.came.length === 3)
    await second.conn.send(aidon(77))
    await k.until('the other meter', () => k.cloud.came.length === 4)
    return { said: k.cloud.said() as never }
  },
  async thesis(k) {
    await k.start(k.config({ form: 'thesis' }))
    await k.send(kaifa(3))
    await k.until('a message', () => k.cloud.came.length === 1)
    return { came: k.cloud.came }
  },
  async away(k) {
    await k.start()
    await k.send(kaifa(1, 1))
    await k.until('the first', () => k.cloud.came.length === 1)
    await k.cloud.shut()
    await k.until('the loss', seen(k, 'cloud-lost'))
    for (let n = 2; n <= 12; n++) await k.send(kaifa(1, n))
    await k.world.pass(2_500)
    await k.cloud.open()
    await k.until('all of them', () => ids(k).includes(12))
    await k.send(kaifa(1, 13))
    await k.until('a new one', () => ids(k).includes(13))
    return { ids: ids(k), watts: watts(k), refusals: k.logs.filter((l) => l['event'] === 'cloud-refused') }
  },
  /** A broker that takes all and acknowledges nothing, and then goes: sent twice, under the same numbers, and no third time. */
  async unacknowledged(k) {
    await k.start()
    await k.until('the cloud', seen(k, 'cloud-connected'))
    k.cloud.mute = true
    for (const n of [1, 2, 3]) await k.send(kaifa(1, n))
    await k.until('three', () => k.cloud.came.length === 3)
    await k.cloud.shut()
    k.cloud.mute = false
    await k.until('the loss', seen(k, 'cloud-lost'))
    await k.cloud.open()
    await k.until('them again', () => k.cloud.came.length >= 6)
    await k.world.pass(2_000)
    return { ids: ids(k) }
  },
  async crash(k) {
    const first = await k.start()
    await k.until('the cloud', seen(k, 'cloud-connected'))
    k.cloud.mute = true
    for (const n of [1, 2, 3]) await k.send(kaifa(1, n))
    await k.until('three', () => k.cloud.came.length === 3)
    k.host.kill('reader')
    await first.ended
    k.cloud.mute = false
    k.cloud.came.splice(0)
    await k.start()
    await k.until('them again', () => k.cloud.came.length >= 3)
    await k.send(kaifa(1, 4))
    await k.until('a new one', () => ids(k).includes(4))
    return { ids: ids(k), watts: watts(k) }
  },
  /** Power goes while much is under way, and comes back. */
  async cut(k) {
    await k.start()
    await k.until('the cloud', seen(k, 'cloud-connected'))
    k.cloud.mute = true
    for (const n of [1, 2, 3]) await k.send(kaifa(1, n))
    await k.until('three', () => k.cloud.came.length === 3)
    k.host.cut()
    await k.world.pass(30_000)
    k.cloud.mute = false
    k.cloud.came.splice(0)
    const before = k.logs.length
    await k.host.restore()
    await k.until('the port', seen(k, 'port-open', before))
    await k.send(kaifa(1, 4))
    await k.until('them again, and a new one', () => ids(k).includes(4), 200_000)
    return { ids: ids(k), watts: watts(k) }
  },
  async disk(k) {
    await k.start()
    await k.send(kaifa(1, 1))
    await k.until('the first', () => k.cloud.came.length === 1)
    k.cloud.mute = true
    await k.send(kaifa(1, 2))
    await k.until('the second', () => k.cloud.came.length === 2)
    k.host.fill('full')
    for (const n of [3, 4, 5]) await k.send(kaifa(1, n))
    await k.world.pass(3_000)
    const whileFull = ids(k)
    k.host.fill('free')
    k.cloud.mute = false
    await k.send(kaifa(1, 6))
    // The second was never acknowledged: it comes again with the next connection.
    await k.cloud.shut()
    await k.cloud.open()
    await k.until('all', () => ids(k).includes(6))
    return { whileFull, ids: ids(k), watts: watts(k), disk: k.logs.filter((l) => l['event'] === 'disk') }
  },
  /** Acknowledged while the disk takes not even deletions: not sent again. */
  async diskAtAcknowledgement(k) {
    await k.start()
    await k.until('the cloud', seen(k, 'cloud-connected'))
    k.cloud.mute = true
    const answer = k.cloud
    await k.send(kaifa(1, 1))
    await k.until('the first', () => k.cloud.came.length === 1)
    await k.cloud.shut()
    answer.mute = false
    k.host.fill('full')
    await k.cloud.open()
    await k.until('it again', () => k.cloud.came.length === 2)
    await k.world.pass(1_000)
    await k.cloud.shut()
    await k.until('the loss', seen(k, 'cloud-lost', k.logs.length))
    await k.cloud.open()
    await k.world.pass(5_000)
    k.host.fill('free')
    await k.send(kaifa(1, 2))
    await k.until('a new one', () => ids(k).includes(2))
    return { ids: ids(k) }
  },
  async refused(k) {
    await k.start()
    await k.send(kaifa(1, 1))
    await k.until('the refusal', seen(k, 'cloud-refused'))
    await k.world.pass(4_000)
    return { came: k.cloud.came, refusals: k.logs.filter((l) => l['event'] === 'cloud-refused') }
  },
  /** From a first start without a configuration to readings at the broker, and the same again after a kill. */
  async page(k, arg) {
    const { pki, port, password, stored } = arg as unknown as {
      pki: string
      port: number
      password: string
      stored: string
    }
    const own = k.config() as { readonly broker: { readonly port: number; readonly host: string } }
    const { broker, ...rest } = own
    const config = {
      ...rest,
      web: { port, password: stored, cert: join(pki, 'maintenance.crt'), key: join(pki, 'maintenance.key') },
    }
    const proc = await k.host.start('reader', { entry, config, defects: [] })
    await k.until('the page', seen(k, 'web-listening'))
    // Nothing but the page: what the meter says now is nobody's.
    await k.send(kaifa(1, 1))
    await k.world.pass(1_000)
    const phone = k.world.realm({ name: 'phone', address: '10.0.0.40' })
    const ca = readFileSync(join(pki, 'ca.crt'))
    const ask = (method: string, path: string, form = {}, cookie = '') =>
      phone.run(
        () =>
          new Promise<{ status: number; text: string; cookie: string }>((resolve, reject) => {
            const r = request(
              { host: k.host.address, port, ca, agent: false, method, path, headers: { cookie } },
              (a) => {
                let text = ''
                a.on('data', (b: Buffer) => (text += String(b)))
                a.on('end', () =>
                  resolve({
                    status: a.statusCode ?? 0,
                    text,
                    cookie: String(a.headers['set-cookie']).split(';')[0] ?? '',
                  }),
                )
              },
            )
            r.on('error', reject)
            r.end(new URLSearchParams(form).toString())
          }),
      )
    const { cookie } = await ask('POST', '/login', { key: password })
    const token = async (): Promise<string> =>
      /name="token" value="([^"]+)"/.exec((await ask('GET', '/', {}, cookie)).text)?.[1] ?? ''
    const form = {
      token: await token(),
      broker: broker.host,
      port: String(broker.port),
      clientId: 'by-page',
      publishTopic: 'han/by-page',
      username: 'reader',
      connectionKey: 'cloud-key',
      deviceId: 'device-7',
      certificate: String(ca),
      meterType0: 'kaifa',
    }
    const saved = await ask('POST', '/save', form, cookie)
    await k.until('the cloud', seen(k, 'cloud-connected'))
    await k.send(kaifa(1, 2))
    await k.until('a reading', () => k.cloud.came.length === 1)
    k.host.kill('reader')
    await proc.ended
    const before = k.logs.length
    await k.start(config)
    await k.until('the cloud again', seen(k, 'cloud-connected', before))
    await k.send(kaifa(1, 3))
    await k.until('another', () => ids(k).includes(2))
    // The first may have come twice, where the kill was quicker than its acknowledgement.
    const said = k.cloud.said().filter((s, i, all) => all.findIndex((t) => t.DataID === s.DataID) === i)
    return { saved: saved.status, said: said as never, passwords: k.cloud.passwords }
  },
  /** Told to end while a modem is asked, or calls. */
  async modemEnd(k, arg) {
    const line = await k.line({ baudRate: 9600, parity: 'none' })
    k.meter.run(() => playModem(k.cloudRealm, line.conn, arg as unknown as ModemManners))
    const proc = await k.start(k.config({ modem: { path: line.path, baudRate: 9600 } }))
    await k.world.pass(4_000)
    const asked = k.world.now()
    proc.signal('TERM')
    return { ended: await proc.ended, after: k.world.now() - asked }
  },
  /** The network goes without a word, and comes back. */
  async carrier(k) {
    await k.start()
    await k.send(kaifa(1, 1))
    await k.until('the first', () => k.cloud.came.length === 1)
    k.world.network?.carrier(k.host.address, k.cloudRealm.address, 'down')
    for (let n = 2; n <= 40; n++) {
      await k.send(kaifa(1, n))
      await k.world.pass(2_000)
    }
    k.world.network?.carrier(k.host.address, k.cloudRealm.address, 'up')
    await k.until('all of them', () => ids(k).includes(40), 120_000)
    return { ids: ids(k), lost: k.logs.filter((l) => l['event'] === 'cloud-lost') }
  },
  async modem(k, arg) {
    const { baudRate, manners, lists } = arg as unknown as {
      baudRate: number
      manners: ModemManners
      lists: number
    }
    const line = await k.line({ baudRate, parity: 'none' })
    const modem = k.meter.run(() => playModem(k.cloudRealm, line.conn, manners))
    const began = k.world.now()
    const proc = await k.start(
      k.config({ modem: { path: line.path, baudRate, answerSeconds: 2, connectSeconds: 20, keepalive: 30 } }),
    )
    await k.until('the cloud', seen(k, 'cloud-connected'), 600_000)
    const connectedAfter = k.world.now() - began
    for (let n = 1; n <= lists; n++) await k.send(kaifa(1, n))
    await k.until('all of them', () => ids(k).includes(lists), 900_000)
    await k.world.pass(2_000)
    proc.signal('TERM')
    const ended = await proc.ended
    return {
      connectedAfter,
      ids: ids(k),
      heard: modem.heard,
      online: modem.online(),
      ended,
      lost: k.logs.filter((l) => l['event'] === 'cloud-lost'),
      refusals: k.logs.filter((l) => l['event'] === 'cloud-refused'),
    }
  },
}

/** Stories in virtual time, each in a world of its own. */
export async function task({ kernel }: Installed, arg: Json): Promise<Json> {
  const { pki, orders } = arg as unknown as { pki: string; orders: Order[] }
  await import('../../reference/han-logger/main.ts')
  const told: Told[] = []
  for (const { story, arg: more } of orders) {
    try {
      told.push(
        await kernel.run(async () => {
          await using world = await createVirtualWorld()
          const k = await makeKit(world, pki, 8883, story === 'refused' ? 'intruder/foreign-ca' : 'broker')
          const tell = stories[story]
          if (tell === undefined) throw new Error(`no story ${story}`)
          return { result: await tell(k, more ?? null), escapes: world.report().escapes as never }
        }),
      )
    } catch (e) {
      told.push({ error: String(e) })
    }
  }
  return told
}
