/** What a recloser is, at an instant: state, inputs and effects of the machine in breaker.ts. */
import type { Instant } from '../../../drivers/faces.ts'
import type { AlvinPersonality } from './personality.ts'

export type Side = 'open' | 'closed'
/** Why a contact moved. */
export type Cause = 'command' | 'trip' | 'reclose' | 'local'
export type Order = 'close' | 'open' | 'reset'

/** MHR_COMMAND_RESULT. */
export const results = { idle: 0, busy: 1, done: 2, refused: 3, failed: 4 } as const
export type Result = (typeof results)[keyof typeof results]

/** What may be wrong with the mechanism, as faults have it. */
export interface Conditions {
  /**
   * The main contact does not follow. `done`: the unit says that the command is done, and shows the old state;
   * `failed`: it says that it failed; `lying`: it says that it is done, and shows the new state.
   */
  readonly stuck?: 'done' | 'failed' | 'lying'
  /** The energy that closes it is not stored again. */
  readonly noEnergy?: boolean
  readonly selfTest?: boolean
}

export interface Measured {
  readonly busVolts: number
  readonly cableVolts: number
  readonly amps: number
  readonly switchCelsius: number
}

/** Settings that the platform may write. ms. */
export interface Reclosing {
  readonly enable: boolean
  readonly shots: number
  readonly dead: number
  readonly reclaim: number
}

export interface Breaker {
  /** The main contact, whatever the unit shows. */
  readonly contact: Side
  /** What its auxiliary contacts tell. */
  readonly shown: Side
  readonly moving:
    | { readonly to: Side; readonly by: Cause; readonly until: Instant; readonly locks: boolean }
    | undefined
  /** Movements begun: each draws its own length. */
  readonly moves: number
  readonly opens: number
  readonly closes: number
  readonly lockout: boolean
  readonly local: boolean
  /** Overcurrent trip and fault in the cable, until they are reset, or reclosing has held. */
  readonly tripped: boolean
  readonly faultSeen: boolean
  /** The last operation failed. */
  readonly failed: boolean
  /** From when the energy for closing is stored again. */
  readonly chargedAt: Instant
  /** Since when the current is above pickup, and above the fault level. */
  readonly over: Instant | undefined
  readonly overFault: Instant | undefined
  readonly closedAt: Instant
  readonly closedBy: Cause
  /** End of the dead time that runs. */
  readonly cycle: Instant | undefined
  readonly shot: number
  readonly reclaim: Instant | undefined
  readonly token: { readonly order: Order; readonly until: Instant } | undefined
  readonly result: Result
  readonly seq: number
  readonly busDead: boolean
  readonly cableDead: boolean
  /** Why a commanded closing would be refused for its voltages. */
  readonly blocked: 'dead' | 'voltage difference' | undefined
  readonly hot: boolean
  readonly reclosing: Reclosing
}

export type Input =
  | { readonly is: 'token'; readonly order: Order }
  | { readonly is: 'command'; readonly order: Order }
  | { readonly is: 'hand'; readonly order: Order }
  | { readonly is: 'local'; readonly on: boolean }
  | { readonly is: 'measured'; readonly m: Measured }
  /** Time has come to what `dueAt` says, overcurrent aside: that wants a measurement. */
  | { readonly is: 'due' }
  | { readonly is: 'set'; readonly reclosing: Partial<Reclosing> }
  /** Trips by itself, without a fault, and stays open. */
  | { readonly is: 'spurious-trip' }
  /** Its communication begins anew. */
  | { readonly is: 'reboot' }
  | { readonly is: 'preset'; readonly opens?: number; readonly closes?: number }

export type Effect =
  | { readonly is: 'operated'; readonly to: Side; readonly by: Cause }
  /** The mechanism has acted, and the main contact is where it was. */
  | { readonly is: 'not-moved'; readonly to: Side; readonly by: Cause; readonly shown: Side }
  | { readonly is: 'refused'; readonly order: Order; readonly by: 'command' | 'local'; readonly why: string }
  /** A command for which nothing had to move. */
  | { readonly is: 'nothing-to-do'; readonly order: Order; readonly by: 'command' | 'local' }
  | { readonly is: 'tripped'; readonly why: 'overcurrent' | 'fault' | 'no fault' }
  | { readonly is: 'recloses'; readonly shot: number; readonly at: Instant }
  | { readonly is: 'reclaimed' }
  | { readonly is: 'lockout'; readonly why: string }
  | { readonly is: 'lockout-reset'; readonly by: 'command' | 'local' }

export interface Step {
  readonly state: Breaker
  readonly effects: readonly Effect[]
}

/** As it stands when it is put into service. */
export function newBreaker(p: AlvinPersonality, side: Side, now: Instant): Breaker {
  return {
    contact: side,
    shown: side,
    moving: undefined,
    moves: 0,
    opens: 0,
    closes: 0,
    lockout: false,
    local: false,
    tripped: false,
    faultSeen: false,
    failed: false,
    chargedAt: now,
    over: undefined,
    overFault: undefined,
    closedAt: Number.NEGATIVE_INFINITY,
    closedBy: 'local',
    cycle: undefined,
    shot: 0,
    reclaim: undefined,
    token: undefined,
    result: results.idle,
    seq: 0,
    busDead: false,
    cableDead: false,
    blocked: undefined,
    hot: false,
    reclosing: {
      enable: p.reclose.enable === 1,
      shots: p.reclose.shots,
      dead: p.reclose.dead_times[0],
      reclaim: p.reclose.reclaim,
    },
  }
}

/** When it wants `due` or a measurement next; nothing: not until something happens. */
export function dueAt(p: AlvinPersonality, s: Breaker): Instant | undefined {
  const all = [
    s.moving?.until,
    s.cycle,
    s.reclaim,
    s.over === undefined ? undefined : s.over + p.protection.delay,
    s.overFault === undefined ? undefined : s.overFault + p.protection.detection,
  ].filter((t) => t !== undefined)
  return all.length === 0 ? undefined : Math.min(...all)
}
