/** Requests to Data Storage: read, checked, and turned into a query (API sections 8.5, 8.5.1, 8.6; tables 16 and 18). */
import { isObject } from '../api.ts'
import type { Json, JsonObject } from '../env.ts'
import { alwaysRecords, type StorageConfig } from './config.ts'
import { valueOf } from './intake.ts'

/** Values of Status in a response (table 18). 0 is never sent. */
export const queryStatus = {
  ok: 1,
  empty: 2,
  denied: 3,
  tooLong: 4,
  tooBig: 5,
  tooOld: 6,
  unavailable: 7,
  more: 8,
  invalid: 9,
} as const
export type QueryStatus = (typeof queryStatus)[keyof typeof queryStatus]

export interface Query {
  /** Who asks. */
  readonly by: string
  /** `newdata`: what `by` has not uploaded yet. `history`: everything, from one table at a time. */
  readonly api: 'newdata' | 'history'
  readonly tables: readonly string[]
  /** Records at most. */
  readonly max: number
  /** Added later than this, Unix seconds. */
  readonly after?: number
  /** Added earlier than this, Unix seconds. */
  readonly before?: number
  /** Oldest first; newest first where it is false. */
  readonly oldest: boolean
  /** Exactly this sub-topic; null: none at all. Absent: whichever. */
  readonly subTopic?: string | null
}

export interface Asked {
  readonly by: string
  readonly api: 'newdata' | 'history'
  readonly payload: Uint8Array
}

/** A query, or the status that refuses it. `tables`: those that exist. `now` in Unix seconds. */
export function planQuery(
  asked: Asked,
  config: StorageConfig,
  tables: readonly string[],
  now: number,
): Query | QueryStatus {
  const request = readRequest(asked.payload)
  if (request === undefined) return queryStatus.invalid
  const allowed = allowedTables(asked, config, tables)
  if (allowed === undefined) return queryStatus.denied
  // An unknown table is answered as a denied one: whoever may not look is not told what there is.
  if (request.instance !== '' && !allowed.includes(request.instance)) return queryStatus.denied
  if (request.max > config.maxRecords) return queryStatus.tooLong
  const oldestAllowed = config.maxAge === undefined ? undefined : now - config.maxAge
  if (oldestAllowed !== undefined && request.after !== undefined && request.after < oldestAllowed)
    return queryStatus.tooOld
  // Without a StartTime the operator's restriction is where the records begin (table 16).
  const after = request.after ?? oldestAllowed
  return {
    by: asked.by,
    api: asked.api,
    tables: request.instance === '' ? allowed : [request.instance],
    max: request.max,
    oldest: request.oldest,
    ...(after === undefined ? {} : { after }),
    ...(request.before === undefined ? {} : { before: request.before }),
    ...(request.subTopic === undefined ? {} : { subTopic: request.subTopic }),
  }
}

/** Undefined: no access at all, as an upload needs the operator's explicit word (section 8.5). */
function allowedTables(
  asked: Asked,
  config: StorageConfig,
  tables: readonly string[],
): readonly string[] | undefined {
  const granted = (asked.api === 'newdata' ? config.uploaders : config.readers)[asked.by]
  if (granted === undefined) return asked.api === 'newdata' ? undefined : tables
  return granted === 'all' ? tables : tables.filter((t) => granted.includes(t))
}

interface Request {
  readonly max: number
  readonly after?: number
  readonly before?: number
  readonly oldest: boolean
  /** Empty: all. */
  readonly instance: string
  readonly subTopic?: string | null
}

/** MinPriority and MaxPriority are read past: this version knows no priorities (W:006). */
function readRequest(payload: Uint8Array): Request | undefined {
  const r = valueOf(payload)
  if (!isObject(r)) return undefined
  const max = own(r, 'MaxLength') ?? alwaysRecords
  const after = own(r, 'StartTime')
  const before = own(r, 'EndTime')
  const oldest = own(r, 'PreferOldest') ?? false
  const instance = own(r, 'InstanceID') ?? ''
  const subTopic = own(r, 'SubTopic')
  if (!isWhole(max) || max < 1) return undefined
  if (after !== undefined && !isWhole(after)) return undefined
  if (before !== undefined && !isWhole(before)) return undefined
  if (typeof oldest !== 'boolean' || typeof instance !== 'string') return undefined
  if (subTopic !== undefined && typeof subTopic !== 'string') return undefined
  return {
    max,
    oldest,
    instance,
    ...(after === undefined ? {} : { after }),
    ...(before === undefined ? {} : { before }),
    ...(subTopic === undefined ? {} : { subTopic: subTopic === '' ? null : subTopic }),
  }
}

function own(o: JsonObject, key: string): Json | undefined {
  return Object.hasOwn(o, key) ? o[key] : undefined
}

function isWhole(v: Json): v is number {
  return typeof v === 'number' && Number.isSafeInteger(v)
}

/** Records that were uploaded, by table. */
export type Marks = readonly { readonly table: string; readonly ids: readonly number[] }[]

/** `{ "NewData": [{ "<IID>": [ID, ...] }, ...] }` (table 15). Undefined where it is not that. */
export function readMarks(payload: Uint8Array): Marks | undefined {
  const body = valueOf(payload)
  const list = isObject(body) ? own(body, 'NewData') : undefined
  if (!Array.isArray(list)) return undefined
  const marks: { table: string; ids: number[] }[] = []
  for (const one of list as readonly Json[]) {
    if (!isObject(one)) return undefined
    for (const [table, ids] of Object.entries(one)) {
      if (!Array.isArray(ids) || !(ids as readonly Json[]).every(isWhole)) return undefined
      marks.push({ table, ids: ids as number[] })
    }
  }
  return marks
}
