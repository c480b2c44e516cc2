/**
 * The Peer-to-Peer app of one platform ends while its partner is out of reach, and starts anew. Forecasts and ratings were
 * told before that and will not be told again for a while: the app finds them among what the platform has stored, and the
 * partner is told them; what it knew already it does not hear twice.
 */
import { carriedOver, scenario } from '../../bench/index.ts'
import type { PeerEnd } from '../../bench/index.ts'
import { valueOf } from './_peers.ts'

const stored = ['transformer/forecast', 'rating/forecast', 'hot_spot']

export default scenario({
  title:
    'After a restart the app of a platform tells its partner what the platform has stored, and nothing twice',
  verifies: ['I:00147/stored-data', 'I:00148/receive'],
  needs: ['platform', 'platform2', 'peers', 'storage'],
  catches: {
    'peer-app/starts-from-nothing': 'I:00147/stored-data',
    'peer-app/repeats-what-is-known': 'I:00148/receive',
  },
  horizon: '4 min',
  short: '80 s',
  prove: '4 min',
  async run({ platform, peers, time, check }) {
    check(
      carriedOver({
        carried: peers.carried,
        names: stored,
        recovery: '30 s',
        verifies: ['I:00147/stored-data', 'I:00148/receive'],
      }),
    )
    const end = time.now() + time.horizon
    let n = 0
    const say = async (at: PeerEnd): Promise<void> => {
      const seconds = Math.floor(time.now() / 1_000)
      for (const name of stored)
        await peers.publish(at, name, { ...valueOf(at, name, n, seconds), ToStore: true })
      n++
    }
    await time.pass('10 s')
    for (const at of ['a', 'b'] as const) await say(at)
    await time.pass('5 s')
    // Nobody has told anything new when it comes back.
    await platform.ask('operator', { do: 'restart', app: 'peer' })
    await time.pass('15 s')
    const fault = peers.inflict('carrier')
    await say('a')
    await time.pass('3 s')
    await platform.ask('operator', { do: 'restart', app: 'peer' })
    await time.pass('8 s')
    fault.lift()
    await time.pass(Math.max(1, end - time.now()))
  },
})
