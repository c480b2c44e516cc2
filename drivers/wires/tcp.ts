/**
 * TCP wires: one implementation over node:net. In virtual time the kernel lies under node:net, and nothing here
 * knows of it.
 */
import { createServer, connect, type Server, type Socket } from 'node:net'
import { GridproofError, messageOf } from '../errors.ts'
import type { Conn, Instant, Wire } from '../faces.ts'
import { connOver, createInbox } from './inbox.ts'

/** Reading stops when so many bytes wait for a handler that nobody has set (octets). Ours. */
const heldLimit = 256 * 1024

export interface TcpOptions {
  /** The wire's name, for instance `gridkey/tcp`. */
  readonly name: string
  /** Address to listen on. */
  readonly host: string
  /** 0 to 65535; 0 takes a free one. */
  readonly port: number
  /** The bench clock, in ms since 1970. Date.now unless given. */
  readonly now?: () => Instant
  /** Called when the port fails while it is open (for instance: no file descriptors left to accept with). */
  readonly onTrouble?: (e: GridproofError) => void
}

/** A bound port. Disposing it closes the port and whatever is connected; the wire can then be opened again. */
export interface TcpPort extends AsyncDisposable {
  readonly wire: Wire
  /** Known before the wire is opened. */
  readonly port: number
}

/**
 * Binds a TCP port at once. Clients that come before `wire.open` wait, and are handed over by it.
 * Throws `bad-value` for a port out of range, `rig-lacks` where the port cannot be had, with what to do.
 */
export async function listenTcp(o: TcpOptions): Promise<TcpPort> {
  if (!Number.isInteger(o.port) || o.port < 0 || o.port > 65_535)
    throw new GridproofError('bad-value', `${o.name}: port ${o.port} is not a TCP port: take 0 to 65535`)
  const listener = createListener(o)
  const port = await listener.bind(o.port)
  return {
    port,
    wire: {
      name: o.name,
      can: new Set(['rst'] as const),
      open: (f) => listener.open(port, f),
    },
    [Symbol.asyncDispose]: () => listener.close(),
  }
}

/** Server, its clients, and who they are handed to. */
function createListener(o: TcpOptions): {
  bind(port: number): Promise<number>
  open(port: number, f: (c: Conn) => void): Promise<AsyncDisposable>
  close(): Promise<void>
} {
  const now = o.now ?? Date.now
  const early: TcpConn[] = []
  const clients = new Set<TcpConn>()
  let taker: ((c: Conn) => void) | undefined
  let server: Server | undefined

  const accept = (socket: Socket): void => {
    const c = tcpConn(socket, o.name, now)
    clients.add(c)
    socket.once('close', () => {
      clients.delete(c)
      const at = early.indexOf(c)
      if (at >= 0) early.splice(at, 1)
    })
    if (taker === undefined) early.push(c)
    else taker(c.conn)
  }
  const bind = (port: number): Promise<number> =>
    new Promise((resolve, reject) => {
      const s = createServer({ allowHalfOpen: true, noDelay: true }, accept)
      const refused = (e: Error): void => reject(listenError(o.name, o.host, port, e))
      s.once('error', refused)
      s.listen({ host: o.host, port }, () => {
        const a = s.address()
        s.off('error', refused)
        s.on('error', (e) => trouble(o, e))
        server = s
        resolve(a !== null && typeof a === 'object' ? a.port : port)
      })
    })
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      const s = server
      server = undefined
      taker = undefined
      early.length = 0
      if (s === undefined) {
        resolve()
        return
      }
      s.close(() => resolve())
      for (const c of clients) c.drop()
    })

  return {
    bind,
    close,
    async open(port, f) {
      if (taker !== undefined)
        throw new GridproofError(
          'bad-value',
          `${o.name} is open already: dispose it before it is opened again`,
        )
      taker = f
      if (server === undefined) {
        try {
          await bind(port)
        } catch (e) {
          taker = undefined
          throw e
        }
      }
      for (const c of early.splice(0)) f(c.conn)
      return { [Symbol.asyncDispose]: close }
    },
  }
}

function trouble(o: TcpOptions, e: Error): void {
  const error = new GridproofError('rig-broke', `${o.name}: the port cannot take a client: ${messageOf(e)}`, {
    cause: e,
  })
  if (o.onTrouble === undefined) process.emitWarning(error)
  else o.onTrouble(error)
}

function listenError(name: string, host: string, port: number, e: Error): GridproofError {
  const code = (e as NodeJS.ErrnoException).code ?? ''
  const at = `${name}: cannot listen on ${placeOf(host, port)}`
  const why: Readonly<Record<string, string>> = {
    EADDRINUSE: 'another program has this port: stop it, or give another port (0 takes a free one)',
    EACCES:
      'ports below 1024 are for root: run as root, give node the capability cap_net_bind_service, or use a higher port',
    EADDRNOTAVAIL: `this machine does not have the address: add it to an interface (on macOS: ifconfig lo0 alias ${host})`,
  }
  return new GridproofError('rig-lacks', `${at}: ${why[code] ?? messageOf(e)}`, { cause: e })
}

function placeOf(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

interface TcpConn {
  readonly conn: Conn
  /** Ends it because the wire closes; nobody is called any more. */
  drop(): void
}

/** A Conn over a socket made with `allowHalfOpen`. */
function tcpConn(socket: Socket, name: string, now: () => Instant): TcpConn {
  const peer =
    socket.remoteAddress === undefined || socket.remotePort === undefined
      ? name
      : placeOf(socket.remoteAddress, socket.remotePort)
  const inbox = createInbox(() => socket.resume())
  let own: 'fin' | 'rst' | 'silent' | 'drop' | undefined
  let over = false
  let throughAt = Number.NEGATIVE_INFINITY

  const finish = (how: 'fin' | 'rst' | 'lost'): void => {
    over = true
    inbox.end(how)
  }
  const shut = (how: typeof own): void => {
    own = how
    inbox.shut()
    // From here on arriving bytes are read and dropped: a full window would tell the peer something.
    socket.resume()
  }
  socket.setNoDelay(true)
  socket.on('data', (b: Buffer) => {
    if (own !== undefined) return
    inbox.bytes(b, now())
    if (inbox.held() > heldLimit) socket.pause()
  })
  socket.on('end', () => {
    if (own === 'silent') return
    finish('fin')
    socket.end()
  })
  socket.on('error', (e: NodeJS.ErrnoException) =>
    finish(e.code === 'ECONNRESET' || e.code === 'EPIPE' ? 'rst' : 'lost'),
  )
  socket.on('close', () => finish('lost'))

  const gone = (cause?: Error): GridproofError =>
    new GridproofError(
      'rig-broke',
      `${name}: the connection with ${peer} has ended; nothing more can be sent on it`,
      cause === undefined ? {} : { cause },
    )
  const write = (b: Uint8Array): Promise<Instant> =>
    new Promise((resolve, reject) => {
      if (own !== undefined || over || !socket.writable) {
        reject(gone())
        return
      }
      const asked = now()
      const queues = socket.writableLength > 0
      socket.write(b, (e) => {
        if (e !== undefined && e !== null) {
          reject(gone(e))
          return
        }
        // A write that had to queue starts when the one before it was through.
        resolve(queues ? Math.max(asked, throughAt) : asked)
        throughAt = now()
      })
    })
  return {
    conn: connOver(peer, inbox, {
      send: write,
      end(how) {
        if (own !== undefined) return
        shut(how)
        if (how === 'fin') socket.end()
        else if (how === 'rst') socket.resetAndDestroy()
      },
    }),
    drop() {
      shut('drop')
      socket.destroy()
    },
  }
}

/**
 * The client's side, as a Conn: for probes of the bench and for tests.
 * Throws `rig-broke` where nobody answers.
 */
export async function connectTcp(o: {
  readonly name: string
  readonly host: string
  readonly port: number
  /** Address to come from. */
  readonly from?: string
  readonly now?: () => Instant
}): Promise<Conn> {
  const socket = connect({
    host: o.host,
    port: o.port,
    allowHalfOpen: true,
    ...(o.from === undefined ? {} : { localAddress: o.from }),
  })
  return new Promise((resolve, reject) => {
    const refused = (e: Error): void =>
      reject(
        new GridproofError(
          'rig-broke',
          `${o.name}: cannot connect to ${placeOf(o.host, o.port)}: ${messageOf(e)}`,
          { cause: e },
        ),
      )
    socket.once('error', refused)
    socket.once('connect', () => {
      socket.off('error', refused)
      resolve(tcpConn(socket, o.name, o.now ?? Date.now).conn)
    })
  })
}
