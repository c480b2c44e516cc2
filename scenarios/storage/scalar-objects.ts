/** Readings of both sensor apps are Scalar objects, key by key (LV-CAP API 9.1). */
import { scalarFormat, scenario } from '../../bench/index.ts'

export default scenario({
  title: 'Readings are Scalar objects with the keys and types that the API gives them',
  verifies: ['API:9.1'],
  needs: ['platform', 'gridkey', 'thermocouple'],
  catches: {
    'gridkey-app/without-valid': 'API:9.1/keys',
    'gridkey-app/value-as-text': 'API:9.1/keys',
    'gridkey-app/timestamp-with-fraction': 'API:9.1/keys',
    'temperature-app/value-as-text': 'API:9.1/keys',
    'temperature-app/timestamp-with-fraction': 'API:9.1/keys',
  },
  horizon: '10 min',
  short: '90 s',
  prove: '10 min',
  async run({ platform, gridkey, thermocouple, time, check, load }) {
    gridkey.follow(load('winter-weekday'))
    thermocouple.set('ambient', { mean: 1, swing: 6, period: '24 h' })
    await platform.ask('config', { app: 'gridkey', intervalSeconds: 10 })
    await platform.ask('config', { app: 'thermocouple', intervalSeconds: 10 })
    for (const role of ['gridkey', 'thermocouple'] as const)
      check(
        scalarFormat(platform.watch('marketplace', `${role}.*`), {
          id: `${role}-scalars`,
          verifies: ['API:9.1/keys'],
        }),
      )
    await time.pass(time.horizon)
  },
})
