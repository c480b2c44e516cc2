/**
 * Temperatures are stored for other apps: by default sensor data is not (LV-CAP API 8.3), so the temperature app is told to
 * ask for it. Then an app of somebody else asks Data Storage for them, by the query that the API has for history.
 */
import { readBack, scenario } from '../../bench/index.ts'

const instance = 'eatl_modbusrtusensor_01'

export default scenario({
  title: 'Temperatures that the platform has stored can be read by another app, as they were published',
  verifies: ['M:0025/readable'],
  needs: ['platform', 'thermocouple', 'storage'],
  catches: {
    'data-storage/keeps-nothing-of-sensors': 'M:0025/readable',
    'data-storage/forgets-the-sub-topic': 'M:0025/readable',
    'temperature-app/never-asks-to-store': 'M:0025/readable',
  },
  horizon: '5 min',
  short: '80 s',
  prove: '3 min',
  async run({ platform, thermocouple, time, check }) {
    thermocouple.set('ambient', { mean: 1, swing: 6, period: '5 min' })
    thermocouple.set('top_oil', { mean: 48, swing: 12, period: '5 min' })
    await platform.ask('operator', {
      do: 'change',
      app: 'thermocouple',
      config: { interval: 10, toStore: true },
    })
    // From the first output on that asks for it.
    await time.pass('12 s')
    check(
      readBack(platform.watch('marketplace', '*'), platform.watch('storage', 'storage.*'), {
        id: 'read-back',
        verifies: ['M:0025/readable'],
        instance,
        query: 'temperatures',
      }),
    )
    await time.pass(time.horizon - 12_000)
    await platform.ask('storage', {
      do: 'query',
      name: 'temperatures',
      request: { InstanceID: instance, MaxLength: 1000 },
    })
  },
})
