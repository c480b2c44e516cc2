/**
 * Connections through a link, and what is on its way on each: leaving in turn, arriving in order, going back to its sender,
 * swallowed, ended. What the link is like at a moment is told by `Conditions`.
 */
import type { LinkInput, LinkWay } from '../../drivers/link-faces.ts'
import { countedFor, peerOf } from './counters.ts'
import { Lanes } from './lanes.ts'
import { leastRetry, nextRetry, packet } from './radio.ts'
import { createFlow, otherWay, put, putBack, type Flow, type Lane, type Piece, type Sort } from './state.ts'

/** A SYN is sent again after 1 s, 2 s, 4 s, and given up after 127 s (tcp(7), tcp_syn_retries 6). */
const firstSyn = 1000
const giveUpSyn = 127_000
/** Linux gives up on unacknowledged bytes after 15 retransmissions: 924.6 s (tcp(7), tcp_retries2). */
const giveUp = 924_600
/** What a rate lets pass at a time: so many ms of it, but a packet at least. Ours. */
const turnMs = 50
const largest = 65_536

export class Traffic extends Lanes {
  /** Until when the line itself is taken. */
  private readonly taken = { up: 0, down: 0 }

  /** When something is due next. */
  next(): number {
    let t = Number.POSITIVE_INFINITY
    for (const lane of this.active) {
      const head = lane.air[0]
      if (head !== undefined && head.due < t) t = head.due
      if (this.mayLeave(lane)) t = Math.min(t, Math.max(lane.readyAt, this.taken[lane.way]))
      if (lane.lostSince !== undefined) t = Math.min(t, lane.lostSince + limitOf(lane))
    }
    return t
  }

  /** Whatever can leave leaves, whatever is due arrives, until nothing more does at this instant. */
  settle(t: number): void {
    do {
      this.pump('up', t)
      this.pump('down', t)
    } while (this.arrivals(t))
  }

  /** Gives up what nobody has acknowledged for too long. */
  giveUp(t: number): void {
    for (const lane of this.active)
      if (lane.lostSince !== undefined && lane.lostSince + limitOf(lane) <= t) this.abandon(lane)
  }

  /** It is dark that way: what is under way is lost but for the part that has arrived. */
  darken(way: LinkWay, t: number): void {
    for (const lane of this.active) if (lane.way === way) this.cutShort(lane, t)
  }

  /** It is light again: each sender tries again when TCP would. */
  lighten(way: LinkWay, t: number): void {
    this.taken[way] = t
    for (const lane of this.active)
      if (lane.way === way && lane.lostSince !== undefined)
        lane.readyAt = nextRetry(lane.lostSince, t, asks(lane) ? firstSyn : this.firstRetry())
  }

  private firstRetry(): number {
    return Math.max(leastRetry, 2 * this.c.radio().roundTrip)
  }

  /** Nothing that is under way arrives before `until`. */
  delay(until: number): void {
    for (const lane of this.active)
      for (const p of lane.air) {
        p.due = Math.max(p.due, until)
        lane.lastDue = Math.max(lane.lastDue, p.due)
      }
  }

  take(input: Exclude<LinkInput, { is: 'time' | 'order' }>, now: number): void {
    if (input.is === 'connect') {
      this.connect(input.flow, input.peer, input.by === 'host' ? 'up' : 'down', now)
      return
    }
    const flow = this.flows.get(input.flow)
    if (flow === undefined) {
      if (input.is === 'bytes') this.c.effect({ do: 'lose', flow: input.flow, way: input.way, n: input.n })
      return
    }
    switch (input.is) {
      case 'accepted':
        this.answer(flow, 'syn-ack', now)
        return
      case 'refused':
        this.answer(flow, 'refusal', now)
        return
      case 'bytes': {
        const lane = flow[input.way]
        countedFor(this.count, flow.peer, input.way).offered += input.n
        if (lane.over) this.lose(lane, input.n)
        else this.give(lane, 'bytes', input.n, now)
        return
      }
      case 'end':
        if (!flow[input.way].over) this.give(flow[input.way], 'fin', 0, now)
        return
      case 'reset': {
        const lane = flow[input.way]
        if (lane.over) return
        this.loseWaiting(lane)
        // RST is sent once: where it is lost, the other end never hears of it.
        if (this.c.dark(lane.way) || !flow.mapped || this.c.swallowsEnd(lane.way)) {
          this.over(lane)
          if (lane.way !== flow.asker) this.unanswered(flow, now)
          // The other side has never heard of it.
          else if (!flow.answered) this.end(flow, 'closed')
        } else this.give(lane, 'rst', 0, now)
        return
      }
      case 'gone': {
        const lane = flow[input.way]
        lane.orphan = true
        this.loseWaiting(lane)
        this.rest(lane)
        if (lane.way !== flow.asker) this.unanswered(flow, now)
        return
      }
      case 'forget':
        this.end(flow, 'closed')
        return
      default:
        input satisfies never
    }
  }

  private connect(id: number, peer: string, asker: LinkWay, now: number): void {
    const flow = createFlow(id, peer, asker, now)
    this.flows.set(id, flow)
    peerOf(this.count, peer).connections++
    this.c.tell('connection', { flow: id, peer, by: asker === 'up' ? 'host' : 'peer', phase: 'asked' })
    if (asker === 'down' && this.c.settings().inbound === 'blocked') flow.mapped = false
    this.give(flow[asker], 'syn', 0, now)
  }

  /** What was asked is answered, before all else that the other side may have said. */
  private answer(flow: Flow, sort: 'syn-ack' | 'refusal', now: number): void {
    const lane = flow[otherWay(flow.asker)]
    if (flow.answered) return
    if (lane.over) {
      this.unanswered(flow, now)
      return
    }
    flow.answered = true
    const behind = lane.waiting
    lane.waiting = []
    this.give(lane, sort, 0, now)
    lane.waiting.push(...behind)
  }

  /** Whoever would answer is gone again: the asker hears nothing, and gives up. */
  private unanswered(flow: Flow, now: number): void {
    const asker = flow[flow.asker]
    if (flow.stands || asker.over) return
    asker.lostSince ??= now
    this.active.add(asker)
  }

  /** Hands something to a lane. */
  private give(lane: Lane, sort: Sort, n: number, now: number): void {
    put(lane, sort, n)
    if (this.c.dark(lane.way)) lane.lostSince ??= now
    if (lane.waiting.length === 1 && lane.readyAt < now) lane.readyAt = now
    this.active.add(lane)
    const queue = this.turn[lane.way]
    if (!queue.includes(lane)) queue.push(lane)
  }

  private mayLeave(lane: Lane): boolean {
    const first = lane.waiting[0]
    if (first === undefined || this.c.dark(lane.way) || this.c.stalled(lane.way)) return false
    // Of a connection that does not stand yet, only the request leaves, and its answer.
    return first.sort === 'syn' || (lane.way === lane.flow.asker ? lane.flow.stands : lane.flow.answered)
  }

  private pump(way: LinkWay, t: number): void {
    const queue = this.turn[way]
    while (this.taken[way] <= t) {
      const i = queue.findIndex((l) => l.readyAt <= t && this.mayLeave(l))
      const lane = queue[i]
      if (lane === undefined) return
      this.leave(lane, t)
      queue.splice(i, 1)
      if (lane.waiting.length > 0) queue.push(lane)
      else this.rest(lane)
    }
  }

  private leave(lane: Lane, t: number): void {
    const { flow, way } = lane
    const { nat } = this.c.settings()
    if (nat !== undefined && flow.mapped && flow.stands && t - flow.touched > nat.tcp_idle)
      this.unmap(flow, 'idle')
    if (!flow.mapped) {
      this.swallow(lane, t)
      return
    }
    if (this.c.meters().blocked) {
      this.c.full(t)
      return
    }
    const item = lane.waiting[0]
    if (item === undefined) return
    const slice = this.c.slice()
    const kbit = this.c.kbit(way)
    const most =
      slice?.bytes ??
      (kbit === undefined ? item.n : Math.min(largest, Math.max(packet, Math.round((kbit * turnMs) / 8))))
    const n = Math.min(item.n, most)
    item.n -= n
    if (item.n === 0) lane.waiting.shift()
    if ((item.sort === 'fin' || item.sort === 'rst') && this.c.swallowsEnd(way)) {
      this.over(lane)
      return
    }
    const ready = Math.max(this.taken[way], lane.readyAt)
    const begins = ready + this.c.radio().wake(ready)
    const ends = kbit === undefined ? begins : begins + (n * 8) / kbit
    this.taken[way] = ends
    // The next of this lane may follow at once, or after the gap between slices.
    lane.readyAt = slice === undefined || item.sort !== 'bytes' ? begins : ends + slice.gap
    const delay = this.c.radio().delay(way, begins)
    const { late, again } = this.c.radio().loss(way, n)
    const due = Math.max(ends + delay + late, lane.lastDue, this.c.spikeEnds())
    lane.lastDue = due
    lane.air.push({ sort: item.sort, n, from: Math.min(due, begins + delay + late), due })
    flow.touched = ends
    this.c.radio().used(ends)
    if (again > 0) countedFor(this.count, flow.peer, way).resent += again
    const full = this.c.meters().add(n + again)
    if (full !== undefined) this.c.tell('quota', { left: full })
  }

  /** Nobody on the way knows of this connection: what is sent on it vanishes. */
  private swallow(lane: Lane, t: number): void {
    const { flow } = lane
    this.loseWaiting(lane)
    lane.lostSince ??= t
    if (lane.way !== 'up' || !flow.stands || this.c.settings().reattach?.answers !== 'rst') return
    const back = flow.down
    this.drain(back)
    back.air.push({ sort: 'rst', n: 0, from: t, due: t + this.c.radio().roundTrip })
    this.active.add(back)
  }

  /** Lets the earliest piece arrive that is due. False: none is. */
  private arrivals(t: number): boolean {
    let best: Lane | undefined
    let due = Number.POSITIVE_INFINITY
    for (const lane of this.active) {
      const head = lane.air[0]
      if (head !== undefined && head.due <= t && head.due < due) {
        best = lane
        due = head.due
      }
    }
    if (best === undefined) return false
    this.arrive(best, best.air[0] as Piece, t)
    return true
  }

  private arrive(lane: Lane, p: Piece, t: number): void {
    const { flow, way } = lane
    lane.lostSince = undefined
    if (p.sort === 'bytes') {
      this.bytes(lane, p)
      return
    }
    lane.air.shift()
    switch (p.sort) {
      case 'syn': {
        if (this.c.refuses(flow.peer)) this.answer(flow, 'refusal', t)
        else {
          const to = this.c.redirect(flow.peer)
          this.c.effect({ do: 'asked', flow: flow.id, ...(to === undefined ? {} : { to }) })
        }
        break
      }
      case 'syn-ack':
        flow.stands = true
        flow[flow.asker].readyAt = Math.max(flow[flow.asker].readyAt, t)
        this.c.effect({ do: 'stands', flow: flow.id })
        this.c.tell('connection', { flow: flow.id, peer: flow.peer, phase: 'stands' })
        break
      case 'refusal':
        this.c.effect({ do: 'refused', flow: flow.id })
        this.end(flow, 'refused')
        return
      case 'fin':
        this.c.effect({ do: 'end', flow: flow.id, way })
        this.over(lane)
        break
      case 'rst':
        this.c.effect({ do: 'reset', flow: flow.id, way })
        this.over(lane)
        break
      default:
        p.sort satisfies never
    }
    this.rest(lane)
    if (flow.up.over && flow.down.over) this.end(flow, 'closed')
  }

  private bytes(lane: Lane, p: Piece): void {
    const { flow, way } = lane
    const stop = this.c.arriving(way, flow.peer, p.n)
    const n = stop?.n ?? p.n
    if (n > 0) {
      this.c.effect({ do: 'pass', flow: flow.id, way, n })
      countedFor(this.count, flow.peer, way).passed += n
      lane.passed += n
      flow.touched = Math.max(flow.touched, p.due)
    }
    p.n -= n
    if (p.n === 0) lane.air.shift()
    stop?.act(flow)
    this.rest(lane)
  }

  /** TCP gives up. */
  private abandon(lane: Lane): void {
    this.drain(lane)
    lane.lostSince = undefined
    this.c.effect({ do: 'give-up', flow: lane.flow.id, way: lane.way })
    this.over(lane)
    if (!lane.flow.stands || lane.flow[otherWay(lane.way)].over) this.end(lane.flow, 'given up')
  }

  /** What is under way is lost but for the part that has arrived, and goes back to its sender. */
  private cutShort(lane: Lane, t: number): void {
    const head = lane.air[0]
    if (head !== undefined && head.sort === 'bytes' && head.from < t && head.due > t) {
      const arrived = Math.min(head.n - 1, Math.floor((head.n * (t - head.from)) / (head.due - head.from)))
      if (arrived > 0) {
        const due = head.due
        head.due = t
        const rest: Piece = { sort: 'bytes', n: head.n - arrived, from: t, due }
        head.n = arrived
        lane.air.splice(1, 0, rest)
        this.bytes(lane, head)
        // What that set off may have cut it short already.
        if (lane.air.length === 0) return
      }
    }
    if (lane.orphan) {
      this.drain(lane)
      this.rest(lane)
      return
    }
    const n = putBack(lane)
    countedFor(this.count, lane.flow.peer, lane.way).resent += n
    lane.lastDue = t
    if (lane.waiting.length === 0) return
    lane.lostSince ??= t
    if (!this.turn[lane.way].includes(lane)) this.turn[lane.way].push(lane)
  }
}

/** It is the request itself that waits for its answer. */
const asks = (lane: Lane): boolean => !lane.flow.stands && lane.way === lane.flow.asker
const limitOf = (lane: Lane): number => (asks(lane) ? giveUpSyn : giveUp)
