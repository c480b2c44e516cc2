/**
 * A wide-area link in real time: a TCP proxy for each peer, which keeps the bytes and the timer of a model. What a proxy
 * cannot do: the machine's kernel takes a client before the peer has, acknowledges what the proxy has not passed on yet, and
 * so a connection given up ends with RST and not by a time-out of TCP. Never pipe(): it would write past what is held.
 */
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { GridproofError, messageOf } from '../errors.ts'
import type { Instant, Json } from '../faces.ts'
import type { LinkEffect, LinkInput, LinkModel, LinkWay } from '../link-faces.ts'
import { atOrAfter, benchNow } from './clock.ts'

/** Bytes of one way of a connection that the proxy holds before it reads no more: as much as a sender has on its way. Ours. */
const mostHeld = 1024 * 1024

export interface ProxyOptions {
  readonly name: string
  readonly model: LinkModel
  readonly now?: () => Instant
  /** Waits for an instant of that clock: `atOrAfter` of clock.ts unless given. */
  readonly wait?: (due: Instant, now: () => Instant, f: () => void) => () => void
  onTell(what: Readonly<Record<string, Json>>): void
  /** A way has gone dark, or light again. */
  onDark?(way: LinkWay, dark: boolean): void
}

export interface Proxy extends AsyncDisposable {
  /** Listens at `listen`, and leads whoever connects to `to`. Port 0 takes a free one. Throws `rig-lacks`. */
  open(o: {
    readonly peer: string
    readonly listen: { readonly address: string; readonly port: number }
    readonly to: { readonly address: string; readonly port: number }
    /** Who dials: the host behind the link, or a peer from outside. `host` unless given. */
    readonly by?: 'host' | 'peer'
  }): Promise<{ address: string; port: number }>
  order(order: Json): void
  /** Connections that stand or are asked for. */
  readonly connections: number
}

interface Flow {
  readonly id: number
  readonly asker: LinkWay
  readonly to: { readonly address: string; readonly port: number }
  /** By way: the socket on which its sender is. */
  readonly sender: Partial<Record<LinkWay, Socket>>
  readonly held: Record<LinkWay, Buffer[]>
  readonly heldBytes: Record<LinkWay, number>
  over: boolean
}

const other = (w: LinkWay): LinkWay => (w === 'up' ? 'down' : 'up')

export function createProxy(o: ProxyOptions): Proxy {
  const { model } = o
  const now = o.now ?? benchNow
  const wait = o.wait ?? atOrAfter
  const flows = new Map<number, Flow>()
  const servers = new Set<Server>()
  const sockets = new Set<Socket>()
  const pending: LinkEffect[] = []
  let applying = false
  let closed = false
  let count = 0
  let armedFor = Number.POSITIVE_INFINITY
  let cancel: (() => void) | undefined

  const arm = (): void => {
    if (model.wake === armedFor) return
    cancel?.()
    cancel = undefined
    armedFor = model.wake
    if (closed || !Number.isFinite(armedFor)) return
    cancel = wait(armedFor, now, () => {
      cancel = undefined
      armedFor = Number.POSITIVE_INFINITY
      step({ is: 'time' })
    })
  }
  const step = (input: LinkInput): void => {
    if (closed) return
    for (const e of model.step(input, now())) pending.push(e)
    if (!applying) {
      applying = true
      try {
        // What an effect sets going comes after those before it.
        for (let e = pending.shift(); e !== undefined; e = pending.shift()) apply(e)
      } finally {
        applying = false
      }
    }
    arm()
  }

  /** Whether this way is read from its sender: no more than can be held, here and in the receiver's socket. */
  const balance = (flow: Flow, way: LinkWay): void => {
    const from = flow.sender[way]
    if (from === undefined || from.destroyed) return
    const waiting = flow.heldBytes[way] + (flow.sender[other(way)]?.writableLength ?? 0)
    if (waiting > mostHeld) from.pause()
    else if (from.isPaused() && waiting <= mostHeld / 2) from.resume()
  }

  const join = (flow: Flow, socket: Socket, way: LinkWay): void => {
    flow.sender[way] = socket
    sockets.add(socket)
    socket.setNoDelay(true)
    let told = false
    const reset = (): void => {
      if (told || flow.over) return
      told = true
      step({ is: 'reset', flow: flow.id, way })
    }
    socket.on('data', (b: Buffer) => {
      // The link has forgotten it, and swallows what still comes.
      if (flow.over) return
      flow.held[way].push(b)
      flow.heldBytes[way] += b.length
      step({ is: 'bytes', flow: flow.id, way, n: b.length })
      balance(flow, way)
    })
    socket.on('drain', () => balance(flow, other(way)))
    socket.on('end', () => {
      if (!flow.over) step({ is: 'end', flow: flow.id, way })
    })
    socket.on('error', reset)
    socket.on('close', () => {
      sockets.delete(socket)
      const { up, down } = flow.sender
      if (up?.destroyed !== false && down?.destroyed !== false && !flow.over)
        step({ is: 'forget', flow: flow.id })
    })
  }

  const ask = (flow: Flow, to: { address: string; port: number }): void => {
    const socket = connect({ host: to.address, port: to.port, allowHalfOpen: true })
    let answered = false
    socket.once('connect', () => {
      answered = true
      step({ is: 'accepted', flow: flow.id })
    })
    // Before `join` hears of it.
    socket.on('error', () => {
      if (answered) return
      answered = true
      step({ is: 'refused', flow: flow.id })
    })
    join(flow, socket, other(flow.asker))
  }

  const apply = (e: LinkEffect): void => {
    if (e.do === 'tell') {
      if (e.what['alias'] === 'link.connection' && e.what['phase'] === 'ended') leave(Number(e.what['flow']))
      o.onTell(e.what)
      return
    }
    if (e.do === 'dark') {
      o.onDark?.(e.way, e.dark)
      return
    }
    const flow = flows.get(e.flow)
    if (flow === undefined) return
    switch (e.do) {
      case 'asked': {
        const at = e.to?.lastIndexOf(':') ?? -1
        ask(
          flow,
          e.to === undefined ? flow.to : { address: e.to.slice(0, at), port: Number(e.to.slice(at + 1)) },
        )
        return
      }
      case 'stands':
        return
      case 'refused':
        flow.sender[flow.asker]?.resetAndDestroy()
        return
      case 'pass':
        pass(flow, e.way, e.n)
        return
      case 'lose':
        lose(flow, e.way, e.n)
        return
      case 'end':
        flow.sender[other(e.way)]?.end()
        return
      case 'reset':
        flow.sender[other(e.way)]?.resetAndDestroy()
        return
      case 'give-up':
        flow.sender[e.way]?.resetAndDestroy()
        return
      default:
        e satisfies never
    }
  }

  /** Nothing of it is under way any more, and the model has forgotten it. */
  const leave = (id: number): void => {
    const flow = flows.get(id)
    if (flow === undefined) return
    flow.over = true
    flows.delete(id)
  }

  const pass = (flow: Flow, way: LinkWay, n: number): void => {
    const to = flow.sender[other(way)]
    const list = flow.held[way]
    flow.heldBytes[way] -= n
    let left = n
    while (left > 0) {
      const b = list[0]
      if (b === undefined) break
      if (b.length <= left) list.shift()
      else list[0] = b.subarray(left)
      const part = b.length <= left ? b : b.subarray(0, left)
      left -= part.length
      if (to?.writable === true) to.write(part)
    }
    balance(flow, way)
  }

  const lose = (flow: Flow, way: LinkWay, n: number): void => {
    const list = flow.held[way]
    flow.heldBytes[way] -= n
    let left = n
    while (left > 0) {
      const b = list.pop()
      if (b === undefined) break
      if (b.length > left) list.push(b.subarray(0, b.length - left))
      left -= b.length
    }
    balance(flow, way)
  }

  const proxy: Proxy = {
    async open({ peer, listen, to, by = 'host' }) {
      const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
        const id = ++count
        const flow: Flow = {
          id,
          asker: by === 'host' ? 'up' : 'down',
          to,
          sender: {},
          held: { up: [], down: [] },
          heldBytes: { up: 0, down: 0 },
          over: false,
        }
        flows.set(id, flow)
        join(flow, socket, flow.asker)
        step({ is: 'connect', flow: id, peer, by })
      })
      await new Promise<void>((resolve, reject) => {
        server.once('error', (e) =>
          reject(
            new GridproofError(
              'rig-lacks',
              `${o.name}: cannot listen at ${listen.address}:${listen.port} for ${peer} (${messageOf(e)}): give another port or address`,
              { cause: e },
            ),
          ),
        )
        server.listen({ host: listen.address, port: listen.port }, resolve)
      })
      server.on('error', (e) => process.emitWarning(e))
      servers.add(server)
      return { address: listen.address, port: (server.address() as AddressInfo).port }
    },
    order: (order) => step({ is: 'order', order }),
    get connections() {
      return flows.size
    },
    async [Symbol.asyncDispose]() {
      closed = true
      cancel?.()
      cancel = undefined
      const ends = [...servers].map((s) => new Promise<void>((done) => s.close(() => done())))
      for (const s of sockets) s.destroy()
      await Promise.all(ends)
    },
  }
  arm()
  return proxy
}
