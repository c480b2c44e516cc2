/** The usual rates of UARTs above them, 9600 to 115200 baud: the thesis's own reader lost bytes here. */
import { scenario } from '../../bench/index.ts'
import { throughRates } from './_rates.ts'

export default scenario({
  title: 'The reader receives without error at each usual rate of UARTs, from 9600 to 115200 baud',
  verifies: ['SR-2.1.2'],
  needs: ['reader', 'meter', 'cloud'],
  catches: {
    'han-logger/drops-while-sending': 'SR-2.1.2/baud-115200',
    'han-logger/raw-counts': 'SR-2.1.2/baud-9600',
  },
  horizon: '5 min',
  short: '80 s',
  prove: '150 s',
  run: (cast) => throughRates(cast, 'SR-2.1.2', [9600, 19200, 38400, 57600, 115200]),
})
