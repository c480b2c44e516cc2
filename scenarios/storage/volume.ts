/**
 * M:004 by analysis: the bytes of a day in the recorder's files, reckoned up to 18 months and laid beside the disk of
 * I:0038. The rates that the requirements ask for are a minute (M:0023, M:0027) and ten seconds (M:0024, S:003); that a
 * second would not do is told with the rest. No neighbour is asked for here, as a lab may have none: what one would send is
 * bounded by what our own sensors deliver (scenarios/storage/volume-with-neighbour.ts measures it).
 */
import { scenario, volumeFits, volumeMeasured } from '../../bench/index.ts'

export default scenario({
  title: 'Eighteen months of readings and results fit the disk, by the bytes of a day',
  verifies: ['M:004/sensor-data', 'M:004/app-data', 'M:004/total-fits'],
  needs: ['platform', 'gridkey', 'thermocouple', 'recorder'],
  catches: {
    'csv-recorder/drops-on-burst': 'M:004/sensor-data',
    'csv-recorder/rotates-away-unread': 'M:004/sensor-data',
    'csv-recorder/only-measurements': 'M:004/app-data',
    'csv-recorder/pads-lines': 'M:004/total-fits',
  },
  horizon: '24 h',
  short: '90 s',
  prove: '1 h',
  async run({ platform, gridkey, thermocouple, recorder, time, check, load }) {
    gridkey.follow(load('winter-weekday'))
    thermocouple.set('top_oil', { mean: 48, swing: 12, period: '24 h' })
    const all = platform.watch('marketplace', '*')
    const interval = '60 s'
    const least = '24 h'
    check(
      volumeMeasured(all, recorder.lines, 'sensors', {
        id: 'sensor-volume',
        verifies: ['M:004/sensor-data'],
        interval,
        least,
      }),
    )
    check(
      volumeMeasured(all, recorder.lines, 'apps', {
        id: 'app-volume',
        verifies: ['M:004/app-data'],
        interval,
        least,
      }),
    )
    check(
      volumeFits(all, recorder.lines, {
        id: 'fits-the-disk',
        verifies: ['M:004/total-fits'],
        interval,
        at: ['60 s', '10 s'],
        tell: ['1 s'],
        least,
      }),
    )
    await platform.ask('config', { app: 'gridkey', intervalSeconds: 60 })
    await platform.ask('config', { app: 'thermocouple', intervalSeconds: 60 })
    await time.pass(time.horizon)
    await recorder.collect('sums')
  },
})
