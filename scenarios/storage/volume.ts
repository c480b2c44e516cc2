/**
 * M:004 by analysis: the bytes of a day in the recorder's files, reckoned up to 18 months and laid beside the disk of
 * I:0038. The rates that the requirements ask for are a minute (M:0023, M:0027) and ten seconds (M:0024, S:003); that a
 * second would not do is told with the rest. The neighbour is played: an app that the bench controls publishes what one
 * would send, and its bytes are measured as all others are.
 */
import { scenario, volumeFits, volumeMeasured } from '../../bench/index.ts'
import { readingsSent, sendsReadings } from './_neighbour.ts'

export default scenario({
  title: 'Eighteen months of readings and results fit the disk, by the bytes of a day',
  verifies: ['M:004/sensor-data', 'M:004/app-data', 'M:004/peer-data', 'M:004/total-fits'],
  needs: ['platform', 'gridkey', 'thermocouple', 'recorder', 'scripted'],
  catches: {
    'csv-recorder/drops-on-burst': 'M:004/sensor-data',
    'csv-recorder/rotates-away-unread': 'M:004/sensor-data',
    'csv-recorder/only-measurements': 'M:004/app-data',
    'csv-recorder/ignores-strangers': 'M:004/peer-data',
    'csv-recorder/pads-lines': 'M:004/total-fits',
  },
  horizon: '24 h',
  short: '90 s',
  prove: '1 h',
  async run({ platform, gridkey, thermocouple, recorder, scripted, time, check, load }) {
    gridkey.follow(load('winter-weekday'))
    thermocouple.set('top_oil', { mean: 48, swing: 12, period: '24 h' })
    const all = platform.watch('marketplace', '*')
    const interval = '60 s'
    const least = '24 h'
    const neighbour = scripted.app('bare')
    const neighbours = [neighbour.iid]
    check(
      volumeMeasured(all, recorder.lines, 'sensors', {
        id: 'sensor-volume',
        verifies: ['M:004/sensor-data'],
        interval,
        neighbours,
        least,
      }),
    )
    check(
      volumeMeasured(all, recorder.lines, 'apps', {
        id: 'app-volume',
        verifies: ['M:004/app-data'],
        interval,
        neighbours,
        least,
      }),
    )
    check(
      volumeMeasured(all, recorder.lines, 'neighbours', {
        id: 'neighbour-volume',
        verifies: ['M:004/peer-data'],
        interval,
        neighbours,
        least,
      }),
    )
    check(
      volumeFits(all, recorder.lines, {
        id: 'fits-the-disk',
        verifies: ['M:004/total-fits'],
        interval,
        neighbours,
        at: ['60 s', '10 s'],
        tell: ['1 s'],
        least,
      }),
    )
    await platform.ask('config', { app: 'gridkey', intervalSeconds: 60 })
    await platform.ask('config', { app: 'thermocouple', intervalSeconds: 60 })
    // Of the apps that the bench controls none but the neighbour's has a say here, and that one hands on what came.
    for (const app of ['first', 'second', 'third', 'guid'])
      await platform.ask('operator', { do: 'shutdown', app })
    await platform.ask('operator', { do: 'configure', app: 'bare', config: { name: 'bare', pulse: 86_400 } })

    // At the neighbour's rate of a minute where there is time for it.
    const between = time.horizon >= 3_600_000 ? 60 : 3
    const every = readingsSent * between * 1000
    const settles = 10_000
    await time.pass(every - settles)
    for (let left = time.horizon - (every - settles); left > 0; left -= every) {
      sendsReadings(neighbour, time.now(), between)
      await time.pass(Math.min(left, every))
    }
    await recorder.collect('sums')
  },
})
