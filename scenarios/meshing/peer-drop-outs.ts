/**
 * The link between two platforms is lost for seconds and for minutes, breaks, and becomes half-open. Each end knows within
 * the stated time that its partner is gone; after its return the latest values come, none twice, none of yesterday.
 */
import { carriedOver, partnerKnown, scenario } from '../../bench/index.ts'
import { tell } from './_peers.ts'

const often = ['hot_spot', 'voltage/l1', 'current/l2']

export default scenario({
  title: 'A partner that is lost is known to be dead in time, and after its return the latest values flow',
  verifies: [
    'M:0018/sends',
    'M:0018/receives',
    'I:00144/status',
    'I:00146/answers-requests',
    'I:00148/receive',
  ],
  needs: ['platform', 'platform2', 'peers'],
  catches: {
    'peer-app/alive-for-ever': 'I:00144/status',
    'peer-app/late-to-mourn': 'I:00144/status',
    'peer-app/trusts-a-silent-line': 'M:0018/receives',
    'peer-app/calls-once': 'M:0018/sends',
    'peer-app/gives-no-answer': 'I:00146/answers-requests',
    'peer-app/repeats-what-is-known': 'I:00148/receive',
    'peer-app/floods-the-backlog': 'I:00148/receive',
  },
  horizon: '12 min',
  short: '85 s',
  prove: '12 min',
  async run({ peers, time, check }) {
    const { carried } = peers
    check(
      carriedOver({
        id: 'carried',
        carried,
        names: often,
        recovery: '40 s',
        verifies: ['M:0018/sends', 'M:0018/receives', 'I:00148/receive'],
      }),
    )
    check(
      carriedOver({
        id: 'answered',
        carried,
        names: ['rating/forecast'],
        recovery: '40 s',
        verifies: ['I:00146/answers-requests', 'I:00148/receive'],
      }),
    )
    // 15 s as configured, and a heartbeat of 5 s.
    check(partnerKnown({ id: 'partner-known', dead: '20 s', back: '40 s', verifies: ['I:00144/status'] }))

    /** Loses the carrier; a rating is told once meanwhile, and then no more. */
    const lose = async (ms: number, from: number): Promise<number> => {
      const fault = peers.inflict('carrier')
      const n = await tell(peers, time, ['rating/forecast'], 1, from)
      const next = await tell(peers, time, often, ms, n)
      fault.lift()
      return next
    }
    await time.pass('10 s')
    let n = await tell(peers, time, often, 15_000, 0)
    n = await tell(peers, time, ['rating/forecast'], 1, n)
    n = await lose(28_000, n)
    if (time.horizon < 300_000) {
      await tell(peers, time, often, time.horizon - 60_000, n)
      return
    }
    n = await tell(peers, time, often, 60_000, n)
    n = await lose(6_000, n)
    n = await tell(peers, time, often, 60_000, n)
    n = await lose(150_000, n)
    n = await tell(peers, time, often, 60_000, n)
    for (const [name, params] of [
      ['half-open', { untold: 'a' }],
      ['half-open', { untold: 'b' }],
      ['reset', {}],
      ['slow', { ms: 1_500 }],
    ] as const) {
      const fault = peers.inflict(name, params)
      n = await tell(peers, time, often, 60_000, n)
      fault.lift()
    }
    await tell(peers, time, often, 40_000, n)
  },
})
