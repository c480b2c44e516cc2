/**
 * The three lists of a Norwegian meter, as they were said, at the cloud; List 3 stands in for a List 2 and carries the
 * energies of the whole hour.
 */
import { always, listsArrive, scenario } from '../../bench/index.ts'
import { isSoundJson, oftenLong } from './_lists.ts'

export default scenario({
  title:
    'What a meter says on its HAN port comes out of the reader: each list once, each value as it was said',
  verifies: [
    'SR-1/communicates',
    'SR-1.3',
    'SR-1.3.1',
    'SR-1.3.2',
    'SR-2/runs-software',
    'SR-3/reaches-server',
  ],
  needs: ['reader', 'meter', 'cloud'],
  catches: {
    'han-logger/drops-while-sending': 'SR-1.3/list-1',
    'han-logger/tells-twice': 'SR-1.3/list-1',
    'han-logger/raw-counts': 'SR-1.3/list-2',
    'han-logger/energies-off-by-a-row': 'SR-1.3/list-3',
    'han-logger/thesis-json': 'SR-1.3.2/content',
    'han-logger/trailing-comma': 'SR-1.3.2/json',
    'han-logger/shows-no-certificate': 'SR-3/reaches-server',
  },
  horizon: '2 min',
  short: '90 s',
  async run({ reader, cloud, time, check }) {
    await reader.rewire({ meter: { cadence: oftenLong } })
    const { readings } = cloud
    for (const n of [1, 2, 3])
      check(
        listsArrive(readings, {
          id: `list-${n}`,
          lists: [n],
          stamps: '3 s',
          verifies: [
            'SR-1/communicates',
            `SR-1.3/list-${n}`,
            'SR-1.3.1',
            'SR-1.3.2/content',
            'SR-2/runs-software',
            'SR-3/reaches-server',
          ],
        }),
      )
    check(
      always(readings, isSoundJson, {
        id: 'json',
        verifies: ['SR-1.3.2/json'],
        limit: 'each message is one JSON object, in which no key stands twice',
      }),
    )
    await time.pass(time.horizon)
  },
})
