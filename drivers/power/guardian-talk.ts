/** What the bench and the guardian of an outlet say to each other. */
import type { ErrorCode } from '../errors.ts'
import type { BoardSpec } from './board.ts'

export interface OutletSpec {
  readonly board: BoardSpec
  /** From 1. */
  readonly outlet: number
  /** Whether the platform has power when the outlet is on (a power strip; a relay's normally open contact) or off. */
  readonly powerWhen: 'on' | 'off'
  /** Whether the platform is left with power or without: at the end, and when the bench is gone, however that came about. */
  readonly safe: 'powered' | 'unpowered'
  readonly operationsAnHour: number
  /** How long the board may take to answer, ms. */
  readonly within?: number
}

export type ToGuardian =
  | { readonly do: 'open'; readonly spec: OutletSpec; readonly state: string }
  | { readonly do: 'power'; readonly id: number; readonly on: boolean }
  | { readonly do: 'end' }

export type FromGuardian =
  | { readonly say: 'open' }
  | { readonly say: 'done'; readonly id: number }
  | { readonly say: 'failed'; readonly id?: number; readonly code: ErrorCode; readonly message: string }
