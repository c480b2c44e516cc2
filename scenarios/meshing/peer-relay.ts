/**
 * Neither platform can be called from outside, as behind a carrier's address translation: both call a relay, through their
 * modems. It joins them and reads nothing of what they say; when it is away, they come back after it.
 */
import { always, carriedOver, eventually, partnerKnown, scenario } from '../../bench/index.ts'
import type { Event } from '../../bench/index.ts'
import { tell } from './_peers.ts'

const few = ['transformer/forecast', 'voltage/l3', 'hot_spot']

export default scenario({
  title:
    'Two platforms that nobody can call meet at a relay, which brings their data and can read none of it',
  verifies: ['M:0018', 'I:00122/peer-link', 'I:00144/status', 'I:00147/modem'],
  needs: ['platform', 'platform2', 'peers'],
  catches: {
    'peer-app/first-road-for-ever': 'M:0018/no-dedicated-cable',
    'peer-app/speaks-in-clear': 'I:00122/peer-link',
    'peer-app/calls-once': 'M:0018/no-dedicated-cable',
    'peer-app/says-nothing': 'M:0018/sends',
    'peer-app/alive-for-ever': 'I:00144/status',
    'peer-app/floods-the-backlog': 'M:0018/receives',
  },
  horizon: '6 min',
  short: '78 s',
  prove: '6 min',
  async run({ peers, time, check }) {
    check(
      carriedOver({
        id: 'carried',
        carried: peers.carried,
        names: few,
        recovery: '40 s',
        verifies: ['M:0018/sends', 'M:0018/receives', 'M:0018/no-dedicated-cable', 'I:00147/modem'],
      }),
    )
    check(
      always(peers.crossings, (e) => passing(e)['via'] !== 'relay' || clearIn(e).length === 0, {
        id: 'relay-reads-nothing',
        verifies: ['I:00122/peer-link'],
        limit: 'at the relay no word of what they carry can be read',
      }),
    )
    check(
      eventually(
        peers.crossings,
        (e) => passing(e)['via'] === 'relay' && Number(passing(e)['back [B]']) > 0,
        {
          id: 'by-the-relay',
          by: '60 s',
          verifies: ['M:0018/no-dedicated-cable'],
          limit: 'the two are joined by the relay within a minute',
        },
      ),
    )
    check(partnerKnown({ id: 'partner-known', dead: '20 s', back: '40 s', verifies: ['I:00144/status'] }))
    const long = time.horizon >= 300_000
    const end = time.now() + time.horizon
    await peers.via('relay')
    await time.pass('10 s')
    let n = await tell(peers, time, few, long ? 60_000 : 12_000, 0)
    const fault = peers.inflict('relay')
    n = await tell(peers, time, few, long ? 120_000 : 26_000, n)
    fault.lift()
    await tell(peers, time, few, end - time.now(), n)
  },
})

function passing(e: Event): { readonly [k: string]: unknown } {
  return (e.data as { readonly payload: { readonly [k: string]: unknown } }).payload
}

function clearIn(e: Event): readonly unknown[] {
  return passing(e)['in clear'] as readonly unknown[]
}
