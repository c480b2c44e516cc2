/**
 * A small meeting place for two platforms that nobody can call from outside (carriers' address translation): each calls
 * the relay and says which pair it is of and which end it is; when both are there they are told so, and from then on
 * are joined. What passes is between the two: TLS from end to end, of which the relay sees ciphertext.
 *
 * Greeting: `LVRELAY/1 <pair> <name>` and a line feed; answer, when both are there: `READY` and a line feed. Ours.
 */
import type { Socket } from 'node:net'

const greeting = /^LVRELAY\/1 ([a-z0-9-]{1,64}) ([a-z0-9][a-z0-9.-]{0,62})$/
/** Longest greeting in bytes, with its line feed. */
const longest = 140
/** Longest time for a greeting, in ms. */
const patience = 10_000
/** Calls that may stand at a time. */
const most = 64

export interface Relay {
  /** A call. */
  take(socket: Socket): void
  /** Ends every call that stands. */
  drop(): void
  /** Names of the ends that wait, by pair. */
  waiting(): readonly string[]
}

interface Call {
  readonly pair: string
  readonly name: string
  readonly socket: Socket
  /** The other end, once joined. */
  other?: Call
}

/**
 * `join` brings bytes from each socket to the other, and the end of each to the other; it is called after both have been
 * told, with the sockets paused, in the order in which they came.
 */
export function createRelay(join: (first: Socket, second: Socket) => void): Relay {
  const calls = new Set<Call>()
  const sockets = new Set<Socket>()

  const enter = (call: Call): void => {
    for (const old of calls) {
      if (old.pair !== call.pair || old.name !== call.name) continue
      // It comes anew, so it has given up the old line, whatever that looks like from here; the other end must come anew too.
      old.socket.destroy()
      old.other?.socket.destroy()
      calls.delete(old)
      if (old.other !== undefined) calls.delete(old.other)
    }
    calls.add(call)
    call.socket.once('close', () => calls.delete(call))
    const partner = [...calls].find(
      (c) => c.pair === call.pair && c.name !== call.name && c.other === undefined,
    )
    if (partner === undefined) {
      // Who waits has nothing to say yet; its end is heard only while it is read.
      call.socket.on('data', hangUp).once('end', hangUp).resume()
      return
    }
    partner.socket.off('data', hangUp).off('end', hangUp).pause()
    partner.other = call
    call.other = partner
    for (const c of [partner, call]) c.socket.write('READY\n')
    join(partner.socket, call.socket)
  }

  return {
    take(socket) {
      socket.on('error', () => {})
      if (sockets.size >= most) {
        socket.destroy()
        return
      }
      sockets.add(socket)
      const late = setTimeout(() => socket.destroy(), patience)
      let got = Buffer.alloc(0)
      const hear = (b: Buffer): void => {
        got = Buffer.concat([got, b])
        const end = got.indexOf(0x0a)
        if (end < 0 && got.length < longest) return
        socket.off('data', hear)
        socket.pause()
        clearTimeout(late)
        const said = end < 0 ? null : greeting.exec(got.subarray(0, end).toString('latin1'))
        if (said === null) {
          socket.destroy()
          return
        }
        const rest = got.subarray(end + 1)
        if (rest.length > 0) socket.unshift(rest)
        enter({ pair: said[1] ?? '', name: said[2] ?? '', socket })
      }
      socket.on('data', hear)
      socket.once('close', () => {
        clearTimeout(late)
        sockets.delete(socket)
      })
    },
    drop() {
      for (const s of sockets) s.destroy()
    },
    waiting: () => [...calls].filter((c) => c.other === undefined).map((c) => `${c.pair} ${c.name}`),
  }
}

function hangUp(this: Socket): void {
  this.destroy()
}

/** Brings bytes both ways, and the end of either to the other. */
export function pipeBoth(first: Socket, second: Socket): void {
  for (const [from, to] of [
    [first, second],
    [second, first],
  ] as const) {
    from.pipe(to)
    from.once('close', () => to.destroy())
  }
}
