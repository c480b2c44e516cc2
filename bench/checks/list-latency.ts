/**
 * From the first bit of a list on the line to the reader's time of arrival: no longer than its bytes take at the line's rate,
 * and a little. Tells the latency for each setting of the line, and how many lists found it busy (HAN thesis, table 7.2).
 */
import type { Instant } from '../../drivers/faces.ts'
import { duration, durationText } from '../../drivers/units.ts'
import { matcher } from '../evidence/series.ts'
import { readerList } from '../platforms/reader-json.ts'
import type { Check, Series } from '../faces.ts'
import { type CheckOptions, checkOf, into, offences, pass } from './check.ts'
import { objectOf, textOf } from './scalar.ts'

export interface ListLatencyOptions extends CheckOptions {
  /** Which list is looked at: 3, the long one, unless given. */
  readonly list?: number
  /** What the reader may take beside the line; `100 ms` unless given (ours). */
  readonly beside?: string
}

interface Sent {
  readonly at: Instant
  readonly seq: number
  readonly took: number
  readonly setting: string
  readonly values: readonly (readonly [string, number])[]
}

/** A list whose reading has not come so long after its last bit is lost, ms. Ours. */
const lostAfter = 10_000

export function listLatency(readings: Series, o: ListLatencyOptions): Check {
  const list = o.list ?? 3
  const beside = duration(o.beside ?? '100 ms')
  return checkOf(o, {
    id: 'list-latency',
    limit: `a List ${list} arrives in the time that its bytes take on the line, and ${durationText(beside)}`,
    over: readings,
    fold: (watch) => {
      const isReading = matcher(readings)
      const found = offences()
      let open: Sent[] = []
      const slowest = new Map<string, number>()
      const leftOut = new Map<string, number>()
      const settingOf = (d: ReturnType<typeof objectOf>): string =>
        `${Number(d?.['baud'])} baud ${textOf(d?.['format'])}`
      const lose = (at: Instant, sink: typeof found): void => {
        for (const s of open)
          if (at > s.at + s.took + lostAfter)
            sink.add('lost', `a List ${list} at ${s.setting}, ${into(watch, s.at)}, has not come out`, s.seq)
      }
      return {
        see(e) {
          if (e.src === 'meter' && e.kind === 'note') {
            const d = objectOf(e.data)
            if (d?.['baud'] === undefined) return false
            const setting = settingOf(d)
            leftOut.set(setting, (leftOut.get(setting) ?? 0) + 1)
            return false
          }
          if (e.src === 'meter' && e.kind === 'said') {
            const d = objectOf(e.data)
            const asked = objectOf(d?.['asked'])
            if (asked?.['list'] !== list || asked['to'] === 0) return false
            const values = Object.entries(objectOf(d?.['answers']) ?? {}).flatMap(([q, pair]) =>
              Array.isArray(pair) && typeof pair[0] === 'number' ? [[q, pair[0]] as const] : [],
            )
            open.push({
              at: e.at,
              seq: e.seq,
              took: Number(asked['took_ms']),
              setting: settingOf(asked),
              values,
            })
            return true
          }
          if (!isReading(e)) return false
          lose(e.at, found)
          open = open.filter((s) => e.at <= s.at + s.took + lostAfter)
          const r = readerList(objectOf(e.data)?.['payload'])
          if (r?.stamp === undefined) return false
          const sent = open.find(
            (s) =>
              s.values.length === r.values.size &&
              s.values.every(
                ([q, v]) => Math.abs((r.values.get(q) ?? Number.NaN) - v) <= 1e-6 * Math.max(1, v),
              ),
          )
          if (sent === undefined) return false
          open = open.filter((s) => s !== sent)
          const took = r.stamp - sent.at
          slowest.set(sent.setting, Math.max(slowest.get(sent.setting) ?? 0, took))
          if (took > sent.took + beside)
            found.add(
              'slow',
              `a List ${list} at ${sent.setting} took ${Math.round(took)} ms, of which ${Math.round(sent.took)} ms on the line`,
              sent.seq,
              e.seq,
            )
          return true
        },
        result(at) {
          const all = found.copy()
          lose(at, all)
          const observed = {
            ...Object.fromEntries(
              [...slowest].map(([s, ms]) => [`${s} [s]`, Number((ms / 1000).toFixed(2))]),
            ),
            ...Object.fromEntries([...leftOut].map(([s, n]) => [`${s}: lists left out [1]`, n])),
            ...all.counts(),
          }
          return all.result(observed) ?? pass(observed)
        },
      }
    },
  })
}
