/**
 * The predictor is given five weeks of load, and then hears the feeder monitor. At each half-hour it forecasts the next
 * 24 h of the transformer's and of the feeder's load; the expected forecast is worked out anew from what it was given and
 * from the readings that were published since. For a while the monitor does not answer, and its readings are not valid.
 */
import { forecastByMethod, forecastDue, forecastForm, scenario } from '../../bench/index.ts'

const phases = (feeder: number): readonly string[] =>
  ['l1', 'l2', 'l3'].map((p) => `gridkey.feeder${feeder}.${p}.current`)

export default scenario({
  title: 'Each half-hour there is a forecast of 48 half-hours for the transformer and for the feeder',
  verifies: ['M:0038', 'I:0084', 'I:0087', 'API:9.2'],
  needs: ['platform', 'gridkey', 'forecaster'],
  catches: {
    'predictor-app/starts-off-the-half-hour': 'M:0038/next-24-hours',
    'predictor-app/forty-seven-values': 'M:0038/next-24-hours',
    'predictor-app/starts-in-an-hour': 'M:0038/next-24-hours',
    'predictor-app/says-hours': 'M:0038/half-hourly',
    'predictor-app/once-an-hour': 'M:0038/half-hourly',
    'predictor-app/says-yesterday-again': 'I:0084/transformer',
    'predictor-app/swaps-circuits': 'I:0084/feeder',
    'predictor-app/no-feeder': 'I:0087/network',
    'predictor-app/learns-from-the-invalid': 'I:0087/asset',
    'predictor-app/learns-from-one-reading': 'I:0084/transformer',
  },
  horizon: '65 min',
  short: '40 s',
  prove: '33 min',
  async run({ platform, gridkey, forecaster, time, check, load }) {
    const profile = load('winter-weekday')
    gridkey.follow(profile)
    const all = platform.watch('marketplace', '*')
    for (const [circuit, feeder, thing] of [
      ['transformer', 1, 'asset'],
      ['feeder', 2, 'network'],
    ] as const) {
      const said = platform.watch('marketplace', `predictor.${circuit}.forecast`)
      check(
        forecastForm(said, {
          id: `form-${circuit}`,
          verifies: ['M:0038', 'API:9.2'],
          values: 48,
          interval: '30 min',
          startsAt: '30 min',
        }),
      )
      check(
        forecastDue(said, {
          id: `due-${circuit}`,
          verifies: ['M:0038/half-hourly', `I:0087/${thing}`],
          every: '30 min',
          within: '60 s',
          least: '31 min',
        }),
      )
      check(
        forecastByMethod(all, {
          verifies: [`I:0084/${circuit}`, `I:0087/${thing}`],
          circuit,
          past: forecaster.past,
          phases: phases(feeder),
          every: '60 s',
        }),
      )
    }
    await forecaster.remember({ name: 'five-weeks', load: profile, span: '35 d' })
    await platform.ask('config', { app: 'gridkey', intervalSeconds: 60, feeders: [1, 2] })
    const begun = time.now()
    const quiet = time.horizon - 15_000
    await time.pass(quiet / 8)
    const silent = gridkey.inflict('no-reply')
    await time.pass(quiet / 2)
    silent.lift()
    await time.pass(Math.max(0, time.horizon - (time.now() - begun)))
  },
})
