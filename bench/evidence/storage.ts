/** Events about stored data: what played apps published, and what Data Storage answered (LV-CAP API 8.4 to 8.6). */
import type { Json } from '../../drivers/faces.ts'

/** `sent`, src `publisher`: messages that follow each other on one topic. */
export interface PublishedEvent {
  readonly alias: string
  readonly topic: string
  /** The table in which they belong, and the sub-topic; `error` for the error topic. */
  readonly table: string
  readonly subTopic: string | null
  /** Whether the API has them stored. */
  readonly kept: boolean
  /** Number of the first; the others count on. Unique in a run. */
  readonly first: number
  readonly texts: readonly string[]
}

/** `seen`, src `publisher`, alias `publisher.acknowledged`: the platform has acknowledged these, both ends counted. */
export interface AcknowledgedEvent {
  readonly alias: string
  readonly from: number
  readonly to: number
}

export interface AnsweredRow {
  readonly id: Json
  readonly timestamp: Json
  readonly subTopic: Json
  /** Its data as it was written. */
  readonly text: string
}

/** What came of a query. */
export interface Answer {
  /** Who asked: `all`, `limited`, `stranger`. */
  readonly by: string
  /** Value of Status; null: there was no answer, or none that could be read. */
  readonly status: number | null
  /** Why it could not be read. */
  readonly problem?: string
  readonly tables: readonly { readonly name: string; readonly rows: readonly AnsweredRow[] }[]
  /** Remaining length of its MQTT packet. */
  readonly 'length [B]': number
  readonly qos: number
  readonly retain: boolean
}

/** `seen`, src `upload` or `storage`, alias `<src>.<name of the query>`. */
export interface AnsweredEvent {
  readonly alias: string
  /** Whether it asked for everything that waits, oldest first or newest: an empty answer then means that nothing does. */
  readonly whole: boolean
  readonly payload: Answer
}

/** `sent`, src `upload`, alias `upload.report`: rows reported as uploaded; the platform has acknowledged the report. */
export interface ReportedEvent {
  readonly alias: string
  readonly by: string
  readonly tables: readonly { readonly name: string; readonly ids: readonly number[] }[]
}
