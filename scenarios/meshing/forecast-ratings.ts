/**
 * The thermal rating app is given the temperatures and the load of a transformer that is warmer than its load would have it,
 * on a frosty day, and two load forecasts after another: a usual evening, and one with more than half as much again. Each
 * hour of what it says is held against the bench's own transformer under that forecast. Then the forecast has too little
 * behind it to be valid.
 */
import { forecastForm, onceForEach, scenario, thermalForecast } from '../../bench/index.ts'

const outputs = ['top_oil', 'hot_spot', 'rating'] as const
const clauses = {
  top_oil: ['M:0048/temperature-profile', 'I:00100/temperature-profile'],
  hot_spot: ['M:0048/temperature-profile', 'I:00100/temperature-profile'],
  rating: ['M:0050/hourly'],
} as const

export default scenario({
  title: 'Each load forecast is followed by the temperatures and the rating of each hour, computed from it',
  verifies: ['M:0048', 'M:0049', 'M:0050', 'I:00100/temperature-profile', 'I:00102'],
  needs: ['platform', 'gridkey', 'thermocouple', 'forecaster'],
  catches: {
    'dtr-app/mean-of-the-hour': 'M:0048/temperature-profile',
    'dtr-app/rates-for-ever': 'M:0050/hourly',
    'dtr-app/rates-the-first-hour-for-all': 'M:0050/hourly',
    'dtr-app/rates-in-kva': 'M:0050/hourly',
    'dtr-app/rates-half-hours': 'M:0050/hourly',
    'dtr-app/no-limit-of-load': 'M:0050/hourly',
    'dtr-app/twenty-three-hours': 'M:0050/next-24-hours',
    'dtr-app/ignores-the-measured-oil': 'I:00102/temperature',
    'dtr-app/ignores-the-air': 'I:00102/temperature',
    'dtr-app/ignores-the-measured-load': 'I:00102/load',
    'dtr-app/ignores-all-forecasts': 'M:0048/uses-load-forecast',
    'dtr-app/ignores-the-new-forecast': 'M:0049/based-on-it',
    'dtr-app/takes-any-forecast': 'M:0049/based-on-it',
    'dtr-app/tells-twice': 'M:0049/after-each-forecast',
    'dtr-app/skips-every-other': 'M:0049/after-each-forecast',
    'dtr-app/no-temperature-profile': 'I:00100/temperature-profile',
    'predictor-app/forty-seven-values': 'M:0050/next-24-hours',
  },
  horizon: '80 s',
  async run({ platform, gridkey, thermocouple, forecaster, time, check, load }) {
    // an evening peak of 1.1 times the rated load
    const profile = { ...load('winter-weekday') }
    const usual = 'csv' in profile ? profile : { ...profile, scale: 4 }
    gridkey.follow(usual)
    gridkey.command({ do: 'load', feeder: 1, amps: 600 })
    thermocouple.set('top_oil', { constant: 90 })
    thermocouple.set('ambient', { constant: -6 })
    const all = platform.watch('marketplace', '*')
    const said = (which: string) => platform.watch('marketplace', `dtr.transformer.${which}.forecast`)
    for (const which of outputs) {
      check(
        thermalForecast(all, {
          verifies: [
            ...clauses[which],
            'M:0048/uses-load-forecast',
            'M:0049/based-on-it',
            'I:00102/temperature',
            'I:00102/load-forecast',
            // what the load of the last hour has left is the hot spot's rise over the oil
            ...(which === 'top_oil' ? [] : ['I:00102/load']),
          ],
          which,
          within: which === 'rating' ? 0.01 : 0.5,
          transformer: 'transformer-onan',
        }),
      )
      check(
        forecastForm(said(which), {
          id: `form-${which}`,
          verifies: which === 'rating' ? ['M:0050'] : ['M:0048/temperature-profile'],
          values: 24,
          interval: '60 min',
          startsAt: '30 min',
        }),
      )
    }
    check(
      onceForEach(platform.watch('marketplace', 'predictor.transformer.forecast'), outputs.map(said), {
        verifies: ['M:0049/after-each-forecast', 'I:00100/temperature-profile'],
        within: 10,
      }),
    )
    await platform.ask('config', { app: 'gridkey', intervalSeconds: 10, feeders: [1, 2] })
    await platform.ask('config', { app: 'thermocouple', intervalSeconds: 10 })
    await time.pass('22 s')
    await forecaster.remember({ name: 'usual', load: usual, span: '30 d' })
    await time.pass('12 s')
    await forecaster.remember({
      name: 'more',
      load: usual,
      span: '30 d',
      changes: [{ from: '30 d', to: '0 s', times: 1.6 }],
    })
    await time.pass('12 s')
    await forecaster.remember({ name: 'too-short', load: usual, span: '8 d' })
    await time.pass('12 s')
  },
})
