/**
 * Two meters, a debugging line and the cloud, with the reader confined to one core of its machine. In virtual time all of it
 * runs in one thread: what that leaves open, whether one core is fast enough, is for real time.
 */
import { listsArrive, scenario } from '../../bench/index.ts'

export default scenario({
  title:
    'Confined to one core, the reader does all of its work: two meters, the debugging line and the cloud',
  verifies: ['SR-2.1'],
  needs: ['reader', 'meter', 'meter2', 'cloud'],
  catches: {
    'han-logger/drops-while-sending': 'SR-2.1/single-core',
    'han-logger/tells-twice': 'SR-2.1/single-core',
  },
  horizon: '3 min',
  short: '60 s',
  prove: '2 min',
  async run({ reader, cloud, time, check }) {
    await reader.openDebug()
    await reader.confine()
    check(
      listsArrive(cloud.readings, {
        id: 'on-one-core',
        meters: ['meter', 'meter2'],
        verifies: ['SR-2.1/single-core'],
        needs: ['one-core'],
      }),
    )
    await time.pass(time.horizon)
  },
})
