/**
 * What stands in `data` of each kind of event. A log is JSON lines, one Event a line, appended as it happens.
 * One run is one folder:
 *   log.jsonl                 the run: header, one step at the begin and end of each scenario, trailer
 *   data/<scenario>.jsonl     one scenario: header, events, judged checks, trailer
 * Types only; writing is in log.ts, reading in read.ts. Line n of a log holds the event with sequence number n.
 */
import type { Instant, Json, WorldReport } from '../../drivers/faces.ts'
import type { Blame, IntruderAttempt, Result, Series } from '../faces.ts'

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
  /** What each of them verifies, by its ID: one that never ran must still count as not run. */
  readonly verifies: Readonly<Record<string, readonly string[]>>
  readonly subject: Subject
  readonly identity?: Identity
  /** SHA-256 of the rig file, hexadecimal. */
  readonly rigSha256?: string
  /** The load that the operator put in place of those that scenarios name. */
  readonly load?: Json
  /** This run is one of several parts of a run: which, of how many, and the scenarios of the whole. */
  readonly shard?: { readonly index: number; readonly of: number; readonly all: readonly string[] }
  /** This run was merged of these: their IDs, and the SHA-256 of their log.jsonl. */
  readonly merged?: readonly { readonly id: string; readonly shard: string; readonly sha256: string }[]
  /** The process that writes it: a run that still goes on is not resumed. */
  readonly process?: BenchProcess
  /** The revision of each requirement that the run looks at, by ID (bench/requirements/revision.ts). */
  readonly revisions?: Readonly<Record<string, string>>
}

/** `stamp` and `place` tell the process from any other of its number (drivers/real/process.ts). */
export interface BenchProcess {
  readonly pid: number
  readonly stamp: string
  readonly place: string
}

/** Which thing was judged. */
export interface Subject {
  readonly kind: 'reference' | 'real'
  readonly maker: string
  readonly product: string
  readonly version: string
  readonly model?: string
  readonly serial?: string
  /** Of its software as a whole. */
  readonly digest?: string
  /** Of parts of its software, by name: the images of its apps. */
  readonly images?: Readonly<Record<string, string>>
}

/** Who judged it, where, and with what. */
export interface Identity {
  readonly operator?: string
  readonly site?: string
  /** The bench's own equipment, as far as it bears on the evidence. */
  readonly instruments?: readonly {
    readonly name: string
    readonly serial?: string
    readonly calibration?: string
  }[]
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
  /** SHA-256 of the rig file. */
  readonly rigSha256?: string
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
  readonly identity?: Identity
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

/** `seen` with src `csv`: one line of the recorder's files. */
export interface CsvLine extends Seen {
  readonly topic: string
  /** When the recorder says that it recorded it, ms since 1970; null: it does not say. */
  readonly recordedAt: Instant | null
  /** Who published it, in the recorder's words. */
  readonly publisher: string
  /** What its own columns say of the message, as text; null: there is no such column. */
  readonly columns: {
    readonly timestamp: string | null
    readonly value: string | null
    readonly valid: string | null
  }
  readonly file: string
  /** Its place in the file, from 1, header not counted. */
  readonly line: number
  /** Its length in the file, line end included. */
  readonly bytes: number
}

/** Payload of `seen` with src `csv` and alias `csv.read`: all files were read up to where they ended at its stamp. */
export interface CsvRead {
  readonly 'files [1]': number
  /** In all files, also those read before. */
  readonly 'lines [1]': number
  readonly 'volume [B]': number
  readonly 'torn lines [1]': number
  /** First and last time of recording, ms since 1970; null where no line has one. */
  readonly first: Instant | null
  readonly last: Instant | null
  /** What sensors published, and all else that apps publish: lines and bytes, line ends included. */
  readonly sensors: CsvVolume
  readonly apps: CsvVolume
  /** The same two for each instance that published, by its ID; at most the first thousand. */
  readonly publishers: Readonly<Record<string, { readonly sensors: CsvVolume; readonly apps: CsvVolume }>>
}

export interface CsvVolume {
  readonly 'lines [1]': number
  readonly 'volume [B]': number
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

/** `link`: what happened to the communication link; what else there is depends on the alias (docs/evidence.md). */
export interface LinkEvent {
  readonly alias: `link.${string}`
  readonly [k: string]: Json
}

/** `check`: first declared, at the end judged. */
export type CheckEvent =
  | {
      readonly phase: 'declared'
      readonly id: string
      readonly verifies: readonly string[]
      readonly limit: string
      readonly needs?: readonly string[]
      readonly least?: number
      readonly over?: Series
    }
  | {
      readonly phase: 'judged'
      readonly id: string
      readonly result: Result
      /** When it was judged, which may be a little before it is told. */
      readonly at?: Instant
      /** Inconclusive because this run is a short one: known from the start, raises no exit code. */
      readonly beforehand?: true
      /** Under which circumstances it was judged, so that a replay can judge under the same. */
      readonly circumstances?: Circumstances
    }

/** What a verdict depends on beside the events. */
export interface Circumstances {
  /** Of the check's `needs`, those that the platform or rig does not have. */
  readonly lacks?: readonly string[]
  /** Share of wall time stolen from the bench, 0..1. */
  readonly stolen?: number
  /** Longest time for which the bench itself could not react, ms. */
  readonly stalledMs?: number
  /** The scenario did not run to its end. */
  readonly cut?: { readonly blame: Blame; readonly why: string }
}

/** `note` with src `clock`: the platform's clock against the bench's, as measured; positive: the platform is ahead. */
export interface ClockNote {
  readonly offsetMs: number
  /** Half-width of what the measurement leaves open. */
  readonly uncertaintyMs: number
}

/** `sent` with src `intruder`: what is about to be tried. */
export interface AttemptSent {
  /** `intruder.<attempt>` */
  readonly alias: string
  readonly attempt: IntruderAttempt
}

/**
 * How far a stranger got: `inside` means that it was let in. `publish`: inside, but what it sent was not taken. `login`: its
 * password was not; `locked`: it was not heard for a while.
 */
export type IntruderStage = 'tcp' | 'tls' | 'mqtt' | 'publish' | 'login' | 'locked' | 'inside'

/** Payload of `seen` with src `intruder` and alias `intruder.<attempt>`: what came of it. */
export interface AttemptOutcome {
  /** Where it was turned away: at the TCP connection, in the TLS handshake, by CONNACK, at the publish; or not. */
  readonly stage: IntruderStage
  /** In the words of whoever refused. */
  readonly reason?: string
}

/** Payload of `seen` with src `laptop`: what came of a visit to the maintenance service. */
export interface VisitOutcome {
  /** Where it ended: no connection, no TLS, not admitted, locked out for a while; or inside. */
  readonly stage: 'tcp' | 'tls' | 'login' | 'locked' | 'inside'
  readonly reason?: string
  /** HTTP status of the last answer. */
  readonly status?: number
  /** Seconds for which it was told to stay away. */
  readonly retryAfter?: number
  /** Of many guesses: how many were made, heard, and turned away unheard. */
  readonly tried?: number
  readonly checked?: number
  readonly locked?: number
}

/** `note` with src `defect`: a defect was applied to, or reached in, a proc. */
export interface DefectNote {
  readonly defect: string
  readonly phase: 'applied' | 'reached'
  /** What a mutation changed: before -> after. */
  readonly change?: string
  readonly proc: string
}

/** Last event (`end`) of a scenario's log. A log without it was cut short: the bench died. */
export interface ScenarioEnd {
  /** `finished`: ran to its end. `aborted`: the operator stopped it. `broke`: `blame` and `why` say what. */
  readonly outcome: 'finished' | 'aborted' | 'broke'
  readonly blame?: 'product' | 'bench' | 'rig' | 'operator'
  readonly why?: string
  /** It asks for what the rig declares not to have: known beforehand, and no trouble of the rig. */
  readonly lacking?: true
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
  /** From 1; absent: the first. */
  readonly attempt?: number
  /** It was tried again, for this reason of the rig. */
  readonly again?: string
}

/** Last event (`end`) of log.jsonl. */
export interface RunEnd {
  readonly outcome: 'finished' | 'aborted'
  readonly wallMs: number
  readonly exitCode: number
}
