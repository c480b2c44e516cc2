/**
 * A day of one-minute capture from both kinds of sensor. The load follows a winter weekday, the temperatures their
 * daily course, so that every reading differs from the one before and an old one cannot pass for a new one.
 */
import {
  arrivesEvery,
  equalsTruth,
  gridkeyChannels,
  noGrowth,
  scalarFormat,
  scenario,
  stampedByPlatformClock,
  temperatureChannels,
} from '../../bench/index.ts'

export default scenario({
  title:
    'Feeder and temperature readings arrive once a minute, true and rightly stamped, for as long as anyone watches',
  verifies: [
    'M:0022',
    'M:0023',
    'M:0027',
    'I:0047',
    'I:0048',
    'I:0062/every-minute',
    'I:0068/every-minute',
    'I:0070/every-minute',
  ],
  needs: ['platform', 'gridkey', 'thermocouple'],
  catches: {},
  horizon: '24 h',
  short: '6 min',
  prove: '3 h',
  async run({ platform, gridkey, thermocouple, time, check, load }) {
    gridkey.follow(load('winter-weekday'))
    thermocouple.set('ambient', { mean: 4, swing: 5, period: '24 h' })
    thermocouple.set('indoor', { mean: 14, swing: 3, period: '24 h' })
    thermocouple.set('top_oil', { mean: 48, swing: 12, period: '24 h' })
    await platform.ask('config', { app: 'gridkey', intervalSeconds: 60 })
    await platform.ask('config', { app: 'thermocouple', intervalSeconds: 60 })

    const feeder = platform.watch('marketplace', 'gridkey.*')
    const voltage = platform.watch('marketplace', 'gridkey.busbar.*')
    const current = platform.watch('marketplace', 'gridkey.feeder*')
    const temperature = platform.watch('marketplace', 'thermocouple.*')
    const health = platform.watch('log', 'log.health')
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
        verifies: ['M:0022/current', 'I:0048'],
        channels: gridkeyChannels.filter((c) => c.includes('.feeder')),
      }),
    )
    check(
      equalsTruth(temperature, thermocouple, {
        id: 'temperature-true',
        verifies: ['M:0027/timestamp'],
        resolution: { '°C': 0.1 },
        channels: temperatureChannels,
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
        retain: false,
      }),
    )
    check(
      scalarFormat(temperature, {
        id: 'temperature-format',
        verifies: ['M:0027/timestamp'],
        value: 'number',
        retain: false,
      }),
    )
    // "Indefinite" is read as a soak of 24 h in which nothing grows (our reading).
    check(
      noGrowth(health, {
        id: 'nothing-grows',
        verifies: ['M:0023/indefinite'],
        growth: '5 %',
        slack: 4,
        warmUp: '10 min',
        least: '24 h',
        needs: ['log'],
      }),
    )
    await time.pass(time.horizon)
  },
})
