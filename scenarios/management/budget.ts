/**
 * Management Comms is given a budget of bytes for each period, and more to fetch and to upload than that lets through. When
 * its ordinary part is used up power goes: word of the outage is at the server soon after, and everything else waits for
 * the next periods, until it is all there. What the app says of its volume is what the link's own counters have.
 */
import {
  backInService,
  countsAsTheLink,
  installsWhole,
  reachesServer,
  scenario,
  staysInBudget,
} from '../../bench/index.ts'
import { rows, untilPeriod, watched } from '../upload/_volume.ts'

const budget = 80_000
/** Two lines make themselves known anew after an outage, which takes some 10 kB each. */
const reserve = 0.3

export default scenario({
  title: 'Downloads, uploads and polls share a budget of mobile data; word of an outage does not wait for it',
  verifies: ['I:00127/volume-managed'],
  needs: ['platform', 'storage', 'management', 'link', 'mains'],
  catches: {
    'comms-app/sends-over-budget': 'I:00127/volume-managed',
    'comms-app/counts-what-it-sends': 'I:00127/volume-managed',
    'comms-app/forgets-its-volume': 'I:00127/volume-managed',
    'comms-app/makes-an-outage-wait': 'I:00127/volume-managed',
    'comms-app/drops-what-must-wait': 'I:00127/volume-managed',
    'comms-app/waits-for-ever': 'I:00127/volume-managed',
  },
  horizon: '20 min',
  short: '110 s',
  prove: '4 min',
  async run({ platform, storage, management, link, mains, time, check }) {
    const verifies = ['I:00127/volume-managed']
    const end = time.now() + time.horizon
    const per = time.horizon < 240_000 ? 30_000 : time.horizon < 600_000 ? 60_000 : 120_000
    await platform.ask('operator', {
      do: 'change',
      app: 'comms',
      config: { interval: 2, poll: 3, piece: 8_192, budget: { bytes: budget, per: per / 1_000, reserve } },
    })
    const over = { peer: 'management', bytes: budget, per: `${per} ms`, verifies }
    check(staysInBudget(link.events, over))
    // Where power goes, the app may have counted a piece that did not go, and a 20th of its budget ahead.
    check(
      countsAsTheLink(platform.watch('marketplace', 'comms.volume'), link.events, { ...over, over: 0.25 }),
    )
    check(
      backInService([management.notices], {
        id: 'word-of-the-outage',
        verifies,
        // By the next period it would be no wonder.
        within: `${0.5 * per} ms`,
      }),
    )
    const later = `${2.2 * per} ms`
    check(
      reachesServer(storage.sent, management.batches, {
        id: 'deferred-not-lost',
        verifies,
        rtu: management.rtu,
        within: later,
      }),
    )
    check(installsWhole(management, { verifies, within: later }))
    let n = 0
    await watched(link, time, untilPeriod(time, per))
    for (let round = 0; round === 0 || end - time.now() > 3.2 * per; round++) {
      management.offer({
        id: `image-${round}`,
        kind: 'software',
        name: `image_${round}.tar`,
        // A platform may begin it anew after the loss of power (S:008).
        size: budget / 2,
      })
      await storage.publish({ messages: rows(n, 100), kept: true })
      await watched(link, time, 0.18 * per)
      await storage.publish({ messages: rows(n + 100, 100), kept: true })
      n += 200
      await watched(link, time, 0.1 * per)
      await mains.cut({ for: `${0.1 * per} ms` })
      for (let n = 0; n < (round === 0 ? 1 : 3); n++) await watched(link, time, untilPeriod(time, per))
    }
    await watched(link, time, Math.max(1, end - time.now() - 100))
    await management.collect()
  },
})
