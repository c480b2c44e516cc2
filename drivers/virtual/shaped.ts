/**
 * A wide-area link under the virtual network: it keeps the bytes and the timer of a model, for every connection between one
 * host and the peers behind the link.
 */
import type { Json } from '../faces.ts'
import type { LinkEffect, LinkInput, LinkModel, LinkWay } from '../link-faces.ts'
import type { Item } from './agenda.ts'
import type { Kernel } from './kernel.ts'
import type { End, SegmentKind } from './link.ts'

/** What becomes of a request for a connection. */
export interface Asking {
  /** It has arrived, perhaps at somebody else: `address:port`. */
  asked(to: string | undefined): void
  refused(): void
  timedOut(): void
}

interface Flow {
  readonly id: number
  readonly asker: LinkWay
  readonly asking: Asking
  stands: boolean
  /** By way: who sends, and what the model has not let through yet. */
  readonly ends: Partial<Record<LinkWay, End>>
  readonly bytes: Record<LinkWay, Uint8Array[]>
}

/** An end of a connection through the link. */
export interface Shaped {
  put(kind: SegmentKind, b: Uint8Array | undefined): void
  /** Its host has lost power: what has not left is gone. */
  gone(): void
  /** Whoever sent this way is told that nobody knows the connection. */
  refuse(): void
}

export class ShapedLink {
  readonly host: string
  /** Names of peers by `address` and by `address:port`. */
  readonly peers = new Map<string, string>()
  /** Addresses of other hosts at the same end. */
  readonly shared = new Set<string>()
  private readonly admitted = new Map<number, string>()
  private readonly kernel: Kernel
  private readonly model: LinkModel
  private readonly onTell: (what: Readonly<Record<string, Json>>) => void
  private readonly flows = new Map<number, Flow>()
  private flowCount = 0
  private armed: Item | undefined
  private readonly pending: LinkEffect[] = []
  private applying = false
  private closed = false

  constructor(
    kernel: Kernel,
    o: { host: string; model: LinkModel; onTell(what: Readonly<Record<string, Json>>): void },
  ) {
    this.kernel = kernel
    this.host = o.host
    this.model = o.model
    this.onTell = (what) => o.onTell(what)
    this.arm()
  }

  reach(name: string, address: string, port: number): void {
    this.peers.set(address, this.peers.get(address) ?? name)
    this.peers.set(`${address}:${port}`, name)
  }

  /** Connections from outside to this port of the host come through this link too, whoever asks. */
  admit(name: string, port: number): void {
    this.admitted.set(port, name)
  }

  /** The name of the peer, where a connection between these goes through this link. */
  between(from: string, to: string, port: number): { peer: string; by: 'host' | 'peer' } | undefined {
    if (from === this.host || this.shared.has(from)) {
      const peer = this.peers.get(`${to}:${port}`)
      return peer === undefined ? undefined : { peer, by: 'host' }
    }
    const peer = to === this.host ? (this.admitted.get(port) ?? this.peers.get(from)) : undefined
    return peer === undefined ? undefined : { peer, by: 'peer' }
  }

  /** Asks for a connection. */
  ask(end: End, peer: string, by: 'host' | 'peer', asking: Asking): void {
    const id = ++this.flowCount
    const asker: LinkWay = by === 'host' ? 'up' : 'down'
    const flow: Flow = {
      id,
      asker,
      asking,
      stands: false,
      ends: {},
      bytes: { up: [], down: [] },
    }
    this.flows.set(id, flow)
    this.join(flow, end, asker)
    this.step({ is: 'connect', flow: id, peer, by })
  }

  /** The other side's end of the connection that `end` asked for. */
  answer(end: End, far: End): void {
    for (const flow of this.flows.values())
      if (flow.ends[flow.asker] === end) this.join(flow, far, other(flow.asker))
  }

  /** Nobody listens there. */
  refuse(end: End): void {
    for (const flow of this.flows.values())
      if (flow.ends[flow.asker] === end) this.step({ is: 'refused', flow: flow.id })
  }

  order(order: Json): void {
    this.step({ is: 'order', order })
  }

  close(): void {
    this.closed = true
    if (this.armed !== undefined) this.kernel.cancel(this.armed)
  }

  private join(flow: Flow, end: End, way: LinkWay): void {
    flow.ends[way] = end
    end.shaped = {
      put: (kind, b) => this.put(flow, way, kind, b),
      gone: () => {
        this.step({ is: 'gone', flow: flow.id, way })
        this.tidy(flow)
      },
      refuse: () => this.step({ is: 'reset', flow: flow.id, way: other(way) }),
    }
  }

  private put(flow: Flow, way: LinkWay, kind: SegmentKind, b: Uint8Array | undefined): void {
    const { id } = flow
    if (kind === 'syn-ack') this.step({ is: 'accepted', flow: id })
    else if (kind === 'fin') this.step({ is: 'end', flow: id, way })
    else if (kind === 'rst') this.step({ is: 'reset', flow: id, way })
    else if (b !== undefined) {
      flow.bytes[way].push(b)
      this.step({ is: 'bytes', flow: id, way, n: b.length })
    }
    this.tidy(flow)
  }

  /** Forgets a connection that both ends have let go, once nothing of it is under way. */
  private tidy(flow: Flow): void {
    const { up, down } = flow.ends
    if (up?.closed === false || down?.closed === false) return
    if (flow.bytes.up.length > 0 || flow.bytes.down.length > 0) return
    // Of one who asks and is answered later, the other end is yet to come.
    if (up === undefined || down === undefined) this.step({ is: 'forget', flow: flow.id })
  }

  private step(input: LinkInput): void {
    if (this.closed) return
    const effects = this.model.step(input, this.kernel.instant())
    this.pending.push(...effects)
    if (!this.applying) this.applyAll()
    this.arm()
  }

  /** One after the other: what an effect sets going is applied after those before it. */
  private applyAll(): void {
    this.applying = true
    try {
      for (let e = this.pending.shift(); e !== undefined; e = this.pending.shift()) this.apply(e)
    } finally {
      this.applying = false
    }
  }

  private arm(): void {
    if (this.armed !== undefined) this.kernel.cancel(this.armed)
    this.armed = undefined
    if (this.closed || !Number.isFinite(this.model.wake)) return
    const due = Math.max(this.kernel.now, this.model.wake - this.kernel.epoch)
    this.armed = this.kernel.when(undefined, due, tick, this, this.model.busy)
  }

  /** Called by the kernel. */
  tick(): void {
    this.armed = undefined
    this.step({ is: 'time' })
  }

  private apply(e: LinkEffect): void {
    if (e.do === 'tell') {
      this.onTell(e.what)
      if (e.what['alias'] === 'link.connection' && e.what['phase'] === 'ended')
        this.flows.delete(Number(e.what['flow']))
      return
    }
    if (e.do === 'dark') return
    const flow = this.flows.get(e.flow)
    if (flow === undefined) return
    switch (e.do) {
      case 'asked':
        flow.asking.asked(e.to)
        return
      case 'stands':
        flow.stands = true
        flow.ends[other(flow.asker)]?.arrived('syn-ack')
        return
      case 'refused':
        flow.asking.refused()
        return
      case 'pass':
        flow.ends[e.way]?.arrived('bytes', take(flow.bytes[e.way], e.n))
        return
      case 'lose':
        drop(flow.bytes[e.way], e.n)
        return
      case 'end':
        flow.ends[e.way]?.arrived('fin')
        return
      case 'reset':
        // Before it stands nobody is at the other end.
        if (flow.stands || e.way === flow.asker) flow.ends[e.way]?.arrived('rst')
        else flow.asking.refused()
        return
      case 'give-up':
        if (flow.stands || e.way !== flow.asker) flow.ends[e.way]?.giveUp()
        else flow.asking.timedOut()
        return
      default:
        e satisfies never
    }
  }
}

const tick = (l: unknown): void => (l as ShapedLink).tick()
const other = (w: LinkWay): LinkWay => (w === 'up' ? 'down' : 'up')

/** The first `n` bytes, which leave the list. */
function take(list: Uint8Array[], n: number): Uint8Array {
  const first = list[0]
  if (first !== undefined && first.length === n) {
    list.shift()
    return first
  }
  const out: Uint8Array[] = []
  let left = n
  while (left > 0) {
    const b = list[0]
    if (b === undefined) break
    if (b.length <= left) {
      out.push(b)
      list.shift()
      left -= b.length
    } else {
      out.push(b.subarray(0, left))
      list[0] = b.subarray(left)
      left = 0
    }
  }
  return out.length === 1 ? (out[0] as Uint8Array) : Buffer.concat(out)
}

/** Drops the last `n` bytes. */
function drop(list: Uint8Array[], n: number): void {
  let left = n
  while (left > 0) {
    const b = list.pop()
    if (b === undefined) return
    if (b.length > left) list.push(b.subarray(0, b.length - left))
    left -= b.length
  }
}
