/**
 * Power goes in the midst of storing: just before or after a row is changed, a file is flushed, bytes are sent, whatever the
 * platform is doing then, while a burst of messages is on its way. What had been acknowledged is there afterwards, once;
 * what had not may be there, for whoever publishes it does so again.
 */
import { nothingLost, scenario, uploadSome } from '../../bench/index.ts'

export default scenario({
  title: 'Cuts in the midst of storing lose nothing that was acknowledged, and store no row half',
  verifies: ['API:7/nothing-lost', 'M:0073/queue', 'S:007/no-lasting-error'],
  needs: ['platform', 'storage', 'mains'],
  catches: {
    'data-storage/wal-normal': 'API:7/nothing-lost',
    'data-storage/no-fsync': 'API:7/nothing-lost',
    'data-storage/delete-full': 'M:0073/queue',
    'data-storage/stores-twice': 'S:007/no-lasting-error',
    'data-storage/forgets-reports-at-a-restart': 'M:0073/queue',
  },
  horizon: '5 min',
  short: '80 s',
  prove: '80 s',
  async run({ platform, storage, mains, time, check }) {
    check(
      nothingLost(storage.sent, platform.watch('upload', 'upload.*'), {
        verifies: ['API:7/nothing-lost', 'M:0073/queue', 'S:007/no-lasting-error'],
        within: '30 s',
        needs: ['durability'],
      }),
    )
    const start = time.now()
    let last = 0
    const burst = (n: number): string[] =>
      Array.from({ length: n }, () => `{"Timestamp":1,"Value":${++last},"ToStore":true}`)
    const tries = Math.max(3, Math.floor((time.horizon - 20_000) / 20_000))
    const moments = mains.momentsOfABoot(tries, '40 s')
    for (const [n, moment] of moments.entries()) {
      await storage.publish({ messages: burst(10), kept: true })
      await uploadSome(platform, 15)
      await time.pass('2 s')
      const point = points[n % points.length]
      const sending = storage.publish({ as: 'second', messages: burst(30), kept: true })
      // The very first row once, when nothing has been flushed since the one before; then whichever the seed has drawn.
      const nth = n === 0 ? 1 : 1 + Math.floor(moment / 1000)
      if (point !== undefined && mains.can('points'))
        await mains.cut({ at: { ...point, nth }, within: '3 s', for: '1 s' })
      else {
        await time.pass((moment % 50) + 1)
        await mains.cut({ for: '1 s' })
      }
      await sending
      await time.pass('8 s')
    }
    await time.pass(Math.max(8_000, start + time.horizon - time.now() - 2_000))
    await platform.ask('upload', { do: 'drain', name: 'drained', request: {} })
  },
})

const points = [
  { doing: 'row', when: 'before' },
  { doing: 'send', when: 'before' },
  { doing: 'row', when: 'after' },
  { doing: 'anything', when: 'before' },
] as const
