/**
 * The way to the cloud breaks, the cloud hears and says nothing, and the reader is killed meanwhile: what the meter said
 * arrives all the same, once there is somebody to take it. The reader of the thesis lost it.
 */
import { listsArrive, scenario } from '../../bench/index.ts'
import { oftenLong } from './_lists.ts'

export default scenario({
  title: 'Nothing is lost while the cloud is away or mute, even where the reader is killed meanwhile',
  verifies: ['SR-3/reaches-server', 'SR-1.3.1/on-system'],
  needs: ['reader', 'meter', 'cloud'],
  catches: {
    'han-logger/lost-while-away': 'SR-3/reaches-server',
    'han-logger/kept-in-memory': 'SR-3/reaches-server',
    'han-logger/forgets-when-sent': 'SR-3/reaches-server',
    'han-logger/qos-0': 'SR-3/reaches-server',
    'han-logger/numbers-anew': 'SR-3/reaches-server',
  },
  horizon: '6 min',
  short: '110 s',
  prove: '3 min',
  async run({ reader, cloud, time, check }) {
    await reader.rewire({ meter: { cadence: oftenLong } })
    check(
      listsArrive(cloud.readings, {
        id: 'nothing-lost',
        // However late it comes, it says when the list arrived at the reader.
        stamps: '3 s',
        verifies: ['SR-3/reaches-server', 'SR-1.3.1/on-system'],
      }),
    )
    const part = (time.horizon - 45_000) / 4
    await time.pass(part)
    const away = cloud.inflict('away')
    await time.pass(part)
    await reader.ask('machine', { do: 'restart' })
    await time.pass(part)
    away.lift()
    await time.pass('15 s')
    const mute = cloud.inflict('silent')
    await time.pass(part)
    mute.lift()
    await time.pass('30 s')
  },
})
