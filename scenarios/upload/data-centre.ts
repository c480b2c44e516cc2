/**
 * The Data Upload app and the data centre, through everything that an evening may bring: the centre away for minutes,
 * answers lost on the way back, the app restarted, and the whole machine killed in the middle. At the end the centre
 * holds what Data Storage had acknowledged, each row once, and the app has reported just that.
 */
import { reachesServer, reportsWhatIsHeld, resendsLittle, scenario } from '../../bench/index.ts'

export default scenario({
  title: 'What the platform stores reaches the data centre once, whatever happens on the way',
  verifies: [
    'M:0065/receives',
    'M:0077/upload-loss',
    'M:0077/upload-resumes',
    'M:0079/all-data',
    'M:0080/separate-rtu',
    'M:0081/marked',
    'M:0081/only-after-success',
    'M:0081/not-sent-again',
    'M:0084/communicates',
    'M:0086/resumes',
    'I:0011',
  ],
  needs: ['platform', 'storage', 'centre'],
  catches: {
    'upload-app/reports-before-it-sends': 'M:0081/only-after-success',
    'upload-app/never-reports': 'M:0081/marked',
    'upload-app/reports-half': 'M:0081/marked',
    'upload-app/begins-anew-after-a-break': 'M:0077/upload-resumes',
    'upload-app/takes-a-piece-for-all': 'M:0077/upload-loss',
    'upload-app/names-a-batch-anew': 'M:0081/not-sent-again',
    'upload-app/alters-values': 'M:0079/all-data',
    'upload-app/leaves-a-row-out': 'M:0079/all-data',
    'upload-app/one-rtu-for-all': 'M:0080/separate-rtu',
    'upload-app/gives-up': 'M:0086/resumes',
  },
  horizon: '20 min',
  short: '100 s',
  prove: '10 min',
  async run({ platform, storage, centre, time, check }) {
    const short = time.horizon < 420_000
    check(
      reachesServer(storage.sent, centre.batches, {
        id: 'reaches-the-centre',
        verifies: [
          'M:0065/receives',
          'M:0077/upload-loss',
          'M:0079/all-data',
          'M:0080/separate-rtu',
          'M:0081/not-sent-again',
          'M:0084/communicates',
          'M:0086/resumes',
          'I:0011',
        ],
        rtu: centre.rtu,
        within: short ? '15 s' : '2 min',
      }),
    )
    check(
      reportsWhatIsHeld(centre.reports, centre.batches, {
        id: 'reports',
        verifies: ['M:0081/marked', 'M:0081/only-after-success'],
        within: short ? '15 s' : '2 min',
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
        // Digits that no packing makes small: a batch takes several pieces.
        const noise = Array.from({ length: 6 }, (_, k) => Math.sin(n * 7919 + k * 104_729).toString()).join(
          '',
        )
        return `{"Timestamp":${1_500_000_000 + n},"Value":${n / 8},"Valid":true,"ToStore":true,"n":${n},"note":"${noise}"}`
      })
    const rounds = Math.max(1, Math.floor((time.horizon - 4 * 60_000) / 180_000))
    for (let round = 0; round < rounds; round++) {
      await storage.publish({ messages: readings(200), kept: true, subTopic: 'power' })
      await time.pass('15 s')
      if (round % 4 === 0) {
        // Of a few rows the only piece is the last one: the centre has them all, and the app does not know it.
        const last = centre.inflict('loses-answers', { answers: 1 })
        await storage.publish({ messages: readings(3), kept: true })
        await time.pass('15 s')
        last.lift()
        const lossy = centre.inflict('loses-answers', { answers: 5 })
        await storage.publish({ messages: readings(150), kept: true, as: 'second' })
        await time.pass('40 s')
        lossy.lift()
      } else if (round % 4 === 1) {
        const away = centre.inflict('away')
        await storage.publish({ messages: readings(100), kept: true })
        await time.pass('50 s')
        away.lift()
        await time.pass('5 s')
      } else if (round % 4 === 2) {
        await storage.publish({ messages: readings(150), kept: true })
        await platform.ask('operator', { do: 'restart', app: 'upload' })
        await time.pass('55 s')
      } else {
        const lossy = centre.inflict('loses-answers', { answers: 3 })
        await storage.publish({ messages: readings(150), kept: true })
        await time.pass('12 s')
        await platform.ask('machine', { do: 'restart' })
        await time.pass('43 s')
        lossy.lift()
      }
      if (!short) await time.pass('110 s')
    }
    await time.pass(short ? '25 s' : '4 min')
  },
})
