/**
 * Each of two platforms has a modem of its own, behind an operator's address translation: nobody can call either. Both call
 * a relay, and all that LoadSense needs of the linked substation goes over the two links: while each loses its carrier, comes
 * back with another address, is forgotten by the translation, is slow, and is poor.
 */
import { carriedOver, eventually, partnerKnown, scenario } from '../../bench/index.ts'
import type { Event } from '../../bench/index.ts'
import { tell } from './_peers.ts'

const parts = {
  voltage: ['voltage'],
  current: ['current'],
  'load-forecast': ['transformer/forecast', 'feeder/forecast'],
  'thermal-rating': ['rating/forecast', 'hot_spot'],
} as const

export default scenario({
  title: 'Two platforms tell each other what LoadSense needs, each through a modem of its own',
  verifies: ['M:0018', 'M:0087', 'M:003/peer-both-ways', 'I:00144/status', 'I:00147/modem'],
  needs: ['platform', 'platform2', 'peers', 'link', 'link2'],
  catches: {
    'peer-app/first-road-for-ever': 'M:003/peer-both-ways',
    'peer-app/says-nothing': 'M:003/peer-both-ways',
    'peer-app/calls-once': 'M:0018/sends',
    'peer-app/trusts-a-silent-line': 'M:0018/receives',
    'peer-app/cuts-long-values': 'M:0087/load-forecast',
    'peer-app/own-time-stamps': 'M:0087/voltage',
    'peer-app/whole-numbers': 'M:0087/current',
    'peer-app/tells-old-news': 'M:0087/thermal-rating',
    'peer-app/alive-for-ever': 'I:00144/status',
  },
  horizon: '20 min',
  short: '85 s',
  prove: { 'peer-app/calls-once': '6 min', 'peer-app/trusts-a-silent-line': '6 min', others: '85 s' },
  async run({ peers, link, link2, time, check }) {
    const { carried } = peers
    const end = time.now() + time.horizon
    // A piece may wait for the radio, or for what was lost on it; trouble that the links tell of is excused.
    const limits = { within: '8 s', start: '40 s', recovery: '60 s' } as const
    for (const [part, names] of Object.entries(parts))
      check(carriedOver({ id: part, carried, names, ...limits, verifies: [`M:0087/${part}`] }))
    check(
      carriedOver({
        id: 'carried',
        carried,
        ...limits,
        verifies: [
          'M:0018/sends',
          'M:0018/receives',
          'M:0018/no-dedicated-cable',
          'M:003/peer-both-ways',
          'I:00147/modem',
        ],
      }),
    )
    for (const [at, events] of [
      ['a', link.events],
      ['b', link2.events],
    ] as const)
      check(
        eventually({ ...events, select: 'link.counters' }, (e) => carriedBothWays(e, 'relay'), {
          id: `by-the-modem-of-${at}`,
          verifies: ['M:003/peer-both-ways', 'M:0018/no-dedicated-cable'],
          by: '60 s',
          limit: `the link of ${at} carried at least ${least} bytes to the relay, and as many from there`,
        }),
      )
    check(partnerKnown({ id: 'partner-known', dead: '20 s', back: '60 s', verifies: ['I:00144/status'] }))

    const names = carried.map((e) => e.name)
    await peers.via('relay')
    await time.pass('10 s')
    let n = await tell(peers, time, names, 20_000, 0)
    link.counters()
    link2.counters()
    // Longer than its registration lasts: it comes back with another address.
    link.drop('28 s')
    n = await tell(peers, time, names, 50_000, n)
    if (time.horizon > 200_000) {
      n = await tell(peers, time, names, 40_000, n)
      link2.drop('6 s')
      n = await tell(peers, time, names, 60_000, n)
      const forgotten = link2.inflict('forget')
      n = await tell(peers, time, names, 70_000, n)
      forgotten.lift()
    }
    if (time.horizon > 900_000) {
      const slow = link.inflict('rate', { up_kbit: 64, down_kbit: 128 })
      n = await tell(peers, time, names, 60_000, n)
      slow.lift()
      link.profile('poor-site')
      link2.profile('poor-site')
      n = await tell(peers, time, names, 300_000, n)
      link.profile('good-site')
      link2.profile('good-site')
    }
    await tell(peers, time, names, Math.max(1, end - time.now()), n)
    link.counters()
    link2.counters()
  },
})

/** What shows that data went, and not only what keeps a line alive. Ours. */
const least = 5_000

function carriedBothWays(e: Event, peer: string): boolean {
  type Way = { readonly 'passed [B]'?: number }
  const { peers } = e.data as {
    readonly peers: { readonly [p: string]: { readonly up: Way; readonly down: Way } }
  }
  const { up, down } = peers[peer] ?? {}
  return (up?.['passed [B]'] ?? 0) >= least && (down?.['passed [B]'] ?? 0) >= least
}
