/**
 * What Data Storage keeps of the data set (API section 8.6): an application that has just started knows nothing of before,
 * and a forecast is told each half-hour only. So the last stored value of each name is looked up, one after the other.
 */
import { isObject, parseObject } from '../../api.ts'
import type { Json, JsonObject } from '../../env.ts'
import type { DataEntry } from './config.ts'

/** Values of Status in a response that carry rows (table 18): all of them; more than were asked for. */
const withRows = (status: Json | undefined): boolean => status === 1 || status === 8

/** The query for the last value of a topic, added after `since` (Unix seconds); undefined for topics that no table keeps. */
export function queryFor(topic: string, since: number): JsonObject | undefined {
  const [kind, data, iid, ...rest] = topic.split('/')
  if ((kind !== 'algorithm' && kind !== 'sensor') || data !== 'data' || iid === undefined || iid === '')
    return undefined
  return { InstanceID: iid, SubTopic: rest.join('/'), MaxLength: 1, PreferOldest: false, StartTime: since }
}

/** What a response (table 19) says: that there is no such value, what it is, or what nobody asked for just now. */
export type Answer = 'none' | 'not asked for' | { readonly text: string }

/** Reads a response to a query. Anything may stand in it; a row tells of which topic it is. */
export function answerIn(payload: Uint8Array, query: JsonObject): Answer {
  const body = parseObject(payload)
  if (body === undefined || !withRows(body['Status'])) return 'none'
  const table = first(body['Response'])
  const row = isObject(table) ? first(table['TableRows']) : undefined
  const value = isObject(row) ? row['Data'] : undefined
  if (!isObject(table) || !isObject(row) || !isObject(value)) return 'none'
  const fits = table['TableName'] === query['InstanceID'] && (row['SubTopic'] ?? '') === query['SubTopic']
  return fits ? { text: JSON.stringify(value) } : 'not asked for'
}

function first(list: Json | undefined): Json | undefined {
  return Array.isArray(list) ? (list as readonly Json[])[0] : undefined
}

export interface Lookup {
  /** A response of Data Storage. */
  answered(payload: Uint8Array): void
  stop(): void
}

/**
 * Asks for each entry in turn. A response names no request, so that the next is asked only when the last was answered; where
 * one is not answered within `ms` milliseconds, nobody keeps anything here, and no more is asked.
 */
export function lookUp(
  entries: readonly DataEntry[],
  since: number,
  ms: number,
  ask: (query: JsonObject) => void,
  found: (entry: DataEntry, text: string) => void,
): Lookup {
  const left = entries.flatMap((entry) => {
    const query = queryFor(entry.topic, since)
    return query === undefined ? [] : [{ entry, query }]
  })
  let asked: { readonly entry: DataEntry; readonly query: JsonObject } | undefined
  let timer: NodeJS.Timeout | undefined
  const stop = (): void => {
    clearTimeout(timer)
    asked = undefined
    left.length = 0
  }
  const next = (): void => {
    clearTimeout(timer)
    const one = left.shift()
    asked = one
    if (one === undefined) return
    timer = setTimeout(stop, ms)
    ask(one.query)
  }
  next()
  return {
    answered(payload) {
      if (asked === undefined) return
      const answer = answerIn(payload, asked.query)
      if (answer === 'not asked for') return
      if (answer !== 'none') found(asked.entry, answer.text)
      next()
    },
    stop,
  }
}
