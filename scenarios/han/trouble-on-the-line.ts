/**
 * What readers in the field trip over: bytes in a frame that look like flags or escapes, damage, noise, pauses, clocks that
 * end otherwise, a clock that goes back in October, registers that go back. What arrives sound is read; nothing else is told.
 */
import { listsArrive, scenario } from '../../bench/index.ts'
import { oftenLong } from './_lists.ts'

export default scenario({
  title:
    'Whatever is wrong with a meter or its line, each list that arrives sound is read, and nothing else is told',
  verifies: ['SR-1/communicates', 'SR-1.3', 'SR-1.3.1/dlms-cosem'],
  needs: ['reader', 'meter', 'cloud'],
  catches: {
    'han-logger/waits-for-list-2': 'SR-1.3/list-1',
    'han-logger/frames-by-flags': 'SR-1.3/list-1',
    'han-logger/unstuffs-bytes': 'SR-1.3/list-1',
    'han-logger/checks-no-fcs': 'SR-1.3.1/dlms-cosem',
    'han-logger/resynchronises-late': 'SR-1.3/list-1',
    'han-logger/gives-up-after-half-a-second': 'SR-1.3/list-1',
    'han-logger/finds-lists-by-clock': 'SR-1.3/list-1',
    'han-logger/stamps-by-the-meters-clock': 'SR-1.3/list-3',
  },
  horizon: '8 min',
  short: '100 s',
  prove: '6 min',
  async run({ reader, meter, cloud, time, check }) {
    await reader.rewire({ meter: { cadence: oftenLong } })
    const first = meter.inflict('list-1-only')
    // It has not seen a List 2 yet.
    await reader.ask('machine', { do: 'restart' })
    check(
      listsArrive(cloud.readings, {
        id: 'read',
        // A damaged frame may be told from its length only when the line has been silent.
        within: '10 s',
        stamps: '6 s',
        verifies: ['SR-1/communicates', 'SR-1.3/list-1', 'SR-1.3/list-2', 'SR-1.3.1/dlms-cosem'],
      }),
    )
    check(
      listsArrive(cloud.readings, {
        id: 'filed',
        lists: [3],
        within: '10 s',
        stamps: '3 s',
        verifies: ['SR-1.3/list-3'],
      }),
    )
    const troubles = [
      ['flag-inside', {}],
      ['fcs-end', { byte: 0x7d }],
      ['fcs-end', { byte: 0x7e }],
      ['wrong-fcs', { share: 0.4 }],
      ['lost-byte', { share: 0.4 }],
      ['repeated-byte', { share: 0.4 }],
      ['noise', { bytes: 12 }],
      ['bit-flips', { likelihood: 0.002 }],
      ['pause', { after: 20, ms: 700 }],
      ['clock-known', {}],
      ['clock-unset', {}],
      ['counter-back', {}],
      ['summer-time', {}],
    ] as const
    const each = time.horizon / (troubles.length + 2)
    await time.pass(each)
    first.lift()
    for (const [name, params] of troubles) {
      const fault = meter.inflict(name, params)
      await time.pass(each)
      fault.lift()
    }
    await time.pass(Math.max(each, 12_000))
  },
})
