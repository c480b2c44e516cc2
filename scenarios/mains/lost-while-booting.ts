/**
 * Power goes again while the platform boots: at moments spread over the boot, drawn by the seed, and, where its work can be
 * watched, just before and after it writes, renames, flushes or changes a row. Each time the next boot has to succeed.
 */
import { arrivesEvery, backInService, scenario, temperatureChannels } from '../../bench/index.ts'

export default scenario({
  title: 'Power that is lost while the platform boots is no obstacle to the next boot',
  verifies: ['M:0090/self-restores'],
  needs: ['platform', 'thermocouple', 'storage', 'mains'],
  catches: {
    'container-manager/waits-for-help-after-a-cut-boot': 'M:0090/self-restores',
    'container-manager/renames-without-fsync': 'M:0090/self-restores',
    'data-storage/left-locked': 'M:0090/self-restores',
  },
  horizon: '10 min',
  short: '80 s',
  prove: '110 s',
  async run({ platform, thermocouple, mains, time, check }) {
    thermocouple.set('ambient', { mean: 1, swing: 6, period: '6 min' })
    thermocouple.set('indoor', { mean: 14, swing: 3, period: '6 min' })
    thermocouple.set('top_oil', { mean: 48, swing: 12, period: '6 min' })
    const begin = time.now()
    await platform.ask('config', { app: 'thermocouple', intervalSeconds: 5 })
    const readings = platform.watch('marketplace', 'thermocouple.*')
    check(
      // Data Storage says so when it hears again what it is to store.
      backInService([readings, platform.watch('log', 'log.hears')], {
        verifies: ['M:0090/self-restores'],
        within: '20 s',
        cuts: 4,
        needs: ['durability'],
      }),
    )
    const tries = Math.max(2, Math.floor((time.horizon - 30_000) / 30_000))
    const moments = mains.momentsOfABoot(tries, '6 s')
    await time.pass('6 s')
    for (const [n, moment] of moments.entries()) {
      await mains.cut()
      await time.pass('1 s')
      const coming = mains.restore()
      const point = points[Math.floor(n / 2) % points.length]
      // Every other time at a point of its work, where that can be watched.
      if (n % 2 === 1 && point !== undefined && mains.can('points'))
        await mains.cut({ at: { ...point, nth: 1 + Math.floor(n / 4) }, within: '4 s', for: '1 s' })
      else {
        await time.pass(moment)
        await mains.cut({ for: '1 s' })
      }
      await coming
      await time.pass('21 s')
    }
    check(
      arrivesEvery('5 s', readings, {
        id: 'goes-on',
        verifies: ['M:0090/self-restores'],
        gap: '±2 s',
        drift: '10 %',
        channels: temperatureChannels,
        needs: ['durability'],
      }),
    )
    await time.pass(Math.max(16_000, begin + time.horizon - time.now()))
  },
})

const points = [
  { doing: 'row', when: 'before' },
  { doing: 'flush', when: 'after' },
  { doing: 'write', when: 'before' },
  { doing: 'row', when: 'after' },
  { doing: 'rename', when: 'before' },
  { doing: 'flush', when: 'before' },
] as const
