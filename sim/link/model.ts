/**
 * A wide-area link as a pure model: inputs and times in, effects out (drivers/link-faces.ts). It knows lengths and no bytes,
 * and TCP as far as a link shows it: what is lost comes late, after TCP's own waits; what nobody knows is swallowed; what is
 * not acknowledged for too long is given up. Windows and congestion are left out: a sender uses the rate that there is.
 */
import type { Instant, Json } from '../../drivers/faces.ts'
import type { LinkEffect, LinkInput, LinkModel, LinkWay } from '../../drivers/link-faces.ts'
import { createCarrier, createDarkness } from './carrier.ts'
import type { Conditions } from './conditions.ts'
import { createCounters, shownCounters, type ShownCounters } from './counters.ts'
import { FaultsInForce, isFault, linkFault, linkFaults, waysOf, type LinkFault } from './faults.ts'
import { linkOrder, type LinkOrder, type LinkScriptStep } from './orders.ts'
import { readLinkProfile, type LinkProfile, type LinkSettings } from './profile.ts'
import { createMeters, type Meters } from './quota.ts'
import { createRadio, dropLength, exponential, spikeLength, type Radio } from './radio.ts'
import { ways, type Flow } from './state.ts'
import { Traffic } from './traffic.ts'

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
  private readonly count = createCounters()
  private readonly faultsIn = new FaultsInForce()
  private readonly traffic: Traffic
  private readonly dark = createDarkness()
  private readonly carrier = createCarrier()
  private script: { at: Instant; step: LinkScriptStep }[] = []
  private steps = 0
  private nextDrop = Number.POSITIVE_INFINITY
  private nextSpike = Number.POSITIVE_INFINITY
  private spikeEnds = 0
  private attached = 0
  /** The instant at which things happen. */
  private at = 0
  private out: LinkEffect[] = []

  constructor(o: LinkOptions) {
    this.random = (s) => o.random(s)
    this.settings = o.profile.settings
    this.radio = this.makeRadio(o.began)
    this.meters = createMeters(o.profile.settings.quota, o.began)
    this.traffic = new Traffic(this.conditions(), this.count)
    this.plan(o.began)
    this.wake = this.next()
  }

  get busy(): boolean {
    return this.traffic.busy
  }

  step(input: LinkInput, now: Instant): readonly LinkEffect[] {
    this.out = []
    for (let t = this.next(); t <= now; t = this.next()) {
      this.at = t
      this.happen(t)
      this.traffic.settle(t)
    }
    if (input.is !== 'time') {
      this.at = now
      if (input.is === 'order') this.obey(linkOrder(input.order), now)
      else this.traffic.take(input, now)
      this.traffic.settle(now)
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

  private conditions(): Conditions {
    return {
      settings: () => this.settings,
      radio: () => this.radio,
      meters: () => this.meters,
      spikeEnds: () => this.spikeEnds,
      dark: (way) => this.dark.has(way),
      stalled: (way) => this.faultsIn.stalled(way),
      swallowsEnd: (way) => this.faultsIn.swallowsEnd(way),
      refuses: (peer) => this.faultsIn.refuses(peer),
      redirect: (peer) => this.faultsIn.redirect(peer),
      slice: () => this.faultsIn.slice(this.settings.slice),
      kbit: (way) => least(this.faultsIn.kbit(way, this.settings.rate), this.meters.kbit),
      full: (t) => this.darken('quota', t),
      arriving: (way, peer, n) => this.arriving(way, peer, n),
      effect: (e) => void this.out.push(e),
      tell: (what, data) => this.tell(what, data),
    }
  }

  private makeRadio(now: Instant): Radio {
    return createRadio(this.settings, this.random, () => this.faultsIn.extra(), now)
  }

  private arriving(way: LinkWay, peer: string, n: number): ReturnType<Conditions['arriving']> {
    const f = this.faultsIn.due(way, peer, n)
    // A fault that stood behind another one may be late by what that one let pass.
    const before = Math.max(0, f?.left ?? n)
    this.faultsIn.arrived(way, peer, before)
    return f === undefined ? undefined : { n: before, act: (flow) => this.trip(f, flow, this.at) }
  }

  // --- time

  /** When something is due next. */
  private next(): Instant {
    let t = Math.min(
      this.nextDrop,
      this.nextSpike,
      this.meters.anew,
      this.carrier.next?.at ?? this.nextDrop,
      this.traffic.next(),
    )
    for (const f of this.faultsIn.list) if (f.until !== undefined && f.until < t) t = f.until
    for (const s of this.script) if (s.at < t) t = s.at
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
    for (const f of this.faultsIn.list.slice()) if (f.until !== undefined && f.until <= t) this.lift(f.id, t)
    if (this.script.some((s) => s.at <= t)) {
      const now = this.script.filter((s) => s.at <= t)
      this.script = this.script.filter((s) => s.at > t)
      for (const { step } of now) this.act(step, t)
    }
    if (this.meters.anew <= t) {
      this.meters.begin(t)
      this.lighten('quota', t)
    }
    this.traffic.giveUp(t)
  }

  private planDrop(now: Instant): void {
    const { drops } = this.settings
    this.nextDrop =
      drops === undefined || drops.per_day === 0
        ? Number.POSITIVE_INFINITY
        : now + exponential(() => this.random('drop/when'), day / drops.per_day)
  }

  private plan(now: Instant): void {
    const { spikes } = this.settings
    this.planDrop(now)
    this.nextSpike =
      spikes === undefined || spikes.per_hour === 0
        ? Number.POSITIVE_INFINITY
        : now + exponential(() => this.random('spike/when'), hour / spikes.per_hour)
  }

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
    this.traffic.forgetAll('address')
  }

  private darken(reason: string, t: Instant, which: readonly LinkWay[] = ways): void {
    for (const way of which) {
      if (!this.dark.add(way, reason)) continue
      this.out.push({ do: 'dark', way, dark: true })
      this.traffic.darken(way, t)
    }
  }

  private lighten(reason: string, t: Instant, which: readonly LinkWay[] = ways): void {
    for (const way of which) {
      if (!this.dark.delete(way, reason)) continue
      this.out.push({ do: 'dark', way, dark: false })
      this.traffic.lighten(way, t)
    }
  }

  private spike(until: Instant, t: Instant): void {
    this.spikeEnds = Math.max(this.spikeEnds, until)
    this.tell('spike', { 'for [s]': (until - t) / 1000 })
    this.traffic.delay(until)
  }

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
          if (o.state === 'off') this.traffic.forgetAll('router')
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
    this.faultsIn.list.push(f)
    if (isFault(f, 'blackhole')) this.darken(f.id, t, waysOf(f.params.way))
    else if (isFault(f, 'spike')) this.spike(t + f.params.lasts, t)
    else if (isFault(f, 'forget')) this.traffic.forgetAll('told to')
    if (isFault(f, 'new-address')) this.attach()
    if (isFault(f, 'quota')) this.meters.limit(f.id, f.params, t)
    if (f.left !== undefined) return
    if (isFault(f, 'drop')) this.loseCarrier(f.id, f.until ?? Number.POSITIVE_INFINITY, t)
    else if (isFault(f, 'reset')) this.traffic.resetAll()
  }

  private lift(id: string, t: Instant): void {
    const f = this.faultsIn.list.find((x) => x.id === id)
    if (f === undefined) return
    this.faultsIn.list = this.faultsIn.list.filter((x) => x !== f)
    if (isFault(f, 'drop')) this.regain(f.id, t)
    if (isFault(f, 'blackhole')) this.lighten(f.id, t, waysOf(f.params.way))
    if (isFault(f, 'quota')) {
      this.meters.unlimit(f.id)
      if (!this.meters.blocked) this.lighten('quota', t)
    }
    if (f.until !== undefined) this.tell('fault', { phase: 'lifted', id: f.id })
  }

  /** A fault acts that waited for a byte. */
  private trip(f: LinkFault, flow: Flow, t: Instant): void {
    const p = f.params as { when?: { bytes: number; again?: true } }
    f.left = p.when?.again === true ? p.when.bytes : undefined
    if (isFault(f, 'reset')) this.traffic.reset(flow)
    else if (isFault(f, 'drop'))
      this.loseCarrier(
        f.id,
        f.params.each === undefined ? (f.until ?? Number.POSITIVE_INFINITY) : t + f.params.each,
        t,
      )
  }

  private tell(what: string, data: Readonly<Record<string, Json>>): void {
    this.out.push({ do: 'tell', what: { alias: `link.${what}`, ...data } })
  }
}

const least = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || (b !== undefined && b < a) ? b : a
