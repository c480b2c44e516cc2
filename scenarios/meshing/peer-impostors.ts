/**
 * Others stand where the partner should, or knock in its name: with certificates of another authority, of their own making,
 * out of date, revoked, of another platform, or with none. Neither end tells them anything. One that has the partner's own
 * key and speaks nonsense does no lasting harm.
 */
import { always, carriedOver, impostorsRefused, scenario } from '../../bench/index.ts'
import type { Event, PeerShown } from '../../bench/index.ts'
import { tell } from './_peers.ts'

const callers: readonly PeerShown[] = [
  'no-tls',
  'no-certificate',
  'foreign-ca',
  'self-signed',
  'expired',
  'revoked',
  'wrong-name',
]
const called: readonly PeerShown[] = ['foreign-ca', 'self-signed', 'expired', 'revoked', 'wrong-name']
const few = ['hot_spot', 'voltage/l1']

export default scenario({
  title: 'Each of two platforms tells its data to its partner alone, and the partner proves that it is',
  verifies: ['M:0052/peers-check-each-other', 'I:00122/peer-link', 'I:00148/send'],
  needs: ['platform', 'platform2', 'peers'],
  catches: {
    'peer-app/accepts-any-certificate': 'M:0052/peers-check-each-other',
    'peer-app/checks-no-name': 'M:0052/peers-check-each-other',
    'peer-app/accepts-expired': 'M:0052/peers-check-each-other',
    'peer-app/accepts-revoked': 'M:0052/peers-check-each-other',
    'peer-app/asks-callers-alone': 'I:00122/peer-link',
    'peer-app/asks-the-called-alone': 'I:00122/peer-link',
    'peer-app/speaks-in-clear': 'I:00148/send',
    'peer-app/calls-once': 'I:00148/send',
  },
  horizon: '8 min',
  short: '85 s',
  prove: '8 min',
  async run({ peers, time, check }) {
    const long = time.horizon >= 300_000
    const tried = long ? called : called.slice(0, 2)
    const mutual = ['M:0052/peers-check-each-other', 'I:00122/peer-link']
    check(impostorsRefused(peers.impostors, { towards: 'b', shown: callers, verifies: mutual }))
    check(impostorsRefused(peers.impostors, { towards: 'a', shown: tried, verifies: mutual }))
    check(
      always(peers.crossings, (e) => clearIn(e).length === 0, {
        id: 'nothing-in-clear',
        verifies: ['I:00148/send', 'I:00122/peer-link'],
        limit: 'between the two no word of what they carry can be read',
      }),
    )
    check(
      carriedOver({
        id: 'carried',
        carried: peers.carried,
        names: few,
        recovery: '40 s',
        verifies: ['I:00148/send'],
      }),
    )
    await time.pass('10 s')
    let n = await tell(peers, time, few, 10_000, 0)
    for (const shows of callers) await peers.knock({ name: `caller-${shows}`, shows })
    n = await tell(peers, time, few, 10_000, n)
    for (const shows of tried) {
      const fault = peers.inflict('impostor', { shows })
      n = await tell(peers, time, few, long ? 20_000 : 10_000, n)
      fault.lift()
    }
    if (long) {
      for (const sends of ['noise', 'endless', 'deep', 'odd-json'] as const) {
        await peers.knock({ name: `mad-caller-${sends}`, shows: 'partner', sends })
        const fault = peers.inflict('impostor', { shows: 'partner', sends })
        n = await tell(peers, time, few, 10_000, n)
        fault.lift()
        n = await tell(peers, time, few, 10_000, n)
      }
      await peers.via('relay')
      n = await tell(peers, time, few, 20_000, n)
      const fault = peers.inflict('impostor', { shows: 'foreign-ca' })
      n = await tell(peers, time, few, 20_000, n)
      fault.lift()
    }
    await tell(peers, time, few, long ? 60_000 : 30_000, n)
  },
})

function clearIn(e: Event): readonly unknown[] {
  const { payload } = e.data as { readonly payload: { readonly 'in clear': readonly unknown[] } }
  return payload['in clear']
}
