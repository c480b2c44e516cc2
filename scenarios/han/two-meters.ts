/** Two meters of different makers at once: other line settings, another dialect, on a line of its own each. */
import { listsArrive, scenario } from '../../bench/index.ts'
import { oftenLong } from './_lists.ts'

export default scenario({
  title:
    'Two meters that speak different dialects on lines that are set differently are read at the same time',
  verifies: ['SR-2.2', 'SR-1.3.1/obis'],
  needs: ['reader', 'meter', 'meter2', 'cloud'],
  catches: {
    'han-logger/kaifa-alone': 'SR-2.2/several-protocols',
    'han-logger/drops-while-sending': 'SR-2.2/several-protocols',
    'han-logger/kamstrup-energies-in-wh': 'SR-1.3.1/obis',
  },
  horizon: '3 min',
  short: '75 s',
  prove: '2 min',
  async run({ reader, cloud, time, check }) {
    await reader.rewire({
      meter: { cadence: oftenLong },
      meter2: { cadence: { list_1: { every: '10 s' }, list_3: { every: '30 s', at: '5 s' } } },
    })
    for (const meter of ['meter', 'meter2'] as const)
      check(
        listsArrive(cloud.readings, {
          id: meter,
          // Of the other one too: else its lists would look invented.
          meters: ['meter', 'meter2'],
          of: meter,
          verifies: ['SR-2.2/several-protocols', 'SR-1.3.1/obis'],
        }),
      )
    await time.pass(time.horizon)
  },
})
