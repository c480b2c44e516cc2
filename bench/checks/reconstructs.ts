/**
 * Whether a recorder's files alone let each result be laid beside the readings that it was computed from (OpenLV M:0040).
 * The result is a Series of readings (LV-CAP API 9.2, table 21): its value i belongs to StartPoint + i x Interval, and that
 * reading must stand in the files by its time stamp. A fold over the lines of the files and nothing else.
 */
import type { Instant } from '../../drivers/faces.ts'
import { duration } from '../../drivers/units.ts'
import { matcher } from '../evidence/series.ts'
import type { Check, Event, Result, Series } from '../faces.ts'
import { checkOf, inconclusive, offences, pass, type CheckOptions, type Offences } from './check.ts'
import { objectOf, type JsonObject } from './scalar.ts'

export interface ReconstructsOptions extends CheckOptions {
  /** The topic of the readings that the series on this topic was computed from; nothing: it is none of readings. */
  readonly readingsOf: (topic: string) => string | undefined
  /** Readings, by alias, of which a series must stand in the files. */
  readonly of: readonly string[]
  /** How far a reading's stamp may be from where the series has it; 1 s unless given, as stamps are whole seconds (API 4.5). */
  readonly within?: string
}

interface Reading {
  /** Seconds since 1970. */
  readonly stamp: number
  readonly value: unknown
  readonly where: string
}

/** A Series as it stands in the files. */
interface Computed {
  readonly topic: string
  readonly readings: string
  readonly seq: number
  readonly where: string
  readonly payload: JsonObject
  readonly values: readonly unknown[]
  /** When it was stamped, seconds since 1970; NaN where it says nothing that is a time. */
  readonly stamp: number
}

/** Each value of each Series in the files stands beside a stored reading of its time and of the same value. */
export function reconstructs(lines: Series, o: ReconstructsOptions): Check {
  const within = duration(o.within ?? '1 s') / 1000
  return checkOf(o, {
    id: 'reconstructs',
    limit: `each value of a stored series beside a stored reading of its time (within ${within} s) and value; a series of each of ${o.of.join(', ')}`,
    over: lines,
    fold: (watch) => {
      const isLine = matcher(lines)
      const isRead = matcher({ src: lines.src, kind: 'seen', select: 'csv.read' })
      const found = offences()
      const readings = new Map<string, { readonly alias: string; readonly at: Map<number, Reading[]> }>()
      const topics = new Map<string, number>()
      let waiting: Computed[] = []
      let values = 0
      let beside = 0
      let readSeq: number | undefined

      const line = (e: Event): void => {
        const d = objectOf(e.data) ?? {}
        const topic = typeof d['topic'] === 'string' ? d['topic'] : ''
        const payload = objectOf(d['payload'])
        if (payload === undefined) return
        const columns = objectOf(d['columns']) ?? {}
        const where = `${typeof d['file'] === 'string' ? d['file'] : ''}, line ${JSON.stringify(d['line'] ?? null)}`
        const stamp = secondsOf(columns['timestamp'], payload['Timestamp'])
        const of = o.readingsOf(topic)
        if (of !== undefined && Array.isArray(payload['Value'])) {
          waiting.push({ topic, readings: of, seq: e.seq, where, payload, values: payload['Value'], stamp })
          return
        }
        if (!('Value' in payload)) return
        let known = readings.get(topic)
        if (known === undefined) {
          known = { alias: typeof d['alias'] === 'string' ? d['alias'] : '', at: new Map() }
          readings.set(topic, known)
        }
        const reading = { stamp, value: stored(columns['value'], payload['Value']), where }
        const second = known.at.get(Math.floor(stamp))
        if (second === undefined) known.at.set(Math.floor(stamp), [reading])
        else second.push(reading)
      }
      const nearTo = (topic: string, at: number): readonly Reading[] => {
        const near: Reading[] = []
        for (let s = Math.floor(at - within); s <= at + within; s++)
          for (const x of readings.get(topic)?.at.get(s) ?? [])
            if (Math.abs(x.stamp - at) <= within) near.push(x)
        return near
      }

      const judge = (r: Computed): boolean => {
        const { StartPoint: start, Interval: interval, Confidence: confidence } = r.payload
        const because = [r.seq]
        if (typeof start !== 'number' || typeof interval !== 'number' || !(interval > 0)) {
          found.add(
            'without times',
            `${r.where}: a series on ${r.topic} without StartPoint and Interval`,
            r.seq,
          )
          return true
        }
        // By its own stamp and length it goes back to before anybody watched: its readings may stand in files passed over.
        if ((r.stamp - (r.values.length - 1) * interval - within) * 1000 < watch.begin) return false
        r.values.forEach((value, i) => {
          values++
          const at = start + i * interval
          const near = nearTo(r.readings, at)
          const unsure = Array.isArray(confidence) && confidence[i] === 0
          if (near.length === 0)
            found.add(
              'without reading',
              `${r.where}: value ${i + 1} of ${r.topic} belongs to ${shownTime(at)}, and no stored reading does`,
              ...because,
            )
          else if (!unsure && !near.some((x) => x.value === value))
            found.add(
              'other value',
              `${r.where}: value ${i + 1} of ${r.topic} is ${JSON.stringify(value)}, the reading of ${shownTime(at)} (${near[0]?.where ?? ''}) ${JSON.stringify(near[0]?.value)}`,
              ...because,
            )
          else beside++
        })
        topics.set(r.readings, (topics.get(r.readings) ?? 0) + 1)
        return true
      }

      const missing = (into: Offences): void => {
        const told = new Set([...topics.keys()].map((t) => readings.get(t)?.alias))
        for (const alias of o.of)
          if (!told.has(alias)) into.add('missing', `no series of ${alias} is in the files`)
      }

      return {
        see(e) {
          if (isRead(e)) {
            readSeq = e.seq
            const judged = waiting.filter((r) => judge(r))
            waiting = []
            return judged.length > 0
          }
          if (isLine(e)) line(e)
          return false
        },
        result(_at: Instant): Result {
          const all = found.copy()
          if (readSeq !== undefined) missing(all)
          const observed = {
            'series judged [1]': [...topics.values()].reduce((a, n) => a + n, 0),
            'values judged [1]': values,
            'beside their readings [1]': beside,
            ...all.counts(),
          }
          const failed = all.result(observed)
          if (failed !== undefined) return failed
          if (readSeq === undefined)
            return inconclusive('bench', 'the recorder’s files were not read', observed)
          return pass(observed, [readSeq])
        },
      }
    },
  })
}

/** A time as the column says it, in seconds or ISO 8601, else as the payload does; NaN where neither is one. */
function secondsOf(column: unknown, inPayload: unknown): number {
  if (typeof column === 'string' && column !== '')
    return /^-?\d+(\.\d+)?$/.test(column) ? Number(column) : Date.parse(column) / 1000
  return typeof inPayload === 'number' ? inPayload : Number.NaN
}

/** The value as the column says it where it is a number, else the payload's. */
function stored(column: unknown, inPayload: unknown): unknown {
  if (typeof column !== 'string' || column.trim() === '') return inPayload
  const n = Number(column)
  return Number.isFinite(n) ? n : inPayload
}

function shownTime(at: number): string {
  const d = new Date(at * 1000)
  return Number.isNaN(d.getTime()) ? String(at) : d.toISOString()
}
