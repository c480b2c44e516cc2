/** Defects and variants of the GridKey application alone (M:0022 to M:0024). */
import { connect } from 'node:net'
import type { GridkeyConfig } from '../reference/lvcap/apps/gridkey/config.ts'
import type { Memory, Reading } from '../reference/lvcap/apps/gridkey/decode.ts'
import type { GridkeyParts } from '../reference/lvcap/apps/gridkey/main.ts'
import { listOf, type Defect } from './defect.ts'
import { sensorVariants } from './sensor-variants.ts'
import { sensorDefects } from './sensor.ts'

type Wrap = Defect<GridkeyParts>['wrap']

/** Changes the values that were read. `change` gives undefined to leave one as it is. */
function values(
  change: (
    quantity: string,
    value: number,
    all: Readonly<Record<string, number | null>>,
  ) => number | undefined,
): Wrap {
  return (p, reached) => ({
    ...p,
    decode: (words, config) => {
      const reading = p.decode(words, config)
      const changed = Object.entries(reading.values).map(([quantity, value]) => {
        const other = value === null ? undefined : change(quantity, value, reading.values)
        if (other !== undefined && other !== value) reached()
        return [quantity, other ?? value] as const
      })
      return { ...reading, values: Object.fromEntries(changed) }
    },
  })
}

const ends =
  (suffix: string) =>
  (quantity: string): boolean =>
    quantity.endsWith(suffix)
const isCurrent = ends('.current')
const isRealPower = ends('.real_power')

const own = listOf<GridkeyParts>('gridkey-app', 'defect', {
  'wrong-scale': [
    'Publishes currents 2 % too high.',
    values((q, v) => (isCurrent(q) ? v * 1.02 : undefined)),
  ],
  'power-in-kilowatts': [
    'Publishes real power in kW.',
    values((q, v) => (isRealPower(q) ? v / 1_000 : undefined)),
  ],
  'wrong-sign': [
    'Publishes real power with the opposite direction.',
    values((q, v) => (isRealPower(q) ? -v : undefined)),
  ],
  'loses-direction': [
    'Publishes reverse power as if it flowed forward.',
    values((q, v) => (isRealPower(q) ? Math.abs(v) : undefined)),
  ],
  'loses-the-sign-of-reactive-power': [
    'Publishes capacitive reactive power, and that of reverse flow, as inductive.',
    values((q, v) => (q.endsWith('.reactive_power') ? Math.abs(v) : undefined)),
  ],
  'current-with-a-sign': [
    'Publishes the current of reverse flow below zero, though an RMS value has no sign.',
    values((q, v, all) =>
      isCurrent(q) && (all[q.replace('.current', '.real_power')] ?? 0) < 0 ? -v : undefined,
    ),
  ],
  'power-factor-without-sign': [
    'Publishes power factors of reverse flow as if it flowed forward.',
    values((q, v) => (q.endsWith('.power_factor') ? Math.abs(v) : undefined)),
  ],
  'power-factor-in-percent': [
    'Publishes power factors in per cent, without asking whether they are in range.',
    (p, reached) => ({
      ...p,
      judge: (reading, memory, now, config) => {
        const judged = p.judge(reading, memory, now, config)
        reached()
        const samples = judged.samples.map((s) =>
          s.quantity.endsWith('.power_factor') ? { ...s, value: s.value * 100 } : s,
        )
        return { ...judged, samples }
      },
    }),
  ],
  'swaps-lines': [
    'Publishes the voltage from L1 to L2 as that from L2 to L3, and the other way round.',
    values((q, _v, all) =>
      q === 'busbar.l1l2.voltage'
        ? (all['busbar.l2l3.voltage'] ?? undefined)
        : q === 'busbar.l2l3.voltage'
          ? (all['busbar.l1l2.voltage'] ?? undefined)
          : undefined,
    ),
  ],
  'silent-about-feeder-five': [
    'Publishes nothing of the fifth feeder.',
    (p, reached) => ({
      ...p,
      judge: (reading, memory, now, config) => {
        const judged = p.judge(reading, memory, now, config)
        const samples = judged.samples.filter((s) => !s.quantity.startsWith('feeder5.'))
        if (samples.length < judged.samples.length) reached()
        return { ...judged, samples }
      },
    }),
  ],
  'invents-names': [
    'Names the topics of power factors by a word of its own.',
    (p, reached) => ({
      ...p,
      topic: (quantity, config) => {
        const named = p.topic(quantity, config)
        if (!quantity.endsWith('.power_factor')) return named
        reached()
        return named.replace('power_factor', 'cosphi').replace('power-factor', 'cosphi')
      },
    }),
  ],
  'keeps-its-first-topics': [
    'Goes on with the topic names of its first configuration.',
    (p, reached) => {
      let first: GridkeyConfig['topics'] | undefined
      return {
        ...p,
        topic: (quantity, config) => {
          first ??= config.topics
          if (first !== config.topics) reached()
          return p.topic(quantity, { ...config, topics: first })
        },
      }
    },
  ],
  'swaps-phases': [
    'Publishes the current of L1 as that of L2, and the other way round.',
    values((q, _v, all) => {
      if (!isCurrent(q)) return undefined
      const other = q.includes('.l1.') ? q.replace('.l1.', '.l2.') : q.replace('.l2.', '.l1.')
      return all[other] ?? undefined
    }),
  ],
  'swaps-feeders': [
    'Publishes feeder 1 as feeder 2, and the other way round.',
    values((q, _v, all) => {
      if (!q.startsWith('feeder1.') && !q.startsWith('feeder2.')) return undefined
      const other = q.startsWith('feeder1.')
        ? q.replace('feeder1', 'feeder2')
        : q.replace('feeder2', 'feeder1')
      return all[other] ?? undefined
    }),
  ],
  'line-voltage-for-phase-voltage': [
    'Publishes the voltage from L1 to L2 as that from L1 to neutral.',
    values((q, _v, all) =>
      q === 'busbar.l1n.voltage' ? (all['busbar.l1l2.voltage'] ?? undefined) : undefined,
    ),
  ],
  'whole-volts': [
    'Rounds voltages to whole volts.',
    values((q, v) => (q.endsWith('.voltage') ? Math.round(v) : undefined)),
  ],
  'quarter-volts': [
    'Rounds voltages to quarters of a volt: by up to 0.125 V, just beyond the 0.1 V that the monitor states.',
    values((q, v) => (q.endsWith('.voltage') ? Math.round(v * 4) / 4 : undefined)),
  ],
  'quarter-amperes': [
    'Rounds currents to quarters of an ampere: by up to 0.125 A, just beyond the 0.1 A that the monitor states.',
    values((q, v) => (q.endsWith('.current') ? Math.round(v * 4) / 4 : undefined)),
  ],
  'swaps-words': [
    'Reads float32 with the small word first.',
    (p, reached) => ({
      ...p,
      decode: (words, config) => {
        reached()
        const swapped = [...words].map(([at, word]) => [at < 1_000 ? at ^ 1 : at, word] as const)
        return p.decode(new Map(swapped), config)
      },
    }),
  ],
  'trusts-frozen-samples': [
    "Does not look at the samples' sequence number.",
    (p, reached) => ({
      ...p,
      judge: (reading, memory, now, config) => {
        const trusted = p.judge(reading, undefined, now, config)
        const judged = p.judge(reading, memory, now, config)
        if (JSON.stringify(trusted.samples) !== JSON.stringify(judged.samples)) reached()
        return trusted
      },
    }),
  ],
  'shows-what-is-no-number': [
    'Publishes 0 as valid where the device has no number.',
    (p, reached) => ({
      ...p,
      judge: (reading, memory, now, config) => {
        const judged = p.judge(reading, memory, now, config)
        const samples = judged.samples.map((s) => {
          const value = reading.values[s.quantity]
          if (typeof value !== 'number' || Number.isFinite(value)) return s
          reached()
          return { quantity: s.quantity, value: 0, valid: true }
        })
        return { ...judged, samples }
      },
    }),
  ],
  'trusts-every-phase': [
    "Does not look at the device's validity bits.",
    (p, reached) => ({
      ...p,
      judge: (reading, memory, now, config) => {
        if (reading.validity !== null && reading.validity !== 0x7fff) reached()
        return p.judge({ ...reading, validity: 0x7fff }, memory, now, config)
      },
    }),
  ],
  'trusts-a-booting-device': [
    "Does not look at the device's state.",
    (p, reached) => ({
      ...p,
      judge: (reading, memory, now, config) => {
        if (reading.status !== null && reading.status !== 0) reached()
        return p.judge({ ...reading, status: reading.status === null ? null : 0 }, memory, now, config)
      },
    }),
  ],
  'stamps-by-the-monitor': [
    "Stamps with the time that the device's own clock shows.",
    (p, reached) => {
      let ahead = 0
      return {
        ...p,
        decode: (words, config) => {
          const { time } = config.map.state
          const [high, low] = [words.get(time), words.get(time + 1)]
          if (high !== undefined && low !== undefined) ahead = (high * 0x1_0000 + low) * 1_000 - Date.now()
          return p.decode(words, config)
        },
        stamp: (now) => {
          if (Math.abs(ahead) > 2_000) reached()
          return p.stamp(now + ahead)
        },
      }
    },
  ],
  'keeps-the-first-address': [
    'Reads from the address of its first configuration for ever.',
    (p, reached) => {
      let first: Parameters<GridkeyParts['read']>[0] | undefined
      return {
        ...p,
        read: (link, block, ms) => {
          first ??= link
          if (first !== link) reached()
          return p.read(first, block, ms)
        },
      }
    },
  ],
  'mixes-samples': [
    'Publishes the second feeder from the sweep before.',
    (p, reached) => {
      let before: Readonly<Record<string, number | null>> | undefined
      return {
        ...p,
        decode: (words, config) => {
          const reading = p.decode(words, config)
          const old = before
          before = reading.values
          if (old === undefined) return reading
          reached()
          const values = Object.entries(reading.values).map(
            ([q, v]) => [q, q.startsWith('feeder2.') ? (old[q] ?? v) : v] as const,
          )
          return { ...reading, values: Object.fromEntries(values) }
        },
      }
    },
  ],
  'stamps-each-apart': [
    'Stamps the powers a second after the other quantities.',
    (p, reached) => ({
      ...p,
      compose: (topic, sample, stamp, config) => {
        if (!sample.quantity.endsWith('_power')) return p.compose(topic, sample, stamp, config)
        reached()
        return p.compose(topic, sample, stamp + 1, config)
      },
    }),
  ],
  'reads-slowly': [
    'Waits 120 ms between two blocks of registers, so that values of one output are of several samples.',
    (p, reached) => ({
      ...p,
      read: async (link, block, ms) => {
        const words = await p.read(link, block, ms)
        reached()
        await new Promise((resolve) => {
          setTimeout(resolve, 120)
        })
        return words
      },
    }),
  ],
  'one-topic-for-all': [
    'Publishes the three phase currents of a feeder on one topic.',
    (p, reached) => ({
      ...p,
      topic: (quantity, config) => {
        if (!quantity.endsWith('.current')) return p.topic(quantity, config)
        reached()
        return p.topic(quantity.replace(/\.l[23]\./, '.l1.'), config)
      },
    }),
  ],
  'leaks-connections': [
    'Opens one more connection to the device with each output, and closes none.',
    (p, reached) => ({
      ...p,
      decode: (words, config) => {
        reached()
        const socket = connect(config.port, config.address)
        socket.on('error', () => {})
        socket.unref()
        return p.decode(words, config)
      },
    }),
  ],
})

/** Digits after the point, or before it where below zero, that a reading of the monitor means. */
const digits = { voltage: 1, current: 1, real_power: -1, reactive_power: -1, power_factor: 3, frequency: 3 }

const variants = listOf<GridkeyParts>('gridkey-app', 'variant', {
  'rounds-to-the-resolution': [
    'Rounds each reading to the step that the monitor states: 0.1 V, 0.1 A, 10 W, 10 var, 0.001.',
    values((q, v) => {
      const places = digits[(q.split('.').at(-1) ?? '') as keyof typeof digits] ?? 9
      return Math.round(v * 10 ** places) / 10 ** places
    }),
  ],
  'openlv-2018-topics': [
    'Uses the topic names fielded in 2018.',
    (p, reached) => ({
      ...p,
      topic: (quantity, config) => {
        reached()
        return p.topic(quantity, { ...config, topics: 'openlv-2018' })
      },
    }),
  ],
  'publishes-frequency': [
    'Publishes the frequency too.',
    (p, reached) => ({
      ...p,
      decode: (words, config) => {
        reached()
        return p.decode(words, { ...config, frequency: true })
      },
    }),
  ],
})

export const gridkeyDefects: readonly Defect<GridkeyParts>[] = [
  ...sensorDefects<GridkeyConfig, Reading, Memory | undefined>('gridkey-app', 'feeder1.l1.current'),
  ...own,
  ...sensorVariants<GridkeyConfig, Reading, Memory | undefined>('gridkey-app'),
  ...variants,
]
