/**
 * The rating and the hot spot of now, while oil, air and load change as a day would change them in hours; then the top oil's
 * probe breaks, and later the feeder monitor falls silent: without what it needs, the app must not claim to know.
 */
import { arrivesEvery, scenario, thermalNow } from '../../bench/index.ts'

const told = ['hot_spot', 'rating'] as const

export default scenario({
  title: 'The rating of now follows the readings, and is not valid without them',
  verifies: ['M:0047', 'I:00100/thermal-ratings', 'I:00102/load', 'I:00102/temperature'],
  needs: ['platform', 'gridkey', 'thermocouple', 'forecaster'],
  catches: {
    'dtr-app/rates-in-kva': 'M:0047/rating',
    'dtr-app/rates-once': 'M:0047/up-to-date',
    'dtr-app/valid-without-input': 'M:0047/rating',
    'dtr-app/no-rating-now': 'I:00100/thermal-ratings',
    'dtr-app/ignores-the-measured-load': 'I:00102/load',
    'dtr-app/ignores-the-measured-oil': 'I:00102/temperature',
    'dtr-app/ignores-the-air': 'I:00102/temperature',
    'dtr-app/no-limit-of-load': 'M:0047/rating',
  },
  horizon: '60 min',
  short: '80 s',
  prove: '34 min',
  async run({ platform, gridkey, thermocouple, forecaster, time, check }) {
    void forecaster
    const long = time.horizon > 600_000
    const part = time.horizon / (long ? 10 : 8)
    const over = `${Math.round(2 * part)} ms`
    gridkey.command({ do: 'load', feeder: 1, amps: 250 })
    thermocouple.set('top_oil', { constant: 25 })
    thermocouple.set('ambient', { constant: -8 })
    const all = platform.watch('marketplace', '*')
    for (const which of told) {
      check(
        thermalNow(all, {
          verifies: [
            'I:00102/temperature',
            ...(which === 'hot_spot' ? ['I:00102/load'] : ['M:0047', 'I:00100/thermal-ratings']),
          ],
          which,
          within: which === 'rating' ? 0.01 : 0.5,
          transformer: 'transformer-onan',
        }),
      )
    }
    check(
      arrivesEvery('60 s', platform.watch('marketplace', 'dtr.transformer.rating'), {
        id: 'each-minute',
        verifies: ['M:0047/up-to-date', 'I:00100/thermal-ratings'],
        channels: ['dtr.transformer.rating'],
        drift: '5 %',
        least: '5 min',
      }),
    )
    await platform.ask('config', { app: 'gridkey', intervalSeconds: long ? 60 : 10, feeders: [1] })
    await platform.ask('config', { app: 'thermocouple', intervalSeconds: long ? 60 : 10 })
    await time.pass(2 * part)
    thermocouple.set('top_oil', { from: 25, to: 96, over })
    thermocouple.set('ambient', { from: -8, to: 28, over })
    gridkey.command({ do: 'load', feeder: 1, amps: 780 })
    await time.pass((long ? 2 : 6) * part)
    if (!long) return
    const broken = thermocouple.inflict('open', { input: 'top_oil' })
    await time.pass(Math.max(2 * part, 420_000))
    broken.lift()
    await time.pass(part)
    const silent = gridkey.inflict('no-reply')
    await time.pass(Math.max(2 * part, 420_000))
    silent.lift()
    await time.pass(part)
  },
})
