/** What a link knows of the connections through it. Times in ms since 1970, lengths in bytes. */
import type { LinkWay } from '../../drivers/link-faces.ts'

/** What TCP sends, as far as a link tells it apart. */
export type Sort = 'syn' | 'syn-ack' | 'refusal' | 'bytes' | 'fin' | 'rst'

/** Handed over by the sender, and not yet sent. */
export interface Item {
  readonly sort: Sort
  n: number
}

/** Under way: its first byte could arrive at `from`, the last arrives at `due`. */
export interface Piece {
  readonly sort: Sort
  n: number
  readonly from: number
  due: number
}

/** One way of a connection. What it carries keeps its order. */
export interface Lane {
  readonly flow: Flow
  readonly way: LinkWay
  waiting: Item[]
  air: Piece[]
  /** Nothing arrives before what was sent before it. */
  lastDue: number
  /** From when the next of it may leave. */
  readyAt: number
  /** Since when nothing that was sent has been acknowledged, after something got lost. */
  lostSince: number | undefined
  /** Its sender has lost power: what gets lost is not sent again. */
  orphan: boolean
  /** FIN, RST, or the sender's giving up has passed: nothing more will come. */
  over: boolean
  /** Bytes that have arrived. */
  passed: number
}

/** A connection. */
export interface Flow {
  readonly id: number
  readonly peer: string
  /** The way in which it was asked for. */
  readonly asker: LinkWay
  /** The other side has taken it, or refused. */
  answered: boolean
  stands: boolean
  /** Whether translation and firewalls on the way know it. */
  mapped: boolean
  /** When the last packet of it went through. */
  touched: number
  readonly up: Lane
  readonly down: Lane
}

export interface Counted {
  offered: number
  passed: number
  lost: number
  resent: number
}

export const ways = ['up', 'down'] as const
export const otherWay = (w: LinkWay): LinkWay => (w === 'up' ? 'down' : 'up')

function createLane(flow: Flow, way: LinkWay, now: number): Lane {
  return {
    flow,
    way,
    waiting: [],
    air: [],
    lastDue: now,
    readyAt: now,
    lostSince: undefined,
    orphan: false,
    over: false,
    passed: 0,
  }
}

export function createFlow(id: number, peer: string, asker: LinkWay, now: number): Flow {
  const flow = { id, peer, asker, answered: false, stands: false, mapped: true, touched: now } as Flow & {
    up: Lane
    down: Lane
  }
  flow.up = createLane(flow, 'up', now)
  flow.down = createLane(flow, 'down', now)
  return flow
}

/** Adds to what waits; bytes join those before them. */
export function put(lane: Lane, sort: Sort, n: number): void {
  const last = lane.waiting[lane.waiting.length - 1]
  if (sort === 'bytes' && last?.sort === 'bytes') last.n += n
  else lane.waiting.push({ sort, n })
}

/** Puts what was under way back before everything that waits, in its order. Returns its bytes. */
export function putBack(lane: Lane): number {
  if (lane.air.length === 0) return 0
  const back: Item[] = []
  let n = 0
  for (const p of lane.air) {
    n += p.n
    const last = back[back.length - 1]
    if (p.sort === 'bytes' && last?.sort === 'bytes') last.n += p.n
    else back.push({ sort: p.sort, n: p.n })
  }
  const last = back[back.length - 1]
  const first = lane.waiting[0]
  if (last?.sort === 'bytes' && first?.sort === 'bytes') {
    last.n += first.n
    lane.waiting.shift()
  }
  lane.waiting.unshift(...back)
  lane.air = []
  return n
}

/** All bytes that a lane holds. */
export function held(lane: Lane): number {
  let n = 0
  for (const i of lane.waiting) n += i.n
  for (const p of lane.air) n += p.n
  return n
}
