/**
 * What stands in `data` of each kind of event. A log is JSON lines, one Event a line, appended as it happens.
 * One run is one folder:
 *   log.jsonl                 the run: header, one step at the begin and end of each scenario, trailer
 *   data/<scenario>.jsonl     one scenario: header, events, judged checks, trailer
 * Types only; reading and writing are in log.ts.
 */
import type { Json, WorldReport } from '../../drivers/faces.ts'
import type { Result, Series } from '../faces.ts'

/** First event (`run`, src `bench`) of a run's log.jsonl. */
export interface RunHeader {
  readonly format: 'gridproof-run/1'
  readonly id: string
  readonly rig: string
  readonly seed: number
  readonly short: boolean
  readonly commit: string
  readonly node: string
  readonly bench: string
  /** Wall clock at the start, ISO 8601 UTC. */
  readonly started: string
  /** Scenario IDs that will run, in order. */
  readonly scenarios: readonly string[]
  readonly subject: Subject
}

/** Which thing was judged. */
export interface Subject {
  readonly kind: 'reference' | 'real'
  readonly maker: string
  readonly product: string
  readonly version: string
  readonly serial?: string
  readonly digest?: string
}

/** First event (`run`, src `bench`) of a scenario's log. */
export interface ScenarioHeader {
  readonly format: 'gridproof-scenario/1'
  /** Path under scenarios/ without extension: `capture/gridkey-every-minute`. */
  readonly scenario: string
  readonly title: string
  readonly verifies: readonly string[]
  /** SHA-256 of the scenario file. */
  readonly sha256: string
  readonly rig: string
  readonly seed: number
  readonly commit: string
  readonly node: string
  readonly time: 'virtual' | 'real'
  /** ISO 8601 UTC wall clock. */
  readonly started: string
  readonly horizonMs: number
  /** Full horizon, where this run is a short one. */
  readonly fullHorizonMs: number
  readonly subject: Subject
  /** Roles that the bench itself plays, by name: { gridkey: 'personality gridkey-standin' }. */
  readonly played: Readonly<Record<string, string>>
  readonly defects: readonly string[]
}

/** `said`: for each quantity what the device answered and what was true then (base units). */
export interface Said {
  readonly answers: Readonly<Record<string, readonly [answered: number | null, truth: number]>>
  /** What was asked, in the device's own words. */
  readonly asked?: Json
}

/**
 * `seen` at an observation point. `alias`: `<role>.<quantity without unit>` for measured values
 * (`gridkey.feeder1.l1.current`), else a name of bench/platforms/aliases.ts, else `unknown`.
 */
export interface Seen {
  readonly alias: string
  readonly topic?: string
  /** The parsed payload; where it is no JSON, `{ notJson: <text> }`. */
  readonly payload: Json
  readonly qos?: number
  readonly retain?: boolean
}

/** `step`: what the scenario or runner did. */
export interface Step {
  readonly what: string
  readonly detail?: Json
}

/** `fault`: a disturbance put on or lifted. */
export interface FaultEvent {
  readonly phase: 'on' | 'lifted'
  readonly id: string
  readonly name: string
  readonly params: Json
}

/** `check`: first declared, at the end judged. */
export type CheckEvent =
  | {
      readonly phase: 'declared'
      readonly id: string
      readonly verifies: readonly string[]
      readonly limit: string
      readonly least?: number
      readonly over?: Series
    }
  | { readonly phase: 'judged'; readonly id: string; readonly result: Result }

/** `note` with src `defect`: a defect was applied to, or reached in, a proc. */
export interface DefectNote {
  readonly defect: string
  readonly phase: 'applied' | 'reached'
  readonly proc: string
}

/** Last event (`end`) of a scenario's log. A log without it was cut short: the bench died. */
export interface ScenarioEnd {
  /** `finished`: ran to its end. `aborted`: the operator stopped it. `broke`: `blame` and `why` say what. */
  readonly outcome: 'finished' | 'aborted' | 'broke'
  readonly blame?: 'product' | 'bench' | 'rig' | 'operator'
  readonly why?: string
  readonly world: WorldReport
  readonly wallMs: number
  readonly cpuMs: number
}

/** `step` events of log.jsonl: `what` is `scenario begins` or `scenario ended`, detail is this. */
export interface ScenarioStep {
  readonly scenario: string
  readonly file: string
  readonly sha256?: string
  readonly outcome?: ScenarioEnd['outcome'] | 'not run'
  readonly why?: string
  readonly blame?: ScenarioEnd['blame']
}

/** Last event (`end`) of log.jsonl. */
export interface RunEnd {
  readonly outcome: 'finished' | 'aborted'
  readonly wallMs: number
  readonly exitCode: number
}
