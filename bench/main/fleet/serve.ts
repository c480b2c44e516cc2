/** A fleet of smart meters on TCP: who connects gets a meter, and its lists at their instants. */
import { createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { GridproofError, messageOf } from '../../../drivers/errors.ts'
import type { Instant } from '../../../drivers/faces.ts'
import { benchNow } from '../../../drivers/real/clock.ts'
import type { Fleet } from '../../../sim/devices/meter/fleet.ts'
import type { Slot } from '../../../sim/devices/meter/schedule.ts'
import { createWheel } from '../../../sim/devices/meter/wheel.ts'
import { createLateness } from './lateness.ts'
import type { Lateness } from './lateness.ts'

export interface ServeOptions {
  readonly fleet: Fleet
  readonly host: string
  readonly port: number
  /** Meter i on port + i, for as many clients as come; else all on one port, a meter for each connection. */
  readonly portEach: boolean
}

export interface FleetFigures {
  readonly connected: number
  readonly lists: number
  readonly bytes: number
  /** Lists that a client did not fetch in time. */
  readonly untaken: number
  /** Connections for which no meter was left. */
  readonly refused: number
  /** Of the hand-over behind the instant at which it was due. */
  readonly lateness: Lateness
}

export interface Serving extends AsyncDisposable {
  /** The first one. */
  readonly port: number
  readonly figures: FleetFigures
  /** Counts anew. */
  restart(): void
}

/** A client that leaves so much unread gets nothing more until it has: a serial line would have lost it too. Ours. */
const mostWaiting = 64 * 1024
/** Time between turns of the wheel, ms: the finest of Node's timers. */
const turnMs = 1

/** Time between turns of the registers, which also count while nobody listens, ms. Ours. */
const countEvery = 1000

/** Throws `rig-lacks` where a port cannot be had. */
export async function serveFleet(o: ServeOptions): Promise<Serving> {
  const { fleet } = o
  const wheel = createWheel(fleet.count, benchNow())
  const slots: (Slot | undefined)[] = []
  const clients: (Set<Socket> | undefined)[] = []
  const servers: Server[] = []
  const lateness = createLateness()
  let [connected, lists, bytes, untaken, refused] = [0, 0, 0, 0, 0]
  /** No meter below it is free. */
  let lowest = 0
  let timer: NodeJS.Timeout | undefined

  const arm = (meter: number, after: Instant): void => {
    const { slot, due } = fleet.next(meter, after)
    slots[meter] = slot
    wheel.add(meter, due)
  }
  const say = (meter: number, due: Instant): void => {
    const listeners = clients[meter]
    const slot = slots[meter]
    if (listeners === undefined || listeners.size === 0 || slot === undefined) return
    const b = fleet.list(meter, slot)
    for (const s of listeners) {
      if (s.writableLength > mostWaiting) {
        untaken++
        continue
      }
      s.write(b)
      lists++
      bytes += b.length
    }
    lateness.add(benchNow() - due)
    arm(meter, due)
  }
  const turn = (): void => {
    wheel.turn(benchNow(), say)
    timer = connected > 0 ? setTimeout(turn, turnMs) : undefined
  }
  const join = (socket: Socket, meter: number): void => {
    const listeners = (clients[meter] ??= new Set())
    listeners.add(socket)
    connected++
    socket.setNoDelay(true)
    socket.on('error', () => undefined)
    // It never listens: what comes is let go.
    socket.resume()
    socket.once('close', () => {
      connected--
      listeners.delete(socket)
      if (listeners.size === 0) lowest = Math.min(lowest, meter)
    })
    if (!wheel.has(meter)) arm(meter, benchNow())
    timer ??= setTimeout(turn, turnMs)
  }
  const accept = (socket: Socket): void => {
    while (lowest < fleet.count && (clients[lowest]?.size ?? 0) > 0) lowest++
    if (lowest < fleet.count) join(socket, lowest)
    else {
      refused++
      socket.on('error', () => undefined)
      socket.destroy()
    }
  }
  const counting = setInterval(() => fleet.countOn(benchNow()), countEvery)
  const close = async (): Promise<void> => {
    clearInterval(counting)
    clearTimeout(timer)
    for (const set of clients) for (const s of set ?? []) s.destroy()
    await Promise.all(
      servers.map(
        (s) =>
          new Promise<void>((done) => {
            s.close(() => done())
          }),
      ),
    )
    clearTimeout(timer)
  }

  try {
    for (let i = 0; i < (o.portEach ? fleet.count : 1); i++)
      servers.push(await bind(o.host, o.port === 0 ? 0 : o.port + i, o.portEach ? (s) => join(s, i) : accept))
  } catch (e) {
    await close()
    throw e
  }
  return {
    port: (servers[0]?.address() as AddressInfo | null)?.port ?? o.port,
    get figures() {
      return { connected, lists, bytes, untaken, refused, lateness: lateness.value }
    },
    restart() {
      ;[lists, bytes, untaken, refused] = [0, 0, 0, 0]
      lateness.clear()
    },
    [Symbol.asyncDispose]: close,
  }
}

function bind(host: string, port: number, f: (s: Socket) => void): Promise<Server> {
  return new Promise((resolve, reject) => {
    const s = createServer({ noDelay: true }, f)
    s.once('error', (e) =>
      reject(
        new GridproofError('rig-lacks', `fleet: cannot listen on ${host}:${port}: ${messageOf(e)}`, {
          cause: e,
        }),
      ),
    )
    s.listen({ host, port, backlog: 4096 }, () => {
      // No file descriptor left to accept with: who could not come tries again.
      s.on('error', () => undefined)
      resolve(s)
    })
  })
}
