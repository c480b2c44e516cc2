/**
 * The mobile network is away, for more than an hour in the whole length, and no reset of anything at the site brings it back. The router
 * is reset now and then, for it might be its modem, and each time later; the computer is left alone. When the network is back
 * all is uploaded, and nobody has been on site.
 */
import { reachesServer, resetsSparingly, scenario } from '../../bench/index.ts'

export default scenario({
  title: 'A mobile network that is away for long leads to few resets, and its return to a link with no visit',
  verifies: ['I:0016/lost-link'],
  needs: ['platform', 'storage', 'centre', 'link', 'mains', 'watchdog'],
  catches: {
    'watchdog/resets-the-router-for-ever': 'I:0016/lost-link',
    'watchdog/resets-all-for-the-link': 'I:0016/lost-link',
    'upload-app/gives-up': 'I:0016/lost-link',
  },
  horizon: '80 min',
  short: '100 s',
  prove: '21 min',
  async run({ storage, centre, link, time, check }) {
    const begin = time.now()
    const away = time.horizon > 600_000 ? time.horizon - 240_000 : 55_000
    check(resetsSparingly({ of: 'router', verifies: ['I:0016/lost-link'], spare: 4, slower: 1.5 }))
    check(resetsSparingly({ of: 'computer', verifies: ['I:0016/lost-link'] }))
    check(
      reachesServer(storage.sent, centre.batches, {
        verifies: ['I:0016/lost-link'],
        rtu: centre.rtu,
        within: '1 min',
      }),
    )
    let n = 0
    const readings = (count: number): string[] =>
      Array.from(
        { length: count },
        () => `{"Timestamp":${1_500_000_000 + ++n},"Value":${n / 8},"ToStore":true}`,
      )
    await storage.publish({ messages: readings(20), kept: true })
    await time.pass('10 s')
    link.drop(`${away / 1000} s`)
    await storage.publish({ messages: readings(20), kept: true })
    await time.pass(away)
    await storage.publish({ messages: readings(20), kept: true })
    await time.pass(Math.max(30_000, begin + time.horizon - time.now()))
  },
})
