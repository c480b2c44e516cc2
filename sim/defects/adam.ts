/** Defects of the temperature application that show only at a module of the ADAM-4018 kind: counts, types and coils. */
import type { CountsMap, TemperatureConfig } from '../reference/lvcap/apps/temperature/config.ts'
import type { TemperatureParts } from '../reference/lvcap/apps/temperature/main.ts'
import type { Words } from '../reference/lvcap/sdk/sensor.ts'
import { listOf, type Defect } from './defect.ts'

type Wrap = Defect<TemperatureParts>['wrap']

/** Decodes other words, or by another map, where the module shows counts. */
function decoding(
  change: (words: Words, map: CountsMap) => { readonly words?: Words; readonly map?: CountsMap },
): Wrap {
  return (p, reached) => ({
    ...p,
    decode: (words, config: TemperatureConfig) => {
      if (config.map.shows !== 'counts') return p.decode(words, config)
      const other = change(words, config.map)
      const [right, wrong] = [
        p.decode(words, config),
        p.decode(other.words ?? words, { ...config, map: other.map ?? config.map }),
      ]
      if (JSON.stringify(right) !== JSON.stringify(wrong)) reached()
      return wrong
    },
  })
}

/** Every count of a sweep, changed. */
function counting(change: (count: number) => number): Wrap {
  return decoding((words, map) => ({
    words: new Map(
      [...words].map(([at, w]) => [at, at >= map.counts && at < map.counts + map.count ? change(w) : w]),
    ),
  }))
}

/** Every answer about coils, changed. */
function coils(change: (list: readonly number[]) => readonly number[]): Wrap {
  return (p, reached) => ({
    ...p,
    read: async (link, block, ms) => {
      const list = await p.read(link, block, ms)
      if (block.table !== 'coils') return list
      const other = change(list)
      if (JSON.stringify(other) !== JSON.stringify(list)) reached()
      return other
    },
  })
}

export const adamDefects: readonly Defect<TemperatureParts>[] = listOf<TemperatureParts>(
  'temperature-app',
  'defect',
  {
    'range-of-another-type': [
      'Takes counts of a type K input for those of type J, which ends at 760 degrees: plausible, and half of it.',
      decoding((_, map) => ({ map: { ...map, ranges: { ...map.ranges, '15': [0, 760] } } })),
    ],
    'counts-with-a-sign': [
      'Takes 32,768 counts for the whole range, as if they had a sign.',
      counting((n) => Math.min(0xfffe, 2 * n)),
    ],
    'twelve-bits': [
      'Drops the four lowest bits of each count: by up to 0.31 degrees of a type K input.',
      counting((n) => (n === 0xffff ? n : n & 0xfff0)),
    ],
    'takes-ends-for-values': [
      'Takes the ends of a range for values, although they mean under and over range.',
      (p, reached) => ({
        ...p,
        decode: (words, config) => {
          const reading = p.decode(words, config)
          if (config.map.shows !== 'counts') return reading
          const channels = Object.entries(reading.channels).map(([input, c]) => {
            if (c?.over === true || c?.under === true) reached()
            return [input, c === null ? null : { ...c, over: false, under: false }] as const
          })
          return { ...reading, channels: { ...reading.channels, ...Object.fromEntries(channels) } }
        },
      }),
    ],
    'ignores-burn-out-coils': [
      'Asks for the burn-out coils and does not look at them.',
      coils((list) => list.map(() => 0)),
    ],
    'coil-of-the-input-before': [
      'Takes each burn-out coil for that of the input after it.',
      coils((list) => [0, ...list.slice(0, -1)]),
    ],
  },
)
