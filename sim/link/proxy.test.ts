/** The link as a proxy, on this machine's own TCP. Its clock is the test's: nothing waits for time on the wall. */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { once } from 'node:events'
import { afterEach, describe, expect, test } from 'vitest'
import type { Json } from '../../drivers/faces.ts'
import { createProxy, type Proxy } from '../../drivers/real/proxy.ts'
import { streams } from '../../drivers/random.ts'
import { createLink } from './model.ts'
import { linkSettings } from './profile.ts'

const open: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const f of open.splice(0).toReversed()) await f()
})

interface Rig {
  readonly proxy: Proxy
  readonly told: Json[]
  /** Sockets that the server has taken. */
  readonly taken: Socket[]
  /** Sets the clock on; what is due happens. */
  pass(ms: number): void
  dial(): Socket
  /** Goes through this machine's loopback and back, so that what was to arrive has. */
  settle(): Promise<void>
}

async function rig(settings: unknown, onSocket: (s: Socket) => void = (s) => void s.pipe(s)): Promise<Rig> {
  const taken: Socket[] = []
  const server = createServer({ allowHalfOpen: true }, (s) => {
    taken.push(s)
    s.on('error', () => undefined)
    onSocket(s)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  open.push(
    () =>
      new Promise((done) => {
        for (const s of taken) s.destroy()
        server.close(() => done())
      }),
  )
  const plain = createServer((s) => s.pipe(s))
  plain.listen(0, '127.0.0.1')
  await once(plain, 'listening')
  open.push(() => new Promise((done) => void plain.close(() => done())))
  let now = 1000
  const waits = new Set<{ due: number; f: () => void }>()
  const told: Json[] = []
  const proxy = createProxy({
    name: 'link',
    model: createLink({
      profile: { name: 'test', title: 'of a test', settings: linkSettings(settings), origin: {} },
      random: streams(1),
      began: now,
    }),
    now: () => now,
    wait(due, _, f) {
      const w = { due, f }
      waits.add(w)
      return () => waits.delete(w)
    },
    onTell: (what) => void told.push(what),
  })
  open.push(async () => await proxy[Symbol.asyncDispose]())
  const at = await proxy.open({
    peer: 'server',
    listen: { address: '127.0.0.1', port: 0 },
    to: { address: '127.0.0.1', port: (server.address() as AddressInfo).port },
  })
  return {
    proxy,
    told,
    taken,
    pass(ms) {
      const end = now + ms
      for (;;) {
        const [next] = [...waits].toSorted((a, b) => a.due - b.due)
        if (next === undefined || next.due > end) break
        waits.delete(next)
        now = Math.max(now, next.due)
        next.f()
      }
      now = end
    },
    dial() {
      const s = connect({ host: at.address, port: at.port, allowHalfOpen: true })
      s.on('error', () => undefined)
      open.push(() => void s.destroy())
      return s
    },
    async settle() {
      for (let i = 0; i < 5; i++) {
        const s = connect((plain.address() as AddressInfo).port, '127.0.0.1')
        s.write('x')
        await once(s, 'data')
        s.destroy()
        await new Promise<void>((done) => setImmediate(done))
      }
    },
  }
}

const read = (s: Socket): { text(): string } => {
  let all = ''
  s.on('data', (b: Buffer) => (all += b.toString('latin1')))
  return { text: () => all }
}

const closed = (s: Socket): Promise<void> => new Promise((done) => void s.once('close', () => done()))

describe('the proxy', () => {
  test('never hands a byte on before its time, to the microsecond', async () => {
    const r = await rig({ delay: { median: '50 ms' } })
    const s = r.dial()
    await once(s, 'connect')
    await r.settle()
    r.pass(50)
    await r.settle()
    r.pass(50)
    await r.settle()
    const got = read(s)
    s.write('hello')
    await r.settle()
    r.pass(49.999)
    await r.settle()
    expect(r.taken[0]?.bytesRead).toBe(0)
    r.pass(0.001)
    await r.settle()
    expect(r.taken[0]?.bytesRead).toBe(5)
    r.pass(49.999)
    await r.settle()
    expect(got.text()).toBe('')
    r.pass(0.001)
    await once(s, 'data')
    expect(got.text()).toBe('hello')
  })

  test('carries both directions whole, and each end of them by itself', async () => {
    const r = await rig({})
    const s = r.dial()
    const got = read(s)
    const sent = Buffer.alloc(3_000_000, 'abcdefg').toString('latin1')
    s.end(Buffer.from(sent, 'latin1'))
    await once(s, 'end')
    expect(got.text() === sent).toBe(true)
    await r.settle()
    expect(r.proxy.connections).toBe(0)
  })

  test('reads no more than it can hand on: a stall reaches the sender', async () => {
    const r = await rig({})
    r.proxy.order({ do: 'inflict', id: 's', fault: 'stall', params: { way: 'up' } })
    const s = r.dial()
    await once(s, 'connect')
    let all = true
    for (let i = 0; i < 4000 && all; i++) {
      all = s.write(Buffer.alloc(65_536))
      await new Promise<void>((done) => setImmediate(done))
    }
    expect(all).toBe(false)
    const held = s.writableLength
    await r.settle()
    expect(s.writableLength).toBe(held)
    r.proxy.order({ do: 'lift', id: 's' })
    await once(s, 'drain')
    expect(s.writableLength).toBe(0)
  })

  test('resets both ends between two named bytes', async () => {
    const got: string[] = []
    const r = await rig({}, (s) => {
      s.on('data', (b) => got.push(String(b)))
      s.on('error', (e: NodeJS.ErrnoException) => got.push(e.code ?? ''))
    })
    r.proxy.order({ do: 'inflict', id: 'r', fault: 'reset', params: { when: { way: 'up', bytes: 3 } } })
    const s = r.dial()
    await once(s, 'connect')
    const failed = closed(s)
    s.write('abcdef')
    await failed
    await r.settle()
    // RST may overtake what the receiver's machine has not handed up yet.
    expect(['abc', '']).toContain(got.filter((g) => g !== 'ECONNRESET').join(''))
    expect(got).toContain('ECONNRESET')
  })

  test('holds what is under way while there is no carrier, and a new connection with it', async () => {
    const r = await rig({})
    const s = r.dial()
    await once(s, 'connect')
    await r.settle()
    r.proxy.order({ do: 'drop', for: '30 s' })
    const got = read(s)
    s.write('late')
    const second = r.dial()
    await once(second, 'connect')
    await r.settle()
    r.pass(29_000)
    await r.settle()
    expect([r.taken.length, got.text()]).toEqual([1, ''])
    r.pass(60_000)
    await once(s, 'data')
    expect(got.text()).toBe('late')
    await r.settle()
    expect(r.taken.length).toBe(2)
  })

  test('with half-open the server never hears that the client has gone', async () => {
    let ended = false
    const r = await rig({}, (s) => s.on('end', () => (ended = true)).resume())
    const s = r.dial()
    await once(s, 'connect')
    await r.settle()
    r.proxy.order({ do: 'inflict', id: 'h', fault: 'half-open', params: { side: 'host' } })
    s.destroy()
    await r.settle()
    await r.settle()
    expect([ended, r.taken[0]?.destroyed]).toEqual([false, false])
  })

  test('refuses with RST where nobody listens behind it, and leads elsewhere where it is told to', async () => {
    const r = await rig({})
    const other = createServer((s) => s.end('not me'))
    other.listen(0, '127.0.0.1')
    await once(other, 'listening')
    const port = (other.address() as AddressInfo).port
    r.proxy.order({ do: 'inflict', id: 'm', fault: 'redirect', params: { to: `127.0.0.1:${port}` } })
    const s = r.dial()
    const got = read(s)
    await once(s, 'end')
    expect(got.text()).toBe('not me')
    await new Promise<void>((done) => {
      other.close(() => done())
      s.destroy()
    })
    const late = r.dial()
    await closed(late)
    expect(late.bytesRead).toBe(0)
  })

  test('counts by peer and direction', async () => {
    const r = await rig({})
    const s = r.dial()
    s.end('12345')
    await once(s.resume(), 'end')
    await r.settle()
    const ended = r.told.filter((t) => (t as { phase?: string }).phase === 'ended')
    expect(ended).toMatchObject([{ alias: 'link.connection', peer: 'server', 'up [B]': 5, 'down [B]': 5 }])
  })
})
