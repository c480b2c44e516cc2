/** The Data Upload app told to upload a part of what is stored: that part arrives, and nothing else. */
import { reachesServer, scenario } from '../../bench/index.ts'

export default scenario({
  title: 'Configured for a part of the data, the upload app sends that part and no other',
  verifies: ['M:0079/selected-subset', 'M:0085/selected-data', 'I:00116'],
  needs: ['platform', 'storage', 'centre'],
  catches: {
    'upload-app/uploads-everything': 'M:0079/selected-subset',
    'upload-app/leaves-a-row-out': 'M:0085/selected-data',
  },
  horizon: '6 min',
  short: '80 s',
  prove: '4 min',
  async run({ platform, storage, centre, time, check }) {
    const { first, second } = storage.tables
    await platform.ask('operator', {
      do: 'change',
      app: 'upload',
      config: { select: [{ iid: first, subTopic: 'power' }, { iid: second }] },
    })
    const short = time.horizon < 240_000
    check(
      reachesServer(storage.sent, centre.batches, {
        id: 'the-chosen-part',
        verifies: ['M:0079/selected-subset', 'M:0085/selected-data', 'I:00116'],
        rtu: centre.rtu,
        selected: [{ table: first, subTopic: 'power' }, { table: second }],
        within: short ? '15 s' : '90 s',
      }),
    )
    let n = 0
    const readings = (count: number): string[] =>
      Array.from(
        { length: count },
        () => `{"Timestamp":1500000000,"Value":${++n}.25,"ToStore":true,"n":${n}}`,
      )
    const rounds = Math.max(1, Math.floor((time.horizon - 180_000) / 60_000))
    for (let round = 0; round < rounds; round++) {
      await storage.publish({ messages: readings(40), kept: true, subTopic: 'power' })
      await storage.publish({ messages: readings(20), kept: true, subTopic: 'voltage' })
      await storage.publish({ messages: readings(15), kept: true })
      await storage.publish({ messages: readings(30), kept: true, as: 'second' })
      await storage.publish({ messages: readings(5), kept: true, as: 'second', subTopic: 'power/l1' })
      await time.pass(short ? '10 s' : '60 s')
    }
    await time.pass(short ? '60 s' : '3 min')
  },
})
