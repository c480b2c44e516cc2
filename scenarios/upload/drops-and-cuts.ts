/**
 * The Data Upload app at the worst of sites: every minute the link drops, between two bytes of a transfer, and every ten
 * the power goes, at a moment of the transfer or of the platform's own work; the seed draws where. Nothing that Data
 * Storage had acknowledged is lost, nothing is at the data centre twice, little is sent again, and when the trouble is over
 * all queues become empty. `npm run always -- --scenario upload/drops-and-cuts --seeds 460` makes a campaign of it.
 */
import { queuesEmpty, reachesServer, reportsWhatIsHeld, resendsLittle, scenario } from '../../bench/index.ts'

/** Of the platform's own work, and how much of it there is in such a minute. */
const work = [
  ['flush', 8],
  ['rename', 3],
  ['row', 25],
  ['write', 8],
  ['send', 120],
] as const

export default scenario({
  title:
    'A drop of the link each minute and a power cut each ten: nothing acknowledged is lost, nothing arrives twice',
  verifies: [
    'M:0077/upload-loss',
    'M:0077/upload-resumes',
    'M:0081/marked',
    'M:0081/not-sent-again',
    'M:0081/only-after-success',
    'M:0086/resumes',
    'M:0065/receives',
  ],
  needs: ['platform', 'storage', 'centre', 'link', 'mains'],
  catches: {
    'upload-app/forgets-its-batch-at-a-restart': 'M:0077/upload-resumes',
    'upload-app/begins-anew-after-a-break': 'M:0077/upload-resumes',
    'upload-app/takes-a-piece-for-all': 'M:0077/upload-loss',
    'upload-app/never-reports': 'M:0081/marked',
    'data-storage/forgets-reports-at-a-restart': 'M:0081/not-sent-again',
  },
  horizon: '30 min',
  short: '110 s',
  prove: '15 min',
  async run({ platform, storage, centre, link, mains, time, check, random }) {
    const short = time.horizon < 600_000
    const whole = (stream: string, least: number, most: number): number =>
      least + Math.floor((most - least + 1) * random(stream))
    check(
      reachesServer(storage.sent, centre.batches, {
        id: 'reaches-the-centre',
        verifies: ['M:0065/receives', 'M:0077/upload-loss', 'M:0081/not-sent-again', 'M:0086/resumes'],
        rtu: centre.rtu,
        within: short ? '15 s' : '4 min',
        // The marketplace acknowledges at once, and passes on to Data Storage, which then writes. In virtual time writing
        // takes none.
        settle: mains.can('points') ? '50 ms' : '1 s',
      }),
    )
    check(
      reportsWhatIsHeld(centre.reports, centre.batches, {
        id: 'reports',
        verifies: ['M:0081/only-after-success'],
        within: short ? '15 s' : '4 min',
      }),
    )
    check(
      resendsLittle(centre.uploads, centre.batches, {
        id: 'resends-little',
        verifies: ['M:0077/upload-resumes'],
        window: centre.window,
        breaks: 'played',
      }),
    )
    check(
      queuesEmpty(centre.queue, storage.sent, {
        id: 'queues-empty',
        verifies: ['M:0081/marked'],
        within: short ? '25 s' : '2 min',
        health: platform.watch('log', 'log.health'),
      }),
    )
    let n = 0
    /** Of 60 to 120 sines, whose digits no packing makes small: each is about 800 bytes packed. */
    const readings = (count: number): string[] =>
      Array.from({ length: count }, () => {
        n++
        const noise = Array.from({ length: whole('length', 60, 120) }, (_, k) =>
          Math.sin(n * 7919 + k * 104_729).toString(),
        ).join('')
        return `{"Timestamp":${1_500_000_000 + n},"Value":${n / 8},"ToStore":true,"n":${n},"note":"${noise}"}`
      })
    /** A moment of a transfer, or of work; the first late in a transfer, where it shows best who forgets what has gone. */
    const moment = (minute: number): NonNullable<NonNullable<Parameters<typeof mains.cut>[0]>['at']> => {
      if (minute < 10 && !short) return { ...centre.uploads, nth: whole('late', 6, 7) }
      const where = random('where')
      // Data Storage may not have heard of it yet.
      if (where < 0.15) return { ...centre.reports }
      if (!mains.can('points') || where < 0.4)
        return { ...centre.uploads, nth: whole('piece', 1, short ? 3 : 7) }
      const [doing, most] = work[whole('work', 0, work.length - 1)] ?? work[0]
      return { doing, when: random('when') < 0.5 ? 'before' : 'after', nth: whole('nth', 1, most) }
    }
    link.profile('poor-site')
    const minutes = Math.max(1, Math.floor(time.horizon / 60_000) - 5)
    for (let minute = 0; minute < minutes; minute++) {
      const cutting = minute % 10 === (short ? 0 : 4)
      const rows = cutting ? 30 : whole('rows', 5, 30)
      const way = random('way') < 0.8 ? 'up' : 'down'
      // What comes down in a minute are answers, and what a connection begins with.
      const bytes = way === 'up' ? whole('byte', 0, rows * 800) : whole('byte', 0, 4000)
      const drop = link.inflict('drop', {
        when: { way, bytes, peer: 'centre' },
        each: `${whole('seconds', 3, 33)} s`,
      })
      // It stands ready before the rows come that the platform will work on.
      const power = cutting ? mains.cut({ for: '4 s', at: moment(minute), within: '55 s' }) : undefined
      await storage.publish({
        messages: readings(rows),
        kept: true,
        as: random('who') < 0.3 ? 'second' : 'first',
      })
      await power
      await time.pass('58 s')
      drop.lift()
    }
    // The trouble is over.
    link.profile('wire')
    await time.pass(short ? '40 s' : '5 min')
  },
})
