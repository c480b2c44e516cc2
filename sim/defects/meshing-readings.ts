/** Defects of LV Network Meshing in what it reads of the breakers and publishes (M:0029, M:0030). */
import type { Quantity } from '../reference/lvcap/apps/meshing/config.ts'
import type { MeshingParts } from '../reference/lvcap/apps/meshing/main.ts'
import { listOf, type Defect } from './defect.ts'
import { keeps, repeatsStamp, skips, stopsAfter } from './outputs.ts'
import { objectOf } from './payload.ts'

type Wrap = Defect<MeshingParts>['wrap']

/** Changes the value of a reading. */
function valued(quantity: Quantity, change: (value: number) => number): Wrap {
  return (p, reached) => ({
    ...p,
    decode: (words, c) => {
      const reading = p.decode(words, c)
      const value = reading[quantity]
      if (value === null) return reading
      const other = change(value)
      if (other !== value) reached()
      return { ...reading, [quantity]: other }
    },
  })
}

export const meshingReadingDefects = listOf<MeshingParts>('meshing-app', 'defect', {
  'wrong-scale': ['Publishes a tenth of the current.', valued('link_current', (v) => v / 10)],
  'swaps-the-voltages': [
    'Publishes the voltage of the cable as that of the busbar, and the other way round.',
    (p, reached) => ({
      ...p,
      decode: (words, c) => {
        const r = p.decode(words, c)
        if (r.bus_voltage !== r.cable_voltage) reached()
        return { ...r, bus_voltage: r.cable_voltage, cable_voltage: r.bus_voltage }
      },
    }),
  ],
  'loses-the-sign': [
    'Publishes power without its direction.',
    (p, reached) => valued('reactive_power', Math.abs)(valued('active_power', Math.abs)(p, reached), reached),
  ],
  'swaps-the-counters': [
    'Publishes the number of openings as that of closings, and the other way round.',
    (p, reached) => ({
      ...p,
      decode: (words, c) => {
        const r = p.decode(words, c)
        if (r.open_operations !== r.close_operations) reached()
        return { ...r, open_operations: r.close_operations, close_operations: r.open_operations }
      },
    }),
  ],
  'hides-a-wrap': [
    'Never publishes a count below the one before.',
    (p, reached) => {
      let last = 0
      return valued('open_operations', (v) => {
        last = Math.max(last, v)
        return last
      })(p, reached)
    },
  ],
  'upper-half-of-uptime': [
    'Publishes the upper half of the uptime alone, in steps of 18 hours.',
    valued('uptime', (v) => Math.floor(v / 0x1_0000)),
  ],
  'believes-a-torn-uptime': [
    'Publishes the uptime however it came together.',
    (p, reached) => ({
      ...p,
      trust: (reading, memory, now, c) => {
        const judged = p.trust(reading, memory, now, c)
        const samples = judged.samples.map((s) => {
          if (s.quantity !== 'uptime' || s.valid || reading.uptime === null) return s
          reached()
          return { ...s, valid: true }
        })
        return { ...judged, samples }
      },
    }),
  ],
  'temperatures-in-tenths': [
    'Publishes tenths of a degree as degrees.',
    (p, reached) =>
      valued('chip_temperature', (v) => v * 10)(
        valued('switch_temperature', (v) => v * 10)(p, reached),
        reached,
      ),
  ],
  'counts-no-watchdog-faults': ['Publishes no watchdog faults.', valued('watchdog_faults', () => 0)],
  'status-of-another-unit': [
    'Reads the fault status of the unit after the one that it asks the rest of.',
    (p, reached) => ({
      ...p,
      read: async (bus, unit, block, ms) => {
        if (block.table !== 'holding') return p.read(bus, unit, block, ms)
        reached()
        return p.read(bus, (unit % 3) + 1, block, ms)
      },
    }),
  ],
  'mixes-the-phases': [
    'Publishes what L2 and L3 say each under the name of the other.',
    (p, reached) => ({
      ...p,
      topic: (phase, quantity, c) => {
        if (phase !== 'l1') reached()
        return p.topic(phase === 'l1' ? phase : phase === 'l2' ? 'l3' : 'l2', quantity, c)
      },
    }),
  ],
  'reads-two-of-three': [
    'Publishes nothing of the third breaker.',
    keeps(() => (messages) => messages.filter((m) => !/\/l3\//i.test(m.topic))),
  ],
  'silent-when-dead': [
    'Publishes nothing of a unit that does not answer.',
    keeps(() => (messages) => messages.filter((m) => objectOf(m.payload)['Valid'] === true)),
  ],
  'valid-when-dead': [
    'Publishes the last good value as valid where it has none.',
    (p, reached) => {
      const last = new Map<string, number>()
      return {
        ...p,
        compose: (topic, sample, stamp, c) => {
          const held = last.get(topic)
          if (sample.valid) last.set(topic, sample.value)
          if (sample.valid || held === undefined) return p.compose(topic, sample, stamp, c)
          reached()
          return p.compose(topic, { ...sample, value: held, valid: true }, stamp, c)
        },
      }
    },
  ],
  'stale-timestamp': [
    'Repeats the time stamp of the output before with every fourth output.',
    repeatsStamp(4),
  ],
  'skips-a-minute': ['Leaves out every seventh output.', skips(() => (k) => k % 7 === 0)],
  'stops-after-ten-minutes': ['Publishes nothing any more after ten minutes.', stopsAfter(600_000)],
  'every-other-minute': [
    'Reads what it reads each minute every other minute.',
    (p, reached) => ({
      ...p,
      due: (k, interval) => {
        if (interval < 60_000) return p.due(k, interval)
        reached()
        return p.due(k, 2 * interval)
      },
    }),
  ],
})
