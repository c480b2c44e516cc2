/**
 * On a private network that lets it through, the management server calls the platform by its modem whenever it has something
 * for it: the platform, which would not look for an hour, fetches that at once, and tells the server unasked. Whoever cannot
 * prove to be that server is not heard.
 */
import { installsWhole, keepsOut, scenario } from '../../bench/index.ts'

export default scenario({
  title: 'The management server reaches the platform by its modem when it wants to, and nobody else does',
  verifies: ['M:003/management-both-ways', 'M:003/management-outgoing'],
  needs: ['platform', 'storage', 'management', 'link'],
  catches: {
    'comms-app/ignores-calls': 'M:003/management-both-ways',
    'comms-app/hears-anybody': 'M:003/management-both-ways',
    'comms-app/hears-any-colleague': 'M:003/management-both-ways',
  },
  horizon: '4 min',
  short: '75 s',
  async run({ platform, management, link, time, check }) {
    link.profile('private-apn')
    await platform.ask('operator', {
      do: 'change',
      app: 'comms',
      config: { calls: { port: management.callPort }, poll: 3_600 },
    })
    check(
      keepsOut(management.calls, management.batches, {
        id: 'calls',
        verifies: ['M:003/management-both-ways'],
        out: ['colleague', 'nobody'],
        inside: 'call-0',
      }),
    )
    check(
      installsWhole(management, {
        verifies: ['M:003/management-both-ways', 'M:003/management-outgoing'],
        within: '25 s',
      }),
    )
    const end = time.now() + time.horizon
    await time.pass('15 s')
    for (let n = 0; n === 0 || end - time.now() > 50_000; n++) {
      const size = 3 * management.piece
      management.offer({ id: `image-${n}`, kind: 'software', name: `image_${n}.tar`, size })
      await management.call({ name: `call-${n}`, as: 'itself' })
      await time.pass('5 s')
      if (n > 0) link.drop('6 s')
      await time.pass('20 s')
      await management.collect()
    }
    await management.call({ name: 'colleague', as: 'colleague' })
    await management.call({ name: 'nobody', as: 'nobody' })
    await time.pass(Math.max(1, end - time.now() - 500))
    await management.collect()
  },
})
