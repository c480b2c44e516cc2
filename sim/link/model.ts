/**
 * A wide-area link as a pure model: inputs and times in, effects out (drivers/link-faces.ts). It knows lengths and no bytes,
 * and TCP as far as a link shows it: what is lost comes late, after TCP's own waits; what nobody knows is swallowed; what is
 * not acknowledged for too long is given up. Windows and congestion are left out: a sender uses the rate that there is.
 */
import type { Instant, Json } from '../../drivers/faces.ts'
import type { LinkEffect, LinkInput, LinkModel, LinkWay } from '../../drivers/link-faces.ts'
import { createCarrier, createDarkness } from './carrier.ts'
import { countedFor, createCounters, peerOf, shownCounters, type ShownCounters } from './counters.ts'
import { linkFault, linkFaults, isFault, waysOf, type FaultName, type LinkFault } from './faults.ts'
import { linkOrder, type LinkOrder, type LinkScriptStep } from './orders.ts'
import { readLinkProfile, type LinkProfile, type LinkSettings } from './profile.ts'
import {
  createRadio,
  dropLength,
  exponential,
  leastRetry,
  nextRetry,
  spikeLength,
  type Radio,
} from './radio.ts'
import { createMeters, type Meters } from './quota.ts'
import {
  createFlow,
  held,
  otherWay,
  put,
  putBack,
  ways,
  type Flow,
  type Lane,
  type Piece,
  type Sort,
} from './state.ts'

export interface LinkOptions {
  readonly profile: LinkProfile
  /** A number in [0, 1) from the stream of that name. */
  random(stream: string): number
  /** When it begins, ms since 1970. */
  readonly began: Instant
}

export interface PlayedLinkModel extends LinkModel {
  readonly faults: readonly string[]
  counters(now: Instant): ShownCounters
}

/** A SYN is sent again after 1 s, 2 s, 4 s, and given up after 127 s (tcp(7), tcp_syn_retries 6). */
const firstSyn = 1000
const giveUpSyn = 127_000
/** Linux gives up on unacknowledged bytes after 15 retransmissions: 924.6 s (tcp(7), tcp_retries2). */
const giveUp = 924_600
/** What a rate lets pass at a time: so many ms of it, but a packet at least. Ours. */
const turnMs = 50
const largest = 65_536
const smallest = 1400
const day = 86_400_000
const hour = 3_600_000

export function createLink(o: LinkOptions): PlayedLinkModel {
  return new Link(o)
}

class Link implements PlayedLinkModel {
  readonly faults = Object.keys(linkFaults)
  wake: Instant = Number.POSITIVE_INFINITY
  private readonly random: (stream: string) => number
  private settings: LinkSettings
  private radio: Radio
  private meters: Meters
  private readonly flows = new Map<number, Flow>()
  /** Lanes with anything on them. */
  private readonly active = new Set<Lane>()
  /** Lanes with something that waits, in the order of their turn. */
  private readonly turn: Record<LinkWay, Lane[]> = { up: [], down: [] }
  /** Until when the line itself is taken. */
  private readonly taken = { up: 0, down: 0 }
  private readonly dark = createDarkness()
  private readonly carrier = createCarrier()
  private readonly count = createCounters()
  private inForce: LinkFault[] = []
  private script: { at: Instant; step: LinkScriptStep }[] = []
  private steps = 0
  private nextDrop = Number.POSITIVE_INFINITY
  private nextSpike = Number.POSITIVE_INFINITY
  private spikeEnds = 0
  private attached = 0
  private out: LinkEffect[] = []

  constructor(o: LinkOptions) {
    this.random = (s) => o.random(s)
    this.settings = o.profile.settings
    this.radio = this.makeRadio(o.began)
    this.meters = createMeters(o.profile.settings.quota, o.began)
    this.plan(o.began)
  }

  get busy(): boolean {
    return this.active.size > 0
  }

  step(input: LinkInput, now: Instant): readonly LinkEffect[] {
    this.out = []
    this.advance(now)
    if (input.is !== 'time') {
      this.take(input, now)
      this.settle(now)
    }
    this.wake = this.next()
    return this.out
  }

  counters(now: Instant): ShownCounters {
    return shownCounters(
      this.count,
      this.count.downMs + (this.carrier.up ? 0 : Math.max(0, now - this.carrier.since)),
    )
  }

  // --- what happens at the ends

  private take(input: LinkInput, now: Instant): void {
    if (input.is === 'time') return
    if (input.is === 'order') {
      this.obey(linkOrder(input.order), now)
      return
    }
    if (input.is === 'connect') {
      this.connect(input.flow, input.peer, input.by === 'host' ? 'up' : 'down', now)
      return
    }
    const flow = this.flows.get(input.flow)
    if (flow === undefined) {
      if (input.is === 'bytes') this.out.push({ do: 'lose', flow: input.flow, way: input.way, n: input.n })
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
        if (this.dark.has(lane.way) || !flow.mapped || this.swallowsEnd(lane.way)) this.over(lane)
        else this.give(lane, 'rst', 0, now)
        return
      }
      case 'gone': {
        const lane = flow[input.way]
        lane.orphan = true
        this.loseWaiting(lane)
        return
      }
      case 'forget':
        this.end(flow, 'closed')
        return
      default:
        input satisfies never
    }
  }

  private connect(id: number, peer: string, asker: LinkWay, now: Instant): void {
    const flow = createFlow(id, peer, asker, now)
    this.flows.set(id, flow)
    peerOf(this.count, peer).connections++
    this.tell('connection', { flow: id, peer, by: asker === 'up' ? 'host' : 'peer', phase: 'asked' })
    if (asker === 'down' && this.settings.inbound === 'blocked') flow.mapped = false
    this.give(flow[asker], 'syn', 0, now)
  }

  /** What was asked is answered, before all else that the other side may have said. */
  private answer(flow: Flow, sort: 'syn-ack' | 'refusal', now: Instant): void {
    const lane = flow[otherWay(flow.asker)]
    if (flow.answered || lane.over) return
    flow.answered = true
    const behind = lane.waiting
    lane.waiting = []
    this.give(lane, sort, 0, now)
    lane.waiting.push(...behind)
  }

  /** Hands something to a lane. */
  private give(lane: Lane, sort: Sort, n: number, now: Instant): void {
    put(lane, sort, n)
    if (this.dark.has(lane.way)) lane.lostSince ??= now
    if (lane.waiting.length === 1 && lane.readyAt < now) lane.readyAt = now
    this.active.add(lane)
    const queue = this.turn[lane.way]
    if (!queue.includes(lane)) queue.push(lane)
  }

  // --- time

  private advance(now: Instant): void {
    for (;;) {
      const t = this.next()
      if (t > now) return
      this.happen(t)
      this.settle(t)
    }
  }

  /** When something is due next. */
  private next(): Instant {
    let t = Math.min(this.nextDrop, this.nextSpike, this.meters.anew, this.carrier.next?.at ?? this.nextDrop)
    for (const f of this.inForce) if (f.until !== undefined && f.until < t) t = f.until
    for (const s of this.script) if (s.at < t) t = s.at
    for (const lane of this.active) {
      const head = lane.air[0]
      if (head !== undefined && head.due < t) t = head.due
      if (this.mayLeave(lane)) t = Math.min(t, Math.max(lane.readyAt, this.taken[lane.way]))
      if (lane.lostSince !== undefined) t = Math.min(t, lane.lostSince + limitOf(lane))
    }
    return t
  }

  private happen(t: Instant): void {
    const due = this.carrier.next
    if (due !== undefined && due.at <= t) this.regain(due.cause, t)
    if (this.nextDrop <= t) {
      this.nextDrop = Number.POSITIVE_INFINITY
      const { drops } = this.settings
      if (drops !== undefined)
        this.loseCarrier('profile', t + dropLength(() => this.random('drop/length'), drops.lengths), t)
    }
    if (this.nextSpike <= t) {
      const { spikes } = this.settings
      if (spikes !== undefined) {
        this.spike(t + spikeLength(() => this.random('spike/length'), spikes.lasts), t)
        this.nextSpike = t + exponential(() => this.random('spike/when'), hour / spikes.per_hour)
      }
    }
    for (const f of this.inForce.slice()) if (f.until !== undefined && f.until <= t) this.lift(f.id, t)
    if (this.script.some((s) => s.at <= t)) {
      const now = this.script.filter((s) => s.at <= t)
      this.script = this.script.filter((s) => s.at > t)
      for (const { step } of now) this.act(step, t)
    }
    if (this.meters.anew <= t) {
      this.meters.begin(t)
      this.lighten('quota', t)
    }
    for (const lane of this.active)
      if (lane.lostSince !== undefined && lane.lostSince + limitOf(lane) <= t) this.abandon(lane)
  }

  /** Whatever can leave leaves, whatever is due arrives, until nothing more does at this instant. */
  private settle(t: Instant): void {
    do {
      this.pump('up', t)
      this.pump('down', t)
    } while (this.arrivals(t))
  }

  private plan(now: Instant): void {
    const { spikes } = this.settings
    this.planDrop(now)
    this.nextSpike =
      spikes === undefined || spikes.per_hour === 0
        ? Number.POSITIVE_INFINITY
        : now + exponential(() => this.random('spike/when'), hour / spikes.per_hour)
  }

  private planDrop(now: Instant): void {
    const { drops } = this.settings
    this.nextDrop =
      drops === undefined || drops.per_day === 0
        ? Number.POSITIVE_INFINITY
        : now + exponential(() => this.random('drop/when'), day / drops.per_day)
  }

  // --- leaving

  private mayLeave(lane: Lane): boolean {
    const first = lane.waiting[0]
    if (first === undefined || this.dark.has(lane.way) || this.stalled(lane.way)) return false
    // Of a connection that does not stand yet, only the request leaves, and its answer.
    return first.sort === 'syn' || (lane.way === lane.flow.asker ? lane.flow.stands : lane.flow.answered)
  }

  private pump(way: LinkWay, t: Instant): void {
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

  private leave(lane: Lane, t: Instant): void {
    const { flow, way } = lane
    const { nat } = this.settings
    if (nat !== undefined && flow.mapped && flow.stands && t - flow.touched > nat.tcp_idle)
      this.unmap(flow, 'idle')
    if (!flow.mapped) {
      this.swallow(lane, t)
      return
    }
    if (this.meters.blocked) {
      this.darken('quota', t)
      return
    }
    const item = lane.waiting[0]
    if (item === undefined) return
    const slice = this.slice()
    const kbit = this.kbit(way)
    const most =
      slice?.bytes ??
      (kbit === undefined ? item.n : Math.min(largest, Math.max(smallest, Math.round((kbit * turnMs) / 8))))
    const n = Math.min(item.n, most)
    item.n -= n
    if (item.n === 0) lane.waiting.shift()
    if ((item.sort === 'fin' || item.sort === 'rst') && this.swallowsEnd(way)) {
      this.over(lane)
      return
    }
    const ready = Math.max(this.taken[way], lane.readyAt)
    const begins = ready + this.radio.wake(ready)
    const ends = kbit === undefined ? begins : begins + (n * 8) / kbit
    this.taken[way] = ends
    // The next of this lane may follow at once, or after the gap between slices.
    lane.readyAt = slice === undefined || item.sort !== 'bytes' ? begins : ends + slice.gap
    const delay = this.radio.delay(way, begins)
    const { late, again } = this.radio.loss(way, n)
    const due = Math.max(ends + delay + late, lane.lastDue, this.spikeEnds)
    lane.lastDue = due
    lane.air.push({ sort: item.sort, n, from: Math.min(due, begins + delay + late), due })
    flow.touched = ends
    this.radio.used(ends)
    if (again > 0) countedFor(this.count, flow.peer, way).resent += again
    const full = this.meters.add(n + again)
    if (full !== undefined) this.tell('quota', { left: full })
  }

  /** Nobody on the way knows of this connection: what is sent on it vanishes. */
  private swallow(lane: Lane, t: Instant): void {
    const { flow } = lane
    this.loseWaiting(lane)
    lane.lostSince ??= t
    if (lane.way !== 'up' || !flow.stands || this.settings.reattach?.answers !== 'rst') return
    const back = flow.down
    this.drain(back)
    back.air.push({ sort: 'rst', n: 0, from: t, due: t + this.radio.roundTrip })
    this.active.add(back)
  }

  // --- arriving

  /** Lets the earliest piece arrive that is due. False: none is. */
  private arrivals(t: Instant): boolean {
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

  private arrive(lane: Lane, p: Piece, t: Instant): void {
    const { flow, way } = lane
    lane.lostSince = undefined
    if (p.sort === 'bytes') {
      this.bytes(lane, p, t)
      return
    }
    lane.air.shift()
    switch (p.sort) {
      case 'syn': {
        if (this.refuses(flow.peer)) this.answer(flow, 'refusal', t)
        else {
          const to = this.redirect(flow.peer)
          this.out.push({ do: 'asked', flow: flow.id, ...(to === undefined ? {} : { to }) })
        }
        break
      }
      case 'syn-ack':
        flow.stands = true
        flow[flow.asker].readyAt = Math.max(flow[flow.asker].readyAt, t)
        this.out.push({ do: 'stands', flow: flow.id })
        this.tell('connection', { flow: flow.id, peer: flow.peer, phase: 'stands' })
        break
      case 'refusal':
        this.out.push({ do: 'refused', flow: flow.id })
        this.end(flow, 'refused')
        return
      case 'fin':
        this.out.push({ do: 'end', flow: flow.id, way })
        this.over(lane)
        break
      case 'rst':
        this.out.push({ do: 'reset', flow: flow.id, way })
        this.over(lane)
        break
      default:
        p.sort satisfies never
    }
    this.rest(lane)
    if (flow.up.over && flow.down.over) this.end(flow, 'closed')
  }

  private bytes(lane: Lane, p: Piece, t: Instant): void {
    const { flow, way } = lane
    const trigger = this.inForce.find(
      (f) => f.left !== undefined && triggers(f, way, flow.peer) && f.left <= p.n,
    )
    const n = trigger?.left ?? p.n
    if (n > 0) {
      this.out.push({ do: 'pass', flow: flow.id, way, n })
      countedFor(this.count, flow.peer, way).passed += n
      lane.passed += n
      flow.touched = Math.max(flow.touched, p.due)
    }
    for (const f of this.inForce) if (f.left !== undefined && triggers(f, way, flow.peer)) f.left -= n
    p.n -= n
    if (p.n === 0) lane.air.shift()
    if (trigger !== undefined) this.trip(trigger, flow, t)
    this.rest(lane)
  }

  /** A fault acts that waited for a byte. */
  private trip(f: LinkFault, flow: Flow, t: Instant): void {
    const p = f.params as { when?: { bytes: number; again?: true } }
    f.left = p.when?.again === true ? p.when.bytes : undefined
    if (isFault(f, 'reset')) this.reset(flow)
    else if (isFault(f, 'drop'))
      this.loseCarrier(
        f.id,
        f.params.each === undefined ? (f.until ?? Number.POSITIVE_INFINITY) : t + f.params.each,
        t,
      )
  }

  // --- the end of things

  private reset(flow: Flow): void {
    this.count.resets++
    for (const way of ways) {
      const lane = flow[way]
      if (!lane.over) {
        this.drain(lane)
        this.out.push({ do: 'reset', flow: flow.id, way })
      }
    }
    this.end(flow, 'reset')
  }

  /** TCP gives up. */
  private abandon(lane: Lane): void {
    this.drain(lane)
    lane.lostSince = undefined
    this.out.push({ do: 'give-up', flow: lane.flow.id, way: lane.way })
    this.over(lane)
    if (!lane.flow.stands || lane.flow[otherWay(lane.way)].over) this.end(lane.flow, 'given up')
  }

  private over(lane: Lane): void {
    this.drain(lane)
    lane.over = true
    lane.lostSince = undefined
    this.rest(lane)
  }

  private end(flow: Flow, how: string): void {
    if (!this.flows.delete(flow.id)) return
    for (const way of ways) {
      this.over(flow[way])
      this.turn[way] = this.turn[way].filter((l) => l.flow !== flow)
      this.active.delete(flow[way])
    }
    this.tell('connection', {
      flow: flow.id,
      peer: flow.peer,
      phase: 'ended',
      how,
      'up [B]': flow.up.passed,
      'down [B]': flow.down.passed,
    })
  }

  /** Nothing is left to do for it. */
  private rest(lane: Lane): void {
    if (lane.waiting.length === 0 && lane.air.length === 0 && lane.lostSince === undefined)
      this.active.delete(lane)
  }

  /** Everything on it is lost. */
  private drain(lane: Lane): void {
    const n = held(lane)
    lane.waiting = []
    lane.air = []
    if (n > 0) this.lose(lane, n)
  }

  private loseWaiting(lane: Lane): void {
    let n = 0
    for (const i of lane.waiting) n += i.n
    lane.waiting = []
    if (n > 0) this.lose(lane, n)
  }

  private lose(lane: Lane, n: number): void {
    countedFor(this.count, lane.flow.peer, lane.way).lost += n
    this.out.push({ do: 'lose', flow: lane.flow.id, way: lane.way, n })
  }

  private unmap(flow: Flow, why: string): void {
    if (!flow.mapped) return
    flow.mapped = false
    this.tell('forgot', { flow: flow.id, peer: flow.peer, why })
  }

  // --- light and dark

  private loseCarrier(cause: string, until: Instant, t: Instant): void {
    if (!this.carrier.lose(cause, until, t)) return
    this.count.drops++
    this.tell('carrier', {
      state: 'down',
      why: cause,
      ...(Number.isFinite(until) ? { 'for [s]': (until - t) / 1000 } : {}),
    })
    this.darken('carrier', t)
  }

  private regain(cause: string, t: Instant): void {
    if (cause === 'profile') this.planDrop(t)
    if (!this.carrier.regain(cause)) return
    const was = t - this.carrier.since
    this.count.downMs += was
    this.tell('carrier', { state: 'up', 'after [s]': was / 1000 })
    const { reattach } = this.settings
    if (reattach !== undefined && was >= reattach.after) this.attach()
    this.lighten('carrier', t)
  }

  /** The modem attaches anew: an address of its operator's (RFC 6598), and nobody knows the old one's connections. */
  private attach(): void {
    const n = Math.floor(this.random('address') * 2 ** 22)
    const address = `100.${64 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}`
    this.tell('address', { address, nth: ++this.attached })
    for (const flow of this.flows.values()) this.unmap(flow, 'address')
  }

  private darken(reason: string, t: Instant, which: readonly LinkWay[] = ways): void {
    for (const way of which) {
      if (!this.dark.add(way, reason)) continue
      this.out.push({ do: 'dark', way, dark: true })
      for (const lane of this.active) if (lane.way === way) this.cutShort(lane, t)
    }
  }

  /** What is under way is lost but for the part that has arrived, and goes back to its sender. */
  private cutShort(lane: Lane, t: Instant): void {
    const head = lane.air[0]
    if (head !== undefined && head.sort === 'bytes' && head.from < t && head.due > t) {
      const arrived = Math.min(head.n - 1, Math.floor((head.n * (t - head.from)) / (head.due - head.from)))
      if (arrived > 0) {
        const due = head.due
        head.due = t
        const rest: Piece = { sort: 'bytes', n: head.n - arrived, from: t, due }
        head.n = arrived
        lane.air.splice(1, 0, rest)
        this.bytes(lane, head, t)
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

  private lighten(reason: string, t: Instant, which: readonly LinkWay[] = ways): void {
    for (const way of which) {
      if (!this.dark.delete(way, reason)) continue
      this.out.push({ do: 'dark', way, dark: false })
      this.taken[way] = t
      for (const lane of this.active)
        if (lane.way === way && lane.lostSince !== undefined)
          lane.readyAt = nextRetry(
            lane.lostSince,
            t,
            lane.flow.stands || lane.way !== lane.flow.asker
              ? Math.max(leastRetry, 2 * this.radio.roundTrip)
              : firstSyn,
          )
    }
  }

  private spike(until: Instant, t: Instant): void {
    this.spikeEnds = Math.max(this.spikeEnds, until)
    this.tell('spike', { 'for [s]': (until - t) / 1000 })
    for (const lane of this.active)
      for (const p of lane.air) {
        p.due = Math.max(p.due, until)
        lane.lastDue = Math.max(lane.lastDue, p.due)
      }
  }

  // --- orders and faults

  private obey(o: LinkOrder, t: Instant): void {
    switch (o.do) {
      case 'inflict':
        this.inflict(o.id, o.fault, o.params, t)
        return
      case 'lift':
        this.lift(o.id, t)
        return
      case 'drop':
        this.loseCarrier(`order ${++this.steps}`, t + o.for, t)
        return
      case 'profile':
        this.change(readLinkProfile(o.name), t)
        return
      case 'script':
        for (const s of o.steps) {
          // What cannot be done is refused now, and not when its turn comes.
          if (s.do === 'profile') readLinkProfile(s.name)
          if (s.do === 'inflict')
            linkFault('script', s.fault, { ...(s.params as object | undefined), for: s.for }, t)
        }
        for (const step of o.steps) this.script.push({ at: t + step.after, step })
        return
      case 'router':
        if (o.state === 'works') this.lighten('router', t)
        else {
          this.darken('router', t)
          if (o.state === 'off') for (const flow of this.flows.values()) this.unmap(flow, 'router')
        }
        return
      default:
        o satisfies never
    }
  }

  private act(s: LinkScriptStep, t: Instant): void {
    if (s.do === 'drop') this.loseCarrier(`script ${++this.steps}`, t + s.for, t)
    else if (s.do === 'profile') this.change(readLinkProfile(s.name), t)
    else {
      const id = `script ${++this.steps}`
      this.tell('fault', { phase: 'on', id, name: s.fault })
      this.inflict(id, s.fault, { ...(s.params as { [k: string]: Json } | undefined), for: s.for }, t)
    }
  }

  private change(p: LinkProfile, t: Instant): void {
    this.settings = p.settings
    this.radio = this.makeRadio(t)
    this.meters = createMeters(p.settings.quota, t)
    this.lighten('quota', t)
    if (this.carrier.regain('profile')) this.regained(t)
    this.plan(t)
    this.tell('profile', { name: p.name })
  }

  /** The drop of a profile that is in force no more is over. */
  private regained(t: Instant): void {
    this.count.downMs += t - this.carrier.since
    this.tell('carrier', { state: 'up', 'after [s]': (t - this.carrier.since) / 1000 })
    this.lighten('carrier', t)
  }

  private inflict(id: string, name: string, params: Json, t: Instant): void {
    const f = linkFault(id, name, params, t)
    this.inForce.push(f)
    if (isFault(f, 'blackhole')) this.darken(f.id, t, waysOf(f.params.way))
    else if (isFault(f, 'spike')) this.spike(t + f.params.lasts, t)
    else if (isFault(f, 'forget')) for (const flow of this.flows.values()) this.unmap(flow, 'told to')
    if (isFault(f, 'new-address')) this.attach()
    if (isFault(f, 'quota')) this.meters.limit(f.id, f.params, t)
    if (f.left !== undefined) return
    if (isFault(f, 'drop')) this.loseCarrier(f.id, f.until ?? Number.POSITIVE_INFINITY, t)
    else if (isFault(f, 'reset')) for (const flow of this.flows.values()) this.reset(flow)
  }

  private lift(id: string, t: Instant): void {
    const f = this.inForce.find((x) => x.id === id)
    if (f === undefined) return
    this.inForce = this.inForce.filter((x) => x !== f)
    if (isFault(f, 'drop')) this.regain(f.id, t)
    if (isFault(f, 'blackhole')) this.lighten(f.id, t, waysOf(f.params.way))
    if (isFault(f, 'quota')) {
      this.meters.unlimit(f.id)
      if (!this.meters.blocked) this.lighten('quota', t)
    }
    if (f.until !== undefined) this.tell('fault', { phase: 'lifted', id: f.id })
  }

  private *of<N extends FaultName>(name: N): Generator<LinkFault<N> & LinkFault> {
    for (const f of this.inForce) if (isFault(f, name)) yield f
  }

  private stalled(way: LinkWay): boolean {
    for (const f of this.of('stall')) if (waysOf(f.params.way).includes(way)) return true
    return false
  }

  private swallowsEnd(way: LinkWay): boolean {
    for (const f of this.of('half-open')) if ((f.params.side === 'host') === (way === 'up')) return true
    return false
  }

  private refuses(peer: string): boolean {
    for (const f of this.of('refuse')) if (f.params.peer === undefined || f.params.peer === peer) return true
    return false
  }

  private redirect(peer: string): string | undefined {
    for (const f of this.of('redirect'))
      if (f.params.peer === undefined || f.params.peer === peer) return f.params.to
    return undefined
  }

  private slice(): { bytes: number; gap: number } | undefined {
    for (const f of this.of('slice')) return f.params
    return this.settings.slice
  }

  private kbit(way: LinkWay): number | undefined {
    const key = way === 'up' ? 'up_kbit' : 'down_kbit'
    let least = this.settings.rate[key]
    const lower = (v: number | undefined): void => {
      if (v !== undefined && (least === undefined || v < least)) least = v
    }
    for (const f of this.of('rate')) lower(f.params[key])
    lower(this.meters.kbit)
    return least
  }

  private makeRadio(now: Instant): Radio {
    return createRadio(
      this.settings,
      this.random,
      () => {
        let up = 0
        let down = 0
        let jitter = 0
        for (const f of this.of('delay')) {
          up += f.params.up
          down += f.params.down
          jitter += f.params.jitter
        }
        let loss: LinkSettings['loss']
        for (const f of this.of('loss')) loss = f.params
        return { delay: { up, down, jitter }, loss }
      },
      now,
    )
  }

  private tell(what: string, data: Readonly<Record<string, Json>>): void {
    this.out.push({ do: 'tell', what: { alias: `link.${what}`, ...data } })
  }
}

function limitOf(lane: Lane): number {
  return lane.flow.stands || lane.way !== lane.flow.asker ? giveUp : giveUpSyn
}

function triggers(f: LinkFault, way: LinkWay, peer: string): boolean {
  const p = f.params as { when?: { way: LinkWay; peer?: string } }
  return p.when !== undefined && p.when.way === way && (p.when.peer === undefined || p.when.peer === peer)
}
