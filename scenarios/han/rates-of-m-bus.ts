/** The rates of M-Bus, 300 to 9600 baud. At 300 a list is longer than its slot: the meter leaves out what does not fit. */
import { scenario } from '../../bench/index.ts'
import { throughRates } from './_rates.ts'

export default scenario({
  title: 'The reader receives without error at each rate of M-Bus, from 300 to 9600 baud',
  verifies: ['SR-2.1.1'],
  needs: ['reader', 'meter', 'cloud'],
  catches: {
    'han-logger/drops-while-sending': 'SR-2.1.1/baud-300',
    'han-logger/raw-counts': 'SR-2.1.1/baud-2400',
  },
  horizon: '6 min',
  short: '96 s',
  prove: '3 min',
  run: (cast) => throughRates(cast, 'SR-2.1.1', [300, 600, 1200, 2400, 4800, 9600]),
})
