/**
 * Table 7.2 of the thesis again: how long the long list takes by the rate of the line, with and without a parity bit, and at
 * which rates lists no longer fit their slots of 2 s. docs/han.md has ours beside the thesis's.
 */
import { listLatency, scenario } from '../../bench/index.ts'

const rates = [300, 1200, 2400, 4800, 9600, 19200]

export default scenario({
  title:
    'The long list takes as long as its bytes on the line, at each rate of table 7.2, and the reader adds nothing to it',
  verifies: ['SR-2.1.1/baud-300', 'SR-2.1.1/baud-2400', 'SR-2.1.1/baud-9600', 'SR-2.1.2/baud-19200'],
  needs: ['reader', 'meter', 'cloud'],
  catches: {
    'han-logger/hands-on-with-the-next': 'SR-2.1.1/baud-2400',
    'han-logger/drops-while-sending': 'SR-2.1.1/baud-2400',
  },
  horizon: '8 min',
  short: '100 s',
  prove: '6 min',
  async run({ reader, cloud, time, check }) {
    check(
      listLatency(cloud.readings, {
        // A machine that is busy with others wakes its programs late.
        beside: '1 s',
        verifies: ['SR-2.1.1/baud-300', 'SR-2.1.1/baud-2400', 'SR-2.1.1/baud-9600', 'SR-2.1.2/baud-19200'],
      }),
    )
    const settings = (['none', 'even'] as const).flatMap((parity) =>
      rates.map((baudRate) => ({ baudRate, parity })),
    )
    const each = time.horizon / settings.length
    for (const { baudRate, parity } of settings) {
      await reader.rewire({
        meter: {
          line: { baudRate, dataBits: 8, parity, stopBits: 1 },
          // The long list first, and often; List 2 in its slots between.
          cadence: { list_1: { every: '2 s' }, list_2: { every: '10 s' }, list_3: { every: '20 s' } },
        },
      })
      await time.pass(Math.max(each, 8_000))
    }
    await time.pass('11 s')
  },
})
