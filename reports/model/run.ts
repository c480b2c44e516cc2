/** A run as reports see it: read from its folder, joined with the catalogue. Data only. */
import type { Instant } from '../../drivers/faces.ts'
import type { Gap } from '../../bench/evidence/gap.ts'
import type { Blame, Kind, Series } from '../../bench/faces.ts'
import type {
  ClockNote,
  DefectNote,
  RunEnd,
  RunHeader,
  ScenarioEnd,
  ScenarioHeader,
  ScenarioStep,
} from '../../bench/evidence/schema.ts'
import type { CheckRecord, ScenarioRecord } from '../../bench/verdicts/record.ts'
import type { Decider, State } from '../../bench/verdicts/rollup.ts'
import type { Decimator } from '../plot/decimate.ts'
import type { Channel } from './channel.ts'

export interface RunView {
  /** Absent where the log has none: the run died before it began, or the file is no log. */
  readonly header?: RunHeader
  readonly end?: RunEnd
  readonly scenarios: readonly ScenarioView[]
  /** Spans in which its bench was away, before it went on. */
  readonly gaps: readonly Gap[]
  /** In the order of the catalogue. */
  readonly requirements: readonly RequirementView[]
  /** What is wrong with the evidence itself: cut short, unreadable lines. */
  readonly problems: readonly string[]
  readonly log: FileDigest
}

/** A file of the evidence, by its path in the run's folder. */
export interface FileDigest {
  readonly file: string
  readonly bytes: number
  readonly sha256: string
}

export interface ScenarioView {
  readonly id: string
  /** Page about it, by its path in the run's folder. */
  readonly page: string
  readonly header?: ScenarioHeader
  readonly end?: ScenarioEnd
  /** What the run's log says came of it. */
  readonly step?: ScenarioStep
  /** Tries before this one, each for a reason of the rig; only this one counts. */
  readonly earlier: readonly ScenarioView[]
  /** What the verdicts are rolled up from. */
  readonly record: ScenarioRecord
  readonly checks: readonly CheckView[]
  /** Absent: there is no log of it. */
  readonly contents?: LogContents
}

/** What reading a scenario's log kept. */
export interface LogContents {
  readonly log: FileDigest
  readonly events: number
  readonly kinds: readonly (readonly [kind: Kind, events: number])[]
  /** Of the events' time on the bench clock. */
  readonly first: Instant
  readonly last: Instant
  readonly timeline: readonly Moment[]
  /** Steps, faults and notes beyond those of the timeline. */
  readonly momentsLeftOut: number
  readonly defects: readonly DefectNote[]
  /** The platform's clock against the bench's, as it was known last. */
  readonly clock?: ClockNote
  /** Events that decided verdicts, by seq, as far as they were kept. */
  readonly deciding: ReadonlyMap<number, Extract>
  readonly channels: readonly SeriesChannels[]
  /** True values, by `<role>.<quantity without unit>`. */
  readonly truth: ReadonlyMap<string, TruthChannel>
  readonly problems: readonly string[]
}

/** What was true of one quantity whenever its device answered, and what it answered. */
export interface TruthChannel {
  readonly unit: string
  readonly truth: Decimator
  readonly answered: Decimator
}

/** What was seen of one series that a check judges. */
export interface SeriesChannels {
  readonly series: Series
  readonly channels: ReadonlyMap<string, Channel>
  /** Aliases beyond the most that are kept. */
  readonly leftOut: number
}

/** One event, as text. `text` is JSON, cut where it is long. */
export interface Extract {
  readonly seq: number
  readonly at: Instant
  readonly src: string
  readonly kind: string
  readonly stamp?: Instant
  readonly cause?: number
  readonly alias?: string
  readonly value?: number
  readonly text: string
  readonly cut: boolean
}

/** A step, fault, host or link event, or a note. */
export interface Moment {
  readonly seq: number
  readonly at: Instant
  readonly src: string
  readonly kind: string
  readonly what: string
  readonly detail: string
}

/** A check and its verdict. One that was declared and never judged has no seq. */
export interface CheckView extends CheckRecord {
  readonly least?: number
  readonly over?: Series
}

export interface RequirementView {
  readonly id: string
  readonly document: string
  readonly documentTitle: string
  readonly section: string
  readonly priority: string
  readonly statement: string
  readonly subject: string
  readonly method: string
  /** Section ID of ours; counted apart. */
  readonly ours: boolean
  readonly reading?: string
  readonly state: State
  readonly blame?: Blame
  readonly why?: string
  /** Open only because the run is a short one. */
  readonly beforehand: boolean
  readonly clauses: readonly ClauseView[]
}

export interface ClauseView {
  readonly id: string
  readonly asks: string
  readonly subject: string
  readonly method: string
  readonly state: State
  readonly blame?: Blame
  readonly why?: string
  readonly beforehand: boolean
  /** The checks with the worst verdict. */
  readonly decidedBy: readonly Decider[]
  readonly checks: readonly Decider[]
}
