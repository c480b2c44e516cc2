/**
 * The Data Upload app is given a budget of bytes for each period, and more to upload than that lets through. Nothing goes
 * beyond it, whatever happens meanwhile: a restart of the app, a drop of the link. What does not fit waits, and follows in
 * the next periods until nothing is left; and what the app says of its volume is what the link's own counters have.
 */
import { countsAsTheLink, reachesServer, scenario, staysInBudget } from '../../bench/index.ts'
import { rows, untilPeriod, watched } from './_volume.ts'

const budget = 40_000

export default scenario({
  title: 'Uploads keep to a budget of mobile data, wait where it is used up, and lose nothing by it',
  verifies: ['I:00127/volume-managed', 'M:003/data-centre-outgoing'],
  needs: ['platform', 'storage', 'centre', 'link'],
  catches: {
    'upload-app/sends-over-budget': 'I:00127/volume-managed',
    'upload-app/counts-what-it-sends': 'I:00127/volume-managed',
    'upload-app/forgets-its-volume': 'I:00127/volume-managed',
    'upload-app/drops-what-must-wait': 'I:00127/volume-managed',
    'upload-app/waits-for-ever': 'M:003/data-centre-outgoing',
  },
  horizon: '20 min',
  short: '100 s',
  prove: '100 s',
  async run({ platform, storage, centre, link, time, check }) {
    const end = time.now() + time.horizon
    const per = time.horizon < 600_000 ? 20_000 : 120_000
    await platform.ask('operator', {
      do: 'change',
      app: 'upload',
      config: { interval: 2, budget: { bytes: budget, per: per / 1_000 } },
    })
    const over = { peer: 'centre', bytes: budget, per: `${per} ms`, verifies: ['I:00127/volume-managed'] }
    check(staysInBudget(link.events, over))
    check(countsAsTheLink(platform.watch('marketplace', 'upload.volume'), link.events, over))
    check(
      reachesServer(storage.sent, centre.batches, {
        id: 'deferred-not-lost',
        verifies: ['I:00127/volume-managed', 'M:003/data-centre-outgoing'],
        rtu: centre.rtu,
        within: `${2 * per} ms`,
      }),
    )
    let n = 0
    const publish = async (count: number): Promise<void> => {
      await storage.publish({ messages: rows(n, count), kept: true })
      n += count
    }
    await watched(link, time, untilPeriod(time, per))
    // Twice what a period lets through, and more for as long as there is time to bring it all.
    for (let round = 0; round === 0 || end - time.now() > 6 * per; round++) {
      await publish(round === 0 ? 500 : 350)
      await watched(link, time, 0.35 * per)
      if (round === 0) await platform.ask('operator', { do: 'restart', app: 'upload' })
      else link.drop(`${0.1 * per} ms`)
      await watched(link, time, untilPeriod(time, per))
    }
    await watched(link, time, Math.max(1, end - time.now()))
  },
})
