/**
 * The virtual network below the sockets: ends of connections, segments under way, carriers between addresses.
 * Segments keep their order; a carrier that is down holds them; a host without power answers nothing.
 */
import type { Item } from './agenda.ts'
import type { Kernel } from './kernel.ts'
import type { Owner, Thing } from './owner.ts'
import type { Shaped } from './shaped.ts'

export type SegmentKind = 'syn-ack' | 'bytes' | 'fin' | 'rst'

interface Segment {
  readonly kind: SegmentKind
  due: number
  /** Bytes; more parts are added while nothing of it has arrived and it is due at the same instant. */
  readonly parts: Uint8Array[]
  length: number
  readonly place: string | undefined
}

/** What a socket does when something arrives. Called as the socket's owner. */
export interface Receiver {
  opened(): void
  bytes(b: Buffer): void
  fin(): void
  /** The connection broke: `ECONNRESET` or `ETIMEDOUT`. */
  broken(code: 'ECONNRESET' | 'ETIMEDOUT'): void
  /** Has bytes arrived that its program has not read? */
  readonly unread: boolean
  /** There is room to send again. */
  room(): void
}

/** How a carrier between two addresses stands. */
export interface Carrier {
  up: boolean
  /** Ends whose segments wait for it. */
  readonly waiting: Set<End>
}

export interface Fabric {
  readonly kernel: Kernel
  /** One way, in ms. */
  latency: number
  carrier(a: string, b: string): Carrier
  /** False while the host at that address has no power. */
  powered(address: string): boolean
  /** Bytes that a sender may have under way or unread before its writes wait. */
  readonly window: number
}

/** What a socket of Node reads at once, in octets: its streams take no more in one piece. */
const readSize = 65_536
/** Retransmission of what nobody acknowledges (ms): doubles from the first to the longest wait, then gives up. */
const firstRetry = 1000
const longestRetry = 120_000
/** Linux gives up on unacknowledged bytes after 15 retransmissions: 924.6 s (tcp(7), tcp_retries2). */
const giveUpAfter = 924_600

/** One side of a connection. `send` goes to the peer. */
export class End implements Thing {
  readonly fabric: Fabric
  readonly owner: Owner
  readonly address: string
  readonly port: number
  readonly channel: number
  /** 0: the side that connected. */
  readonly way: number
  /** TLS runs above: of its bytes the trace keeps lengths alone. */
  opaque = false
  peer: End | undefined
  receiver: Receiver | undefined
  /** A wide-area link lies between it and its peer, and says when what it sends arrives. */
  shaped: Shaped | undefined
  /** Nothing can be sent or received any more: closed by its program. */
  closed = false
  /** Its host lost power: nothing is sent, not even a refusal. */
  silent = false
  finSent = false
  bytesIn = 0
  bytesOut = 0
  /** Sent and not yet taken by the peer's program. */
  unread = 0
  private queue: Segment[] = []
  private head = 0
  private armed: Item | undefined
  private lastDue = 0
  private held = false
  private carrier: Carrier | undefined
  private lostSince: number | undefined
  private waits = false
  private readonly label: string

  constructor(
    fabric: Fabric,
    owner: Owner,
    o: { address: string; port: number; to: string; channel: number; way: number },
  ) {
    this.fabric = fabric
    this.owner = owner
    this.address = o.address
    this.port = o.port
    this.channel = o.channel
    this.way = o.way
    this.label = `${o.address}:${o.port} -> ${o.to}`
    owner.things.add(this)
  }

  /** Hands bytes to the network. False: the peer reads too slowly; `room` will be called. */
  send(b: Uint8Array): boolean {
    this.bytesOut += b.length
    for (let i = 0; i < b.length; i += readSize)
      this.put('bytes', b.length <= readSize ? b : b.subarray(i, i + readSize))
    this.unread += b.length
    if (this.unread < this.fabric.window) return true
    this.waits = true
    return false
  }

  put(kind: SegmentKind, b?: Uint8Array): void {
    if (this.silent || this.peer === undefined) return
    if (kind === 'fin') this.finSent = true
    if (this.shaped === undefined) this.enqueue(kind, b, this.fabric.kernel.now + this.fabric.latency)
    else this.shaped.put(kind, b)
  }

  /** What a link lets through arrives now. */
  arrived(kind: SegmentKind, b?: Uint8Array): void {
    this.enqueue(kind, b, this.fabric.kernel.now)
  }

  private enqueue(kind: SegmentKind, b: Uint8Array | undefined, at: number): void {
    const { kernel } = this.fabric
    const due = Math.max(at, this.lastDue)
    this.lastDue = due
    const last = this.queue.length > this.head ? this.queue[this.queue.length - 1] : undefined
    if (b !== undefined && last?.kind === 'bytes' && last.due === due && last.length + b.length <= readSize) {
      last.parts.push(b)
      last.length += b.length
      return
    }
    const place = kernel.trace.detail ? kernel.tripwire.place() : undefined
    this.queue.push({ kind, due, parts: b === undefined ? [] : [b], length: b?.length ?? 0, place })
    this.arm()
  }

  /** The program read `n` bytes of what the peer sent. */
  taken(n: number): void {
    const from = this.peer
    if (from === undefined) return
    from.unread -= n
    if (!from.waits || from.unread > from.fabric.window >> 1) return
    from.waits = false
    from.fabric.kernel.at(undefined, from.fabric.latency, tellRoom, from, true)
  }

  /** The program closed its socket; what is under way still arrives. */
  close(how: 'fin' | 'rst'): void {
    if (this.closed) return
    this.closed = true
    this.owner.things.delete(this)
    // Asked for, and not answered yet.
    if (this.peer === undefined) this.shaped?.gone()
    if (how === 'rst') this.put('rst')
    else if (!this.finSent) this.put('fin')
  }

  ownerDied(how: string): void {
    if (how !== 'cut') {
      this.close(this.receiver?.unread === true ? 'rst' : 'fin')
      return
    }
    this.silent = true
    this.closed = true
    this.shaped?.gone()
    // What was on the wire arrives; what waited for a carrier was still in the host's memory.
    if (this.held) this.clear()
  }

  tell(f: (r: Receiver) => void): void {
    const { receiver, owner } = this
    if (receiver === undefined || owner.dead !== undefined) return
    try {
      owner.run(() => f(receiver))
    } catch (e) {
      this.fabric.kernel.thrown(e, owner)
    }
  }

  /** The carrier is back: what was held goes on, in its order. */
  release(): void {
    if (!this.held) return
    this.held = false
    this.lostSince = undefined
    const { kernel, latency } = this.fabric
    const from = kernel.now + latency
    for (let i = this.head; i < this.queue.length; i++) {
      const s = this.queue[i] as Segment
      if (s.due < from) s.due = from
    }
    if (this.lastDue < from) this.lastDue = from
    this.arm()
  }

  private clear(): void {
    this.queue = []
    this.head = 0
  }

  private arm(): void {
    const s = this.queue[this.head]
    if (this.armed !== undefined || this.held || s === undefined) return
    const { kernel } = this.fabric
    this.armed = kernel.when(undefined, s.due, deliverFrom, this, true)
  }

  /** Called by the kernel when the head of the queue is due. */
  deliver(): void {
    this.armed = undefined
    const { fabric, peer } = this
    const { kernel } = fabric
    if (peer === undefined) return
    const s = this.queue[this.head]
    if (s === undefined || s.due > kernel.now) {
      this.arm()
      return
    }
    const carrier = (this.carrier ??= fabric.carrier(this.address, peer.address))
    if (!carrier.up) {
      this.hold(carrier)
      return
    }
    if (peer.silent && (peer.owner.hung || !fabric.powered(peer.address))) {
      this.unanswered()
      return
    }
    this.lostSince = undefined
    this.head++
    if (this.head === this.queue.length) this.clear()
    else if (this.head > 32 && this.head * 2 > this.queue.length) {
      this.queue = this.queue.slice(this.head)
      this.head = 0
    }
    // One at a time: what the first sets going runs before the second comes.
    this.arm()
    this.arrive(s, peer)
  }

  private arrive(s: Segment, peer: End): void {
    const { kernel } = this.fabric
    const { trace } = kernel
    if (peer.closed) {
      // A closed socket, or a host that came up again and knows nothing of this connection.
      if (s.kind === 'bytes' && !this.closed) {
        this.clear()
        if (this.shaped === undefined) kernel.at(undefined, this.fabric.latency, refuse, this, true)
        else this.shaped.refuse()
      }
      return
    }
    if (s.kind === 'bytes') {
      const b = joined(s)
      const opaque = this.opaque || peer.opaque || turnsToTls(b)
      trace.delivered(
        'bytes',
        kernel.now,
        this.channel,
        this.way,
        opaque ? undefined : b,
        b.length,
        this.label,
        s.place,
      )
      peer.bytesIn += b.length
      peer.tell((r) => r.bytes(b))
    } else if (s.kind === 'syn-ack') peer.tell((r) => r.opened())
    else {
      trace.delivered(s.kind, kernel.now, this.channel, this.way, undefined, 0, this.label, s.place)
      if (s.kind === 'fin') peer.tell((r) => r.fin())
      else peer.tell((r) => r.broken('ECONNRESET'))
    }
  }

  private hold(carrier: Carrier): void {
    this.held = true
    carrier.waiting.add(this)
    if (this.lostSince === undefined) {
      this.lostSince = this.fabric.kernel.now
      const since = this.lostSince
      this.fabric.kernel.at(
        undefined,
        giveUpAfter,
        () => {
          if (this.held && this.lostSince === since) this.giveUp()
        },
        undefined,
        false,
      )
    }
  }

  /** Nobody answers: TCP sends again and again, and gives up at last. */
  private unanswered(): void {
    const { kernel } = this.fabric
    this.lostSince ??= kernel.now
    const waited = kernel.now - this.lostSince
    if (waited >= giveUpAfter) {
      this.giveUp()
      return
    }
    const wait = Math.min(Math.max(firstRetry, waited), longestRetry, giveUpAfter - waited)
    const s = this.queue[this.head]
    if (s !== undefined) s.due = kernel.now + wait
    this.arm()
  }

  /** Nobody has acknowledged what it sent for too long. */
  giveUp(): void {
    this.clear()
    this.held = false
    this.tell((r) => r.broken('ETIMEDOUT'))
  }
}

function joined(s: Segment): Buffer {
  const first = s.parts[0]
  if (s.parts.length === 1 && first !== undefined)
    return first instanceof Buffer ? first : Buffer.from(first.buffer, first.byteOffset, first.byteLength)
  return Buffer.concat(s.parts, s.length)
}

/** A line in clear of so many bytes at most may stand before TLS, as of a relay that says that the other end is there. */
const longestLine = 200

/** TLS begins behind a line in clear, in the same piece: whoever gets it does not know yet. Its record header: RFC 8446, section 5.1. */
function turnsToTls(b: Buffer): boolean {
  const end = b.subarray(0, longestLine).indexOf(0x0a)
  const type = b[end + 1] ?? 0
  return end >= 0 && type >= 0x14 && type <= 0x17 && b[end + 2] === 3
}

const deliverFrom = (e: unknown): void => (e as End).deliver()
const tellRoom = (e: unknown): void => (e as End).tell((r) => r.room())
const refuse = (e: unknown): void => (e as End).tell((r) => r.broken('ECONNRESET'))
