/**
 * Upload apps report what they have uploaded: rows leave the queue of the app that reported them, for good, through a
 * restart and a crash of Data Storage; no other row does, even where a report comes twice, or after a purge.
 */
import { answered, nothingLost, rowsIn, scenario } from '../../bench/index.ts'

export default scenario({
  title: 'What an upload app has reported never comes again, and everything else still does',
  verifies: [
    'API:8.5/own-queue',
    'API:8.5/reported-once',
    'API:8.5/late-reports',
    'API:8.5.1/purge',
    'API:7/unique-ids',
    'API:8.6/history',
    'M:0073/queue',
    'M:0081/queue',
  ],
  needs: ['platform', 'storage'],
  catches: {
    'data-storage/returns-uploaded-again': 'M:0073/queue',
    'data-storage/forgets-reports-at-a-restart': 'M:0081/queue',
    'data-storage/one-queue-for-all': 'API:8.5/own-queue',
    'data-storage/marks-the-wrong-record': 'API:8.5/late-reports',
    'data-storage/reuses-ids': 'API:7/unique-ids',
    'data-storage/never-purges': 'API:8.5.1/purge',
    'data-storage/history-only-of-new-data': 'API:8.6/history',
  },
  horizon: '5 min',
  short: '100 s',
  async run({ platform, storage, time, check }) {
    const uploads = platform.watch('upload', 'upload.*')
    const history = platform.watch('storage', 'storage.*')
    const { first } = storage.tables
    const ask = (name: string, request: object, as = 'all') =>
      platform.ask('upload', { do: 'query', name, as, request: request as never })
    const report = async (tables: readonly { name: string; ids: readonly number[] }[]): Promise<void> => {
      await platform.ask('upload', { do: 'report', tables })
    }
    const reading = (n: number): string => `{"Timestamp":1500000000,"Value":${n},"ToStore":true,"n":${n}}`
    const readings = (from: number, to: number): string[] =>
      Array.from({ length: to - from + 1 }, (_, i) => reading(from + i))

    check(
      nothingLost(storage.sent, uploads, {
        id: 'never-again',
        verifies: ['API:8.5/reported-once', 'API:7/unique-ids', 'M:0073/queue', 'M:0081/queue'],
        within: '60 s',
      }),
    )
    check(
      answered(
        uploads,
        {
          'of-the-other': { status: 1, rows: 60, numbers: [1, 60] },
          'after-the-report': { status: 1, rows: 30, numbers: [31, 60] },
        },
        { id: 'own-queue', verifies: ['API:8.5/own-queue'] },
      ),
    )
    check(
      answered(
        uploads,
        {
          'reported-twice': { status: 1, rows: 20, numbers: [41, 60] },
          'reported-after-the-purge': { status: 1, rows: 30, numbers: [101, 130] },
        },
        { id: 'late-reports', verifies: ['API:8.5/late-reports'] },
      ),
    )
    check(
      answered(
        history,
        { 'uploaded-too': { status: 1, rows: 60, tables: [first], numbers: [1, 60] } },
        { id: 'history', verifies: ['API:8.6/history'] },
      ),
    )
    check(
      answered(
        history,
        { 'after-the-purge': { status: 2, rows: 0 } },
        { id: 'purged', verifies: ['API:8.5.1/purge'] },
      ),
    )

    await storage.publish({ messages: readings(1, 60), kept: true })
    await time.pass('2 s')
    const begin = await ask('first-thirty', { InstanceID: first, MaxLength: 30, PreferOldest: true })
    await report(rowsIn(begin))
    await ask('of-the-other', { InstanceID: first }, 'late')
    const rest = await ask('after-the-report', { InstanceID: first })
    // The oldest ten of what is left, and the same report once more: QoS 1 may bring it twice.
    const ten = await ask('next-ten', { InstanceID: first, MaxLength: 10, PreferOldest: true })
    await report(rowsIn(ten))
    await report(rowsIn(ten))
    await ask('reported-twice', { InstanceID: first })
    await platform.ask('storage', { do: 'query', name: 'uploaded-too', request: { InstanceID: first } })
    await platform.ask('operator', { do: 'restart', app: 'storage' })
    await time.pass('5 s')
    await ask('after-a-restart', { InstanceID: first })
    storage.crash()
    await time.pass('5 s')
    await platform.ask('upload', { do: 'drain', name: 'drained', request: {} })

    // Everything stored is older than a second now, and gives way; then others come, under whichever IDs.
    await platform.ask('operator', {
      do: 'change',
      app: 'storage',
      config: { keep: { seconds: 1, every: 2 } },
    })
    await time.pass('6 s')
    await platform.ask('storage', { do: 'query', name: 'after-the-purge', request: { InstanceID: first } })
    await platform.ask('operator', { do: 'change', app: 'storage', config: { keep: {} } })
    await time.pass('2 s')
    await storage.publish({ messages: readings(101, 130), kept: true })
    await time.pass('2 s')
    await report(rowsIn(begin))
    await report(rowsIn(rest))
    await ask('reported-after-the-purge', { InstanceID: first })
    await platform.ask('upload', { do: 'drain', name: 'drained', request: {} })
    await time.pass('65 s')
    await platform.ask('upload', { do: 'drain', name: 'drained', request: {} })
  },
})
