/** More messages at once than an app publishes in a month: each is stored, or was never acknowledged. */
import { answered, nothingLost, scenario } from '../../bench/index.ts'

export default scenario({
  title: 'A flood of messages is stored to the last one, while queries are still answered',
  verifies: ['API:7/flood', 'API:7/nothing-lost', 'API:8.5/statuses'],
  needs: ['platform', 'storage'],
  catches: {
    'data-storage/loses-when-flooded': 'API:7/flood',
    'data-storage/stores-twice': 'API:7/nothing-lost',
    'data-storage/returns-uploaded-again': 'API:7/nothing-lost',
    'data-storage/one-record-too-many': 'API:8.5/statuses',
  },
  horizon: '10 min',
  short: '100 s',
  async run({ platform, storage, time, check }) {
    const uploads = platform.watch('upload', 'upload.*')
    const messages = time.horizon > 300_000 ? 50_000 : 2_000
    check(
      nothingLost(storage.sent, uploads, {
        id: 'to-the-last',
        verifies: ['API:7/flood', 'API:7/nothing-lost'],
        within: '60 s',
      }),
    )
    check(
      answered(
        uploads,
        { meanwhile: { status: [1, 2, 7, 8], rows: [0, 100] } },
        { id: 'still-answers', verifies: ['API:8.5/statuses'] },
      ),
    )
    const flood = (from: number, to: number): string[] =>
      Array.from({ length: to - from }, (_, i) => `{"Timestamp":1,"Value":${from + i},"ToStore":true}`)
    const half = messages / 2
    const first = storage.publish({ subTopic: 'flood', messages: flood(0, half), kept: true })
    await storage.publish({ as: 'second', subTopic: 'flood', messages: flood(half, messages), kept: true })
    await platform.ask('upload', { do: 'query', name: 'meanwhile', request: {} })
    await first
    await time.pass('65 s')
    await platform.ask('upload', { do: 'drain', name: 'drained', request: { MaxLength: 15_000 } })
  },
})
