/** What LoadSense knows when it decides. Times are Unix seconds, loads amps per phase. */

/** Values that each hold from `start + i * interval` for `interval` seconds. */
export interface Steps {
  readonly start: number
  readonly interval: number
  readonly values: readonly number[]
}

/** One substation: its transformer and the shared feeder. */
export interface Station {
  /** When what was measured there was published: the oldest of its items, each as it last was valid. */
  readonly at: number
  /** What came last was valid. */
  readonly valid: boolean
  /** The transformer's load as it would be with the two apart. */
  readonly forecast: Steps
  /** Of the shared feeder, likewise: what can move to the other side. */
  readonly feeder: Steps
  readonly rating: Steps
  readonly loadNow: number
  /** °C */
  readonly hotSpotNow: number
}

/** One breaker of this end, from its registers. */
export interface Breaker {
  /** When it was read. */
  readonly at: number
  /** `between`: neither or both of its contacts tell, or it cannot be read. */
  readonly state: 'open' | 'closed' | 'between'
  /** Volts on the busbar's and on the cable's side. */
  readonly bus: number
  readonly cable: number
  /** Tripped, failed, too hot, or the like: any bit that tells of a fault. */
  readonly fault: boolean
  readonly lockout: boolean
  readonly reclosing: boolean
  readonly localControl: boolean
  /** It could not close, or not open again. */
  readonly unready: boolean
}

export interface Situation {
  readonly now: number
  readonly local: Station
  /** As it last came; undefined: never. */
  readonly peer: Station | undefined
  /** When the peer was last heard; before its first word, when listening for it began. */
  readonly peerHeard: number
  /** L1, L2, L3; undefined: never read, or none is fitted. */
  readonly breakers: readonly [Breaker, Breaker, Breaker] | undefined
  /** What was last commanded: what is believed where no breaker is fitted. */
  readonly commanded: 'open' | 'closed'
  /** The peer's breakers are all closed, as far as it has told. */
  readonly peerClosed: boolean
  /** An engineer has locked this end's breakers off (M:007). */
  readonly isolated: boolean
  /** Last operation of this end's breakers, by whomever; undefined: none is known. */
  readonly lastOperation: number | undefined
  readonly operationsToday: number
  /** A discrepancy has locked the automation out, until a person lets it in again. */
  readonly lockedOut: boolean
}

/** The value at an instant; undefined before the first and after the last. */
export function valueAt(s: Steps, t: number): number | undefined {
  const value = s.values[Math.floor((t - s.start) / s.interval)]
  return value !== undefined && Number.isFinite(value) ? value : undefined
}

const halfHour = 1800

/** Beginnings of the half-hours from the one of `now` on, as long as they begin before `now + seconds`. */
export function halfHours(now: number, seconds: number): number[] {
  const first = Math.floor(now / halfHour) * halfHour
  return Array.from({ length: Math.max(1, Math.ceil((now + seconds - first) / halfHour)) }, (_, i) =>
    i === 0 ? now : first + i * halfHour,
  )
}
