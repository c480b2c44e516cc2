/** `net.Socket` on an end of a virtual connection: the prototype's methods are replaced, sockets without an end keep Node's. */
import { isIP } from 'node:net'
import type { Kernel } from './kernel.ts'
import type { End } from './link.ts'
import type { VirtualNet } from './net.ts'
import { argumentError, type Bag, type Fn, put, replace, symbolOf, systemError } from './patch.ts'
import { type Done, type ReadSymbols, VirtualSocket } from './virtual-socket.ts'

const face = Symbol('gridproof.socket')
const idle = Symbol('gridproof.timeout')

export interface SocketFactory {
  /** A server's socket, made and announced as Node's own `onconnection` does it. */
  accept(server: Bag, end: End, local: Bag, remote: Bag): void
}

export function createSocketFace(kernel: Kernel, fabric: VirtualNet, net: Bag): SocketFactory {
  const Socket = net['Socket'] as Fn
  const Make = net['Socket'] as unknown as new (o?: object) => Bag
  const proto = Socket.prototype as Bag
  const sample = new Make()
  const symbols: ReadSymbols = {
    buffer: symbolOf(sample, 'kBuffer'),
    callback: symbolOf(sample, 'kBufferCb'),
    generate: symbolOf(sample, 'kBufferGen'),
  }
  const bytesRead = symbolOf(sample, 'kBytesRead')
  const bytesWritten = symbolOf(sample, 'kBytesWritten')
  const normalize = net['_normalizeArgs'] as (a: unknown[]) => [Bag, Fn | null]
  const of = (s: Bag): VirtualSocket | undefined => s[face] as VirtualSocket | undefined
  /** What Node keeps for a socket without a handle, as it is at any moment. */
  const counts = (s: Bag, v: VirtualSocket): void => {
    const live = (get: () => number): PropertyDescriptor => ({ configurable: true, get })
    Object.defineProperty(
      s,
      bytesRead,
      live(() => v.end?.bytesIn ?? 0),
    )
    Object.defineProperty(
      s,
      bytesWritten,
      live(() => v.end?.bytesOut ?? 0),
    )
  }

  put(proto, 'connect', function (this: Bag, ...args: unknown[]) {
    // `tls` and `http` hand over arguments that are normalized already, as one array.
    const list = Array.isArray(args[0]) ? (args[0] as [Bag, Fn | null]) : normalize(args)
    const [options, done] = list
    if (done !== null && done !== undefined) this['once']('connect', done)
    if (this['_parent']?.connecting === true) return this
    if (options['path'] !== undefined && options['path'] !== null) {
      kernel.tripwire.hit('connect to a path')
      throw argumentError('ERR_INVALID_ARG_VALUE', 'virtual time: sockets connect to TCP ports alone')
    }
    const port = Number(options['port'])
    if (options['port'] === undefined)
      throw argumentError('ERR_MISSING_ARGS', 'The "options" or "port" or "path" argument must be specified')
    if (!Number.isInteger(port) || port < 0 || port > 65_535)
      throw Object.assign(
        new RangeError(`Port should be >= 0 and < 65536. Received ${String(options['port'])}.`),
        { code: 'ERR_SOCKET_BAD_PORT' },
      )
    if (this['write'] !== proto['write']) this['write'] = proto['write']
    if (this['destroyed']) this['_undestroy']()
    const owner = kernel.current()
    this['connecting'] = true
    if (!kernel.seam(owner, 'connect')) return this
    const v = new VirtualSocket(kernel, this, owner, symbols)
    this[face] = v
    counts(this, v)
    this['_unrefTimer']()
    const host = String(options['host'] ?? 'localhost')
    this['_host'] = host
    const address = fabric.resolve(owner, host)
    if (address === undefined) {
      const e = Object.assign(systemError('ENOTFOUND', -3008, 'getaddrinfo', { text: ` ${host}` }), {
        hostname: host,
      })
      kernel.immediate(
        owner,
        () => {
          if (this['connecting']) {
            this['emit']('lookup', e, undefined, undefined, host)
            v.failed(e)
          }
        },
        undefined,
      )
      return this
    }
    const family = isIP(address) === 6 ? 'IPv6' : 'IPv4'
    if (isIP(host) === 0) process.nextTick(() => this['emit']('lookup', null, address, isIP(address), host))
    const from = options['localAddress'] as string | undefined
    v.end = fabric.dial(
      owner,
      { host, address, port, ...(from === undefined ? {} : { from: fabric.resolve(owner, from) ?? from }) },
      v,
    )
    v.end.opaque = this[opaque] === true
    const loop = host === 'localhost' || host === '127.0.0.1' || host === '::1'
    v.remote = { address: loop ? '127.0.0.1' : address, family, port }
    v.local = { address: loop ? '127.0.0.1' : v.end.address, family, port: v.end.port }
    return this
  })

  replace(
    proto,
    '_read',
    (original) =>
      function (this: Bag, n: number) {
        const v = of(this)
        if (v === undefined) original.call(this, n)
        else v.read()
      },
  )

  replace(
    proto,
    '_writeGeneric',
    (original) =>
      function (this: Bag, writev: boolean, data: unknown, encoding: BufferEncoding, done: Done) {
        const v = of(this)
        if (v === undefined || this['connecting']) {
          original.call(this, writev, data, encoding, done)
          return
        }
        this['_pendingData'] = null
        this['_pendingEncoding'] = ''
        v.write(writev ? together(data as Chunks) : copyOf(data as Uint8Array | string, encoding), done)
      },
  )

  replace(
    proto,
    '_final',
    (original) =>
      function (this: Bag, done: Done) {
        const v = of(this)
        if (v === undefined || this['connecting']) {
          original.call(this, done)
          return
        }
        if (v.end !== undefined && !v.end.closed) v.end.put('fin')
        done()
      },
  )

  replace(
    proto,
    '_destroy',
    (original) =>
      function (this: Bag, e: Error | null, done: Done) {
        for (const s of lineage(this)) (s[idle] as { close(): void } | undefined)?.close()
        const v = of(this)
        if (v === undefined) {
          original.call(this, e, done)
          return
        }
        this['connecting'] = false
        const { end } = v
        if (end !== undefined) {
          end.close(this['resetAndClosing'] === true || v.unread ? 'rst' : 'fin')
          this['resetAndClosing'] = false
        }
        done(e)
        if (v.owner.dead === undefined)
          kernel.immediate(v.owner, () => this['emit']('close', e !== null && e !== undefined), undefined)
        const server = this['_server'] as Bag | null
        if (server !== null) {
          server['_connections']--
          server['_emitCloseIfDrained']?.()
        }
      },
  )

  replace(
    proto,
    'resetAndDestroy',
    (original) =>
      function (this: Bag) {
        const v = of(this)
        if (v === undefined) return original.call(this)
        if (this['connecting']) this['once']('connect', () => this['_reset']())
        else this['_reset']()
        return this
      },
  )

  replace(
    proto,
    '_getpeername',
    (original) =>
      function (this: Bag) {
        for (const s of lineage(this)) {
          const v = of(s)
          if (v !== undefined) return s['connecting'] ? {} : v.remote
        }
        return original.call(this)
      },
  )

  replace(
    proto,
    '_getsockname',
    (original) =>
      function (this: Bag) {
        for (const s of lineage(this)) {
          const v = of(s)
          if (v !== undefined) return v.local
        }
        return original.call(this)
      },
  )

  replace(
    proto,
    'setTimeout',
    () =>
      function (this: Bag, ms: unknown, callback?: Fn) {
        if (this['destroyed']) return this
        if (typeof ms !== 'number' || Number.isNaN(ms) || ms < 0)
          throw argumentError('ERR_INVALID_ARG_TYPE', 'The "msecs" argument must be a number >= 0')
        this['timeout'] = ms
        const had = this[idle] as { close(): void } | undefined
        had?.close()
        this[idle] = undefined
        if (ms === 0) {
          if (callback !== undefined) this['removeListener']('timeout', callback)
          return this
        }
        const onTimeout = (): void => this['_onTimeout']()
        this[idle] = setTimeout(onTimeout, Math.min(Math.ceil(ms), 2 ** 31 - 1)).unref()
        if (callback !== undefined) this['once']('timeout', callback)
        return this
      },
  )

  put(proto, '_unrefTimer', function (this: Bag) {
    if (this['_parent'] === null) (this[idle] as { refresh(): void } | undefined)?.refresh()
    else for (const s of lineage(this)) (s[idle] as { refresh(): void } | undefined)?.refresh()
  })

  for (const name of ['ref', 'unref'])
    replace(
      proto,
      name,
      (original) =>
        function (this: Bag) {
          return of(this) === undefined ? original.call(this) : this
        },
    )

  const pending = Object.getOwnPropertyDescriptor(proto, 'pending')
  Object.defineProperty(proto, 'pending', {
    configurable: true,
    get(this: Bag) {
      return of(this) === undefined ? pending?.get?.call(this) : this['connecting']
    },
  })

  return {
    accept(server, end, local, remote) {
      const limit = server['maxConnections'] as number | null | undefined
      if (limit !== null && limit !== undefined && server['_connections'] >= limit) {
        server['emit']('drop', {
          localAddress: local['address'],
          localPort: local['port'],
          remoteAddress: remote['address'],
          remotePort: remote['port'],
        })
        end.close('rst')
        return
      }
      const socket = new Make({
        allowHalfOpen: server['allowHalfOpen'],
        highWaterMark: server['highWaterMark'],
        readable: true,
        writable: true,
      })
      const v = new VirtualSocket(kernel, socket, end.owner, symbols)
      v.end = end
      v.local = local
      v.remote = remote
      end.receiver = v
      socket[face] = v
      counts(socket, v)
      server['_connections']++
      socket['server'] = server
      socket['_server'] = server
      if (server['pauseOnConnect']) socket['pause']()
      else socket['read'](0)
      server['emit']('connection', socket)
      // A TLSSocket over a socket without a handle waits for this.
      if (socket['listenerCount']('connect') > 0) socket['emit']('connect')
    },
  }
}

/** Set on a socket that carries TLS (tls.ts). */
export const opaque = Symbol('gridproof.opaque')

/** From now on the trace keeps of what passes over a socket lengths alone, also where it is connected already. */
export function makeOpaque(s: Bag): void {
  s[opaque] = true
  const end = (s[face] as VirtualSocket | undefined)?.end
  if (end !== undefined) end.opaque = true
}

/**
 * Runs something that may wrap a socket in TLS. A TLSSocket over a socket without a handle begins when that connects:
 * one that is connected already says so once more.
 */
export function begun<T>(s: Bag, wrap: () => T): T {
  const before = s['listenerCount']('connect') as number
  const made = wrap()
  const stands = s[face] !== undefined && s['connecting'] === false && s['destroyed'] === false
  if (stands && (s['listenerCount']('connect') as number) > before) s['emit']('connect')
  return made
}

type Chunks = ({ chunk: Uint8Array | string; encoding: BufferEncoding } | Uint8Array)[] & {
  allBuffers?: boolean
}

function copyOf(data: Uint8Array | string, encoding: BufferEncoding): Buffer {
  // A copy: the two sides share bytes, never memory.
  return typeof data === 'string' ? Buffer.from(data, encoding) : Buffer.from(data)
}

function together(data: Chunks): Buffer {
  const parts: Uint8Array[] = []
  for (const d of data)
    if (d instanceof Uint8Array) parts.push(d)
    else parts.push(typeof d.chunk === 'string' ? Buffer.from(d.chunk, d.encoding) : d.chunk)
  return Buffer.concat(parts)
}

/** A socket and those that it wraps, outermost first. */
function lineage(socket: Bag): Bag[] {
  const all = [socket]
  for (let s = socket['_parent'] as Bag | null | undefined; s; s = s['_parent'] as Bag | null | undefined)
    all.push(s)
  return all
}
