/**
 * What the platform stores goes to the management server too: the server away, answers lost on the way back, the app
 * restarted, the machine killed. At the end the server holds all that Data Storage had acknowledged, each row once, under
 * the platform's own RTU, and the app has reported just that.
 */
import { reachesServer, reportsWhatIsHeld, scenario } from '../../bench/index.ts'

export default scenario({
  title: 'What the platform stores reaches the management server once, and is marked when it is there',
  verifies: [
    'M:0060/all-data',
    'M:0071/to-server',
    'M:0072/separate-rtu',
    'M:0073/marked',
    'M:0073/only-after-success',
    'M:0073/not-sent-again',
    'M:0078/to-server',
    'M:0077/upload-loss',
    'I:00124/all',
    'I:00134/all-stored-data',
    'I:009/outgoing',
    'I:0010/unprompted',
  ],
  needs: ['platform', 'storage', 'management'],
  catches: {
    'comms-app/reports-before-it-sends': 'M:0073/only-after-success',
    'comms-app/never-reports': 'M:0073/marked',
    'comms-app/names-a-batch-anew': 'M:0073/not-sent-again',
    'comms-app/leaves-a-row-out': 'M:0060/all-data',
    'comms-app/one-rtu-for-all': 'M:0072/separate-rtu',
    'comms-app/gives-up': 'M:0078/to-server',
  },
  horizon: '12 min',
  short: '110 s',
  prove: '5 min',
  async run({ platform, storage, management, time, check }) {
    check(
      reachesServer(storage.sent, management.batches, {
        id: 'reaches-the-server',
        verifies: [
          'M:0060/all-data',
          'M:0071/to-server',
          'M:0072/separate-rtu',
          'M:0073/not-sent-again',
          'M:0078/to-server',
          'M:0077/upload-loss',
          'I:00124/all',
          'I:00134/all-stored-data',
          'I:009/outgoing',
          'I:0010/unprompted',
        ],
        rtu: management.rtu,
        within: time.horizon > 200_000 ? '75 s' : '25 s',
      }),
    )
    check(
      reportsWhatIsHeld(management.reports, management.batches, {
        id: 'reports',
        verifies: ['M:0073/marked', 'M:0073/only-after-success'],
        within: time.horizon > 200_000 ? '75 s' : '25 s',
      }),
    )
    const whole = time.horizon > 200_000
    let n = 0
    const readings = (count: number): string[] =>
      Array.from({ length: count }, () => {
        n++
        return `{"Timestamp":${1_500_000_000 + n},"Value":${Math.sin(n * 7919)},"ToStore":true,"n":${n}}`
      })
    const rounds = Math.max(1, Math.floor((time.horizon - 90_000) / 180_000))
    for (let round = 0; round < rounds; round++) {
      await storage.publish({ messages: readings(120), kept: true, subTopic: 'power' })
      await time.pass('15 s')
      const last = management.inflict('loses-answers', { answers: 2 })
      await storage.publish({ messages: readings(60), kept: true, as: 'second' })
      await time.pass('15 s')
      last.lift()
      await storage.publish({ messages: readings(80), kept: true })
      const away = management.inflict('away')
      await storage.publish({ messages: readings(40), kept: true })
      // The broker's word comes before Data Storage's: what is on its way between the two is not judged. The server is
      // away until the observer is back, which would miss reports else.
      await time.pass('5 s')
      if (round % 2 === 0) await platform.ask('operator', { do: 'restart', app: 'comms' })
      else await platform.ask('machine', { do: 'restart' })
      await time.pass('20 s')
      await time.pass(whole ? '45 s' : '12 s')
      away.lift()
      await storage.publish({ messages: readings(20), kept: true })
      await time.pass(whole ? '80 s' : '10 s')
    }
    await time.pass(whole ? '90 s' : '30 s')
  },
})
