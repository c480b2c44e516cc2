/**
 * A day and an hour of the whole chain with few channels: over midnight, past the hours at which something that runs
 * out would run out, for both sensor apps.
 */
import {
  arrivesEvery,
  equalsTruth,
  gridkeyChannels,
  noNewNames,
  scalarFormat,
  scenario,
  stampedByPlatformClock,
  stampedOnSending,
  temperatureChannels,
} from '../../bench/index.ts'

const channels = gridkeyChannels.filter((c) => c.includes('.busbar.'))

export default scenario({
  title: 'Readings come through the night and past midnight just as at any other hour',
  verifies: [
    'M:0023/every-minute',
    'M:0027',
    'I:0062',
    'I:0068/every-minute',
    'I:0070/every-minute',
    'API:4.5/whole-seconds',
    'API:8.3.1/interval',
    'API:8.3.1/format',
    'API:8.3.1/qos-and-retention',
  ],
  needs: ['platform', 'gridkey', 'thermocouple'],
  catches: {
    'gridkey-app/skips-midnight': 'M:0023/every-minute',
    'gridkey-app/stops-after-six-hours': 'M:0023/every-minute',
    'gridkey-app/stale-timestamp': 'API:8.3.1/interval',
    'gridkey-app/answers-with-an-old-stamp': 'API:4.5/whole-seconds',
    'temperature-app/answers-with-an-old-stamp': 'API:4.5/whole-seconds',
    'gridkey-app/sends-at-qos-0': 'API:8.3.1/qos-and-retention',
    'temperature-app/sends-at-qos-0': 'API:8.3.1/qos-and-retention',
    'temperature-app/skips-midnight': 'M:0027/every-minute',
    'temperature-app/swaps-channels': 'M:0027/every-minute',
    'gridkey-app/stale-value': 'M:0023/every-minute',
    'temperature-app/stops-after-six-hours': 'I:0070/every-minute',
    'temperature-app/timestamp-in-milliseconds': 'M:0027/timestamp',
    'temperature-app/without-valid': 'API:8.3.1/format',
    'temperature-app/new-name-each-time': 'I:0068/every-minute',
  },
  horizon: '25 h',
  short: '4 min',
  prove: {
    'gridkey-app/skips-midnight': '25 h',
    'temperature-app/skips-midnight': '25 h',
    'gridkey-app/stops-after-six-hours': '7 h',
    'temperature-app/stops-after-six-hours': '7 h',
    others: '2 h',
  },
  resumable: true,
  async run({ platform, gridkey, thermocouple, time, check, load }) {
    gridkey.follow(load('summer-weekday'))
    thermocouple.set('ambient', { mean: 12, swing: 6, period: '24 h' })
    // The busbars alone are watched: one feeder keeps the app busy.
    await platform.ask('config', { app: 'gridkey', intervalSeconds: 60, feeders: [1] })
    await platform.ask('config', { app: 'thermocouple', intervalSeconds: 60 })
    const feeder = platform.watch('marketplace', 'gridkey.busbar.*')
    const temperature = platform.watch('marketplace', 'thermocouple.*')
    check(
      arrivesEvery('60 s', feeder, {
        id: 'feeder-every-minute',
        verifies: ['M:0023/every-minute', 'I:0062', 'API:8.3.1/interval'],
        gap: '±6 s',
        channels,
        start: '75 s',
      }),
    )
    check(
      arrivesEvery('60 s', temperature, {
        id: 'temperature-every-minute',
        verifies: ['M:0027/every-minute', 'I:0068/every-minute', 'I:0070/every-minute', 'API:8.3.1/interval'],
        gap: '±6 s',
        channels: temperatureChannels,
        start: '75 s',
      }),
    )
    check(
      stampedByPlatformClock(temperature, { id: 'stamps', verifies: ['M:0027/timestamp'], within: '2 s' }),
    )
    check(equalsTruth(feeder, gridkey, { id: 'feeder-values', verifies: ['M:0023/every-minute'] }))
    check(equalsTruth(temperature, thermocouple, { id: 'temperatures', verifies: ['M:0027/every-minute'] }))
    check(
      scalarFormat(platform.watch('marketplace', 'gridkey.*'), {
        id: 'feeder-format',
        verifies: ['API:8.3.1/format', 'API:8.3.1/qos-and-retention'],
        value: 'number',
        qos: 1,
        retain: false,
      }),
    )
    check(
      scalarFormat(temperature, {
        id: 'temperature-format',
        verifies: ['API:8.3.1/format', 'API:8.3.1/qos-and-retention'],
        value: 'number',
        qos: 1,
        retain: false,
      }),
    )
    check(
      stampedOnSending(platform.watch('marketplace', 'status.response.*'), {
        id: 'status-stamps',
        verifies: ['API:4.5/whole-seconds'],
        within: '2 s',
      }),
    )
    check(
      noNewNames(platform.watch('marketplace', '*'), {
        id: 'names-settle',
        verifies: ['I:0068/every-minute'],
        key: 'topic',
        warmUp: '10 min',
        atMost: 4,
        least: '25 h',
      }),
    )
    await time.pass(time.horizon)
  },
})
