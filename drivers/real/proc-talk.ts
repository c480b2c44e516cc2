/** What the bench and a child process of a host tell each other, by Node's IPC channel. Types only. */
import type { ErrorCode } from '../errors.ts'
import type { Json, Program } from '../faces.ts'

/** From the bench to a child. */
export type ToChild =
  | {
      readonly do: 'run'
      readonly name: string
      readonly address: string
      readonly disk: string
      /** URL of the module. */
      readonly module: string
      readonly config: Json
      readonly defects: readonly string[]
    }
  /** Answer to `start`. */
  | { readonly do: 'started'; readonly id: number; readonly failed?: Failure }
  | { readonly do: 'ended'; readonly id: number; readonly how: number | string }

/** From a child to the bench. `start` and `signal` name another child by a number of the asker's own. */
export type FromChild =
  /** Its module is loaded, a signal finds its handler, and `main` is about to run. */
  | { readonly say: 'ready' }
  | ({ readonly say: 'failed' } & Failure)
  | { readonly say: 'log'; readonly entry: Json }
  /** The last word: the channel keeps order, so all that was logged has arrived. */
  | { readonly say: 'bye' }
  | {
      readonly say: 'start'
      readonly id: number
      readonly name: string
      readonly program: Program
    }
  | { readonly say: 'signal'; readonly id: number; readonly signal: 'TERM' | 'KILL' }

export interface Failure {
  readonly code: ErrorCode
  readonly message: string
}
