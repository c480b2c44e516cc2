/** A wire inside this process: for tests of devices, and the plainest thing that meets the contract of wires. */
import { GridproofError } from '../errors.ts'
import type { Conn, Instant, Wire, WireCan } from '../faces.ts'
import { connOver, createInbox, type Inbox } from './inbox.ts'

/** A wire and the other end of it. */
export interface MemoryWire {
  readonly wire: Wire
  /** A new client's end. It waits for `wire.open`, if that has not been called yet. */
  connect(): Conn
}

/**
 * Makes a wire in memory. Bytes arrive in a microtask, so a test needs neither timers nor a turn of the event loop.
 * `now` is the bench clock (ms since 1970), Date.now unless given; `can` is what it claims to carry.
 */
export function memoryWire(
  o: {
    readonly name?: string
    readonly now?: () => Instant
    readonly can?: readonly WireCan[]
  } = {},
): MemoryWire {
  const name = o.name ?? 'memory'
  const now = o.now ?? Date.now
  const early: Conn[] = []
  const ends = new Set<Conn>()
  let taker: ((c: Conn) => void) | undefined
  let made = 0

  return {
    wire: {
      name,
      can: new Set<WireCan>(o.can ?? ['rst']),
      async open(f) {
        if (taker !== undefined)
          throw new GridproofError(
            'bad-value',
            `${name} is open already: dispose it before it is opened again`,
          )
        taker = f
        for (const c of early.splice(0)) f(c)
        return {
          async [Symbol.asyncDispose]() {
            taker = undefined
            for (const c of ends) c.end('fin')
            ends.clear()
          },
        }
      },
    },
    connect() {
      made += 1
      const [inner, outer] = connPair(name, `memory:${made}`, now)
      ends.add(inner)
      if (taker === undefined) early.push(inner)
      else queueMicrotask(() => (taker === undefined ? early.push(inner) : taker(inner)))
      return outer
    },
  }
}

/** Two connected ends. The first one's peer is `far`, the second one's is `near`. */
export function connPair(near: string, far: string, now: () => Instant = Date.now): [Conn, Conn] {
  const a = createInbox()
  const b = createInbox()
  const line: Line = { over: false }
  return [end(line, far, a, b, now), end(line, near, b, a, now)]
}

/** What the two ends share. */
interface Line {
  over: boolean
}

function end(line: Line, peer: string, mine: Inbox, theirs: Inbox, now: () => Instant): Conn {
  let deaf = false
  const send = async (b: Uint8Array): Promise<Instant> => {
    if (line.over || deaf)
      throw new GridproofError(
        'rig-broke',
        `the connection with ${peer} has ended; nothing more can be sent on it`,
      )
    const at = now()
    const copy = Uint8Array.from(b)
    queueMicrotask(() => theirs.bytes(copy, now()))
    return at
  }
  return connOver(peer, mine, {
    send,
    end(how) {
      if (line.over || deaf) return
      deaf = true
      mine.shut()
      if (how === 'silent') return
      line.over = true
      queueMicrotask(() => theirs.end(how))
    },
  })
}
