/**
 * An app with a good certificate subscribes to everything, and then reads nothing more of what it is sent. Everyone else
 * goes on as if it were not there: what they publish is acknowledged and stored, and queries are answered.
 */
import { answered, never, nothingLost, scenario, within } from '../../bench/index.ts'

/** Length of a message in bytes: fifteen hundred of them fill whatever a machine buffers for a connection. */
const large = 20_000

export default scenario({
  title: 'A subscriber that stops reading holds up nobody else',
  verifies: ['API:4.1', 'API:7/nothing-lost', 'API:8.5/statuses'],
  needs: ['platform', 'storage'],
  catches: {
    'marketplace/waits-for-the-slowest': 'API:4.1/others-served',
    'marketplace/drops-everyone': 'API:4.1/others-stay',
    'data-storage/stores-twice': 'API:7/nothing-lost',
    'data-storage/one-record-too-many': 'API:8.5/statuses',
  },
  horizon: '3 min',
  short: '80 s',
  async run({ platform, storage, time, check }) {
    const uploads = platform.watch('upload', 'upload.*')
    const marketplace = platform.watch('marketplace', '*')
    const acknowledged = { src: 'publisher', kind: 'seen', select: 'publisher.acknowledged' } as const
    check(
      within('10 s', storage.sent, acknowledged, {
        id: 'acknowledged',
        verifies: ['API:4.1/others-served'],
        limit: 'what others publish is acknowledged within 10 s (ours)',
        pairs: (sent, ack) => {
          const s = sent.data as { readonly first: number; readonly texts: readonly unknown[] }
          const a = ack.data as { readonly from: number; readonly to: number }
          return a.from <= s.first && a.to >= s.first + s.texts.length - 1
        },
      }),
    )
    check(
      answered(
        uploads,
        { meanwhile: { status: [1, 2, 7, 8], rows: [0, 1] } },
        { id: 'answered', verifies: ['API:4.1/others-served', 'API:8.5/statuses'] },
      ),
    )
    check(
      never({ src: 'marketplace', kind: 'note', select: '*' }, () => true, {
        id: 'stays',
        verifies: ['API:4.1/others-stay'],
        limit: 'the observer, who reads everything, never loses its connection',
        alive: marketplace,
      }),
    )
    check(
      nothingLost(storage.sent, uploads, {
        id: 'nothing-lost',
        verifies: ['API:7/nothing-lost'],
        within: '60 s',
      }),
    )

    let last = 0
    const burst = (messages: number): Promise<void> =>
      storage.publish({
        subTopic: 'long',
        messages: Array.from(
          { length: messages },
          () => `{"ToStore":true,"n":${last++},"Text":"${'.'.repeat(large)}"}`,
        ),
        kept: true,
      })
    const query = { do: 'query', name: 'meanwhile', request: { MaxLength: 1, PreferOldest: true } } as const
    await storage.stall()
    await platform.ask('upload', query)
    // More than any buffer, in bytes and in messages; then a steady load for as long as it lasts.
    for (let n = 0; n < 2; n++) await burst(750)
    const rounds = Math.max(4, Math.floor((time.horizon - 60_000) / 10_000))
    for (let n = 0; n < rounds; n++) {
      await burst(25)
      await platform.ask('upload', query)
      await time.pass('5 s')
    }
    await platform.ask('upload', { do: 'drain', name: 'drained', request: { MaxLength: 100 } })
    await time.pass('65 s')
    await platform.ask('upload', { do: 'drain', name: 'drained', request: { MaxLength: 100 } })
  },
})
