/**
 * Meter and debugging line at once: the reader receives on one line while it sends on another, at another rate. Somebody
 * types meanwhile.
 */
import { listsArrive, scenario } from '../../bench/index.ts'
import { oftenLong } from './_lists.ts'

export default scenario({
  title:
    'While the debugging line is in use nothing is lost on the line of the meter, and the other way round',
  verifies: ['SR-2.1.3', 'SR-2.2.1'],
  needs: ['reader', 'meter', 'cloud'],
  catches: {
    'han-logger/drops-while-sending': 'SR-2.1.3/separate-lines',
    'han-logger/energies-off-by-a-row': 'SR-2.2.1/meter-line',
    'han-logger/tells-twice': 'SR-2.2.1/debug-line',
  },
  horizon: '2 min',
  short: '60 s',
  async run({ reader, cloud, time, check }) {
    await reader.openDebug()
    await reader.rewire({ meter: { cadence: oftenLong } })
    check(
      listsArrive(cloud.readings, {
        id: 'meter-line',
        verifies: ['SR-2.1.3/separate-lines', 'SR-2.2.1/meter-line'],
      }),
    )
    check(
      listsArrive(reader.debug, {
        id: 'debug-line',
        verifies: ['SR-2.1.3/separate-lines', 'SR-2.2.1/debug-line'],
      }),
    )
    const rounds = Math.floor(time.horizon / 1_500)
    for (let i = 0; i < rounds; i++) {
      await reader.type(`is anybody there? ${i}`)
      await time.pass('1500 ms')
    }
  },
})
