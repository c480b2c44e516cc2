/**
 * A reader that does not know its cloud is set up at its configuration page: by whoever knows the password, and by nobody
 * else. It works by what was set, also after it was killed and started again.
 */
import { always, listsArrive, scenario } from '../../bench/index.ts'
import type { Event } from '../../bench/index.ts'

const payload = (e: Event): { readonly [k: string]: unknown } =>
  (e.data as { readonly payload: { readonly [k: string]: unknown } }).payload

/** Its name from now on. */
const name = 'reader-in-the-attic'

export default scenario({
  title:
    'The reader is set up at its configuration page after a log-in, works by it, and knows it after a restart',
  verifies: ['SR-3.4'],
  needs: ['reader', 'meter', 'cloud', 'installer'],
  catches: {
    'han-logger/page-for-everyone': 'SR-3.4/log-in',
    'han-logger/any-password': 'SR-3.4/log-in',
    'han-logger/settings-in-memory': 'SR-3.4/web-application',
    'han-logger/keeps-its-name': 'SR-3.4/web-application',
  },
  horizon: '3 min',
  short: '80 s',
  prove: '2 min',
  async run({ reader, installer, cloud, time, check }) {
    check(
      always(
        installer.outcomes,
        (e) => {
          const { stage, saved } = payload(e)
          const owner = (e.data as { readonly alias: string }).alias === 'installer.owner'
          return owner ? stage === 'inside' && saved === true : stage !== 'inside' && saved === false
        },
        {
          id: 'log-in',
          verifies: ['SR-3.4/log-in'],
          limit: 'whoever has the password is shown the page and may save; nobody else is, or may',
        },
      ),
    )
    check(
      always(cloud.readings, (e) => payload(e)['Logger_MAC'] === name, {
        id: 'by-its-name',
        verifies: ['SR-3.4/web-application'],
        limit: 'every reading comes under the name that was set',
      }),
    )
    for (const gives of ['none', 'wrong'] as const)
      await installer.visit({ name: gives, gives, set: 'cloud', fields: { deviceId: 'somebody-else' } })
    await installer.visit({ name: 'owner', gives: 'right', set: 'cloud', fields: { deviceId: name } })
    await time.pass('5 s')
    check(listsArrive(cloud.readings, { id: 'works-by-it', verifies: ['SR-3.4/web-application'] }))
    const part = (time.horizon - 30_000) / 2
    await time.pass(part)
    await reader.ask('machine', { do: 'restart' })
    await time.pass(part)
    await time.pass('25 s')
  },
})
