/** Defects and variants in what the GridKey application tells beside its readings, and in what it is told twice (API 8.2, 9.2 to 9.4). */
import type { GridkeyParts } from '../reference/lvcap/apps/gridkey/main.ts'
import type { Message } from '../reference/lvcap/api.ts'
import type { JsonObject } from '../reference/lvcap/env.ts'
import type { Point } from '../reference/lvcap/sdk/outline.ts'
import { listOf, type Defect } from './defect.ts'
import { objectOf } from './payload.ts'

type Wrap = Defect<GridkeyParts>['wrap']

/** Other payloads of one of the three kinds of object. */
function otherwise(kind: 'series' | 'position' | 'metadata', change: (o: JsonObject) => JsonObject): Wrap {
  return (p, reached) => {
    const altered =
      <A extends readonly unknown[]>(make: (...args: A) => Message) =>
      (...args: A): Message => {
        reached()
        const message = make(...args)
        return { ...message, payload: change(objectOf(message.payload)) }
      }
    if (kind === 'series') return { ...p, series: altered(p.series) }
    if (kind === 'position') return { ...p, position: altered(p.position) }
    return { ...p, metadata: altered(p.metadata) }
  }
}

function without(o: JsonObject, key: string): JsonObject {
  return Object.fromEntries(Object.entries(o).filter(([k]) => k !== key))
}

export const outlineDefects: readonly Defect<GridkeyParts>[] = [
  ...listOf<GridkeyParts>('gridkey-app', 'defect', {
    'one-confidence-too-few': [
      'Sends a series with one confidence less than values.',
      otherwise('series', (o) => ({
        ...o,
        Confidence: Array.isArray(o['Confidence']) ? o['Confidence'].slice(1) : [],
      })),
    ],
    'series-without-interval': [
      'Sends a series without its interval.',
      otherwise('series', (o) => without(o, 'Interval')),
    ],
    'series-starts-at-its-end': [
      'Gives the time of the last reading as the start of a series.',
      otherwise('series', (o) => ({ ...o, StartPoint: o['Timestamp'] ?? null })),
    ],
    'coordinates-as-text': [
      'Sends co-ordinates as one text.',
      otherwise('position', (o) => ({ ...o, Coordinates: JSON.stringify(o['Coordinates']) })),
    ],
    'metadata-without-name': [
      'Sends metadata without the name of the data.',
      otherwise('metadata', (o) => without(o, 'Name')),
    ],
    'metadata-not-retained': [
      'Does not have its metadata retained.',
      (p, reached) => ({
        ...p,
        metadata: (...args) => {
          reached()
          return { ...p.metadata(...args), retain: false }
        },
      }),
    ],
    'starts-anew-at-a-copy': [
      'Starts its interval anew when the configuration in force comes again.',
      (p, reached) => ({
        ...p,
        isCopy: (...args) => {
          if (p.isCopy(...args)) reached()
          return false
        },
      }),
    ],
    'obeys-any-command': [
      'Takes any command for the one to shut down.',
      (p, reached) => ({
        ...p,
        endsAt: (asked) => {
          if (!p.endsAt(asked)) reached()
          return true
        },
      }),
    ],
  }),
  ...listOf<GridkeyParts>('gridkey-app', 'variant', {
    'series-overlap': [
      'Tells in each series what the one before told, too.',
      (p, reached) => {
        const before = new Map<string, readonly Point[]>()
        return {
          ...p,
          series: (topic, points, interval, stamp) => {
            const known = before.get(topic) ?? []
            if (known.length > 0) reached()
            before.set(topic, [...points])
            return p.series(topic, [...known, ...points], interval, stamp)
          },
        }
      },
    ],
    'series-without-options': [
      'Sends a series with its required keys alone.',
      otherwise('series', (o) =>
        without(without(without(o, 'Confidence'), 'TimestampStart'), 'TimestampEnd'),
      ),
    ],
  }),
]
