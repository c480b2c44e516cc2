/**
 * Somebody stands where the cloud should and shows a certificate that proves nothing: of another authority, for another
 * host, of its own making. The reader gives it nothing, and the right cloud everything. That gives what it keeps to those
 * entitled, and to nobody else.
 */
import { always, listsArrive, scenario } from '../../bench/index.ts'
import type { Event } from '../../bench/index.ts'
import { oftenLong } from './_lists.ts'

const payload = (e: Event): { readonly [k: string]: unknown } =>
  (e.data as { readonly payload: { readonly [k: string]: unknown } }).payload

export default scenario({
  title:
    'A server that cannot prove its identity is given nothing; what the right one keeps, the entitled can fetch',
  verifies: ['SR-3.3'],
  needs: ['reader', 'meter', 'cloud'],
  catches: {
    'han-logger/trusts-any-server': 'SR-3.3/secure-connection',
    'han-logger/checks-no-host-name': 'SR-3.3/secure-connection',
    'han-logger/shows-no-certificate': 'SR-3.3/retrievable',
    'han-logger/lost-while-away': 'SR-3.3/secure-connection',
  },
  horizon: '4 min',
  short: '110 s',
  prove: '2 min',
  async run({ reader, cloud, time, check }) {
    await reader.rewire({ meter: { cadence: oftenLong } })
    check(
      always(cloud.impostor, (e) => payload(e)['given [B]'] === 0, {
        id: 'given-nothing',
        verifies: ['SR-3.3/secure-connection'],
        limit: 'a server with a wrong certificate is given no byte inside TLS',
      }),
    )
    check(listsArrive(cloud.readings, { id: 'all-to-the-right-one', verifies: ['SR-3.3/secure-connection'] }))
    check(
      always(
        cloud.retrieved,
        (e) => {
          const { as, stage, ...counts } = payload(e)
          if (as !== 'entitled') return stage !== 'inside'
          return (
            stage === 'inside' &&
            Number(counts['readings [1]']) > 0 &&
            counts['readings [1]'] === counts['kept [1]']
          )
        },
        {
          id: 'retrievable',
          verifies: ['SR-3.3/retrievable'],
          limit: 'those entitled are given every reading, of which there are some, and others nothing',
        },
      ),
    )
    const part = (time.horizon - 30_000) / 4
    await time.pass(part)
    for (const is of ['foreign-ca', 'other-host', 'self-signed']) {
      const impostor = cloud.inflict('wrong-certificate', { is })
      await time.pass(part)
      impostor.lift()
      await time.pass('5 s')
    }
    await time.pass('15 s')
    for (const as of ['entitled', 'colleague', 'stranger', 'nobody'] as const) await cloud.retrieve(as)
  },
})
