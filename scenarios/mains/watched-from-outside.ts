/**
 * Three cuts within five minutes, of which nothing is seen but that the platform is there again: so it can be played to a
 * platform in a lab, whose power hangs on a board. Where the supply is played too, the voltage dips first, by less than it
 * takes for anybody to notice.
 */
import { arrivesEvery, backInService, gridkeyChannels, scenario } from '../../bench/index.ts'

export default scenario({
  title: 'A platform that lost power three times within five minutes goes on with its readings by itself',
  verifies: ['S:007/three-cuts'],
  needs: ['platform', 'gridkey', 'mains'],
  catches: {
    'container-manager/gives-up-at-the-fourth-boot': 'S:007/three-cuts',
    // Where nobody else flushes: any flush of somebody's would take the folder with it.
    'container-manager/renames-without-folder-fsync': 'S:007/three-cuts',
  },
  horizon: '8 min',
  short: '90 s',
  prove: '90 s',
  async run({ platform, gridkey, mains, time, check, load }) {
    gridkey.follow(load('winter-weekday'))
    await platform.ask('config', { app: 'gridkey', intervalSeconds: 10 })
    const whole = time.horizon > 400_000
    const start = time.now()
    const readings = platform.watch('marketplace', 'gridkey.*')
    check(
      backInService([readings], {
        verifies: ['S:007/three-cuts'],
        // A real computer takes its time to boot; ours.
        within: whole ? '3 min' : '25 s',
        cuts: 3,
      }),
    )
    if (mains.can('dips')) {
      await mains.dip({ for: '15 ms' })
      await mains.dip({ for: '1 s', to: 0.75 })
    }
    await time.pass('5 s')
    const plan = whole
      ? mains.threeInFiveMinutes()
      : [0, 1, 2].map((n) => ({ at: 2_000 + n * 12_000, for: 2_000 }))
    await mains.follow(plan)
    await time.pass(whole ? '100 s' : '20 s')
    check(
      arrivesEvery('10 s', readings, {
        id: 'goes-on',
        verifies: ['S:007/three-cuts'],
        gap: '±3 s',
        drift: '10 %',
        channels: gridkeyChannels,
      }),
    )
    await time.pass(Math.max(21_000, start + time.horizon - time.now()))
  },
})
