/** Hosts, programs, links and clocks in virtual time; see hosts.test.ts. */
import { readFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Json, Program, World } from '../../faces.ts'
import type { Installed } from '../install.ts'
import { createVirtualWorld } from '../world.ts'

const program = (name: string, config: Json): Program => ({
  entry: `drivers/virtual/cases/programs/${name}.ts`,
  config,
  defects: [],
})

type Story = (world: World, kit: Installed) => Promise<Json>

/** What a socket hears, with the time. */
function listen(world: World, s: Socket, from: number): string[] {
  const heard: string[] = []
  const at = (what: string): void => void heard.push(`${Math.round(world.now() - from)} ${what}`)
  s.on('data', (b) => at(String(b)))
  s.on('end', () => at('end'))
  s.on('timeout', () => at('timeout'))
  s.on('error', (e: NodeJS.ErrnoException) => at(e.code ?? e.message))
  s.on('close', () => at('close'))
  return heard
}

const stories: Readonly<Record<string, Story>> = {
  async ends(world) {
    const host = await world.host({ name: 'a', address: '10.0.0.1' })
    const logs: string[] = []
    host.onLog((_name, entry) => {
      const { message } = entry as { message?: string }
      if (message !== undefined) logs.push(message)
    })
    const codes: Record<string, Json> = {}
    for (const how of ['timer', 'tick', 'microtask', 'rejection', 'main', 'exit', 'none']) {
      const p = await host.start(how, program('crash', how))
      codes[how] = await p.ended
    }
    const t = await host.start('term', program('crash', 'term'))
    await world.pass(10)
    t.signal('TERM')
    codes['term'] = await t.ended
    const k = await host.start('killed', program('crash', 'parent'))
    await world.pass(10)
    k.signal('KILL')
    codes['killed'] = await k.ended
    return { codes, logs }
  },

  async fault(world, { kernel }) {
    void world
    setTimeout(() => {
      throw new Error('of the bench')
    }, 10)
    await new Promise(() => setInterval(() => {}, 1000))
    return kernel.now
  },

  /** Cut and kill, as a peer hears them. */
  async peers(world) {
    const out: Record<string, Json> = {}
    for (const how of ['cut', 'kill'] as const) {
      const host = await world.host({ name: how, address: how === 'cut' ? '10.0.0.1' : '10.0.0.2' })
      const p = await host.start('app', program('busy', {}))
      await world.pass(100)
      const s = connect(700, host.address)
      s.setTimeout(30_000)
      await world.pass(100)
      const heard = listen(world, s, world.now())
      s.write('one')
      await world.pass(1000)
      if (how === 'cut') host.cut()
      else p.signal('KILL')
      const ended = await p.ended
      await world.pass(1000)
      if (!s.destroyed) s.write('two')
      await world.pass(60_000)
      out[how] = { ended, heard: [...heard] }
      s.destroy()
    }
    return out
  },

  /** A peer that kept its half of a connection over a restart learns of it when it sends. */
  async restored(world) {
    const host = await world.host({ name: 'a', address: '10.0.0.1' })
    await host.start('app', program('busy', {}))
    await world.pass(100)
    const s = connect(700, host.address)
    await world.pass(100)
    const heard = listen(world, s, world.now())
    host.cut()
    await world.pass(10_000)
    await host.restore()
    await world.pass(10_000)
    const quiet = [...heard]
    s.write('still there?')
    await world.pass(1000)
    const again = connect(700, host.address)
    const second = listen(world, again, world.now())
    again.write('hello')
    await world.pass(1000)
    return { quiet, heard, second }
  },

  /** One program hangs, then the whole machine; each time power brings it back. */
  async hangs(world) {
    const host = await world.host({ name: 'a', address: '10.0.0.1' })
    const app = await host.start('app', program('busy', {}))
    let logged = 0
    let neighbour = 0
    host.onLog((name) => {
      if (name === 'app') logged++
      else neighbour++
    })
    const other = await host.start('other', program('clock', {}))
    await world.pass(100)
    const s = connect(700, host.address)
    await world.pass(100)
    const from = world.now()
    const heard = listen(world, s, from)
    const unknown = host.hang('nobody')
    host.hang('app')
    const [before, beside] = [logged, neighbour]
    let ended: number | string | undefined
    void app.ended.then((how) => (ended = how))
    s.write('one')
    const late = connect(700, host.address)
    const second = listen(world, late, from)
    late.once('connect', () => second.push('connect'))
    await world.pass(60_000)
    const hung = {
      ended: ended ?? null,
      logged: logged - before,
      beside: neighbour - beside > 50,
      said: [...heard, ...second],
    }
    host.cut()
    await world.pass(1000)
    await host.restore()
    await world.pass(10_000)
    const back = { ended: ended ?? null, other: await other.ended, first: [...heard], second: [...second] }
    const whole = host.hang()
    const dark = logged
    await world.pass(10_000)
    const still = logged - dark
    host.cut()
    await host.restore()
    await world.pass(1000)
    return { unknown, hung, back, whole, still, again: logged > dark }
  },

  /** Bytes sent into a silence are given up by TCP itself after 924.6 s. */
  async givesUp(world) {
    const host = await world.host({ name: 'a', address: '10.0.0.1' })
    await host.start('app', program('busy', {}))
    await world.pass(100)
    const s = connect(700, host.address)
    await world.pass(100)
    const heard = listen(world, s, world.now())
    host.cut()
    s.write('anyone?')
    await world.pass(2_000_000)
    const unanswered = connect(700, host.address)
    const second = listen(world, unanswered, world.now())
    await world.pass(200_000)
    return { heard, second }
  },

  async carrier(world) {
    const a = world.realm({ name: 'a', address: '10.0.0.1' })
    const b = world.realm({ name: 'b', address: '10.0.0.2' })
    b.run(() => createServer((s) => s.pipe(s)).listen(7))
    const start = world.now()
    const s = a.run(() => connect(7, '10.0.0.2'))
    const heard = listen(world, s, start)
    await world.pass(100)
    a.run(() => s.write('1'))
    await world.pass(100)
    a.run(() => s.write('2'))
    // In flight when the carrier goes.
    world.network?.carrier('10.0.0.1', '10.0.0.2', 'down')
    await world.pass(100)
    a.run(() => s.write('3'))
    const late = a.run(() => connect(7, '10.0.0.2'))
    const second = listen(world, late, start)
    late.once('connect', () => second.push(`${Math.round(world.now() - start)} connect`))
    await world.pass(9_700)
    world.network?.carrier('10.0.0.1', '10.0.0.2', 'up')
    await world.pass(2000)
    return { heard, second }
  },

  async skew(world) {
    const out: Json[] = []
    for (const c of [{ stepMs: 3_600_000 }, { ppm: 100_000 }]) {
      const a = await world.host({ name: `a${c.ppm ?? 0}`, address: `10.0.1.${out.length}` })
      const b = await world.host({ name: `b${c.ppm ?? 0}`, address: `10.0.2.${out.length}` })
      const ticks: Record<string, number[]> = { a: [], b: [] }
      a.onLog((_n, e, at) => void ticks['a']?.push(at, (e as { date: number }).date))
      b.onLog((_n, e, at) => void ticks['b']?.push(at, (e as { date: number }).date))
      await a.start('app', program('clock', {}))
      await b.start('app', program('clock', {}))
      const start = world.now()
      await world.pass(1500)
      a.clock(c)
      await world.pass(10_000)
      const [x, y] = [ticks['a'] ?? [], ticks['b'] ?? []].map((t) => ({
        ticks: t.length / 2,
        lastAt: Math.round((t.at(-2) ?? 0) - start),
        lastDate: (t.at(-1) ?? 0) - start,
      }))
      out.push({ a: x as Json, b: y as Json })
      a.cut()
      b.cut()
    }
    return out
  },

  async loopback(world) {
    const hosts = ['10.0.0.1', '10.0.0.2'].map((address) => world.realm({ name: address, address }))
    const said: string[] = []
    for (const h of hosts) h.run(() => createServer((s) => s.end(h.address)).listen(8883, '127.0.0.1'))
    for (const h of hosts) h.run(() => connect(8883, 'localhost').on('data', (b) => said.push(String(b))))
    const errors: string[] = []
    const note = (e: NodeJS.ErrnoException): void => void errors.push(`${e.syscall} ${e.code}`)
    hosts[0]?.run(() => connect(8883, '10.0.0.2').on('error', note))
    hosts[0]?.run(() => connect(9999, 'localhost').on('error', note))
    hosts[0]?.run(() => createServer().on('error', note).listen(8883))
    hosts[0]?.run(() => connect(1, 'marketplace').on('error', note))
    hosts[0]?.run(() => connect(1, 'nobody').on('error', note))
    await world.pass(1000)
    return { said, errors: errors.toSorted() }
  },

  /** A reader that stops makes the sender wait. */
  async pressure(world) {
    const a = world.realm({ name: 'a', address: '10.0.0.1' })
    const b = world.realm({ name: 'b', address: '10.0.0.2' })
    let reader: Socket | undefined
    b.run(() => createServer((s) => (reader = s.pause())).listen(7))
    const s = a.run(() => connect(7, '10.0.0.2'))
    await world.pass(10)
    let written = 0
    const pump = (): void => {
      while (written < 20_000_000) {
        written += 100_000
        if (!s.write(Buffer.alloc(100_000))) break
      }
    }
    s.on('drain', pump)
    a.run(pump)
    await world.pass(1000)
    const stalled = written
    let read = 0
    b.run(() => reader?.on('data', (d) => (read += d.length)))
    b.run(() => reader?.resume())
    await world.pass(10_000)
    return { stalled, written, read }
  },

  async reset(world) {
    let server: Socket | undefined
    createServer((s) => (server = s)).listen(7)
    const s = connect(7)
    await world.pass(10)
    const heard = listen(world, s, world.now())
    server?.resetAndDestroy()
    await world.pass(10)
    // Half-open: the client ends, the server still sends.
    const half: string[] = []
    createServer({ allowHalfOpen: true }, (c) => {
      c.on('end', () => setTimeout(() => c.end('after the end'), 500))
      c.resume()
    }).listen(8)
    const h = connect({ port: 8, allowHalfOpen: true })
    h.on('data', (b) => half.push(String(b)))
    h.on('close', () => half.push('close'))
    h.end()
    await world.pass(2000)
    return { heard, half }
  },

  /** The wrong owner: a device's socket written by the bench without its realm. */
  async wrongOwner(world, { kernel }) {
    const realm = world.realm({ name: 'device', address: '10.0.0.1' })
    createServer((s) => s.resume()).listen(7)
    const own = connect(7)
    await world.pass(10)
    realm.run(() => own.write('x'))
    await world.pass(10)
    return kernel.escapes.map((e) => e.what)
  },

  /** Binding: methods run as the realm, callbacks as the caller, and what comes back is bound too. */
  async binding(world, { kernel }) {
    const realm = world.realm({ name: 'device', address: '10.0.0.1' })
    const seen: string[] = []
    const here = (what: string): void => void seen.push(`${what}: ${kernel.current().name}`)
    class Device {
      #secret = 'secret'
      read(f: (handle: { lift(): void }) => void): { lift(): void } {
        here('method')
        f({ lift: () => here('lift given') })
        return { lift: () => here(`lift returned, ${this.#secret}`) }
      }
      async later(f: () => void): Promise<string> {
        await new Promise((done) => setTimeout(done, 5))
        here('after an await')
        f()
        return 'value'
      }
    }
    const device = realm.bind(new Device())
    device
      .read((h) => {
        here('callback')
        h.lift()
      })
      .lift()
    const value = await device.later(() => here('late callback'))
    here('caller')
    return { seen, value, frozen: realm.bind(Object.freeze({ f: () => 1 })).f() }
  },

  /** A killed or cut program held a transaction: the next one is not locked out. */
  async locks(world) {
    const host = await world.host({ name: 'a', address: '10.0.0.1' })
    const rows: Json[] = []
    host.onLog((_n, entry) => void rows.push(entry))
    const first = await host.start('app', program('transaction', {}))
    await world.pass(1500)
    first.signal('KILL')
    await host.start('app', program('transaction', {}))
    await world.pass(1500)
    host.cut()
    await world.pass(1000)
    await host.restore()
    await world.pass(1500)
    return rows
  },

  /** Signals are handled in the midst of a run that never pauses. */
  async signal(world) {
    const stop = new AbortController()
    process.once('SIGINT', () => stop.abort())
    await world.pass(100)
    process.kill(process.pid, 'SIGINT')
    while (!stop.signal.aborted) await world.pass(1)
    return 'stopped'
  },

  /** A request that never ends is closed by the server's own time-outs, which are virtual. */
  async slowRequest(world) {
    const { createServer: createHttp } = await import('node:http')
    createHttp(() => {}).listen(80)
    const s = connect(80)
    const heard = listen(world, s, world.now())
    s.write('GET / HTTP/1.1\r\nHost: ')
    await world.pass(200_000)
    return heard.map((h) => h.split('\r\n')[0] ?? '')
  },

  /** A program's own AsyncLocalStorage follows its timers, and onread its bytes. */
  async contexts(world) {
    const { AsyncLocalStorage } = await import('node:async_hooks')
    const { promisify } = await import('node:util')
    const store = new AsyncLocalStorage<string>()
    const seen: string[] = []
    await store.run('one', async () => {
      await promisify(setTimeout)(10)
      setImmediate(() => seen.push(`immediate ${store.getStore()}`))
      setTimeout(() => seen.push(`timer ${store.getStore()}`), 5)
    })
    await world.pass(100)
    createServer((c) => c.end('0123456789')).listen(7)
    connect({
      port: 7,
      onread: {
        buffer: new Uint8Array(4),
        callback: (n, b) => seen.push(Buffer.from(b.subarray(0, n)).toString()) > 0,
      },
    })
    await world.pass(100)
    return seen
  },

  /** Who comes first among hosts that are due at the same instant; and on each host in its own order. */
  async ties(world) {
    const order: string[] = []
    for (const name of ['a', 'b', 'c', 'd']) {
      const r = world.realm({ name, address: `10.0.0.${name.charCodeAt(0)}` })
      r.run(() => {
        for (const n of [1, 2]) setTimeout(() => order.push(`${name}${n}`), 1000)
      })
    }
    await world.pass(2000)
    return order
  },

  /** A cut in the midst of a loop that tries everything a thousand times and forgives every error. */
  async stubborn(world, { kernel }) {
    const host = await world.host({ name: 'a', address: '10.0.0.1' })
    let logs = 0
    let connections = 0
    const peer = world.realm({ name: 'peer', address: '10.0.0.9' })
    peer.run(() => createServer(() => connections++).listen(700))
    host.onLog(() => logs++)
    const state = (): string => {
      const db = new DatabaseSync(join(host.disk, 'app.db'), { readOnly: true })
      const { n } = db.prepare('select count(*) n from t').get() as { n: number }
      db.close()
      return `${n} rows, ${readFileSync(join(host.disk, 'app.log')).length} octets, ${logs} logs`
    }
    let passed = 0
    let atCut = ''
    kernel.onSeam = (owner, what) => {
      if (owner.top.name !== 'a' || what !== 'sqlite run' || ++passed !== 50) return
      kernel.onSeam = undefined
      host.cut()
      atCut = kernel.root.run(state)
    }
    await host.start('app', program('stubborn', {}))
    await world.pass(60_000)
    return { atCut, after: state(), connections }
  },

  async spinning() {
    const again = (): void => void setImmediate(again)
    again()
    await new Promise(() => {})
    return null
  },

  async deadlock() {
    await new Promise(() => {})
    return null
  },

  async unreferenced() {
    setInterval(() => {}, 1000).unref()
    await new Promise(() => {})
    return null
  },
}

export async function task(kit: Installed, arg: Json): Promise<Json> {
  const { story: name, seed, shuffle } = arg as { story: string; seed?: number; shuffle?: boolean }
  const story = stories[name]
  if (story === undefined) throw new Error(`no story ${name}`)
  const result = await kit.kernel.run(
    async () => {
      await using world = await createVirtualWorld({ names: { marketplace: '10.0.0.2' } })
      return await story(world, kit)
    },
    { seed: seed ?? 1, shuffle: shuffle ?? false },
  )
  return { result, escapes: kit.kernel.escapes as never }
}
