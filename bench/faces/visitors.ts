/** Who comes to the platform uninvited or to serve it, and who sets its clock. Types only; met through bench/faces.ts. */
import type { Json } from '../../drivers/faces.ts'
import type { Faulty } from '../../sim/faces.ts'
import type { Series } from './log.ts'

/** A stranger at the marketplace's door: tries something and tells what came of it. */
export interface Intruder {
  /** What came of its attempts. */
  readonly outcomes: Series
  /** Each attempt is logged as `sent`, and what came of it as `seen` with alias `intruder.<attempt>`. */
  attempt(what: IntruderAttempt): Promise<Json>
}

export interface IntruderAttempt {
  /** Names the attempt in the log: `expired`. */
  readonly name: string
  /** Which identity to show. */
  readonly identity:
    | 'none'
    | 'plain-tcp'
    | 'expired'
    | 'foreign-ca'
    | 'not-yet-valid'
    | 'self-signed'
    | 'revoked'
    /** Of an enrolled app that is not installed. */
    | 'own'
    /** Of an app that is installed, as if its key had been copied; no session of its own stands meanwhile. */
    | 'installed'
  /** Claimed user name and client id, where not the certificate's own. */
  readonly claim?: string
  /** Port to knock at, where not the marketplace's own. */
  readonly port?: number
  /** Last will to leave; the connection is then dropped without a word, so that the broker should speak it. */
  readonly will?: { readonly topic: string; readonly payload: Json }
  /** What to do once inside, if it gets inside. */
  readonly publish?: {
    readonly topic: string
    readonly payload: Json
    /** 1 unless given. */
    readonly qos?: 0 | 1
  }
  /** Highest TLS version offered. */
  readonly tlsMax?: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3'
}

/**
 * The platform's time source, played by its effect on the clock of the platform's host: `absent`, `drifting` and `lying`
 * ({ ppm }), `stepped` ({ seconds }), `unset` (1970). Lifted, the clock is put right by a step. What the clock does is a note of
 * source `clock`. Checks that judge by it need the capability `clock`.
 */
export interface Clock extends Faulty {
  /** Whether the host lets its clock be set; else nothing is played. */
  readonly can: boolean
  /** By how much the host's clock is ahead of the bench's, in ms. */
  offset(): number
}

/** Somebody's laptop at the platform's own Ethernet port, at its maintenance service. */
export interface Laptop {
  /** What came of its visits: `seen`, alias `laptop.<visit>`, payload VisitOutcome. */
  readonly outcomes: Series
  visit(what: Visit): Promise<Json>
}

/** One visit: logs in where a password is given, and then asks for what only an engineer may see. */
export interface Visit {
  /** Names the visit in the log: `default-password`. */
  readonly name: string
  /** `https` unless given. */
  readonly over?: 'https' | 'http'
  /** Port to knock at, where not the service's own. */
  readonly port?: number
  /** Highest TLS version offered. */
  readonly tlsMax?: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3'
  /** `beginning`: the first eight characters of the right one; `other-case`: the right one with letters in the other case. */
  readonly password?:
    | { readonly is: 'right' | 'beginning' | 'other-case' }
    | { readonly is: 'text'; readonly text: string }
  /** Tries so many made-up passwords instead. */
  readonly guesses?: number
  /** What to ask for; the state of the platform unless given. */
  readonly path?: string
  /** Logs out after the log-in, before it asks. */
  readonly loggedOut?: true
}
