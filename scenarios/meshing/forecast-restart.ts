/**
 * The predictor is given five weeks, and measures most of an hour in which the load is twice what it was. Then everything on
 * the platform's machine is killed and started again, with nobody's files there any more: the next forecast must come from
 * what the predictor itself had put on the disk, the measured half-hour included.
 */
import { forecastByMethod, scenario } from '../../bench/index.ts'

export default scenario({
  title: 'After a restart the predictor forecasts from what it had measured and kept',
  verifies: ['I:0088', 'I:0084'],
  needs: ['platform', 'gridkey', 'forecaster'],
  catches: {
    'predictor-app/forgets-at-restart': 'I:0088/stored-history',
    'predictor-app/swaps-circuits': 'I:0084/feeder',
  },
  horizon: '40 min',
  short: '60 s',
  async run({ platform, gridkey, forecaster, time, check, load }) {
    const profile = load('winter-weekday')
    gridkey.follow(profile)
    gridkey.command({ do: 'load', feeder: 1, amps: 90 })
    gridkey.command({ do: 'load', feeder: 2, amps: 60 })
    const all = platform.watch('marketplace', '*')
    for (const [circuit, feeder] of [
      ['transformer', 1],
      ['feeder', 2],
    ] as const)
      check(
        forecastByMethod(all, {
          verifies: ['I:0088/stored-history', `I:0084/${circuit}`],
          circuit,
          past: forecaster.past,
          phases: ['l1', 'l2', 'l3'].map((p) => `gridkey.feeder${feeder}.${p}.current`),
          every: '60 s',
        }),
      )
    await forecaster.remember({ name: 'five-weeks', load: profile, span: '35 d' })
    await platform.ask('config', { app: 'gridkey', intervalSeconds: 60, feeders: [1, 2] })
    // saved every five minutes: what is asked for is on the disk by then
    await time.pass(time.horizon - 30_000)
    await platform.ask('machine', { do: 'restart' })
    await time.pass('30 s')
  },
})
