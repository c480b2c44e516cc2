/**
 * Power goes while the platform is being updated, wherever it is in doing so: before or after anything that it flushes or
 * renames, when apps are told to shut down, when they are given their new settings, when the server is told of it; now and
 * then again while it comes back. It is in service again with no help, and with the update in effect: never a part of it,
 * and never what was before once the update has been said to be applied.
 */
import { backInService, neverHalfUpdated, scenario, updatesTakeEffect } from '../../bench/index.ts'
import type { CutOptions } from '../../bench/faces.ts'

export default scenario({
  title: 'An update that a loss of power broke into is completed when it is back, and is never there in part',
  verifies: ['W:008/comes-back', 'W:008/update-completes', 'I:00150/completed', 'I:00150/applied'],
  needs: ['platform', 'scripted', 'storage', 'management', 'mains'],
  catches: {
    'container-manager/forgets-a-broken-update': 'I:00150/completed',
    'container-manager/gives-a-broken-update-up': 'I:00150/completed',
    'container-manager/waits-for-help-after-a-broken-update': 'W:008/comes-back',
    'container-manager/resumes-versions-alone': 'I:00150/applied',
    'container-manager/resumes-settings-alone': 'I:00150/completed',
    'container-manager/flushes-no-update': 'W:008/update-completes',
  },
  horizon: '20 min',
  short: '84 s',
  prove: { others: '50 s', 'container-manager/flushes-no-update': '4 min' },
  async run({ platform, scripted, management, mains, time, check, random }) {
    const [first, second] = [scripted.app('first'), scripted.app('second')]
    const within = '35 s'
    check(
      backInService(
        [first, second].map((a) => platform.watch('marketplace', `pulse.${a.iid}`)),
        { verifies: ['W:008/comes-back'], within: '28 s' },
      ),
    )
    check(
      updatesTakeEffect(management, {
        id: 'versions',
        looks: 'versions',
        verifies: ['W:008/update-completes', 'I:00150/completed'],
        within,
      }),
    )
    check(
      updatesTakeEffect(management, {
        id: 'settings',
        looks: 'settings',
        verifies: ['W:008/update-completes', 'I:00150/applied'],
        within,
      }),
    )
    check(neverHalfUpdated(management, { verifies: ['W:008/update-completes', 'I:00150/applied'] }))
    await platform.ask('operator', { do: 'change', app: 'comms', config: { poll: 2 } })
    const said = (alias: string): CutOptions['at'] => platform.watch('marketplace', alias)
    const between = (low: number, high: number): number =>
      low + Math.floor(random('points') * (high - low + 1))
    /** What can be seen from outside; and, where the platform's own work can be watched, each step of that. */
    const outside = [
      () => said(`command.${first.iid}`),
      () => said(`config.response.${first.iid}`),
      () => ({ ...management.installed, nth: 2 }),
      () => said(`config.response.${second.iid}`),
    ]
    const inside = [
      () => ({ doing: 'rename', nth: between(5, 14), when: 'before' }) as const,
      () => ({ doing: 'flush', nth: between(6, 32), when: 'after' }) as const,
      () => ({ doing: 'rename', nth: between(5, 14), when: 'after' }) as const,
      () => ({ doing: 'flush', nth: between(6, 32), when: 'before' }) as const,
    ]
    const points = mains.can('points') ? outside.flatMap((f, n) => [f, inside[n] ?? f]) : outside
    const rounds = Math.max(1, Math.floor((time.horizon - 2_000) / 40_000))
    for (let n = 0; n < rounds; n++) {
      const at = points[n % points.length]?.()
      const cut = mains.cut({ ...(at === undefined ? {} : { at }), for: '1 s', within: '11 s' })
      const odd = n % 2
      management.update({
        id: `update-${n}`,
        kind: 'software',
        apps: {
          first: { version: odd === 0 ? '1.1' : '1.0', config: { name: 'first', pulse: 3 + 3 * odd } },
          second: { config: { name: 'second', pulse: 6 - 3 * odd } },
        },
        size: 2_000,
      })
      const begun = time.now()
      const gone = await cut
      if (n % 3 === 2) {
        await time.pass(between(100, 4_000))
        await mains.cut({ for: '1 s' })
      }
      await time.pass(Math.max(gone ? 36_000 : 0, begun + 38_000 - time.now()))
    }
  },
})
