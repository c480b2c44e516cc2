/** What the Container Manager's decisions are about: state, inputs, effects. Types only. */
import type { Message } from '../api.ts'
import type { Json, JsonObject } from '../env.ts'

export interface Policy {
  /** Unanswered status requests after which an application is restarted: 3 by section 8.2.2 (table 2 says 2). */
  readonly restartAfter: number
  /** Failures in a row after which it stays stopped: 5 by section 8.2.2. */
  readonly stopAfter: number
  /** From the shutdown command to a polite stop, ms: 1 minute by section 6. */
  readonly politeAfter: number
  /** From the shutdown command to a forced stop, ms: section 6 names the status interval of 2 minutes. */
  readonly killAfter: number
  /** From a polite stop to a forced one, ms. Ours; Docker's own default. */
  readonly grace: number
}

/**
 * `starting`: no word yet. `running`: it has spoken. `leaving`: told to shut down. `ending`: being stopped. `down`: its
 * process is gone, and it is started again only on request. `held`: its process is gone, and an update has yet to say what
 * is to run in its place.
 */
export type Phase = 'idle' | 'starting' | 'running' | 'leaving' | 'ending' | 'down' | 'held'

export interface AppState {
  readonly iid: string
  readonly phase: Phase
  /** Status requests in a row that were not answered, or answered with an unknown code. A restart does not clear it. */
  readonly misses: number
  /** Restarts at once (status 2, 3, 6, last will, exit) since the last status 1. */
  readonly restarts: number
  /** Whether a status request is unanswered. */
  readonly asked: boolean
  /** What follows when the process is gone. */
  readonly after: 'start' | 'stay' | 'hold'
  readonly config: JsonObject | null
}

export interface State {
  readonly apps: readonly AppState[]
  /** Everything is being shut down. */
  readonly closing: boolean
}

export type Input =
  /** The Data Marketplace is reached: for the first time, or again. */
  | { readonly kind: 'begin' }
  /** The time of a status request. */
  | { readonly kind: 'poll' }
  | { readonly kind: 'config-request'; readonly iid: string }
  | { readonly kind: 'status'; readonly iid: string; readonly code: Json; readonly text?: string }
  | { readonly kind: 'bad-message'; readonly iid: string; readonly topic: string }
  | { readonly kind: 'exited'; readonly iid: string; readonly how: number | string }
  | { readonly kind: 'timer'; readonly what: 'polite' | 'kill'; readonly iid: string }
  | { readonly kind: 'operator'; readonly request: OperatorRequest }
  /** An update: it is shut down, and stays so until it is installed anew or removed. */
  | { readonly kind: 'hold'; readonly iid: string }
  /** An update: it is there, or there again, with this configuration, and is started. */
  | { readonly kind: 'install'; readonly iid: string; readonly config: JsonObject | null }
  | { readonly kind: 'remove'; readonly iid: string }
  | { readonly kind: 'close' }

export interface OperatorRequest {
  readonly id: string
  readonly do: 'configure' | 'change' | 'restart' | 'shutdown' | 'start' | 'state' | 'command'
  readonly iid?: string
  readonly config?: JsonObject
}

export type Effect =
  | { readonly do: 'start'; readonly iid: string }
  | { readonly do: 'signal'; readonly iid: string; readonly signal: 'TERM' | 'KILL' }
  | { readonly do: 'publish'; readonly message: Message }
  | { readonly do: 'log'; readonly entry: JsonObject }
  | {
      readonly do: 'timer'
      readonly what: 'polite' | 'kill'
      readonly iid: string
      readonly ms: number
    }
  /** Forgets the timers of an app. */
  | { readonly do: 'untime'; readonly iid: string }
  /** Status requests come at this interval from now on, in seconds. */
  | { readonly do: 'interval'; readonly seconds: number }
  | { readonly do: 'save'; readonly iid: string; readonly config: JsonObject }
  | { readonly do: 'finish' }
