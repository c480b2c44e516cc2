/**
 * What every wire keeps, whatever it is made of: one list of cases, run against wires in memory, over TCP, over a
 * pseudo terminal, and against the virtual ones in a process of their own. The cases need no test runner.
 */
import { deepEqual, equal, ok, rejects } from 'node:assert/strict'
import { isGridproofError } from '../errors.ts'
import type { Conn, Instant, Wire } from '../faces.ts'

/**
 * What a kind of wire can show beyond carrying bytes. `clients`: several at once, each with a Conn of its own.
 * `fin`: the peer hears of an orderly end. `rst`: it hears of a reset.
 */
export type WireTrait = 'clients' | 'fin' | 'rst'

/** A wire under test, not yet opened, and a way to stand at its other end. */
export interface WireBench extends AsyncDisposable {
  readonly wire: Wire
  readonly traits: ReadonlySet<WireTrait>
  /** A new client's end. */
  connect(): Promise<Conn>
  now(): Instant
}

/** A case: throws an AssertionError where the wire breaks the contract. */
export interface WireCase {
  /** A sentence, for the name of a test. */
  readonly says: string
  readonly needs: readonly WireTrait[]
  run(b: WireBench): Promise<void>
}

/** Gathers what a Conn hears. */
interface Ear {
  bytes(): Uint8Array
  readonly ends: readonly string[]
  readonly at: readonly Instant[]
  /** Resolves when `n` bytes are there. */
  atLeast(n: number): Promise<Uint8Array>
  readonly ended: Promise<string>
}

function listen(c: Conn): Ear {
  let got = Buffer.alloc(0)
  const ends: string[] = []
  const at: Instant[] = []
  const waiting: { n: number; done: (b: Uint8Array) => void }[] = []
  const { promise: ended, resolve: tell } = Promise.withResolvers<string>()
  c.onBytes((b, t) => {
    got = Buffer.concat([got, b])
    at.push(t)
    for (const w of waiting.splice(0)) {
      if (got.length >= w.n) w.done(got)
      else waiting.push(w)
    }
  })
  c.onEnd((how) => {
    ends.push(how)
    tell(how)
  })
  return {
    bytes: () => got,
    ends,
    at,
    ended,
    atLeast: (n) =>
      got.length >= n
        ? Promise.resolve(got)
        : new Promise((done) => {
            waiting.push({ n, done })
          }),
  }
}

interface Meeting {
  readonly device: Conn
  readonly client: Conn
  readonly opened: AsyncDisposable
  /** The device's ends of all clients so far, in order. */
  readonly all: readonly Conn[]
  /** Another client, and the device's end of it. */
  another(): Promise<{ device: Conn; client: Conn }>
}

async function meet(b: WireBench): Promise<Meeting> {
  const all: Conn[] = []
  let told: (() => void) | undefined
  const opened = await b.wire.open((c) => {
    all.push(c)
    told?.()
  })
  const another = async (): Promise<{ device: Conn; client: Conn }> => {
    const n = b.traits.has('clients') ? all.length : 0
    const client = await b.connect()
    while (all[n] === undefined)
      await new Promise<void>((done) => {
        told = done
      })
    return { device: all[n], client }
  }
  return { ...(await another()), opened, all, another }
}

const text = (s: string): Uint8Array => Buffer.from(s, 'latin1')
const told = (b: Uint8Array): string => Buffer.from(b).toString('latin1')

/** Every case of the contract. A wire that lacks a trait skips the cases that need it. */
export const wireContract: readonly WireCase[] = [
  {
    says: 'carries bytes both ways, whole and in order',
    needs: [],
    async run(b) {
      const { device, client, opened } = await meet(b)
      const d = listen(device)
      const c = listen(client)
      const asked: Promise<Instant>[] = []
      for (let i = 0; i < 20; i++) asked.push(client.send(text(`ask ${i};`)))
      const whole = Array.from({ length: 20 }, (_, i) => `ask ${i};`).join('')
      equal(told(await d.atLeast(whole.length)), whole)
      for (let i = 0; i < 20; i++) asked.push(device.send(text(`ask ${i};`)))
      equal(told(await c.atLeast(whole.length)), whole)
      await Promise.all(asked)
      await opened[Symbol.asyncDispose]()
    },
  },
  {
    says: 'changes no byte: all 256 values pass, both ways',
    needs: [],
    async run(b) {
      const { device, client, opened } = await meet(b)
      const d = listen(device)
      const c = listen(client)
      const all = Uint8Array.from({ length: 1024 }, (_, i) => (i * 7 + (i >> 8)) & 0xff)
      equal(new Set(all).size, 256)
      await client.send(all)
      deepEqual(Buffer.from(await d.atLeast(all.length)), Buffer.from(all))
      await device.send(all)
      deepEqual(Buffer.from(await c.atLeast(all.length)), Buffer.from(all))
      await opened[Symbol.asyncDispose]()
    },
  },
  {
    says: 'loses no byte that came before a handler was set',
    needs: [],
    async run(b) {
      const { device, client, opened } = await meet(b)
      await client.send(text('first'))
      const c = listen(client)
      await device.send(text('token'))
      await c.atLeast(5)
      const d = listen(device)
      equal(d.bytes().length, 0, 'bytes came inside onBytes itself')
      equal(told(await d.atLeast(5)), 'first')
      await opened[Symbol.asyncDispose]()
    },
  },
  {
    says: 'stamps what it sends and hears on the bench clock: sent before heard, neither early',
    needs: [],
    async run(b) {
      const { device, client, opened } = await meet(b)
      const c = listen(client)
      const before = b.now()
      const sent = await device.send(text('x'))
      ok(sent >= before, `sent at ${sent}, asked at ${before}`)
      await c.atLeast(1)
      const heard = c.at[0] ?? Number.NaN
      ok(heard >= sent, `heard at ${heard}, sent at ${sent}`)
      ok(heard <= b.now(), 'heard in the future')
      await opened[Symbol.asyncDispose]()
    },
  },
  {
    says: 'takes an empty send, and sends nothing',
    needs: [],
    async run(b) {
      const { device, client, opened } = await meet(b)
      const c = listen(client)
      await device.send(new Uint8Array())
      await device.send(text('!'))
      equal(told(await c.atLeast(1)), '!')
      await opened[Symbol.asyncDispose]()
    },
  },
  {
    says: 'names the peer',
    needs: [],
    async run(b) {
      const { device, opened } = await meet(b)
      ok(device.peer.length > 0)
      await opened[Symbol.asyncDispose]()
    },
  },
  {
    says: 'gives each client a connection of its own',
    needs: ['clients'],
    async run(b) {
      const m = await meet(b)
      const second = await m.another()
      const ears = [listen(m.client), listen(second.client)]
      ok(m.device.peer !== second.device.peer, 'two clients, one name')
      await second.device.send(text('two'))
      await m.device.send(text('one'))
      equal(told((await ears[0]?.atLeast(3)) ?? text('')), 'one')
      equal(told((await ears[1]?.atLeast(3)) ?? text('')), 'two')
      await m.opened[Symbol.asyncDispose]()
    },
  },
  {
    says: 'tells the peer of an orderly end once, after the bytes',
    needs: ['fin'],
    async run(b) {
      const { device, client, opened } = await meet(b)
      const c = listen(client)
      const sent = device.send(text('last words'))
      device.end('fin')
      equal(await c.ended, 'fin')
      equal(told(c.bytes()), 'last words')
      await sent
      deepEqual(c.ends, ['fin'])
      await opened[Symbol.asyncDispose]()
    },
  },
  {
    says: 'tells a handler that comes after the end, bytes first',
    needs: ['fin'],
    async run(b) {
      const { device, client, opened } = await meet(b)
      await device.send(text('bye'))
      device.end('fin')
      const other = listen(client)
      equal(await other.ended, 'fin')
      equal(told(other.bytes()), 'bye')
      const late = listen(client)
      equal(late.bytes().length, 0)
      await opened[Symbol.asyncDispose]()
    },
  },
  {
    says: 'tells the device of the end of its client: fin or rst',
    needs: ['clients', 'fin', 'rst'],
    async run(b) {
      const m = await meet(b)
      const second = await m.another()
      const ears = [listen(m.device), listen(second.device)]
      m.client.end('fin')
      equal(await ears[0]?.ended, 'fin')
      second.client.end('rst')
      equal(await ears[1]?.ended, 'rst')
      await rejects(m.device.send(text('?')), (e) => isGridproofError(e))
      await m.opened[Symbol.asyncDispose]()
    },
  },
  {
    says: 'tells the peer of a reset',
    needs: ['rst'],
    async run(b) {
      const { device, client, opened } = await meet(b)
      const c = listen(client)
      device.end('rst')
      equal(await c.ended, 'rst')
      await opened[Symbol.asyncDispose]()
    },
  },
  {
    says: 'tells the peer nothing of a silent end, and swallows what it sends on',
    needs: ['clients'],
    async run(b) {
      const m = await meet(b)
      const d = listen(m.device)
      const c = listen(m.client)
      m.device.end('silent')
      await m.client.send(Buffer.alloc(64 * 1024))
      // A round trip on another connection gives the silent one its chance to betray itself.
      const second = await m.another()
      const e = listen(second.client)
      for (let i = 1; i <= 5; i++) {
        await second.device.send(text('.'))
        await e.atLeast(i)
        await m.client.send(text('anyone?'))
      }
      deepEqual(c.ends, [])
      equal(c.bytes().length, 0)
      equal(d.bytes().length, 0)
      await m.opened[Symbol.asyncDispose]()
    },
  },
  {
    says: 'calls nobody after the own end, and refuses to send with a typed error',
    needs: [],
    async run(b) {
      const { device, client, opened } = await meet(b)
      const d = listen(device)
      device.end('silent')
      device.end('fin')
      await rejects(device.send(text('?')), (e) => isGridproofError(e, 'rig-broke'))
      client.end('fin')
      await opened[Symbol.asyncDispose]()
      deepEqual(d.ends, [])
      equal(d.bytes().length, 0)
    },
  },
  {
    says: 'can be opened once at a time, and again after it was closed',
    needs: [],
    async run(b) {
      const first = await meet(b)
      await rejects(
        b.wire.open(() => {}),
        (e) => isGridproofError(e, 'bad-value'),
      )
      await first.opened[Symbol.asyncDispose]()
      await first.opened[Symbol.asyncDispose]()
      first.client.end('fin')
      const again = await meet(b)
      const c = listen(again.client)
      await again.device.send(text('back'))
      equal(told(await c.atLeast(4)), 'back')
      await again.opened[Symbol.asyncDispose]()
    },
  },
]
