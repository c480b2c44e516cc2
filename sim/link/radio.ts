/**
 * What a piece meets on its way: the delay of the moment, waking of the radio, spikes, loss. Each has random numbers of its
 * own, so that a change to one leaves the draws of the others as they are.
 */
import type { LinkWay } from '../../drivers/link-faces.ts'
import { normal, type Random } from '../../drivers/random.ts'
import type { DropLength, LinkSettings } from './profile.ts'

/** Largest segment of TCP on Ethernet with a little room for tunnels, bytes. Ours. */
export const packet = 1400
/** Standard normal quantile of 95 %. */
const z95 = 1.6449

/** The first time-out of a retransmission that Linux waits for at least (tcp(7), TCP_RTO_MIN), and the longest, ms. */
export const leastRetry = 200
const longestRetry = 120_000

const between = (r: Random, [a, b]: readonly [number, number]): number => Math.round(a + (b - a) * r())
/** To a microsecond. */
const fine = (ms: number): number => Math.round(ms * 1000) / 1000
export const exponential = (r: Random, mean: number): number => -mean * Math.log(1 - r())
const lognormal = (r: Random, median: number, sigma: number): number => median * Math.exp(sigma * normal(r))

/** Length of a drop, ms. */
export function dropLength(r: Random, lengths: readonly DropLength[]): number {
  let u = r()
  let chosen = lengths[lengths.length - 1]
  for (const l of lengths) {
    if (u < l.share) {
      chosen = l
      break
    }
    u -= l.share
  }
  if (chosen === undefined) return 0
  if ('exponential' in chosen) return Math.round(exponential(r, chosen.exponential.mean))
  const { median, sigma, cap = Number.POSITIVE_INFINITY } = chosen.lognormal
  return Math.round(Math.min(cap, lognormal(r, median, sigma)))
}

/** When TCP tries the next time after `now`: first `first` ms after the loss, then after twice as long each time. */
export function nextRetry(lostSince: number, now: number, first: number): number {
  let at = lostSince + first
  let wait = first * 2
  while (at < now) {
    at += wait
    wait = Math.min(wait * 2, longestRetry)
  }
  return at
}

export interface Radio {
  /** Delay of a piece that leaves at `now`, without its own length on the line, ms. */
  delay(way: LinkWay, now: number): number
  /** For how long a piece waits until the radio is awake. */
  wake(now: number): number
  /** Something went through. */
  used(at: number): void
  /** What loss costs a piece of so many bytes: ms by which it comes late, bytes sent again. */
  loss(way: LinkWay, n: number): { readonly late: number; readonly again: number }
  /** A round trip as it mostly is, ms. */
  readonly roundTrip: number
}

/** More than the profile gives, while a fault is in force. */
export interface Extra {
  readonly delay?: { readonly up: number; readonly down: number; readonly jitter: number }
  readonly loss?: LinkSettings['loss']
}

export function createRadio(
  s: LinkSettings,
  random: (stream: string) => number,
  extra: () => Extra,
  began: number,
): Radio {
  const base = {
    up: { ms: 0, until: Number.NEGATIVE_INFINITY },
    down: { ms: 0, until: Number.NEGATIVE_INFINITY },
  }
  const bad = { up: false, down: false }
  /** Packets left in the state of the moment; drawn when it runs out. */
  const run = { up: 0, down: 0 }
  let last = began
  let awakeAt = began
  const roundTrip = 2 * (s.delay?.median ?? 0)
  const sigma =
    s.delay?.p95 === undefined || s.delay.median === 0 ? 0 : Math.log(s.delay.p95 / s.delay.median) / z95

  const lost = (way: LinkWay, packets: number, loss: NonNullable<LinkSettings['loss']>): boolean => {
    let left = packets
    let any = false
    while (left > 0) {
      if (run[way] <= 0) {
        const chance = bad[way] ? loss.mends : loss.worsens
        // How many packets until the state changes: geometric.
        run[way] =
          chance >= 1
            ? 1
            : chance <= 0
              ? Number.POSITIVE_INFINITY
              : Math.max(1, Math.ceil(Math.log(1 - random(`state/${way}`)) / Math.log(1 - chance)))
      }
      const m = Math.min(left, run[way])
      const p = bad[way] ? loss.bad : loss.good
      if (p > 0 && random(`loss/${way}`) < 1 - (1 - p) ** m) any = true
      left -= m
      run[way] -= m
      if (run[way] <= 0) bad[way] = !bad[way]
    }
    return any
  }

  return {
    roundTrip,
    delay(way, now) {
      let ms = 0
      if (s.delay !== undefined) {
        const b = base[way]
        if (sigma === 0) b.ms = s.delay.median
        else if (now >= b.until) {
          b.ms = lognormal(() => random(`delay/${way}`), s.delay.median, sigma)
          b.until = now + s.delay.holds
        }
        ms = b.ms
        if (s.delay.jitter > 0) ms += s.delay.jitter * random(`jitter/${way}`)
      }
      const more = extra().delay
      if (more !== undefined) {
        ms += more[way]
        if (more.jitter > 0) ms += more.jitter * random(`jitter/${way}`)
      }
      return fine(ms)
    },
    wake(now) {
      if (s.idle === undefined) return 0
      if (now - Math.max(last, awakeAt) > s.idle.after) {
        awakeAt = now + between(() => random('idle'), s.idle.wait)
        if (s.idle.burst > 0 && s.loss !== undefined && random('burst') < s.idle.burst)
          for (const way of ['up', 'down'] as const) {
            bad[way] = true
            run[way] = 0
          }
      }
      return Math.max(0, awakeAt - now)
    },
    used(at) {
      if (at > last) last = at
    },
    loss(way, n) {
      const l = extra().loss ?? s.loss
      if (l === undefined) return { late: 0, again: 0 }
      const packets = Math.max(1, Math.ceil(n / packet))
      let late = 0
      let again = 0
      // A lost packet among others is missed by the receiver after a round trip; alone, or lost again, after a time-out.
      let wait = packets > 3 ? Math.max(roundTrip, 1) : Math.max(leastRetry, 2 * roundTrip)
      for (let left = packets; lost(way, left, l); left = 1) {
        late += wait
        again += Math.min(n, packet)
        wait = Math.min(Math.max(leastRetry, 2 * roundTrip, wait * 2), longestRetry)
        if (late > longestRetry) break
      }
      return { late, again }
    },
  }
}

/** How long a spike lasts, ms. */
export const spikeLength = (r: Random, lasts: readonly [number, number]): number => between(r, lasts)
