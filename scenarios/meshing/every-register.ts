/**
 * An hour of readings of three breakers: the twelve values of M:0029 of each, at their rates, as the breakers answered, and in
 * the recorder's files. What flows changes all the time, contacts move, counters stand near their ends, one unit begins anew,
 * and the upper half of an uptime comes late.
 */
import { alvinChannels, atLeastEvery, equalsTruth, recordsAll, scenario } from '../../bench/index.ts'

const values = {
  bus_voltage: 'bus-voltage',
  cable_voltage: 'cable-voltage',
  link_current: 'link-current',
  open_operations: 'open-operations',
  close_operations: 'close-operations',
  watchdog_faults: 'watchdog-faults',
  chip_temperature: 'chip-temperature',
  reactive_power: 'reactive-power',
  active_power: 'active-power',
  uptime: 'uptime',
  switch_temperature: 'switch-temperature',
  fault_status: 'fault-status',
} as const

export default scenario({
  title:
    'Every value of three breakers comes at least each minute, as the breaker answered it, and is recorded',
  verifies: ['M:0029', 'M:0030', 'M:0028/from-breaker', 'M:0017/reads-three', 'I:0026', 'I:0075'],
  needs: ['platform', 'alvin', 'recorder'],
  catches: {
    'meshing-app/wrong-scale': 'M:0029/link-current',
    'meshing-app/swaps-the-voltages': 'M:0029/bus-voltage',
    'meshing-app/loses-the-sign': 'M:0029/active-power',
    'meshing-app/swaps-the-counters': 'M:0029/open-operations',
    'meshing-app/hides-a-wrap': 'M:0029/open-operations',
    'meshing-app/upper-half-of-uptime': 'M:0029/uptime',
    'meshing-app/temperatures-in-tenths': 'M:0029/switch-temperature',
    'meshing-app/counts-no-watchdog-faults': 'M:0029/watchdog-faults',
    'meshing-app/status-of-another-unit': 'I:0075',
    'meshing-app/mixes-the-phases': 'M:0017/reads-three',
    'meshing-app/reads-two-of-three': 'M:0017/reads-three',
    'meshing-app/skips-a-minute': 'M:0030/every-minute',
    'meshing-app/every-other-minute': 'M:0030/every-minute',
    'meshing-app/stops-after-ten-minutes': 'M:0030/one-hour',
    'csv-recorder/every-other-output': 'M:0029/stored',
    'csv-recorder/last-first': 'M:0029/stored',
  },
  horizon: '62 min',
  short: '80 s',
  prove: { others: '9 min', 'meshing-app/stops-after-ten-minutes': '62 min' },
  async run({ platform, alvin, recorder, time, check }) {
    const all = platform.watch('marketplace', 'alvin.*')
    for (const [name, clause] of Object.entries(values))
      check(
        equalsTruth(platform.watch('marketplace', `alvin.*.${name}`), alvin, {
          id: clause,
          verifies: [`M:0029/${clause}`, ...(name === 'fault_status' ? ['I:0075'] : [])],
        }),
      )
    check(
      equalsTruth(all, alvin, {
        id: 'three-told-apart',
        verifies: ['M:0017/reads-three', 'M:0028/from-breaker', 'I:0026'],
        channels: alvinChannels,
      }),
    )
    const slow = platform.watch('marketplace', 'alvin.*.uptime')
    for (const [id, verifies] of [
      ['each-minute', ['M:0030/every-minute']],
      ['an-hour', ['M:0030/one-hour']],
    ] as const)
      check(
        atLeastEvery('60 s', slow, {
          id,
          verifies,
          channels: ['l1', 'l2', 'l3'].map((p) => `alvin.${p}.uptime`),
          ...(id === 'an-hour' ? { least: '60 min' } : {}),
        }),
      )
    check(
      recordsAll(
        all,
        { ...recorder.lines, select: 'alvin.*' },
        {
          id: 'stored',
          verifies: ['M:0029/stored'],
          start: '3 s',
        },
      ),
    )

    // In a short run each of them comes oftener than it must.
    if (time.horizon < 5 * 60_000)
      await platform.ask('operator', { do: 'change', app: 'meshing', config: { interval: 20 } })
    alvin.command({ do: 'preset', open_operations: 65_533, close_operations: 120, watchdog_faults: 2 })
    alvin.command({ do: 'preset', phase: 'l2', uptime: 65_400 })
    alvin.command({ do: 'preset', phase: 'l3', uptime: 3_000_000 })
    alvin.command({ do: 'isolate', engaged: false })
    const steps = Math.floor(time.horizon / 30_000) - 1
    for (let k = 0; k < steps; k++) {
      for (const [i, phase] of (['l1', 'l2', 'l3'] as const).entries())
        alvin.command({
          do: 'supply',
          phase,
          busVolts: 236 + ((5 * k + 3 * i) % 9),
          cableVolts: 233 + ((7 * k + 2 * i) % 9),
          amps: 40 + ((37 * k + 71 * i) % 190),
          powerFactor: k % 3 === 0 ? -0.9 : 0.95,
        })
      // By hand, in local control: what the counters count, and the state that the status tells.
      alvin.command({ do: 'local', on: true })
      alvin.command({ do: 'operate', phase: k % 2 === 0 ? 'l1' : 'l2', to: k % 4 < 2 ? 'open' : 'closed' })
      alvin.command({ do: 'local', on: false })
      await time.pass('30 s')
    }
    await time.pass(time.horizon - steps * 30_000)
    await recorder.collect()
  },
})
