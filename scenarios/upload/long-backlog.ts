/**
 * A long backlog goes to the data centre over a link that drops every 20 s, with power lost twice on the way. The rigs
 * `virtual` and `local` have one of a megabyte, sent in small pieces; `virtual-large-file` and `local-large-file` of 300 MB.
 */
import { deliversLittle, noise, reachesServer, reportsWhatIsHeld, scenario } from '../../bench/index.ts'

/** The rate of the profile good-site, bytes a millisecond, and what a request takes beside that, ms: a round trip, and a bit. */
const rate = 1_500
const request = 65
/** What boots take of the time, ms. Ours. */
const boots = 50_000
/** Characters of a row, none of which packing spares, and what they are when they are packed. */
const characters = 60_000
const packed = 0.7555 * characters
/** A backlog of less than so many bytes may cost 15 % more and not 5 %: headers of small requests, and each break, weigh more. Ours. */
const truly = 100_000_000
/** One begins every 20 s. The one of 12 s is longer than the app waits for an answer. */
const drops = ['12 s', '4 s', '3 s', '2 s']

export default scenario({
  title:
    'A long backlog is uploaded over a link that drops every 20 s and losses of power, and hardly a byte of it twice',
  verifies: [
    'M:0077/upload-loss',
    'M:0081/only-after-success',
    'M:0086/resumes',
    'M:0065/receives',
    'I:00127/volume-managed',
  ],
  needs: ['platform', 'storage', 'centre', 'link', 'mains'],
  catches: {
    'upload-app/begins-anew-after-a-break': 'I:00127',
    'upload-app/forgets-its-batch-at-a-restart': 'I:00127',
    'upload-app/small-pieces': 'I:00127',
    'upload-app/takes-a-piece-for-all': 'M:0077/upload-loss',
    'upload-app/reports-before-it-sends': 'M:0081/only-after-success',
  },
  horizon: '17 min',
  short: '78 s',
  async run({ storage, centre, link, mains, time, check, random }) {
    const each = request + centre.window / rate
    // Of the time that is left, in which something goes; a long run on a busy machine is granted more. Ours.
    const share = time.horizon < 300_000 ? 0.4 : 0.3
    const most = ((share * (time.horizon - boots)) / each) * centre.window
    const rows = Math.ceil(Math.min(centre.backlog, most) / packed)
    const size = rows * packed
    check(
      reachesServer(storage.sent, centre.batches, {
        id: 'reaches-the-centre',
        verifies: ['M:0065/receives', 'M:0077/upload-loss', 'M:0086/resumes'],
        rtu: centre.rtu,
        within: '10 s',
      }),
    )
    check(
      reportsWhatIsHeld(centre.reports, centre.batches, {
        id: 'reports',
        verifies: ['M:0081/only-after-success'],
        within: '10 s',
      }),
    )
    check(
      deliversLittle(
        { ...centre, link: link.events },
        {
          id: 'little',
          verifies: ['I:00127/volume-managed'],
          peer: 'centre',
          more: size < truly ? 0.15 : 0.05,
          drops: 2,
          cuts: 2,
        },
      ),
    )
    const began = time.now()
    const away = centre.inflict('away')
    const seed = random('noise')
    for (let n = 0; n < rows; n += 20)
      await storage.publish({
        via: 'storage',
        messages: Array.from({ length: Math.min(20, rows - n) }, (_, k) => ({
          ToStore: true,
          n: n + k,
          Text: noise(characters, seed + n + k),
        })),
        kept: true,
      })
    await time.pass('2 s')
    link.script(
      Array.from({ length: Math.floor(time.horizon / 20_000) }, (_, n) => ({
        after: `${4 + 20 * n} s`,
        do: 'drop' as const,
        for: drops[n % drops.length] ?? '2 s',
      })),
    )
    link.counters()
    const first = mains.cut({
      for: '3 s',
      at: { ...centre.uploads, nth: Math.ceil((0.3 * size) / centre.window) },
      within: `${Math.round(0.5 * time.horizon)} ms`,
    })
    away.lift()
    await first
    await time.pass(Math.round(((0.1 + 0.2 * random('second cut')) * size * each) / centre.window))
    await mains.cut({ for: '3 s' })
    const enough = Math.min(time.horizon, boots + ((size / centre.window) * each) / share)
    await time.pass(Math.max(1, enough - (time.now() - began)))
    link.counters()
  },
})
