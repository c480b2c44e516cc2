/** Batches: rows of Data Storage as they are uploaded, one JSON a line, packed by gzip. */
import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { isObject } from '../api.ts'
import type { Json } from '../env.ts'

export interface Row {
  readonly table: string
  readonly id: number
  readonly timestamp: number
  readonly subTopic: string | null
  /** The payload, as text. */
  readonly data: string
}

export interface Answer {
  readonly status: number
  readonly rows: readonly Row[]
}

/** A response of Data Storage (API table 17). Undefined where it is not that. */
export function readAnswer(body: Json): Answer | undefined {
  if (!isObject(body)) return undefined
  const status = body['Status']
  const tables = body['Response'] ?? []
  if (typeof status !== 'number' || !Array.isArray(tables)) return undefined
  const rows: Row[] = []
  for (const t of tables as readonly Json[]) {
    if (!isObject(t)) return undefined
    const table = t['TableName']
    const list = t['TableRows']
    if (typeof table !== 'string' || !Array.isArray(list)) return undefined
    for (const r of list as readonly Json[]) {
      if (!isObject(r)) return undefined
      const { ID: id, Timestamp: timestamp, SubTopic: subTopic, Data: data } = r
      if (typeof id !== 'number' || typeof timestamp !== 'number' || data === undefined) return undefined
      rows.push({
        table,
        id,
        timestamp,
        subTopic: typeof subTopic === 'string' ? subTopic : null,
        data: JSON.stringify(data),
      })
    }
  }
  return { status, rows }
}

export function pack(rows: readonly Row[]): Uint8Array {
  return gzipSync(rows.map((r) => `${JSON.stringify(r)}\n`).join(''))
}

export function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

/** The same rows have the same name, so that the server knows them again whatever happened in between. */
export function nameOf(rows: readonly Row[]): string {
  const keys = rows.map((r) => `${r.table}/${r.id}`).join('\n')
  return createHash('sha256').update(keys).digest('hex').slice(0, 32)
}

/** A row, told apart from every other one: also from one that gets its ID when Data Storage has begun anew. */
export function keyOf(r: Row): string {
  const digest = createHash('sha256').update(JSON.stringify(r)).digest('hex').slice(0, 16)
  return `${r.table}/${r.id}/${digest}`
}

/** Payload of a report that these were uploaded (table 15). */
export function reportOf(ids: Ids): Json {
  return { NewData: Object.entries(ids).map(([table, list]) => ({ [table]: list })) }
}

/** IDs by table. */
export type Ids = Readonly<Record<string, readonly number[]>>

export function idsOf(rows: readonly Row[]): Ids {
  const ids: Record<string, number[]> = {}
  for (const r of rows) (ids[r.table] ??= []).push(r.id)
  return ids
}
