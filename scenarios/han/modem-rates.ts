/**
 * The reader reaches the cloud by a serial modem at one rate after the other. TLS runs through all of it: at 300 baud the
 * handshake alone takes minutes, so lists are sent less often there. What a short run has no time for, it says.
 */
import { listsArrive, scenario } from '../../bench/index.ts'

/** Rate, length of its part in s, and how often List 1 and List 2 come. */
const parts = [
  [115200, 20, '4 s', '10 s'],
  [57600, 20, '4 s', '10 s'],
  [38400, 20, '4 s', '10 s'],
  [19200, 25, '4 s', '10 s'],
  [9600, 30, '4 s', '10 s'],
  [2400, 120, '10 s', '30 s'],
  [1200, 200, '20 s', '1 min'],
  [300, 660, '1 min', '3 min'],
] as const

export default scenario({
  title:
    'Through a serial modem at each rate from 300 to 115200 baud, everything that the meter says reaches the cloud',
  verifies: ['SR-3.1/transfer', 'SR-3.1.1', 'SR-3.1.2'],
  needs: ['reader', 'meter', 'modem', 'cloud'],
  catches: {
    'han-logger/drops-while-sending': 'SR-3.1.1/baud-115200',
    'han-logger/raw-counts': 'SR-3.1.1/baud-300',
    'han-logger/tells-twice': 'SR-3.1/transfer',
  },
  horizon: '24 min',
  short: '2 min',
  prove: '24 min',
  async run({ reader, cloud, time, check }) {
    let begun = 0
    for (const [rate, length, first, second] of parts) {
      const slow = rate <= 2400
      check(
        listsArrive(cloud.readings, {
          id: `baud-${rate}`,
          modem: rate,
          within: slow ? '6 min' : '15 s',
          afterOutage: slow ? '8 min' : '30 s',
          verifies: [
            `SR-3.1.1/baud-${rate}`,
            ...(slow ? [] : (['SR-3.1/transfer', 'SR-3.1.2/uart'] as const)),
          ],
          ...(slow ? { least: '4 min' } : {}),
        }),
      )
      if (begun + length * 1000 > time.horizon) continue
      begun += length * 1000
      await reader.rewire({
        modem: { baudRate: rate },
        meter: { cadence: { list_1: { every: first }, list_2: { every: second } } },
      })
      await time.pass(length * 1000)
    }
    await time.pass(Math.max(0, time.horizon - begun))
  },
})
