/**
 * The platform's clock is corrected by a time source, and sources go wrong: away, an hour off in either direction, back
 * by half a minute while outputs are due, a leap second, a drift. Stamps follow the clock; intervals do not.
 */
import {
  arrivesEvery,
  gridkeyChannels,
  scenario,
  stampedByHostClock,
  temperatureChannels,
} from '../../bench/index.ts'

/** Channels of one feeder are enough: all are stamped alike. */
const feeders = [1]
const channels = gridkeyChannels.filter((c) => c.includes('.busbar.') || c.includes('.feeder1.'))

export default scenario({
  title: 'Readings keep their interval and carry the time of the platform clock while that clock is set',
  verifies: ['APPC:2.6', 'API:4.5/whole-seconds', 'M:0022/timestamp', 'M:0027/timestamp'],
  needs: ['platform', 'gridkey', 'thermocouple', 'clock'],
  catches: {
    'gridkey-app/stamps-by-a-clock-of-its-own': 'APPC:2.6/after-a-step',
    'gridkey-app/counts-the-seconds-of-the-monitor': 'APPC:2.6/platform-clock',
    'gridkey-app/stamps-by-the-monitor': 'APPC:2.6/platform-clock',
    'gridkey-app/schedules-by-the-date': 'APPC:2.6/keeps-its-interval',
    'gridkey-app/timestamp-in-milliseconds': 'M:0022/timestamp',
    'temperature-app/stamps-by-a-clock-of-its-own': 'M:0027/timestamp',
    'temperature-app/timestamp-in-milliseconds': 'M:0027/timestamp',
    'temperature-app/schedules-by-the-date': 'APPC:2.6/keeps-its-interval',
  },
  horizon: '12 min',
  short: '2 min',
  prove: '12 min',
  async run({ platform, gridkey, thermocouple, clock, time, check, load }) {
    gridkey.follow(load('winter-weekday'))
    thermocouple.set('ambient', { mean: 1, swing: 6, period: '24 h' })
    await platform.ask('config', { app: 'gridkey', intervalSeconds: 10, feeders })
    await platform.ask('config', { app: 'thermocouple', intervalSeconds: 10 })
    const feeder = platform.watch('marketplace', 'gridkey.*')
    const temperature = platform.watch('marketplace', 'thermocouple.*')
    const whole = { least: '11 min' } as const
    check(
      stampedByHostClock(feeder, {
        id: 'feeder-stamps',
        verifies: [
          'APPC:2.6/after-a-step',
          'APPC:2.6/platform-clock',
          'API:4.5/whole-seconds',
          'M:0022/timestamp',
        ],
        within: '2 s',
        steps: 8,
        ...whole,
      }),
    )
    check(
      stampedByHostClock(temperature, {
        id: 'temperature-stamps',
        verifies: ['M:0027/timestamp'],
        within: '2 s',
        steps: 8,
        ...whole,
      }),
    )
    for (const [id, series, wanted] of [
      ['feeder-interval', feeder, channels],
      ['temperature-interval', temperature, temperatureChannels],
    ] as const)
      check(
        arrivesEvery('10 s', series, {
          id,
          verifies: ['APPC:2.6/keeps-its-interval'],
          gap: '±2 s',
          // A clock that drifts by 1000 ppm takes the timers of its host with it.
          drift: '0.2 %',
          channels: wanted,
          start: '25 s',
          stamps: 'free',
          needs: ['clock'],
          ...whole,
        }),
      )

    /** A minute off, half a minute right again. */
    const spell = async (name: string, params: Readonly<Record<string, number>>): Promise<void> => {
      const fault = clock.inflict(name, params)
      await time.pass('60 s')
      fault.lift()
      await time.pass('30 s')
    }
    // The monitor's own clock is an hour off all the time: it is nobody's business.
    const monitor = gridkey.inflict('clock-step', { seconds: 3600 })
    await time.pass('15 s')
    await spell('stepped', { seconds: -3600 })
    if (time.horizon > 120_000) {
      await spell('stepped', { seconds: 3600 })
      await spell('stepped', { seconds: -30 })
      await spell('stepped', { seconds: -1 })
      // Fast and slow by 2.4 s in a minute, so that on the whole the interval is kept.
      await spell('lying', { ppm: 40_000 })
      await spell('drifting', { ppm: -40_000 })
      await spell('absent', { ppm: 50 })
      await spell('unset', {})
    }
    monitor.lift()
    await time.pass(time.horizon > 120_000 ? '75 s' : '10 s')
  },
})
