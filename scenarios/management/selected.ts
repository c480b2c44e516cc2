/** Management Comms told to upload a part of what is stored: that part arrives, and nothing else. */
import { reachesServer, scenario } from '../../bench/index.ts'

export default scenario({
  title: 'Configured for a part of the data, Management Comms sends that part and no other',
  verifies: ['I:00124/subset'],
  needs: ['platform', 'storage', 'management'],
  catches: {
    'comms-app/uploads-everything': 'I:00124/subset',
    'comms-app/leaves-a-row-out': 'I:00124/subset',
  },
  horizon: '4 min',
  short: '60 s',
  prove: '60 s',
  async run({ platform, storage, management, time, check }) {
    const { first, second } = storage.tables
    await platform.ask('operator', {
      do: 'change',
      app: 'comms',
      config: { select: [{ iid: first, subTopic: 'power' }, { iid: second }] },
    })
    check(
      reachesServer(storage.sent, management.batches, {
        id: 'the-chosen-part',
        verifies: ['I:00124/subset'],
        rtu: management.rtu,
        selected: [{ table: first, subTopic: 'power' }, { table: second }],
        within: '25 s',
      }),
    )
    let n = 0
    const readings = (count: number): string[] =>
      Array.from(
        { length: count },
        () => `{"Timestamp":1500000000,"Value":${++n}.25,"ToStore":true,"n":${n}}`,
      )
    const rounds = Math.max(1, Math.floor((time.horizon - 30_000) / 30_000))
    for (let round = 0; round < rounds; round++) {
      await storage.publish({ messages: readings(40), kept: true, subTopic: 'power' })
      await storage.publish({ messages: readings(20), kept: true, subTopic: 'voltage' })
      await storage.publish({ messages: readings(15), kept: true })
      await storage.publish({ messages: readings(30), kept: true, as: 'second' })
      await time.pass('29 s')
    }
    await time.pass('27 s')
  },
})
