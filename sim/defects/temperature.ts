/** Defects and variants of the temperature application alone (M:0027). */
import type { Input, TemperatureConfig } from '../reference/lvcap/apps/temperature/config.ts'
import { inputs } from '../reference/lvcap/apps/temperature/config.ts'
import type { Channel, Memory, Reading } from '../reference/lvcap/apps/temperature/decode.ts'
import type { TemperatureParts } from '../reference/lvcap/apps/temperature/main.ts'
import { listOf, type Defect } from './defect.ts'
import { sensorVariants } from './sensor-variants.ts'
import { sensorDefects } from './sensor.ts'

type Wrap = Defect<TemperatureParts>['wrap']

/** Changes each channel that was read. */
function channels(change: (channel: Channel, reading: Reading, input: Input) => Channel): Wrap {
  return (p, reached) => ({
    ...p,
    decode: (words, config) => {
      const reading = p.decode(words, config)
      const changed = { ...reading.channels }
      for (const input of inputs) {
        const channel = reading.channels[input]
        if (channel === null) continue
        const other = change(channel, reading, input)
        if (JSON.stringify(other) !== JSON.stringify(channel)) reached()
        changed[input] = other
      }
      return { ...reading, channels: changed }
    },
  })
}

const own = listOf<TemperatureParts>('temperature-app', 'defect', {
  'ignores-flags': [
    'Reads the value without the open, over and under flags, and takes any number.',
    (p, reached) => ({
      ...p,
      judge: (reading, memory, now, config) => {
        const judged = p.judge(reading, memory, now, config)
        const samples = judged.samples.map((s) => {
          const input = inputs.find((i) => s.quantity === `${i}.temperature`)
          const channel = input === undefined ? null : reading.channels[input]
          if (s.valid || channel === null) return s
          reached()
          return { quantity: s.quantity, value: channel.celsius, valid: true }
        })
        return { ...judged, samples }
      },
    }),
  ],
  'trusts-an-open-input': [
    'Does not look at the open bits: an open input whose module shows its last value passes for a good one.',
    (p, reached) => ({
      ...p,
      judge: (reading, memory, now, config) => {
        const closed = inputs.map((i) => {
          const channel = reading.channels[i]
          if (channel?.open === true) reached()
          return [i, channel === null ? null : { ...channel, open: false }] as const
        })
        const channels = { ...reading.channels, ...Object.fromEntries(closed) }
        return p.judge({ ...reading, channels }, memory, now, config)
      },
    }),
  ],
  'ignores-cold-junction-fault': [
    'Trusts temperatures while the cold junction is not known.',
    (p, reached) => ({
      ...p,
      judge: (reading, memory, now, config) => {
        if (reading.coldJunctionFault === true) reached()
        return p.judge(
          { ...reading, coldJunctionFault: reading.coldJunctionFault === null ? null : false },
          memory,
          now,
          config,
        )
      },
    }),
  ],
  'rounds-its-interval': [
    'Publishes at whole minutes of interval only, rounded up.',
    (p, reached) => ({
      ...p,
      due: (k, interval) => {
        const whole = Math.ceil(interval / 60_000) * 60_000
        if (whole !== interval) reached()
        return p.due(k, whole)
      },
    }),
  ],
  'never-slower-than-five-minutes': [
    'Takes every interval above five minutes for five minutes.',
    (p, reached) => ({
      ...p,
      due: (k, interval) => {
        if (interval > 300_000) reached()
        return p.due(k, Math.min(interval, 300_000))
      },
    }),
  ],
  'naive-cold-junction': [
    'Adds the temperature of the cold junction to that of the thermal voltage, at 39.5 µV/K.',
    channels((c, r) => ({ ...c, celsius: c.microvolts / 39.5 + (r.coldJunction ?? 0) })),
  ],
  'forgets-cold-junction': [
    'Takes the thermal voltage as if the cold junction were at 0 °C.',
    channels((c, r) => ({ ...c, celsius: c.celsius - (r.coldJunction ?? 0) })),
  ],
  'swaps-channels': [
    'Publishes the ambient temperature as that of the top oil, and the other way round.',
    (p, reached) => ({
      ...p,
      decode: (words, config) => {
        const reading = p.decode(words, config)
        const { ambient, top_oil: topOil } = reading.channels
        if (ambient?.celsius !== topOil?.celsius) reached()
        return { ...reading, channels: { ...reading.channels, ambient: topOil, top_oil: ambient } }
      },
    }),
  ],
  'wrong-scale': [
    'Publishes tenths of a degree as degrees, where that is still plausible, else a tenth of the value.',
    channels((c) => ({ ...c, celsius: Math.abs(c.raw) <= 60 ? c.raw : c.celsius / 10 })),
  ],
  fahrenheit: [
    'Publishes degrees Fahrenheit, without asking whether they are in range.',
    (p, reached) => ({
      ...p,
      judge: (reading, memory, now, config) => {
        const judged = p.judge(reading, memory, now, config)
        reached()
        return { ...judged, samples: judged.samples.map((s) => ({ ...s, value: s.value * 1.8 + 32 })) }
      },
    }),
  ],
  'loses-the-sign': [
    'Publishes temperatures below zero as above.',
    channels((c) => ({ ...c, celsius: Math.abs(c.celsius) })),
  ],
  'quarter-degrees': [
    'Cuts off what is below a quarter of a degree: by up to 0.2 degrees of a module that shows tenths.',
    channels((c) => ({ ...c, celsius: Math.floor(c.celsius * 4) / 4 })),
  ],
  'whole-degrees': ['Rounds to whole degrees.', channels((c) => ({ ...c, celsius: Math.round(c.celsius) }))],
})

const variants = listOf<TemperatureParts>('temperature-app', 'variant', {
  'reads-flags-apart': [
    'Reads the flags again, in a request of their own, before it trusts the values.',
    (p, reached) => ({
      ...p,
      read: async (link, block, ms) => {
        const end = performance.now() + ms
        const flags = block.table === 'coils' ? block : { ...block, start: block.start + 17, count: 4 }
        // A module with coils has no flags beside its values.
        if (block.table !== 'coils' && block.count < 21) return p.read(link, block, ms)
        reached()
        await p.read(link, flags, ms)
        return p.read(link, block, Math.max(1, end - performance.now()))
      },
    }),
  ],
})

export const temperatureDefects: readonly Defect<TemperatureParts>[] = [
  ...sensorDefects<TemperatureConfig, Reading, Memory>('temperature-app', 'ambient.temperature'),
  ...own,
  ...sensorVariants<TemperatureConfig, Reading, Memory>('temperature-app'),
  ...variants,
]
