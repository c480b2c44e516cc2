/**
 * A day of one-minute capture from both kinds of sensor. The load follows a winter weekday; the temperatures rise and
 * fall faster than nature's, by up to several tenths of a degree from one reading to the next, so that a reading of the
 * minute before cannot pass for a new one except where a course turns.
 */
import {
  arrivesEvery,
  equalsTruth,
  gridkeyChannels,
  never,
  noGrowth,
  noNewNames,
  scalarFormat,
  scenario,
  stampedByPlatformClock,
  temperatureChannels,
} from '../../bench/index.ts'
import type { Event } from '../../bench/faces.ts'

/** How many connections the feeder monitor counts. */
function clientsOf(e: Event): number {
  const d = e.data as { readonly payload?: unknown }
  return typeof d.payload === 'number' ? d.payload : Number.NaN
}

/** Without the direction of flow: a winter's day has no reverse power to show (capture/everything-measured has). */
const ofEachPhase = ['I:0048/current', 'I:0048/power-factor', 'I:0048/real-power', 'I:0048/reactive-power']

export default scenario({
  title:
    'Feeder and temperature readings arrive once a minute, true and rightly stamped, for as long as anyone watches',
  verifies: [
    'M:0022',
    'M:0023',
    'M:0027',
    'I:0047',
    ...ofEachPhase,
    'I:0062/every-minute',
    'I:0068',
    'I:0070',
    'I:0049/ambient',
    'I:0050/indoor',
    'I:0051/top-oil',
  ],
  needs: ['platform', 'gridkey', 'thermocouple'],
  catches: {
    'gridkey-app/skips-a-minute': 'M:0023/every-minute',
    'gridkey-app/drops-one-channel-once-an-hour': 'M:0023/every-minute',
    'gridkey-app/drifts': 'M:0023/every-minute',
    'gridkey-app/spaces-unevenly': 'M:0023/every-minute',
    'gridkey-app/stops-after-ten-minutes': 'M:0023/every-minute',
    'gridkey-app/duplicates': 'M:0023/every-minute',
    'gridkey-app/wrong-topic': 'M:0023/every-minute',
    'gridkey-app/new-name-each-time': 'M:0023/indefinite',
    'gridkey-app/leaks-connections': 'M:0023/indefinite',
    'gridkey-app/stale-timestamp': 'M:0022/timestamp',
    'gridkey-app/timestamp-in-milliseconds': 'M:0022/timestamp',
    'gridkey-app/timestamp-with-fraction': 'M:0022/timestamp',
    'gridkey-app/local-time': 'M:0022/timestamp',
    'gridkey-app/without-valid': 'M:0022/timestamp',
    'gridkey-app/value-as-text': 'M:0022/timestamp',
    'gridkey-app/stale-value': 'M:0022/current',
    'gridkey-app/smooths-values': 'M:0022/voltage',
    'gridkey-app/wrong-scale': 'M:0022/current',
    'gridkey-app/swaps-phases': 'M:0022/current',
    'gridkey-app/swaps-feeders': 'M:0022/current',
    'gridkey-app/line-voltage-for-phase-voltage': 'M:0022/voltage',
    'gridkey-app/whole-volts': 'M:0022/voltage',
    'gridkey-app/quarter-volts': 'M:0022/voltage',
    'gridkey-app/quarter-amperes': 'M:0022/current',
    'gridkey-app/swaps-words': 'M:0022/voltage',
    'gridkey-app/power-in-kilowatts': 'I:0048/real-power',
    'gridkey-app/wrong-sign': 'I:0048/real-power',
    'temperature-app/skips-a-minute': 'M:0027/every-minute',
    'temperature-app/drops-one-channel-once-an-hour': 'M:0027/every-minute',
    'temperature-app/drifts': 'M:0027/every-minute',
    'temperature-app/spaces-unevenly': 'I:0068/every-minute',
    'temperature-app/stops-after-ten-minutes': 'I:0070/every-minute',
    'temperature-app/duplicates': 'M:0027/every-minute',
    'temperature-app/stale-timestamp': 'M:0027/timestamp',
    'temperature-app/local-time': 'M:0027/timestamp',
    'temperature-app/timestamp-with-fraction': 'M:0027/timestamp',
    'temperature-app/value-as-text': 'M:0027/timestamp',
    'temperature-app/stale-value': 'I:0051/top-oil',
    'temperature-app/swaps-channels': 'I:0049/ambient',
    'temperature-app/naive-cold-junction': 'I:0051/top-oil',
    'temperature-app/forgets-cold-junction': 'I:0050/indoor',
    'temperature-app/wrong-scale': 'I:0050/indoor',
    'temperature-app/fahrenheit': 'I:0051/top-oil',
    'temperature-app/loses-the-sign': 'I:0049/ambient',
    'temperature-app/whole-degrees': 'I:0050/indoor',
    'temperature-app/quarter-degrees': 'I:0050/indoor',
    'marketplace/loses-messages': 'M:0023/every-minute',
  },
  horizon: '24 h',
  short: '4 min',
  prove: '3 h',
  resumable: true,
  async run({ platform, gridkey, thermocouple, time, check, load }) {
    gridkey.follow(load('winter-weekday'))
    thermocouple.set('ambient', { mean: 1, swing: 6, period: '75 min' })
    thermocouple.set('indoor', { mean: 14, swing: 3, period: '40 min' })
    thermocouple.set('top_oil', { mean: 48, swing: 12, period: '110 min' })
    await platform.ask('config', { app: 'gridkey', intervalSeconds: 60 })
    await platform.ask('config', { app: 'thermocouple', intervalSeconds: 60 })

    const feeder = platform.watch('marketplace', 'gridkey.*')
    const voltage = platform.watch('marketplace', 'gridkey.busbar.*')
    const current = platform.watch('marketplace', 'gridkey.feeder*')
    const temperature = platform.watch('marketplace', 'thermocouple.*')
    const held = { src: 'host', kind: 'seen', select: 'host.*' } as const
    const start = '75 s'

    check(
      arrivesEvery('60 s', feeder, {
        id: 'feeder-every-minute',
        verifies: ['M:0023/every-minute', 'I:0062/every-minute'],
        gap: '±6 s',
        channels: gridkeyChannels,
        start,
      }),
    )
    check(
      arrivesEvery('60 s', temperature, {
        id: 'temperature-every-minute',
        verifies: ['M:0027/every-minute', 'I:0068/every-minute', 'I:0070/every-minute'],
        gap: '±6 s',
        channels: temperatureChannels,
        start,
      }),
    )
    check(
      equalsTruth(voltage, gridkey, {
        id: 'voltage-true',
        verifies: ['M:0022/voltage', 'I:0047'],
        channels: gridkeyChannels.filter((c) => c.includes('.busbar.')),
      }),
    )
    check(
      equalsTruth(current, gridkey, {
        id: 'current-true',
        verifies: ['M:0022/current', ...ofEachPhase],
        channels: gridkeyChannels.filter((c) => c.includes('.feeder')),
      }),
    )
    for (const [input, clause] of [
      ['ambient', 'I:0049/ambient'],
      ['indoor', 'I:0050/indoor'],
      ['top_oil', 'I:0051/top-oil'],
    ] as const)
      check(
        equalsTruth(platform.watch('marketplace', `thermocouple.${input}.*`), thermocouple, {
          id: `${input.replace('_', '-')}-true`,
          verifies: [clause],
          channels: [`thermocouple.${input}.temperature`],
        }),
      )
    check(
      stampedByPlatformClock(feeder, { id: 'feeder-stamps', verifies: ['M:0022/timestamp'], within: '2 s' }),
    )
    check(
      stampedByPlatformClock(temperature, {
        id: 'temperature-stamps',
        verifies: ['M:0027/timestamp'],
        within: '2 s',
      }),
    )
    check(
      scalarFormat(feeder, {
        id: 'feeder-format',
        verifies: ['M:0022/timestamp'],
        value: 'number',
      }),
    )
    check(
      scalarFormat(temperature, {
        id: 'temperature-format',
        verifies: ['M:0027/timestamp'],
        value: 'number',
      }),
    )
    // "Indefinite" is read as a soak of 24 h in which nothing grows (our reading).
    check(
      noGrowth(held, {
        id: 'nothing-grows',
        verifies: ['M:0023/indefinite', 'I:0068/indefinite', 'I:0070/throughout'],
        figures: ['handles [1]', 'timers [1]', 'memory [B]'],
        growth: '10 %',
        slack: 4,
        warmUp: '30 min',
        least: '24 h',
      }),
    )
    check(
      never({ src: 'gridkey', kind: 'wire', select: 'gridkey.clients' }, (e) => clientsOf(e) > 4, {
        id: 'few-connections',
        limit: 'never more than 4 connections to the feeder monitor at once (ours)',
        verifies: ['M:0023/indefinite'],
        alive: feeder,
        least: '24 h',
      }),
    )
    check(
      noNewNames(platform.watch('marketplace', '*'), {
        id: 'names-settle',
        verifies: ['M:0023/indefinite'],
        key: 'topic',
        warmUp: '10 min',
        atMost: 4,
        least: '24 h',
      }),
    )
    await time.pass(time.horizon)
  },
})
