/**
 * Power goes on a disk with a write cache, which keeps what it was told to flush and of everything else some sectors: just
 * after a new configuration was acknowledged and nobody has flushed since, and in the midst of the flushes by which the
 * platform stores. What had been acknowledged by then is there afterwards, and the platform goes on.
 */
import {
  arrivesEvery,
  backInService,
  nothingLost,
  scenario,
  temperatureChannels,
  uploadSome,
} from '../../bench/index.ts'

export default scenario({
  title:
    'Cuts on a disk with a write cache, in the midst of its flushes too, lose nothing that was acknowledged',
  verifies: ['API:7/nothing-lost', 'M:0073/queue', 'S:007/no-lasting-error', 'M:0090/self-restores'],
  needs: ['platform', 'thermocouple', 'storage', 'mains', 'cache'],
  catches: {
    'data-storage/no-fsync': 'API:7/nothing-lost',
    'data-storage/wal-normal': 'API:7/nothing-lost',
    'data-storage/delete-full': 'M:0073/queue',
    'container-manager/renames-without-fsync': 'S:007/no-lasting-error',
    'container-manager/renames-without-folder-fsync': 'M:0090/self-restores',
    // Nobody notices on a disk without a cache.
    'host/barrier-off': 'API:7/nothing-lost',
  },
  horizon: '5 min',
  short: '75 s',
  prove: '75 s',
  async run({ platform, thermocouple, storage, mains, cache, time, check }) {
    thermocouple.set('ambient', { mean: 1, swing: 6, period: '6 min' })
    thermocouple.set('indoor', { mean: 14, swing: 3, period: '6 min' })
    thermocouple.set('top_oil', { mean: 48, swing: 12, period: '6 min' })
    const begin = time.now()
    const needs = ['durability', 'write-cache']
    const readings = platform.watch('marketplace', 'thermocouple.*')
    check(
      nothingLost(storage.sent, platform.watch('upload', 'upload.*'), {
        verifies: ['API:7/nothing-lost', 'M:0073/queue', 'S:007/no-lasting-error'],
        within: '30 s',
        needs,
      }),
    )
    check(
      // Data Storage says so when it hears again what it is to store.
      backInService([readings, platform.watch('log', 'log.hears')], {
        verifies: ['M:0090/self-restores'],
        within: '20 s',
        cuts: 3,
        needs,
      }),
    )
    // Acknowledged, and nothing is flushed from then on until power goes.
    await platform.ask('config', { app: 'thermocouple', intervalSeconds: 5 })
    await mains.cut({ for: '1 s' })
    await time.pass('16 s')

    let last = 0
    const burst = (n: number): string[] =>
      Array.from({ length: n }, () => `{"Timestamp":1,"Value":${++last},"ToStore":true}`)
    const moments = mains.momentsOfABoot(Math.max(2, Math.floor((time.horizon - 36_000) / 20_000)), '12 s')
    for (const [n, moment] of moments.entries()) {
      await storage.publish({ messages: burst(12), kept: true })
      await uploadSome(platform, 15)
      await time.pass('1200 ms')
      const sending = storage.publish({ as: 'second', messages: burst(20), kept: true })
      // The very first flush once; and whoever flushes too seldom loses power all the same.
      const at = { doing: 'disk-flush', nth: n === 0 ? 1 : 1 + Math.floor(moment / 1000) } as const
      const reached = mains.can('points') && cache.can && (await mains.cut({ at, within: '1 s', for: '1 s' }))
      if (!reached) {
        await time.pass((moment % 40) + 1)
        await mains.cut({ for: '1 s' })
      }
      await sending
      await time.pass('16 s')
    }
    check(
      arrivesEvery('5 s', readings, {
        id: 'goes-on',
        verifies: ['S:007/no-lasting-error', 'M:0090/self-restores'],
        gap: '±2 s',
        drift: '10 %',
        channels: temperatureChannels,
        needs,
      }),
    )
    await time.pass(Math.max(16_000, begin + time.horizon - time.now() - 2_000))
    await platform.ask('upload', { do: 'drain', name: 'drained', request: {} })
  },
})
