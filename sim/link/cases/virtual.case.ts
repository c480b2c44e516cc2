/** A link under the virtual network, between sockets of Node that know nothing of it; see virtual.test.ts. */
import { createHash } from 'node:crypto'
import { connect, createServer, type Socket } from 'node:net'
import type { Json, LinkPort, Realm, World } from '../../../drivers/faces.ts'
import type { Installed } from '../../../drivers/virtual/install.ts'
import { createVirtualWorld } from '../../../drivers/virtual/world.ts'
import { createLink } from '../model.ts'
import { linkSettings, readLinkProfile } from '../profile.ts'

interface Place {
  readonly world: World
  readonly site: Realm
  readonly server: Realm
  readonly link: LinkPort
  readonly told: Json[]
  heard(s: Socket): string[]
}

type Story = (p: Place) => Promise<Json>
const port = 8443

/** Tells what a socket hears, with the time in ms. */
function listen(world: World, s: Socket): string[] {
  const from = world.now()
  const heard: string[] = []
  const at = (what: string): void => void heard.push(`${Math.round(world.now() - from)} ${what}`)
  s.on('connect', () => at('connect'))
  s.on('data', (b: Buffer) => at(b.length > 20 ? `${b.length} bytes` : String(b)))
  s.on('end', () => at('end'))
  s.on('error', (e: NodeJS.ErrnoException) => at(e.code ?? e.message))
  s.on('close', () => at('close'))
  return heard
}

/** A server that sends back what it gets. */
const echo = (p: Place, sockets: Socket[] = []): void =>
  p.server.run(() => {
    createServer((s) => {
      sockets.push(s)
      s.on('error', () => undefined)
      s.pipe(s)
    }).listen(port, p.server.address)
  })

const dial = (p: Place): Socket => p.site.run(() => connect(port, p.server.address))

const stories: Readonly<Record<string, { settings: object | string; tell: Story }>> = {
  echo: {
    settings: { delay: { median: '40 ms' } },
    async tell(p) {
      echo(p)
      const s = dial(p)
      const heard = p.heard(s)
      await p.world.pass(1000)
      p.site.run(() => s.write('hello'))
      await p.world.pass(1000)
      p.site.run(() => s.end())
      await p.world.pass(1000)
      return heard
    },
  },
  /** 300 kB through drops: the same bytes arrive. */
  transfer: {
    settings: 'flapping',
    async tell(p) {
      const got = createHash('sha256')
      let n = 0
      let ended = false
      p.server.run(() => {
        createServer((s) => {
          s.on('data', (b) => {
            got.update(b)
            n += b.length
          })
          s.on('end', () => (ended = true))
        }).listen(port, p.server.address)
      })
      const sent = createHash('sha256')
      const s = dial(p)
      for (let i = 0; i < 300; i++) {
        const b = Buffer.alloc(1000, i)
        sent.update(b)
        p.site.run(() => s.write(b))
        await p.world.pass(500)
      }
      p.site.run(() => s.end())
      await p.world.pass(600_000)
      return { n, ended, same: got.digest('hex') === sent.digest('hex'), drops: p.told.length }
    },
  },
  reset: {
    settings: {},
    async tell(p) {
      const sockets: Socket[] = []
      echo(p, sockets)
      const s = dial(p)
      const heard = p.heard(s)
      await p.world.pass(10)
      const far = p.heard(sockets[0] as Socket)
      p.link.order({
        do: 'inflict',
        id: 'r',
        fault: 'reset',
        params: { when: { way: 'up', bytes: 3 } },
      })
      p.site.run(() => s.write('abcdef'))
      await p.world.pass(100)
      return { heard, far }
    },
  },
  refused: {
    settings: { delay: { median: '10 ms' } },
    async tell(p) {
      const heard = p.heard(dial(p))
      await p.world.pass(1000)
      echo(p)
      p.link.order({ do: 'inflict', id: 'r', fault: 'refuse' })
      const second = p.heard(dial(p))
      await p.world.pass(1000)
      p.link.order({ do: 'lift', id: 'r' })
      const third = p.heard(dial(p))
      await p.world.pass(1000)
      return { heard, second, third }
    },
  },
  redirect: {
    settings: {},
    async tell(p) {
      echo(p)
      const other = p.world.realm({ name: 'other', address: '10.0.0.66' })
      other.run(() => createServer((s) => s.end('not me')).listen(9, '10.0.0.66'))
      await p.world.pass(1)
      p.link.order({ do: 'inflict', id: 'm', fault: 'redirect', params: { to: '10.0.0.66:9' } })
      const heard = p.heard(dial(p))
      await p.world.pass(1000)
      return heard
    },
  },
  /** Nobody is told: the host's own connection is given up by time, the server's stands for ever. */
  forgotten: {
    settings: { nat: { tcp_idle: '150 s' } },
    async tell(p) {
      const sockets: Socket[] = []
      echo(p, sockets)
      const s = dial(p)
      const heard = p.heard(s)
      await p.world.pass(200_000)
      const far = p.heard(sockets[0] as Socket)
      p.site.run(() => s.write('x'))
      await p.world.pass(2_000_000)
      return { heard, far }
    },
  },
  down: {
    settings: {},
    async tell(p) {
      echo(p)
      p.link.order({ do: 'inflict', id: 'd', fault: 'drop' })
      const heard = p.heard(dial(p))
      const s = dial(p)
      const second = p.heard(s)
      await p.world.pass(60_000)
      p.site.run(() => s.destroy())
      await p.world.pass(200_000)
      return { heard, second }
    },
  },
  /** A host that lost power had not sent everything; the server hears nothing of the cut. */
  cut: {
    settings: { delay: { median: '50 ms' }, rate: { up_kbit: 80 } },
    async tell(p) {
      const host = await p.world.host({ name: 'box', address: '10.0.0.1' })
      let n = 0
      const far: string[] = []
      p.server.run(() => {
        createServer((s) => {
          far.push(...p.heard(s))
          s.on('data', (b) => (n += b.length))
          s.on('close', () => far.push('close'))
        }).listen(port, p.server.address)
      })
      await host.start('sender', {
        entry: 'sim/link/cases/sender.ts',
        config: { port, address: p.server.address, bytes: 50_000 },
        defects: [],
      })
      await p.world.pass(2000)
      host.cut()
      const before = n
      await p.world.pass(10_000)
      return { before, after: n, far }
    },
  },
  inbound: {
    settings: { inbound: 'open' },
    async tell(p) {
      p.site.run(() => createServer((s) => s.end('welcome')).listen(port, p.site.address))
      const s = p.server.run(() => connect(port, p.site.address))
      const heard = p.heard(s)
      await p.world.pass(100)
      return heard
    },
  },
}

async function perform(kit: Installed, name: string): Promise<Json> {
  const story = stories[name]
  if (story === undefined) throw new Error(`no story '${name}'`)
  const { settings } = story
  await using world = await createVirtualWorld()
  const told: Json[] = []
  const model = createLink({
    profile:
      typeof settings === 'string'
        ? readLinkProfile(settings)
        : { name: 'test', title: 'of a test', settings: linkSettings(settings), origin: {} },
    random: (s) => world.random(`link/${s}`),
    began: world.now(),
  })
  const site = world.realm({ name: 'site', address: '10.0.0.1' })
  const server = world.realm({ name: 'server', address: '10.0.0.9' })
  if (world.link === undefined) throw new Error('virtual time has links')
  await using link = await world.link({
    name: 'link',
    realm: site,
    host: site.address,
    model,
    onTell(what) {
      if (what['alias'] === 'link.carrier') told.push(what)
    },
  })
  await link.reach({ name: 'server', address: server.address, port })
  const result = await story.tell({ world, site, server, link, told, heard: (s) => listen(world, s) })
  return { result, escapes: kit.kernel.escapes as unknown as Json, hash: world.report().traceHash ?? '' }
}

/** Tells stories, each in a run of its own: `[name, seed]`. */
export async function task(kit: Installed, arg: Json): Promise<Json> {
  const all: Json[] = []
  for (const [name, seed] of arg as readonly (readonly [string, number])[])
    all.push(await kit.kernel.run(() => perform(kit, name), { seed, shuffle: false }))
  return all
}
