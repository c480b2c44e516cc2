/** What a worker is told to do, as one line of JSON: everything that a run of one scenario depends on. */
import type { Instant } from '../../drivers/faces.ts'
import type { Identity, Subject } from '../evidence/schema.ts'
import type { LogEnd } from '../evidence/log.ts'
import type { Material } from './material.ts'
import type { Outcome } from './perform-job.ts'
import type { ProfileSpec } from '../../sim/faces.ts'

export interface Job {
  /** Unique in its run: the scenario's ID, and the seed where there are several. */
  readonly id: string
  readonly scenario: string
  readonly file: string
  readonly rigFile: string
  /** SHA-256 of the rig file, hexadecimal. */
  readonly rigSha256: string
  readonly seed: number
  readonly horizonMs: number
  readonly fullHorizonMs: number
  /** Evidence log to write. */
  readonly log: string
  readonly pki: string
  /** Where disks of virtual hosts are made. */
  readonly disks: string
  readonly defects: readonly string[]
  readonly drain: 'sync' | 'turn'
  /** Start of virtual time. */
  readonly epoch: Instant
  readonly commit: string
  readonly subject: Subject
  readonly identity?: Identity
  /** Folders of the catalogue and of personalities, where they are not the project's alone. */
  readonly material?: Pick<Material, 'requirements' | 'personalities'>
  readonly load?: ProfileSpec
  /** `--arm`: what is played may lead to operations of real breakers. */
  readonly armed?: true
  /** Wall time that it may take, ms. */
  readonly timeoutMs?: number
  /** Which try this is, from 1; absent: the first. */
  readonly attempt?: number
  /** Goes on with the log that a killed bench left; `horizonMs` is then the length of the stretch that follows. */
  readonly resume?: Resume
  /** Run it again and again until it is known where two runs part; its logs are of no use afterwards. */
  readonly findDivergence?: boolean
}

/** Where a log goes on. */
export interface Resume extends LogEnd {
  /** Time of its last whole event. */
  readonly from: Instant
  /** Beginning of the line that was torn. */
  readonly torn?: string
  /** Lengths that its stretches were to have, ms, in order. */
  readonly horizons: readonly number[]
}

/** What a worker tells, one line of JSON each. */
export type WorkerLine =
  | { readonly tell: 'ready' }
  | { readonly tell: 'progress'; readonly id: string; readonly passedMs: number }
  | ({ readonly tell: 'done'; readonly id: string } & Outcome)

/** Why a scenario was made to stop: the operator wished it, or its time was up. */
export type Stop = 'operator' | 'time limit'

/**
 * Virtual time starts on Monday 15 January 2018 at 00:00 UTC: a winter weekday of the OpenLV trials. Ours; any instant
 * at which the trials' certificates were valid would do.
 */
export const virtualEpoch: Instant = Date.UTC(2018, 0, 15)
