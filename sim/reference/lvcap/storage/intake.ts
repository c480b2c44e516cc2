/** What arrives to be stored, and what of it is (API sections 7, 8.2.4, 8.4, 8.6). */
import { iidPattern, isObject, unixSeconds } from '../api.ts'
import type { Json } from '../env.ts'
import { errorTable, type StorageConfig } from './config.ts'

/** What a topic is to Data Storage. */
export type Place =
  | {
      readonly kind: 'data'
      /** `flagged`: stored where it asks for it (section 8.4). `always`: section 8.6 and errors. */
      readonly when: 'flagged' | 'always'
      readonly table: string
      /** Null: published on the instance's topic itself (table 3). */
      readonly subTopic: string | null
    }
  | { readonly kind: 'query'; readonly api: 'newdata' | 'history'; readonly by: string }
  | { readonly kind: 'uploaded'; readonly by: string }

/** A record before it has an ID. `timestamp`: when it was added, Unix seconds. */
export interface NewRecord {
  readonly table: string
  readonly subTopic: string | null
  readonly data: Uint8Array
  readonly timestamp: number
}

/** Undefined: not Data Storage's affair. */
export function placeOf(topic: string): Place | undefined {
  const [a, b, c = '', ...rest] = topic.split('/')
  // Sensor data is not stored as a rule (section 8.3); where it asks for it, other applications may read it.
  if ((a === 'algorithm' || a === 'sensor') && b === 'data') return dataOf('flagged', c, rest)
  if (a !== 'storage') return undefined
  if (b === 'data') {
    const [instance = '', ...more] = rest
    // `error` is a reserved name: the instance comes after it.
    if (c !== errorTable) return dataOf('always', c, rest)
    const ends = more.length === 0 || (more.length === 1 && more[0] === '')
    return ends && iidPattern.test(instance)
      ? { kind: 'data', when: 'always', table: errorTable, subTopic: instance }
      : undefined
  }
  if (b === 'uploaded' && rest.length === 0 && iidPattern.test(c)) return { kind: 'uploaded', by: c }
  if (b !== 'request') return undefined
  if (c === 'newdata') {
    const by = rest.length === 1 ? (rest[0] ?? '') : ''
    return iidPattern.test(by) ? { kind: 'query', api: 'newdata', by } : undefined
  }
  return rest.length === 0 && iidPattern.test(c) ? { kind: 'query', api: 'history', by: c } : undefined
}

function dataOf(when: 'flagged' | 'always', iid: string, rest: readonly string[]): Place | undefined {
  if (!iidPattern.test(iid)) return undefined
  // Table 19 prints `storage/data/<IID>/`: a slash at the end of the instance's own topic makes no sub-topic.
  const subTopic = rest.join('/')
  return { kind: 'data', when, table: iid, subTopic: subTopic === '' ? null : subTopic }
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The JSON value in a payload, by its exact bytes; undefined where it is none (section 4.3 asks that it is). */
export function valueOf(payload: Uint8Array): Json | undefined {
  try {
    return JSON.parse(decoder.decode(payload)) as Json
  } catch {
    return undefined
  }
}

/** Whether a message is stored: its ToStore flag (section 8.4: absent means no), unless the operator decided. */
export function keeps(
  place: Extract<Place, { kind: 'data' }>,
  value: Json,
  config: Pick<StorageConfig, 'store'>,
): boolean {
  if (place.table === errorTable) return true
  const decided = config.store.find(
    (s) => s.iid === place.table && (s.subTopic === undefined || s.subTopic === (place.subTopic ?? '')),
  )
  if (decided !== undefined) return decided.keep
  return place.when === 'always' || (isObject(value) && value['ToStore'] === true)
}

/** The record of a message; its payload as it came. `now` in ms since 1970. */
export function recordOf(
  place: Extract<Place, { kind: 'data' }>,
  payload: Uint8Array,
  now: number,
): NewRecord {
  return { table: place.table, subTopic: place.subTopic, data: payload, timestamp: unixSeconds(now) }
}
