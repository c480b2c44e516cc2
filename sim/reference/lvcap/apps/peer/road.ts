/**
 * Connections towards the partner, as the road has it: taken, opened, or met at a relay; one that is lost is tried again.
 * Bytes only: who is there is another file's concern (secure.ts).
 */
import { connect, createServer, type Server, type Socket } from 'node:net'
import { LvcapError, textOf } from '../../errors.ts'
import { within } from '../../sdk/schedule.ts'
import type { Road } from './config.ts'

export interface RoadSettings {
  readonly road: Road
  /** Common name of this platform: tells a relay who waits. */
  readonly platform: string
  /** Own address to listen on, where the road names none. */
  readonly address: string
  /** Seconds. */
  readonly handshake: number
  /** Milliseconds until try k, k from 1 since the partner was last there. */
  pause(k: number): number
}

export interface Traveller {
  /**
   * A connection stands. What it gives resolves when it is over: true where the partner was there.
   * Never rejects.
   */
  meets(socket: Socket, as: 'server' | 'client'): Promise<boolean>
  trouble(text: string): void
}

/** Connections that may stand at a time; a stranger's ends with the time for TLS. Ours. */
const atTheDoor = 16

/** Greeting of a relay, and its answer when both ends are there. */
export function relayHello(pair: string, platform: string): string {
  return `LVRELAY/1 ${pair} ${platform}\n`
}
export const relayReady = 'READY\n'

/** Milliseconds that one waits at a relay for the other before it greets anew: less than carriers let a still line live (150 s). Ours. */
const relayPatience = 60_000

/** Begins at once. The returned function ends it with every connection. */
export function travel(s: RoadSettings, t: Traveller): () => Promise<void> {
  return 'listen' in s.road ? listening(s, s.road.listen, t) : calling(s, s.road, t)
}

function listening(
  s: RoadSettings,
  { address = s.address, port }: { readonly address?: string | undefined; readonly port: number },
  t: Traveller,
): () => Promise<void> {
  const sockets = new Set<Socket>()
  let over = false
  let timer: NodeJS.Timeout | undefined
  let server: Server | undefined
  let tries = 0

  const take = (socket: Socket): void => {
    socket.on('error', () => {})
    if (sockets.size >= atTheDoor) {
      socket.destroy()
      return
    }
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    void t.meets(socket, 'server')
  }
  const open = (): void => {
    const fresh = createServer(take)
    server = fresh
    fresh.on('error', (error) => {
      t.trouble(`${address}:${port}: ${textOf(error)}`)
      fresh.close()
      if (!over) timer = setTimeout(open, s.pause(++tries))
    })
    fresh.listen(port, address, () => (tries = 0))
  }
  open()
  return () =>
    new Promise((resolve) => {
      over = true
      clearTimeout(timer)
      for (const x of sockets) x.destroy()
      if (server?.listening === true) server.close(() => resolve())
      else resolve()
    })
}

function calling(
  s: RoadSettings,
  road: Exclude<Road, { readonly listen: unknown }>,
  t: Traveller,
): () => Promise<void> {
  const to = 'connect' in road ? road.connect : road.relay
  let over = false
  let timer: NodeJS.Timeout | undefined
  let current: Socket | undefined
  let tries = 0
  let running: Promise<void> = Promise.resolve()

  const attempt = async (): Promise<void> => {
    const socket = connect({ host: to.address, port: to.port })
    current = socket
    socket.on('error', () => {})
    try {
      await within(s.handshake * 1_000, opened(socket), () => new LvcapError('link', 'no connection in time'))
      if ('relay' in road) await met(socket, relayHello(road.relay.pair, s.platform))
      if (over) return
      if (await t.meets(socket, 'relay' in road ? road.relay.as : 'client')) tries = 0
    } catch (error) {
      if (!over) t.trouble(`${to.address}:${to.port}: ${textOf(error)}`)
    } finally {
      socket.destroy()
      if (!over) timer = setTimeout(begin, s.pause(++tries))
    }
  }
  const begin = (): void => {
    running = attempt()
  }
  begin()
  return async () => {
    over = true
    clearTimeout(timer)
    current?.destroy()
    await running
  }
}

function opened(socket: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('connect', () => resolve())
    socket.once('error', reject)
    socket.once('close', () => reject(new LvcapError('link', 'the connection was closed')))
  })
}

/** Greets the relay and waits until the other end is there too. What follows its answer is left to be read. */
async function met(socket: Socket, hello: string): Promise<void> {
  let got = Buffer.alloc(0)
  const ready = new Promise<void>((resolve, reject) => {
    const take = (b: Buffer): void => {
      got = Buffer.concat([got, b])
      const text = got.subarray(0, relayReady.length).toString('latin1')
      if (!relayReady.startsWith(text)) {
        reject(new LvcapError('link', 'what is there is no relay'))
      } else if (text === relayReady) {
        socket.off('data', take)
        socket.pause()
        const rest = got.subarray(relayReady.length)
        if (rest.length > 0) socket.unshift(rest)
        resolve()
      }
    }
    socket.on('data', take)
    socket.once('close', () => reject(new LvcapError('link', 'the relay closed the connection')))
  })
  socket.write(hello)
  await within(relayPatience, ready, () => new LvcapError('link', 'the partner did not come to the relay'))
}
