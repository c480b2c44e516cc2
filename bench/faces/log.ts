/** What is in the evidence, and what judges it; the platform as it is seen. Types only; met through bench/faces.ts. */
import type { Host, Instant, Json } from '../../drivers/faces.ts'
import type { Kind } from '../../sim/faces.ts'

export interface Event {
  readonly seq: number
  readonly at: Instant
  /** Who speaks: a role (`gridkey`), an observation point (`marketplace`), `bench`. */
  readonly src: string
  readonly kind: Kind
  /** Milliseconds since 1970, as the sender claims. */
  readonly stamp?: Instant
  /** Sequence number of the event that led here. */
  readonly cause?: number
  readonly data: Json
}

/**
 * A query on the log. `select` is a pattern over `data.alias` with `*` for any run of characters:
 * `gridkey.*`, `gridkey.feeder1.l1.current`. Matched in bench/evidence/series.ts.
 */
export interface Series {
  readonly src: string
  readonly kind: Kind
  readonly select: string
}

export type VerdictWord = 'pass' | 'marginal' | 'inconclusive' | 'fail'
export type Blame = 'product' | 'bench' | 'rig' | 'operator'

export interface Result {
  readonly verdict: VerdictWord
  readonly blame?: Blame
  /** Why, in one sentence for a person; always there unless it passed. */
  readonly why?: string
  /** Figures that were observed, by name with unit: { 'largest gap [s]': 60.2 }. */
  readonly observed: Json
  /** Sequence numbers of the events that decided. */
  readonly because: readonly number[]
}

/** A declared expectation over what was seen: a pure fold over the log. */
export interface Check {
  /** Unique in its scenario; short and stable, for reports: `spacing`, `values`. */
  readonly id: string
  /** Clauses: `M:0023/period`, or an ID alone for all its clauses. */
  readonly verifies: readonly string[]
  /** The limit in words, with units, as declared. */
  readonly limit: string
  /** Capabilities of the platform that it needs; absent ones make it inconclusive (rig). */
  readonly needs: readonly string[]
  /** The least length of run that it can judge, in ms; a shorter one makes a pass inconclusive (declared beforehand). */
  readonly least?: number
  /**
   * The longest stall of the bench, in ms, that cannot change its verdict from pass to fail or back, after so long a
   * watch. Without it a check that needs steady time is not judged at all on a machine that is too busy.
   */
  readonly bears?: (watchedMs: number) => number
  /** The series that it judges, for plots. */
  readonly over?: Series
  see(e: Event): void
  /** May be asked early, and more than once. */
  result(at: Instant): Result
}

/** What a platform lets itself be asked or observed at. */
/** `operator`: what the system operator may ask of the Container Manager (bench/platforms/operate.ts). */
/** `server`: a broker on the server side, at which what was uploaded comes out; of a lab. */
export type Port =
  | 'operator'
  | 'marketplace'
  | 'server'
  | 'storage'
  | 'upload'
  | 'log'
  | 'config'
  | 'csv'
  | 'maintenance'
  /** `{ do: 'restart' }`: everything on the platform's machine is killed at once, and started again. */
  | 'machine'

/** The system under test, as a scenario sees it. */
export interface Platform {
  /** Observation points and abilities that it has: ports, and `tls`. */
  readonly can: ReadonlySet<string>
  /** Empty: its power is not ours. */
  readonly hosts: readonly Host[]
  /** Never up: rig fault. Was up before, or is up but for apps that are heard and do not say that they run: product. */
  ready(within: string): Promise<void>
  /** Alias names, as bench/platforms/aliases.ts lists them; becomes `seen`. */
  watch(port: Port, select: string): Series
  ask(port: Port, request: Json): Promise<Json>
}
