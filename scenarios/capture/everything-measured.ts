/**
 * Each quantity of each phase, line and input, with power flowing both ways: what the devices tell arrives on the
 * platform, under its own name, valid and true. Feeder 1 feeds back, as one with many solar panels does at noon.
 */
import {
  always,
  arrivesEvery,
  equalsTruth,
  eventually,
  gridkeyChannels,
  scenario,
  temperatureChannels,
} from '../../bench/index.ts'
import type { Event } from '../../bench/faces.ts'

function isValid(e: Event): boolean {
  const d = e.data as { readonly payload?: { readonly Valid?: unknown } }
  return d.payload?.Valid === true
}

/** Name of a check, pattern of its channels, what it shows. */
const quantities: readonly (readonly [id: string, select: string, verifies: readonly string[]])[] = [
  [
    'phase-voltage',
    'gridkey.busbar.*n.voltage',
    ['M:0021/phase-voltage', 'M:0015/voltage', 'I:0047', 'I:0046/voltage'],
  ],
  ['line-voltage', 'gridkey.busbar.l*l*.voltage', ['M:0021/line-voltage']],
  [
    'current',
    'gridkey.feeder*.current',
    ['M:0021/current', 'M:0015/load', 'I:0048/current', 'I:0046/current'],
  ],
  ['power-factor', 'gridkey.feeder*.power_factor', ['M:0021/power-factor', 'I:0048/power-factor']],
  [
    'real-power',
    'gridkey.feeder*.real_power',
    ['M:0021/real-power', 'M:0021/power-direction', 'M:0015/load', 'I:0048/real-power', 'I:0048/direction'],
  ],
  [
    'reactive-power',
    'gridkey.feeder*.reactive_power',
    ['M:0021/reactive-power', 'M:0021/power-direction', 'I:0048/reactive-power', 'I:0048/direction'],
  ],
]

export default scenario({
  title: 'Every quantity of every phase and every temperature arrives, true and with the direction of power',
  verifies: [
    'M:0013',
    'M:0014/inputs-present',
    'M:0015',
    'M:0016',
    'M:0021',
    'M:0025/collects-ambient',
    'M:0025/collects-transformer',
    'M:0026/takes-values',
    'M:0026/passes-on',
    'I:0013',
    'I:0014',
    'I:0046',
    'I:0047',
    'I:0048',
    'I:0049',
    'I:0050/indoor',
    'I:0051',
    'I:0058',
    'I:0059',
    'APPC:2.4',
    'APPC:2.5/separate-topics',
    'API:4.5/base-units',
  ],
  needs: ['platform', 'gridkey', 'thermocouple'],
  catches: {
    'gridkey-app/loses-direction': 'M:0021/power-direction',
    'gridkey-app/wrong-sign': 'I:0048/direction',
    'gridkey-app/current-with-a-sign': 'M:0021/current',
    'gridkey-app/power-factor-without-sign': 'I:0048/power-factor',
    'gridkey-app/power-factor-in-percent': 'M:0021/power-factor',
    'gridkey-app/power-in-kilowatts': 'API:4.5/base-units',
    'gridkey-app/swaps-lines': 'M:0021/line-voltage',
    'gridkey-app/line-voltage-for-phase-voltage': 'M:0021/phase-voltage',
    'gridkey-app/swaps-phases': 'M:0021/current',
    'gridkey-app/one-topic-for-all': 'APPC:2.5/separate-topics',
    'gridkey-app/wrong-topic': 'APPC:2.4/measurements',
    'gridkey-app/silent-about-feeder-five': 'M:0014/inputs-present',
    'gridkey-app/never-valid': 'M:0014/inputs-present',
    'temperature-app/wrong-topic': 'I:0049',
    'temperature-app/swaps-channels': 'M:0025/collects-ambient',
    'temperature-app/fahrenheit': 'M:0025/collects-transformer',
    'temperature-app/wrong-scale': 'I:0050/indoor',
    'temperature-app/ignores-its-interval': 'M:0016',
    'temperature-app/never-valid': 'M:0014/inputs-present',
    'container-manager/asks-nothing': 'M:0013',
  },
  horizon: '10 min',
  short: '140 s',
  prove: '3 min',
  async run({ platform, gridkey, thermocouple, time, check, load }) {
    check(
      eventually(platform.watch('marketplace', 'status.request'), () => true, {
        id: 'comes-up',
        limit: 'the Container Manager asks after its apps within 160 s (its interval is 120 s by default)',
        verifies: ['M:0013'],
        by: '160 s',
      }),
    )
    gridkey.follow(load('winter-weekday'))
    gridkey.command({ do: 'load', feeder: 1, amps: -85 })
    gridkey.command({ do: 'power-factor', feeder: 3, powerFactor: 0.8 })
    thermocouple.set('ambient', { from: -3, to: 1, over: '10 min' })
    thermocouple.set('indoor', { from: 13, to: 17, over: '10 min' })
    thermocouple.set('top_oil', { from: 52, to: 58, over: '10 min' })
    await platform.ask('config', { app: 'gridkey', intervalSeconds: 10 })
    await platform.ask('config', { app: 'thermocouple', intervalSeconds: 10 })

    const feeder = platform.watch('marketplace', 'gridkey.*')
    const temperature = platform.watch('marketplace', 'thermocouple.*')
    check(
      arrivesEvery('10 s', feeder, {
        id: 'feeder-channels',
        verifies: [
          'APPC:2.4',
          'APPC:2.5/separate-topics',
          'I:0046/sufficient',
          'I:0013',
          'M:0014/inputs-present',
        ],
        gap: '±2 s',
        drift: '1 %',
        channels: gridkeyChannels,
        start: '25 s',
      }),
    )
    check(
      arrivesEvery('10 s', temperature, {
        id: 'temperature-channels',
        verifies: ['I:0014', 'M:0014/inputs-present', 'M:0016'],
        gap: '±2 s',
        drift: '1 %',
        channels: temperatureChannels,
        start: '25 s',
      }),
    )
    for (const [id, series] of [
      ['feeder-valid', feeder],
      ['temperature-valid', temperature],
    ] as const)
      check(
        always(series, isValid, {
          id,
          limit: 'every reading of a healthy device is valid',
          verifies: ['M:0014/inputs-present'],
        }),
      )
    for (const [id, select, verifies] of quantities)
      check(
        equalsTruth(platform.watch('marketplace', select), gridkey, {
          id,
          verifies: [...verifies, 'I:0013', 'I:0058', 'I:0059', 'API:4.5/base-units'],
          channels: gridkeyChannels.filter((c) => matches(c, select)),
        }),
      )
    for (const [input, verifies] of [
      ['ambient', ['I:0049', 'M:0021/outdoor-temperature', 'I:0014/ambient', 'M:0025/collects-ambient']],
      ['indoor', ['I:0050/indoor', 'M:0021/indoor-temperature']],
      [
        'top_oil',
        ['I:0051', 'M:0021/top-oil-temperature', 'I:0014/transformer', 'M:0025/collects-transformer'],
      ],
    ] as const)
      check(
        equalsTruth(platform.watch('marketplace', `thermocouple.${input}.*`), thermocouple, {
          id: input.replace('_', '-'),
          verifies: [...verifies, 'M:0016', 'M:0026/takes-values', 'M:0026/passes-on'],
          channels: [`thermocouple.${input}.temperature`],
        }),
      )
    await time.pass(time.horizon)
  },
})

/** Whether a channel fits a pattern with `*`. */
function matches(channel: string, pattern: string): boolean {
  return new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '.*')}$`).test(channel)
}
