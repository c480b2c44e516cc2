/**
 * Servers that pretend to be the data centre: the upload app tells a false one nothing, and comes back when the true one
 * is there again.
 */
import { reachesServer, scenario, tellsOnlyTheServer } from '../../bench/index.ts'

const falseOnes = ['foreign-ca', 'self-signed', 'expired', 'wrong-name', 'revoked'] as const

export default scenario({
  title: 'Uploads go to a data centre that has proven itself, and to nobody else',
  verifies: [
    'M:0068/server-proven',
    'M:0068/no-man-in-the-middle',
    'M:0082/server-proven',
    'M:0082/no-man-in-the-middle',
    'M:0083/confidential',
    'M:0084/communicates',
  ],
  needs: ['platform', 'storage', 'centre'],
  catches: {
    'upload-app/trusts-any-server': 'M:0082/server-proven',
    'upload-app/does-not-look-at-the-name': 'M:0082/no-man-in-the-middle',
    'upload-app/knows-no-revocations': 'M:0068/server-proven',
    'upload-app/gives-up': 'M:0084/communicates',
  },
  horizon: '8 min',
  short: '100 s',
  prove: '8 min',
  async run({ storage, centre, time, check }) {
    const short = time.horizon < 400_000
    check(
      tellsOnlyTheServer(centre.uploads, centre.connections, {
        id: 'false-centres',
        verifies: [
          'M:0068/server-proven',
          'M:0068/no-man-in-the-middle',
          'M:0082/server-proven',
          'M:0082/no-man-in-the-middle',
          'M:0083/confidential',
        ],
        name: centre.name,
      }),
    )
    check(
      reachesServer(storage.sent, centre.batches, {
        id: 'still-arrives',
        verifies: ['M:0084/communicates'],
        rtu: centre.rtu,
        within: short ? '15 s' : '2 min',
      }),
    )
    let n = 0
    for (const is of short ? falseOnes.slice(2, 4) : falseOnes) {
      const wrong = centre.inflict('wrong-certificate', { is })
      await storage.publish({
        messages: Array.from(
          { length: 20 },
          () => `{"Timestamp":1500000000,"Value":${++n},"ToStore":true,"n":${n}}`,
        ),
        kept: true,
      })
      await time.pass(short ? '20 s' : '40 s')
      wrong.lift()
      await time.pass(short ? '15 s' : '25 s')
    }
    await time.pass(short ? '20 s' : '2 min')
  },
})
