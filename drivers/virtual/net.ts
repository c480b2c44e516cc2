/**
 * node:net on the virtual network, patched in place: whatever makes a `net.Socket` or a `net.Server` (tls, http,
 * mqtt.js, modbus-serial) connects and listens here, and no handle of the machine is ever made.
 */
import { isIP } from 'node:net'
import type { Kernel } from './kernel.ts'
import { End, type Carrier, type Fabric } from './link.ts'
import type { Owner, Thing } from './owner.ts'
import { argumentError, type Bag, type Fn, put, symbolOf, systemError } from './patch.ts'
import { createSocketFace } from './socket.ts'
import type { ShapedLink } from './shaped.ts'
import type { SocketFace } from './virtual-socket.ts'

/** Defaults, ours: a switched local network, and what Linux lets a sender have under way on loopback (measured 4.2 MB). */
const defaultLatency = 0.2
const defaultWindow = 4 * 1024 * 1024
/** A lost SYN is sent again each second, and given up after 127 s, as Linux does (tcp(7), tcp_syn_retries). */
const synEvery = 1000
const synFor = 127_000
const firstEphemeral = 40_000

/** A listening port. */
export class Listener implements Thing {
  readonly key: string
  readonly loopbackOnly: boolean
  readonly owner: Owner
  readonly server: Bag
  private readonly net: VirtualNet

  constructor(net: VirtualNet, key: string, loopbackOnly: boolean, owner: Owner, server: Bag) {
    this.net = net
    this.key = key
    this.loopbackOnly = loopbackOnly
    this.owner = owner
    this.server = server
    owner.things.add(this)
  }

  ownerDied(): void {
    this.net.forget(this)
  }

  /** What `net.Server` keeps as its handle; the rest of its code stays Node's. */
  handle(address: string, port: number): Bag {
    return {
      close: (f?: () => void) => {
        this.owner.things.delete(this)
        this.net.forget(this)
        f?.()
      },
      getsockname: (out: Bag) => {
        out['address'] = address
        out['family'] = isIP(address) === 6 ? 'IPv6' : 'IPv4'
        out['port'] = port
        return 0
      },
      ref() {},
      unref() {},
      hasRef: () => true,
      getAsyncId: () => -1,
      fd: -1,
    }
  }
}

export class VirtualNet implements Fabric {
  readonly kernel: Kernel
  latency = defaultLatency
  window = defaultWindow
  /** Names beside localhost. */
  readonly names = new Map<string, string>()
  /** Wide-area links in place. */
  readonly links = new Set<ShapedLink>()
  private readonly listeners = new Map<string, Listener>()
  private readonly carriers = new Map<string, Carrier>()
  private readonly dark = new Set<string>()
  /** Ports, `address:port`, whose program hangs: nobody answers there, and nobody else can have them. */
  private readonly hung = new Set<string>()
  private readonly ports = new Map<string, number>()
  private channels = 0

  constructor(kernel: Kernel) {
    this.kernel = kernel
  }

  reset(): void {
    this.latency = defaultLatency
    this.window = defaultWindow
    this.names.clear()
    this.links.clear()
    this.listeners.clear()
    this.carriers.clear()
    this.dark.clear()
    this.hung.clear()
    this.ports.clear()
    this.channels = 0
  }

  carrier(a: string, b: string): Carrier {
    const key = a < b ? `${a}|${b}` : `${b}|${a}`
    let c = this.carriers.get(key)
    if (c === undefined) this.carriers.set(key, (c = { up: true, waiting: new Set() }))
    return c
  }

  setCarrier(a: string, b: string, up: boolean): void {
    const c = this.carrier(a, b)
    if (c.up === up) return
    c.up = up
    if (!up) return
    for (const e of c.waiting) e.release()
    c.waiting.clear()
  }

  powered(address: string): boolean {
    return !this.dark.has(address)
  }

  power(address: string, on: boolean): void {
    if (on) this.dark.delete(address)
    else this.dark.add(address)
    for (const key of this.hung) if (key.startsWith(`${address}:`)) this.hung.delete(key)
  }

  /** The program that listens there hangs from now on. */
  hangs(l: Listener): void {
    this.hung.add(l.key)
  }

  forget(l: Listener): void {
    if (this.listeners.get(l.key) === l) this.listeners.delete(l.key)
  }

  /** The address that a host name means to this owner; undefined: there is no such name. */
  resolve(owner: Owner, host: string): string | undefined {
    if (isLoopback(host) || host === '0.0.0.0' || host === '::' || host === '') return owner.address
    if (isIP(host) !== 0) return host
    return this.names.get(host.toLowerCase())
  }

  freePort(address: string): number {
    for (let i = 0; i < 20_000; i++) {
      const n = this.ports.get(address) ?? firstEphemeral
      this.ports.set(address, n >= 60_000 ? firstEphemeral : n + 1)
      if (!this.listeners.has(`${address}:${n}`)) return n
    }
    throw systemError('EADDRINUSE', -98, 'bind', { address })
  }

  /** Takes a port, or gives the error that Node would emit. */
  listen(server: Bag, owner: Owner, host: string | undefined, port: number): Bag | Error {
    const shown = host === undefined || host === '' ? '::' : host === 'localhost' ? '127.0.0.1' : host
    const address = this.resolve(owner, shown)
    if (address === undefined) return systemError('ENOTFOUND', -3008, 'getaddrinfo', { text: ` ${shown}` })
    const actual = port === 0 ? this.freePort(address) : port
    const key = `${address}:${actual}`
    if (this.listeners.has(key) || this.hung.has(key))
      return systemError('EADDRINUSE', -98, 'listen', {
        text: ': address already in use',
        address: shown,
        port: actual,
      })
    // On an owner without an address of its own (the bench itself), 127.0.0.1 is its address.
    const only = isLoopback(shown) && shown !== owner.address
    const l = new Listener(this, key, only, owner, server)
    this.listeners.set(key, l)
    return l.handle(shown, actual)
  }

  /** Connects a socket: SYN, answer, and what comes of it. Returns the client's end. */
  dial(
    owner: Owner,
    o: { host: string; address: string; port: number; from?: string },
    client: SocketFace,
  ): End {
    const near = o.from ?? owner.address
    const channel = ++this.channels
    const at = { address: near, port: this.freePort(near), to: `${o.address}:${o.port}`, channel, way: 0 }
    const end = new End(this, owner, at)
    end.receiver = client
    const loop = isLoopback(o.host)
    const started = this.kernel.now
    const fail = (code: string, errno: number, after: number): void => {
      this.kernel.at(
        undefined,
        after,
        () =>
          end.tell(() =>
            client.failed(
              systemError(code, errno, 'connect', { address: loop ? '127.0.0.1' : o.address, port: o.port }),
            ),
          ),
        undefined,
        true,
      )
    }
    for (const link of this.links) {
      const way = link.between(near, o.address, o.port)
      if (way === undefined) continue
      // Sent when the program has its socket in hand.
      this.kernel.at(
        undefined,
        0,
        () => {
          if (!end.closed) this.dialThrough(link, way, { end, host: o, started, fail, loop })
        },
        undefined,
        true,
      )
      return end
    }
    const syn = (): void => {
      if (end.closed) return
      const c = this.carrier(near, o.address)
      if (!c.up || !this.powered(o.address) || this.hung.has(`${o.address}:${o.port}`)) {
        if (this.kernel.now - started >= synFor) fail('ETIMEDOUT', -110, 0)
        else this.kernel.at(undefined, synEvery, syn, undefined, true)
        return
      }
      const l = this.listeners.get(`${o.address}:${o.port}`)
      if (l === undefined || (l.loopbackOnly && near !== o.address)) {
        fail('ECONNREFUSED', -111, this.latency)
        return
      }
      this.accept(l, end, o.address, o.port, loop)
    }
    this.kernel.at(undefined, this.latency, syn, undefined, true)
    return end
  }

  /** As `dial`, where a wide-area link lies between. */
  private dialThrough(
    link: ShapedLink,
    way: { peer: string; by: 'host' | 'peer' },
    o: {
      end: End
      host: { address: string; port: number }
      started: number
      fail: (code: string, errno: number, after: number) => void
      loop: boolean
    },
  ): void {
    const { end } = o
    const asked = (address: string, port: number): void => {
      if (end.closed) return
      if (!this.powered(address) || this.hung.has(`${address}:${port}`)) {
        // The link lets it through, and nobody is there: it is sent again, as above.
        if (this.kernel.now - o.started >= synFor) o.fail('ETIMEDOUT', -110, 0)
        else this.kernel.at(undefined, synEvery, () => asked(address, port), undefined, true)
        return
      }
      const l = this.listeners.get(`${address}:${port}`)
      if (l === undefined || l.loopbackOnly) link.refuse(end)
      else this.accept(l, end, address, port, o.loop, link)
    }
    link.ask(end, way.peer, way.by, {
      asked(to) {
        const at = to?.lastIndexOf(':') ?? -1
        if (to === undefined) asked(o.host.address, o.host.port)
        else asked(to.slice(0, at), Number(to.slice(at + 1)))
      },
      refused: () => o.fail('ECONNREFUSED', -111, 0),
      timedOut: () => o.fail('ETIMEDOUT', -110, 0),
    })
  }

  private accept(
    l: Listener,
    client: End,
    address: string,
    port: number,
    loop: boolean,
    link?: ShapedLink,
  ): void {
    const { server, owner } = l
    const far = new End(this, owner, {
      address,
      port,
      to: `${client.address}:${client.port}`,
      channel: client.channel,
      way: 1,
    })
    far.peer = client
    client.peer = far
    link?.answer(client, far)
    const { kernel } = this
    const name = Buffer.from(`${client.address}:${client.port}>${address}:${port}`)
    kernel.trace.delivered(
      'open',
      kernel.now,
      client.channel,
      0,
      name,
      name.length,
      name.toString(),
      undefined,
    )
    far.put('syn-ack')
    const shown = (e: End): Bag => ({
      address: loop ? '127.0.0.1' : e.address,
      family: isIP(e.address) === 6 ? 'IPv6' : 'IPv4',
      port: e.port,
    })
    const call = (): void => {
      far.opaque = server[tlsServer] === true
      this.makeSocket(server, far, shown(far), shown(client))
    }
    try {
      owner.run(call)
    } catch (e) {
      kernel.thrown(e, owner)
    }
  }

  /** Set by `installNet`: makes the server's socket as Node's own `onconnection` does. */
  makeSocket: (server: Bag, end: End, local: Bag, remote: Bag) => void = () => {}
}

/** Marks servers that speak TLS (set by tls.ts). */
export const tlsServer = Symbol('gridproof.tlsServer')

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '127.0.0.1' || host === '::1'
}

/** Puts the virtual network under node:net. */
export function installNet(kernel: Kernel, modules: { net: Bag; dns: Bag }): VirtualNet {
  const { net } = modules
  const fabric = new VirtualNet(kernel)
  kernel.add({ begin: () => fabric.reset() })
  const Server = net['Server'] as Fn
  const sockets = createSocketFace(kernel, fabric, net)
  fabric.makeSocket = (...a) => sockets.accept(...a)
  const normalize = net['_normalizeArgs'] as (a: unknown[]) => [Bag, Fn | null]
  const asyncId = symbolOf(new (net['Server'] as unknown as new () => object)(), 'async_id_symbol')

  put(Server.prototype as object, 'listen', function (this: Bag, ...args: unknown[]) {
    const [options, done] = normalize(args)
    if (this['_handle'] !== null && this['_handle'] !== undefined)
      throw Object.assign(new Error('Listen method has been called more than once without closing.'), {
        code: 'ERR_SERVER_ALREADY_LISTEN',
      })
    if (done !== null) this['once']('listening', done)
    if (options['path'] !== undefined || options['fd'] !== undefined || options['handle'] !== undefined) {
      kernel.tripwire.hit('listen on a path, descriptor or handle')
      throw argumentError('ERR_INVALID_ARG_VALUE', 'virtual time: servers listen on TCP ports alone')
    }
    const port = Number(options['port'] ?? 0)
    if (!Number.isInteger(port) || port < 0 || port > 65_535)
      throw argumentError(
        'ERR_SOCKET_BAD_PORT',
        `options.port should be >= 0 and < 65536. Received ${String(options['port'])}.`,
      )
    const owner = kernel.current()
    if (!kernel.seam(owner, 'listen')) return this
    this['_listeningId']++
    this[asyncId] = -1
    const signal = options['signal'] as AbortSignal | undefined
    signal?.addEventListener('abort', () => this['close'](), { once: true })
    const got = fabric.listen(this, owner, options['host'] as string | undefined, port)
    if (got instanceof Error) {
      process.nextTick(() => this['emit']('error', got))
      return this
    }
    this['_handle'] = got
    process.nextTick(() => {
      if (this['_handle'] === got) this['emit']('listening')
    })
    return this
  })

  const lookup = (host: string, owner: Owner): { address: string; family: number } | Error => {
    const address = isLoopback(host) ? '127.0.0.1' : fabric.resolve(owner, host)
    if (address !== undefined) return { address, family: isIP(address) }
    return Object.assign(systemError('ENOTFOUND', -3008, 'getaddrinfo', { text: ` ${host}` }), {
      hostname: host,
    })
  }
  put(modules.dns, 'lookup', (host: string, ...rest: unknown[]) => {
    const f = rest.pop() as Fn
    const all = (rest[0] as { all?: boolean } | undefined)?.all === true
    const got = lookup(host, kernel.current())
    kernel.immediate(
      kernel.current(),
      () => {
        if (got instanceof Error) f(got)
        else if (all) f(null, [got])
        else f(null, got.address, got.family)
      },
      undefined,
    )
  })
  put(modules.dns['promises'] as object, 'lookup', async (host: string, o?: { all?: boolean }) => {
    const got = lookup(host, kernel.current())
    if (got instanceof Error) throw got
    return o?.all === true ? [got] : got
  })
  return fabric
}
