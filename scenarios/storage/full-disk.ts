/** The disk takes nothing for a while, as when it is full, and then again: what was acknowledged is there in the end. */
import { answered, nothingLost, rowsIn, scenario } from '../../bench/index.ts'

export default scenario({
  title: 'A full disk loses nothing that was acknowledged, and queries are still answered by the book',
  verifies: ['API:7/full-disk', 'API:7/nothing-lost', 'API:8.5/reported-once'],
  needs: ['platform', 'storage'],
  catches: {
    'data-storage/forgets-on-a-full-disk': 'API:7/full-disk',
    'data-storage/acks-before-commit': 'API:7/full-disk',
    'data-storage/invalid-said-as-empty': 'API:7/full-disk',
    'data-storage/returns-uploaded-again': 'API:8.5/reported-once',
  },
  horizon: '6 min',
  short: '2 min',
  prove: '6 min',
  async run({ platform, storage, time, check }) {
    const uploads = platform.watch('upload', 'upload.*')
    const whole = time.horizon > 300_000
    const can = storage.faults.includes('disk-full')
    // Where no disk can be filled nothing is waited for either: the checks say that they cannot be judged.
    const wait = (full: string, short: string): Promise<void> =>
      time.pass(can ? (whole ? full : short) : '1 s')
    check(
      nothingLost(storage.sent, uploads, {
        id: 'nothing-lost',
        verifies: ['API:7/full-disk', 'API:7/nothing-lost', 'API:8.5/reported-once'],
        // It may take as long as the disk does, and then a while to catch up.
        within: whole ? '150 s' : '40 s',
        needs: ['disk-full'],
      }),
    )
    check(
      answered(
        uploads,
        {
          'while-full': { status: [1, 7, 8] },
          'after-a-report': { status: [1, 2, 7, 8] },
          'no-json': { status: [7, 9] },
        },
        { id: 'by-the-book', verifies: ['API:7/full-disk'], needs: ['disk-full'] },
      ),
    )
    const readings = (from: number): string[] =>
      Array.from({ length: 50 }, (_, i) => `{"Timestamp":1,"Value":${from + i},"ToStore":true}`)
    await storage.publish({ messages: readings(0), kept: true })
    await wait('15 s', '15 s')
    const full = can ? storage.inflict('disk-full') : undefined
    await storage.publish({ messages: readings(100), kept: true })
    const query = { do: 'query', request: { MaxLength: 20, PreferOldest: true } } as const
    const answer = await platform.ask('upload', { ...query, name: 'while-full' })
    await platform.ask('upload', { do: 'query', name: 'no-json', text: '{' })
    await platform.ask('upload', { do: 'report', tables: rowsIn(answer) })
    await platform.ask('upload', { ...query, name: 'after-a-report' })
    await wait('60 s', '15 s')
    await storage.publish({ as: 'second', messages: readings(200), kept: true })
    await wait('30 s', '10 s')
    full?.lift()
    await wait('20 s', '12 s')
    await storage.publish({ as: 'second', messages: readings(300), kept: true })
    await wait('160 s', '45 s')
    await platform.ask('upload', { do: 'drain', name: 'drained', request: {} })
  },
})
