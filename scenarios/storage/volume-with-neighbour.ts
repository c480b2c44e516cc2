/**
 * M:004 by analysis, with a neighbour: the bench plays one by an app that it controls, which publishes what a neighbour's
 * platform would send. Its bytes of a day are measured as those of sensors and apps are, and the three volumes together
 * are laid beside the disk. Our own sensors are read every ten minutes here, to be quick about it, and reckoned up to the
 * rates that the requirements ask for (scenarios/storage/volume.ts measures them at a minute).
 */
import { scenario, volumeFits, volumeMeasured } from '../../bench/index.ts'
import { readingsSent, sendsReadings } from './_neighbour.ts'

export default scenario({
  title: 'What neighbours send in eighteen months fits the disk beside the rest, by the bytes of a day',
  verifies: ['M:004/peer-data', 'M:004/total-fits'],
  needs: ['platform', 'gridkey', 'recorder', 'scripted'],
  catches: {
    'csv-recorder/ignores-strangers': 'M:004/peer-data',
    'csv-recorder/pads-lines': 'M:004/total-fits',
  },
  horizon: '24 h',
  short: '90 s',
  prove: '2 h',
  async run({ platform, gridkey, recorder, scripted, time, check, load }) {
    gridkey.follow(load('winter-weekday'))
    const long = time.horizon >= 3_600_000
    // Seconds between the neighbour's readings: a minute where there is time for it.
    const between = long ? 60 : 3
    const neighbour = scripted.app('bare')
    const all = platform.watch('marketplace', '*')
    const common = {
      interval: long ? '600 s' : '10 s',
      neighbours: { instances: [neighbour.iid], interval: `${between} s` },
      least: '24 h',
    }
    check(
      volumeMeasured(all, recorder.lines, 'neighbours', {
        id: 'neighbour-volume',
        verifies: ['M:004/peer-data'],
        ...common,
      }),
    )
    check(
      volumeFits(all, recorder.lines, {
        id: 'fits-with-neighbour',
        verifies: ['M:004/total-fits'],
        at: ['60 s', '10 s'],
        tell: ['1 s'],
        ...common,
      }),
    )
    await platform.ask('config', { app: 'gridkey', intervalSeconds: long ? 600 : 10 })
    // Of the apps that the bench controls none but the neighbour's has a say here, and that one hands on what came.
    for (const app of ['first', 'second', 'third', 'guid'])
      await platform.ask('operator', { do: 'shutdown', app })
    await platform.ask('operator', { do: 'configure', app: 'bare', config: { name: 'bare', pulse: 86_400 } })

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
