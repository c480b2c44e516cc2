/**
 * The Data Upload app at the worst of sites: every minute the link drops, every ten the power goes, at a moment of the
 * platform's own work that the seed and the count choose. Nothing that Data Storage had acknowledged is lost, nothing is
 * at the data centre twice, little is sent again, and when the trouble is over all queues become empty.
 */
import { reachesServer, reportsWhatIsHeld, resendsLittle, scenario } from '../../bench/index.ts'

/** Of the platform's own work: just before or after it the power goes, in turn with moments of the transfer itself. */
const work = [
  { doing: 'flush', when: 'before' },
  { doing: 'rename', when: 'before' },
  { doing: 'flush', when: 'after' },
  { doing: 'rename', when: 'after' },
  { doing: 'row', when: 'before' },
  { doing: 'send', when: 'after' },
] as const

export default scenario({
  title:
    'A drop of the link each minute and a power cut each ten: nothing acknowledged is lost, nothing arrives twice',
  verifies: [
    'M:0077/upload-loss',
    'M:0077/upload-resumes',
    'M:0081/not-sent-again',
    'M:0081/only-after-success',
    'M:0086/resumes',
    'M:0065/receives',
  ],
  needs: ['platform', 'storage', 'centre', 'link', 'mains'],
  catches: {
    'upload-app/forgets-its-batch-at-a-restart': 'M:0077/upload-resumes',
    'upload-app/takes-a-piece-for-all': 'M:0077/upload-loss',
  },
  horizon: '30 min',
  short: '110 s',
  prove: '15 min',
  async run({ storage, centre, link, mains, time, check }) {
    const short = time.horizon < 600_000
    check(
      reachesServer(storage.sent, centre.batches, {
        id: 'reaches-the-centre',
        verifies: ['M:0065/receives', 'M:0077/upload-loss', 'M:0081/not-sent-again', 'M:0086/resumes'],
        rtu: centre.rtu,
        within: short ? '15 s' : '4 min',
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
      }),
    )
    let n = 0
    const readings = (count: number): string[] =>
      Array.from({ length: count }, () => {
        n++
        const noise = Array.from({ length: 8 }, (_, k) => Math.sin(n * 7919 + k * 104_729).toString()).join(
          '',
        )
        return `{"Timestamp":${1_500_000_000 + n},"Value":${n / 8},"ToStore":true,"n":${n},"note":"${noise}"}`
      })
    link.profile('poor-site')
    const minutes = Math.max(1, Math.floor(time.horizon / 60_000) - 5)
    for (let minute = 0; minute < minutes; minute++) {
      const cut = Math.floor(minute / 10)
      const at =
        cut % 2 === 0
          ? { ...centre.uploads, nth: 4 - ((cut >> 1) % 3) }
          : { ...(work[(cut >> 1) % work.length] ?? work[0]), nth: 1 + (cut % 4) }
      // It stands ready before the rows come that the platform will work on.
      const power =
        minute % 10 === (short ? 0 : 4) ? mains.cut({ for: '4 s', at, within: '55 s' }) : undefined
      if (power !== undefined && cut % 2 === 1) await time.pass('3 s')
      await storage.publish({
        messages: readings(150),
        kept: true,
        as: minute % 3 === 0 ? 'second' : 'first',
      })
      // Somewhere in the minute, for 3 to 33 s: in step with nothing that the platform does.
      const into = 1 + ((minute * 17) % 11)
      await time.pass(`${into} s`)
      link.drop(`${3 + ((minute * 13) % 31)} s`)
      await power
      await time.pass(`${58 - into} s`)
    }
    await time.pass(short ? '40 s' : '5 min')
  },
})
