/** One maker's meter after the other: one phase and three, codes and none, scalers and none, ciphered M-Bus in segments. */
import { listsArrive, scenario } from '../../bench/index.ts'
import type { Wiring } from '../../bench/index.ts'
import { oftenLong } from './_lists.ts'

/** Of a meter that exists nowhere else: fixtures/personalities/kaifa-ma309m.yaml. */
const meters: readonly Wiring[] = [
  { personality: 'kaifa-ma105h2e', cadence: oftenLong },
  { personality: 'kaifa-ma304h4', cadence: oftenLong },
  { personality: 'aidon-6525', cadence: oftenLong },
  {
    personality: 'kamstrup-6841',
    line: { parity: 'none', stopBits: 1 },
    cadence: { list_1: { every: '10 s' }, list_3: { every: '30 s', at: '5 s' } },
  },
]

export default scenario({
  title:
    'The meters of three makers are read, also the ciphered ones that speak M-Bus, whatever their dialect',
  verifies: ['SR-1/communicates', 'SR-1.3.1'],
  needs: ['reader', 'meter', 'cloud'],
  catches: {
    'han-logger/kaifa-alone': 'SR-1.3.1/obis',
    'han-logger/refuses-an-overflowed-length': 'SR-1/communicates',
  },
  horizon: '5 min',
  short: '110 s',
  prove: '3 min',
  async run({ reader, meter, cloud, time, check }) {
    check(listsArrive(cloud.readings, { id: 'read', verifies: ['SR-1/communicates', 'SR-1.3.1'] }))
    const part = time.horizon / (meters.length + 2)
    for (const wiring of meters) {
      await reader.rewire({ meter: wiring })
      await time.pass(part)
    }
    await reader.rewire({
      meter: {
        personality: 'kaifa-ma309m',
        line: { parity: 'even', stopBits: 1 },
        cadence: { list_2: { every: '5 s' } },
        reads: { framing: 'mbus', key: '00112233445566778899aabbccddeeff' },
      },
    })
    await time.pass(part)
    const overflow = meter.inflict('length-overflow')
    await time.pass(part)
    overflow.lift()
  },
})
