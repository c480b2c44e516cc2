/**
 * The modem says nothing, reaches nobody, is busy, starts anew again and again, is slow; and the reader is killed while it
 * may still be connected. What the meter said arrives all the same.
 */
import { listsArrive, scenario } from '../../bench/index.ts'

export default scenario({
  title: 'Whatever is wrong with the modem, nothing that the meter said is lost on its way through it',
  verifies: ['SR-3.1/transfer', 'SR-3.1.2', 'SR-3/reaches-server'],
  needs: ['reader', 'meter', 'modem', 'cloud'],
  catches: {
    'han-logger/lost-while-away': 'SR-3.1/transfer',
    'han-logger/kept-in-memory': 'SR-3/reaches-server',
    'han-logger/forgets-when-sent': 'SR-3.1.2/uart',
    'han-logger/qos-0': 'SR-3.1.2/uart',
  },
  horizon: '10 min',
  short: '2 min',
  prove: '8 min',
  async run({ reader, modem, cloud, time, check }) {
    check(
      listsArrive(cloud.readings, {
        id: 'nothing-lost',
        // The modem may have to be brought back to commands first, and called again.
        afterOutage: '55 s',
        within: '10 s',
        verifies: ['SR-3.1/transfer', 'SR-3.1.2/uart', 'SR-3/reaches-server'],
      }),
    )
    const troubles = ['silent', 'no-carrier', 'busy', 'resetting', 'slow'] as const
    const each = Math.max(6_000, (time.horizon - 60_000) / (2 * troubles.length + 1))
    await time.pass(each)
    for (const name of troubles) {
      const fault = modem.inflict(name)
      await time.pass(each)
      if (name === 'no-carrier') await reader.ask('machine', { do: 'restart' })
      fault.lift()
      await time.pass(each)
    }
    await time.pass('60 s')
  },
})
