/** What a site has of the world: the link to it, its router, its mains. Types only; met through bench/faces.ts. */
import type { Doing, Json } from '../../drivers/faces.ts'
import type { Faulty } from '../../sim/faces.ts'
import type { Series } from './log.ts'

/** Bytes of one way of the link, to and from one peer. */
export interface LinkBytes {
  /** Given to the link; arrived; never to arrive (nobody knew of the connection any more); sent again by TCP. */
  readonly 'offered [B]': number
  readonly 'passed [B]': number
  readonly 'lost [B]': number
  readonly 'resent [B]': number
}

export interface LinkCounters {
  /** By peer: the names by which the rig put them behind the link. */
  readonly peers: Readonly<
    Record<string, { readonly up: LinkBytes; readonly down: LinkBytes; readonly 'connections [1]': number }>
  >
  readonly 'carrier drops [1]': number
  /** Time without carrier. */
  readonly 'down [s]': number
  readonly 'resets [1]': number
}

/** One step of what a link goes through, `after` so long from when the script was given. */
export type LinkStep = { readonly after: string } & (
  | { readonly do: 'drop'; readonly for: string }
  | { readonly do: 'profile'; readonly name: string }
  /** A fault of the link by its name, lifted after so long. */
  | { readonly do: 'inflict'; readonly fault: string; readonly params?: Json; readonly for: string }
)

/**
 * The 4G link between the platform and the servers, played by the bench. What happens to it is told as `link` events of src
 * `link`, alias `link.carrier`, `link.address`, `link.forgot`, `link.connection`, `link.spike`, `link.quota`,
 * `link.profile`, `link.counters`. Faults: docs/devices.md.
 */
export interface Link extends Faulty {
  readonly events: Series
  /** From now on it behaves like this profile of fixtures/links. */
  profile(name: string): void
  /** No carrier for so long: bytes in flight are lost, and sent again when it is back. */
  drop(lasts: string): void
  script(steps: readonly LinkStep[]): void
  /** Since the start; also an event, alias `link.counters`. */
  counters(): LinkCounters
  readonly router: Router
}

/**
 * The router at the platform's end of the link, played by the bench, with a page of its own. Fault `freeze`: nothing passes
 * and its page does not answer until its power is cut; `modem`: nothing passes until then, and its page answers.
 */
export interface Router extends Faulty {
  /** Where its page is. */
  readonly address: string
  readonly port: number
  /** What came of visits to its page: `seen`, alias `router.<visit>`. */
  readonly outcomes: Series
  /** Somebody from afar at its page: logs in, and asks for something. */
  visit(what: RouterVisit): Promise<Json>
  /** Takes its power for so long (5 s unless given); frees it where it is frozen. */
  powerCycle(off?: string): void
}

export interface RouterVisit {
  /** Names the visit in the log. */
  readonly name: string
  readonly gives: 'right' | 'wrong' | 'none'
  /** `reset-computer`: cuts the power of the platform's host for a moment. */
  readonly asks: 'status' | 'addresses' | 'reset-computer' | 'restart'
}

/**
 * The watchdogs of the device, on hardware of their own, and what they have in hand: the relay in the computer's supply,
 * the router's, and somebody beyond the link who always answers. They are the product's; ask for `link` and `mains` too.
 * Resets of the computer are `host` events, alias `watchdog.reset`; of the router `link` events of src `router`, both with
 * `resets`. Faults: `hang` ({ what: `computer`, or `marketplace`, a process of it }: nothing comes from it until its power is
 * cut), `slow-boot` ({ for }: so much longer from power to its first process, at the relay's resets).
 */
export interface Watchdog extends Faulty {
  readonly events: Series
}

/**
 * The write cache of the disk of the platform's host, where the machine can play one (capability `write-cache` of the
 * platform): what was flushed stays through a cut, and of what was written and not flushed some sectors, drawn by the seed.
 * What it was told, and what cuts left of it, stands in the events of the mains.
 */
export interface DiskCache {
  readonly can: boolean
}

/** When power goes and how it comes back. */
export interface CutOptions {
  /** How long it is away; without it until `restore`. */
  readonly for?: string
  /** Name of the host; the platform's unless given. */
  readonly host?: string
  /**
   * The point at which it goes, in place of now: at the next event of a series (`nth`: not the first), or just before or
   * after the host does something, which takes virtual time (`can('points')`); `disk-flush`: in the midst of a flush of its
   * disk, which takes a `cache` too.
   */
  readonly at?:
    | (Series & { readonly nth?: number })
    | { readonly doing: Doing; readonly nth?: number; readonly when?: 'before' | 'after' }
  /** How long to wait for that point; 60 s unless given. */
  readonly within?: string
}

/**
 * The mains of the platform's hosts, played by the bench. Cuts and returns are `host` events of src `mains`, alias
 * `mains.cut`, `mains.restored`, `mains.voltage`. Fault `cut` ({ host }). A platform at these mains has its disk on one
 * that loses what was not flushed, where the machine can play such (capability `durability` of the platform).
 */
export interface Mains extends Faulty {
  readonly events: Series
  /**
   * `cut`: nobody hears of a cut. `durability`: what was not flushed is lost. `points`: cuts in the midst of its work. `dips`:
   * its supply is played too.
   */
  can(what: 'cut' | 'durability' | 'points' | 'dips', host?: string): boolean
  /** Resolves when power is gone, or with `for` when it is back. False: the point was not reached, and nothing was cut. */
  cut(o?: CutOptions): Promise<boolean>
  restore(host?: string): Promise<void>
  /** The voltage falls to a share of nominal (0 unless given) for so long; the supply rides through, or does not. */
  dip(o: { readonly for: string; readonly to?: number; readonly host?: string }): Promise<void>
  /** Outages one after the other; times in ms from now. */
  follow(plan: readonly { readonly at: number; readonly for: number }[], host?: string): Promise<void>
  /** Three outages within five minutes (OpenLV S:007), drawn by the seed. */
  threeInFiveMinutes(): readonly { readonly at: number; readonly for: number }[]
  /** Moments of a boot that takes so long, ms since power came: one in each of n parts of it, drawn by the seed. */
  momentsOfABoot(n: number, lasts: string): readonly number[]
}
