/** Who plays a part in LV automation: advisers, LoadSense, forecasts, the pair and its peers. Types only; met through bench/faces.ts. */
import type { Json } from '../../drivers/faces.ts'
import type { Faulty, Phase, ProfileSpec } from '../../sim/faces.ts'
import type { Series } from './log.ts'

/** One substation, as forecasts and ratings have it. Amps per phase: one figure, or each step from the present one on. */
export interface StationAdvice {
  /** Half-hours: of the transformer, and of the shared feeder. The last one goes on. */
  readonly forecast?: number | readonly number[]
  readonly feeder?: number | readonly number[]
  /** Hours. */
  readonly rating?: number | readonly number[]
  /** °C now. */
  readonly hotSpot?: number
  /** L1, L2, L3 now. */
  readonly current?: readonly [number, number, number]
}

/** How an item is told, where not as it should be. `old`, `ahead`: so many seconds off in its Timestamp. */
export type Telling =
  | 'missing'
  | 'invalid'
  | 'misshapen'
  | 'not-json'
  | { readonly old: number }
  | { readonly ahead: number }

/** Flags of a breaker's status that the played breakers can show. */
export type BreakerFlag =
  | 'lockout'
  | 'reclosing'
  | 'overcurrent'
  | 'cable-fault'
  | 'over-temperature'
  | 'energy-low'
  | 'local-control'
  | 'operation-failed'
  | 'self-test'
  | 'stale'

/** A breaker that the bench plays behind a meshing app that it plays as well. */
export interface BreakerAdvice {
  /** Where its contact is: set by hand. */
  readonly closed?: boolean
  /** What its register shows; `true`: what is so. */
  readonly shown?: 'true' | 'open' | 'closed' | 'between'
  /** Volts on the busbar's side, and on the cable's while it is open. */
  readonly bus?: number
  readonly cable?: number
  readonly flags?: readonly BreakerFlag[]
  /**
   * What it does when it is commanded. `stuck`: nothing, and says so; `lies`: nothing, and is recorded as done; `silent`:
   * nothing, and nothing is told.
   */
  readonly does?: 'obeys' | 'stuck' | 'lies' | 'silent'
  /** Valid of its readings; whether they come at all; how old their Timestamps are, in seconds. */
  readonly valid?: boolean
  readonly silent?: boolean
  readonly old?: number
}

/** A change of what LoadSense is told; what is not given stays. */
export interface Advice {
  readonly local?: StationAdvice
  readonly peer?: StationAdvice & {
    /** The peer app's word that its partner is there. */
    readonly alive?: boolean
    /** MHR_SHADOW_FAULT_STATUS of the far breakers: 1 closed, 2 open. */
    readonly breakers?: readonly [number, number, number]
  }
  /** The contact of the isolation switch: true while it is engaged. */
  readonly isolation?: boolean
  readonly breakers?: Readonly<Partial<Record<Phase | 'all', BreakerAdvice>>>
  /** Tells everything, not only what changes. */
  readonly all?: true
  /** By item (alias), or `*` for all of them; null: as it should be again. */
  readonly told?: Readonly<Record<string, Telling | null>>
}

/**
 * Whoever tells LoadSense what it decides by: all but what is installed on the rig is played by the bench. LoadSense itself
 * is installed. It begins with a winter evening that needs a mesh (bench/platforms/advisers.ts).
 */
export interface Advisers {
  /** Everything told: `sent`, with the alias that it has at the marketplace. */
  readonly said: Series
  /** What the bench tells here, by alias. */
  readonly items: readonly string[]
  /** Changes what is told; the first time all of it is told. Resolves when what changed is acknowledged. */
  advise(change: Advice): Promise<void>
  /** One message more: what was told last, once more; or the item with other keys. */
  again(alias: string, how: 'duplicate' | { readonly [k: string]: Json }): Promise<void>
  /** The breakers that the bench plays; undefined where they are devices of the rig. */
  readonly breakers: { isClosed(phase: Phase): boolean } | undefined
}

/**
 * In which form a command is sent. `plain`: fresh and valid. `duplicate`: the same message twice. `repeated`: the last plain
 * one of this direction word for word again. `stale`, `future`: dated 90 s back, 120 s ahead. `invalid`: Valid false.
 * `non-boolean`: numbers, texts and the like for a value. `text`: no objects. `retained`: plain, to be kept by the
 * marketplace. `storm`: so many at once, to and fro, each dated otherwise, and the last one as wanted.
 */
export type CommandForm =
  | 'plain'
  | 'duplicate'
  | 'repeated'
  | 'stale'
  | 'future'
  | 'invalid'
  | 'non-boolean'
  | 'text'
  | 'retained'
  | 'storm'

/**
 * LoadSense, played by the bench with LoadSense's own certificate: what it commands the meshing app. Asking for it has that
 * app installed, also where no breaker is fitted (no role `alvin`): what it sends there is told as `line.read`, `line.write`.
 */
export interface Commander {
  /** Each message sent: `sent`, alias `command.<phase>`; `counts`: it is to be obeyed by itself. */
  readonly commands: Series
  /** What the marketplace made of each: alias `commander.<form>`. */
  readonly outcomes: Series
  /** All three phases unless given, one after the other; resolves when all is acknowledged. `times`: of a storm. */
  command(c: {
    readonly phases?: readonly Phase[]
    readonly close: boolean
    readonly form?: CommandForm
    readonly times?: number
  }): Promise<void>
  /** Another app, with its own certificate: on LoadSense's topics, or on control topics of its own. */
  pretend(c: {
    readonly phases?: readonly Phase[]
    readonly close: boolean
    readonly as: 'loadsense' | 'itself'
  }): Promise<void>
  /** Ends the process of the meshing app as a crash would. */
  crash(): void
}

/** Past load for the predictor to learn from, up to now. */
export interface LoadPast {
  /** Names it in the log: lower-case letters, digits and `-`. */
  readonly name: string
  /** The transformer's load in amps per phase; the feeder's is a share of it. */
  readonly load: ProfileSpec
  /** How far it reaches back: `35 d`. */
  readonly span: string
  /** The load is that of so much later: another stretch of it is brought to now. Whole days: `21 d`. */
  readonly later?: string
  /** Stretches that are otherwise, from so long ago until so long ago: so many times the load, or else not known. */
  readonly changes?: readonly { readonly from: string; readonly to: string; readonly times?: number }[]
  /** Forecasts from pasts of one group must be alike, and of different groups must differ (`forecastDependsOn`). */
  readonly group?: string
  /** Beside what the predictor knows already; else it forgets that. */
  readonly beside?: true
}

/** The predictor and the thermal rating app of the platform. */
export interface Forecaster {
  /** What was put in place: `sent`, with all of it, and with what came after it. */
  readonly past: Series
  /** What the predictor keeps on the disk: `seen`, payload `kept [B]`. */
  readonly disk: Series
  /** The predictor is ended, given this past as an engineer would at commissioning, and started again; resolves when it has read it. */
  remember(past: LoadPast): Promise<void>
  measure(): Promise<void>
}

/**
 * Every app of LV automation on both platforms of a pair: LV Network Meshing, predictor, thermal ratings, LoadSense and
 * Peer-to-Peer, each as it is. The breakers at `b` are the ones that are open as a rule. Ask for both substations' devices
 * and the network beside it.
 */
export interface Automation {
  /** Puts the past of the network's loads in place at both predictors; resolves when they have read it. */
  remember(): Promise<void>
}

/** Ends of the link between two platforms: `a` is `platform`, which calls; `b` is `platform2`, which is called. */
export type PeerEnd = 'a' | 'b'

/** What is carried to the partner: its name there, and the topic here. */
export interface DataEntry {
  readonly name: string
  readonly topic: string
}

/** What somebody shows who is not the partner; `partner`: the partner's own certificate, as if the partner had gone mad. */
export type PeerShown =
  | 'no-tls'
  | 'no-certificate'
  | 'expired'
  | 'foreign-ca'
  | 'self-signed'
  | 'wrong-name'
  | 'revoked'
  | 'partner'

/** What somebody sends who has no business there. */
export type PeerNonsense = 'nothing' | 'noise' | 'endless' | 'deep' | 'odd-json'

/**
 * Peer-to-Peer apps on both platforms, and what lies between them, played by the bench. Faults: `carrier` (none, both
 * ways), `reset` (the connection that stands breaks), `half-open` ({ untold: a or b }: the same, and one end is not
 * told), `slow` ({ ms } one way), `relay` (the relay is away), `impostor` ({ shows, sends }: in the place of `b`, and
 * where the road is the relay's, in the relay's place towards both).
 */
export interface Peers extends Faulty {
  /** What is carried at the start, from each end. */
  readonly carried: readonly DataEntry[]
  /** Of each connection between the two, what passed: alias `peers.crossing`. */
  readonly crossings: Series
  /** What came of each imposture: alias `peers.impostor`. */
  readonly impostors: Series
  /** Publishes at one end, for the app whose topic it is, by the name under which it is carried or was first. */
  publish(at: PeerEnd, name: string, payload: Json): Promise<void>
  /** Configures what one end carries. */
  carry(at: PeerEnd, set: readonly DataEntry[]): Promise<void>
  /** Configures both ends for a road: `direct` to begin with. */
  via(road: 'direct' | 'relay'): Promise<void>
  /** Somebody calls `b` in the name of `a`. Resolves when that is over. */
  knock(what: {
    readonly name: string
    readonly shows: PeerShown
    readonly sends?: PeerNonsense
  }): Promise<void>
}
