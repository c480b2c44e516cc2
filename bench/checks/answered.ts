/** Queries to Data Storage are answered as the API has it (LV-CAP API 8.5 to 8.6; tables 15 to 19). */
import { matcher } from '../evidence/series.ts'
import type { Answer, AnsweredRow } from '../evidence/storage.ts'
import type { Check, Event, Series } from '../faces.ts'
import { type CheckOptions, checkOf, inconclusive, offences, pass } from './check.ts'
import { channelOf, objectOf, payloadOf } from './scalar.ts'

/** What a query must be answered with. */
export interface Expected {
  /** Legal values of Status (table 18). */
  readonly status: number | readonly number[]
  /** Rows of all tables together: exactly so many, or from least to most. */
  readonly rows?: number | readonly [least: number, most: number]
  /** No row from any other table. */
  readonly tables?: readonly string[]
  /** Rows of this sub-topic only; null: of none. */
  readonly subTopic?: string | null
  /** Whether `n` of the rows' data (`{ "n": 17 }`) must all be within these bounds. */
  readonly numbers?: readonly [least: number, most: number]
  /** Longest packet, in bytes. */
  readonly bytes?: number
}

export interface AnsweredOptions extends CheckOptions {
  /** QoS of the response (table 15: 2; table 19: 1). */
  readonly qos?: 0 | 1 | 2
}

/** The same query may be asked more than once: each answer must fit. */
export function answered(
  series: Series,
  queries: Readonly<Record<string, Expected>>,
  o: AnsweredOptions,
): Check {
  return checkOf(o, {
    id: 'answered',
    limit: Object.entries(queries)
      .map(([name, e]) => `${name}: ${words(e)}`)
      .join('; '),
    over: series,
    fold: () => {
      const fits = matcher(series)
      const found = offences()
      const seen: Record<string, string> = {}
      return {
        see(e) {
          if (!fits(e)) return false
          const name = channelOf(e).replace(/^[a-z]+\./, '')
          const expected = Object.hasOwn(queries, name) ? queries[name] : undefined
          if (expected === undefined) return false
          const a = answerIn(e)
          if (a === undefined) return false
          seen[name] = `status ${a.status ?? 'none'}, ${rowsOf(a).length} rows`
          for (const [sort, text] of wrongWith(a, expected, o.qos)) found.add(sort, `${name}: ${text}`, e.seq)
          return true
        },
        result() {
          const observed = { answers: { ...seen }, ...found.counts() }
          const failed = found.result(observed)
          if (failed !== undefined) return failed
          const unasked = Object.keys(queries).filter((n) => !Object.hasOwn(seen, n))
          if (unasked.length > 0) return inconclusive('bench', `not asked: ${unasked.join(', ')}`, observed)
          return pass(observed)
        },
      }
    },
  })
}

/** The answer that an event holds. */
export function answerIn(e: Event): Answer | undefined {
  const p = objectOf(payloadOf(e))
  return p === undefined || !Array.isArray(p['tables']) ? undefined : (p as unknown as Answer)
}

export function rowsOf(a: Answer): readonly AnsweredRow[] {
  return a.tables.flatMap((t) => t.rows)
}

function words(e: Expected): string {
  const statuses = typeof e.status === 'number' ? [e.status] : e.status
  const rows =
    e.rows === undefined ? '' : `, ${typeof e.rows === 'number' ? e.rows : e.rows.join(' to ')} rows`
  return `status ${statuses.join(' or ')}${rows}${e.bytes === undefined ? '' : `, at most ${e.bytes} B`}`
}

function* wrongWith(a: Answer, e: Expected, qos: number | undefined): Generator<readonly [string, string]> {
  const legal = typeof e.status === 'number' ? [e.status] : e.status
  if (a.status === null) {
    yield ['no answer', a.problem ?? 'no answer']
    return
  }
  if (!legal.includes(a.status)) yield ['wrong status', `status ${a.status}, not ${legal.join(' or ')}`]
  const rows = rowsOf(a)
  const [least, most] = typeof e.rows === 'number' ? [e.rows, e.rows] : (e.rows ?? [0, Number.MAX_VALUE])
  if (rows.length < least || rows.length > most)
    yield ['wrong number', `${rows.length} rows, not ${least === most ? least : `${least} to ${most}`}`]
  // Table 17: rows come with OK and MORE; else the array is empty.
  if (a.status !== 1 && a.status !== 8 && rows.length > 0)
    yield ['rows with an error', `${rows.length} rows with status ${a.status}`]
  if ((a.status === 1 || a.status === 8) && rows.length === 0)
    yield ['no rows', `status ${a.status} without a row`]
  for (const t of a.tables)
    if (e.tables !== undefined && t.rows.length > 0 && !e.tables.includes(t.name))
      yield ['wrong table', `rows of the table ${t.name}`]
  const ids = new Set<string>()
  for (const t of a.tables)
    for (const r of t.rows) {
      if (!Number.isSafeInteger(r.id)) yield ['bad ID', `ID ${JSON.stringify(r.id)} is no integer`]
      if (ids.has(`${t.name} ${JSON.stringify(r.id)}`))
        yield ['same ID twice', `ID ${JSON.stringify(r.id)} twice in ${t.name}`]
      ids.add(`${t.name} ${JSON.stringify(r.id)}`)
      const sub = r.subTopic === '' ? null : r.subTopic
      if (e.subTopic !== undefined && sub !== e.subTopic)
        yield ['wrong sub-topic', `a row of sub-topic ${JSON.stringify(r.subTopic)}`]
      const n = numberIn(r.text)
      if (e.numbers !== undefined && (n === undefined || n < e.numbers[0] || n > e.numbers[1]))
        yield ['wrong rows', `row n = ${n ?? 'none'}, not ${e.numbers.join(' to ')}`]
    }
  if (e.bytes !== undefined && a['length [B]'] > e.bytes)
    yield ['too long', `a packet of ${a['length [B]']} B, longer than ${e.bytes} B`]
  if (qos !== undefined && a.qos !== qos) yield ['wrong QoS', `QoS ${a.qos}, not ${qos}`]
  if (a.retain) yield ['retained', 'a retained response']
}

function numberIn(text: string): number | undefined {
  const m = /"n":\s*(-?\d+)/.exec(text)
  return m?.[1] === undefined ? undefined : Number(m[1])
}
