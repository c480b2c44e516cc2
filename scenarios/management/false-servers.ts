/**
 * Servers that pretend to be the management server: Management Comms gives them nothing and takes nothing of them, and
 * comes back when the true one is there again.
 */
import { installsWhole, reachesServer, scenario, tellsOnlyTheServer } from '../../bench/index.ts'

const falseOnes = ['foreign-ca', 'self-signed', 'expired', 'wrong-name', 'revoked'] as const

export default scenario({
  title: 'Management Comms speaks to a management server that has proven itself, and to nobody else',
  verifies: [
    'M:0057/server-proven',
    'M:0057/no-man-in-the-middle',
    'M:0058/confidential',
    'I:00125/server-proven',
    'I:00125/no-man-in-the-middle',
    'I:00126/confidential',
    'I:009/outgoing',
    'M:0071/from-server',
  ],
  needs: ['platform', 'storage', 'management'],
  catches: {
    'comms-app/trusts-any-server': 'M:0057/server-proven',
    'comms-app/does-not-look-at-the-name': 'M:0057/no-man-in-the-middle',
    'comms-app/gives-up': 'I:009/outgoing',
    'comms-app/asks-for-nothing': 'M:0071/from-server',
  },
  horizon: '8 min',
  short: '95 s',
  prove: '5 min',
  async run({ storage, management, time, check }) {
    check(
      tellsOnlyTheServer(management.uploads, management.connections, {
        id: 'false-servers',
        verifies: [
          'M:0057/server-proven',
          'M:0057/no-man-in-the-middle',
          'M:0058/confidential',
          'I:00125/server-proven',
          'I:00125/no-man-in-the-middle',
          'I:00126/confidential',
        ],
        name: management.name,
      }),
    )
    check(
      reachesServer(storage.sent, management.batches, {
        id: 'still-arrives',
        verifies: ['I:009/outgoing'],
        rtu: management.rtu,
        within: time.horizon > 200_000 ? '60 s' : '30 s',
      }),
    )
    check(
      installsWhole(management, {
        id: 'still-fetches',
        verifies: ['M:0071/from-server'],
        within: time.horizon > 200_000 ? '60 s' : '30 s',
      }),
    )
    let n = 0
    const whole = time.horizon > 200_000
    const turn = time.horizon > 400_000 ? '40 s' : '22 s'
    for (const is of whole ? falseOnes : (['foreign-ca', 'wrong-name'] as const)) {
      const wrong = management.inflict('wrong-certificate', { is })
      await storage.publish({
        messages: Array.from(
          { length: 20 },
          () => `{"Timestamp":1500000000,"Value":${++n},"ToStore":true,"n":${n}}`,
        ),
        kept: true,
      })
      management.offer({ id: is, kind: 'configuration', name: `${is}.json`, size: 2_000 })
      await time.pass(turn)
      wrong.lift()
      await time.pass(whole ? '20 s' : '8 s')
    }
    await time.pass(whole ? '65 s' : '32 s')
    await management.collect()
  },
})
