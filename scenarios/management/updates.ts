/**
 * The management server hands out updates: other versions, other settings, an app more, an app less. Each is in effect as a
 * whole or not at all, also after everything was ended at once. Those that nobody may have sent, that are damaged, meant for
 * others or do not fit change nothing; one whose app does not come up is taken back.
 */
import { installsWhole, neverHalfUpdated, scenario, updatesTakeEffect } from '../../bench/index.ts'
import type { Update } from '../../bench/faces.ts'

export default scenario({
  title:
    'Updates from the management server take effect as a whole, and what must not be applied changes nothing',
  verifies: [
    'M:0061',
    'M:0062',
    'M:0063',
    'M:0064',
    'M:0074/receives',
    'M:0074/installs',
    'M:0075/receives',
    'M:0075/applies',
    'M:0076/receives',
    'M:0076/removes',
  ],
  needs: ['platform', 'scripted', 'storage', 'management'],
  catches: {
    'comms-app/asks-for-nothing': 'M:0076/receives',
    'container-manager/keeps-the-old-version': 'M:0062/running',
    'container-manager/keeps-the-old-settings': 'M:0063/in-effect',
    'container-manager/removes-nothing': 'M:0076/removes',
    'container-manager/installs-nothing-new': 'M:0074/installs',
    'container-manager/takes-updates-of-anybody': 'M:0062/running',
    'container-manager/takes-damaged-updates': 'M:0074/receives',
    'container-manager/takes-updates-for-others': 'M:0062/running',
    'container-manager/takes-updates-that-do-not-fit': 'M:0063/in-effect',
    'container-manager/trusts-every-update-to-run': 'M:0062/running',
    'container-manager/never-takes-an-update-back': 'M:0062/running',
    'container-manager/updates-one-after-another': 'M:0062/running',
    'container-manager/updates-again-and-again': 'M:0063/in-effect',
  },
  horizon: '150 s',
  short: '90 s',
  prove: '90 s',
  async run({ platform, scripted, management, time, check }) {
    const start = time.now()
    await platform.ask('operator', { do: 'change', app: 'comms', config: { poll: 2 } })
    check(
      updatesTakeEffect(management, {
        id: 'versions',
        looks: 'versions',
        verifies: ['M:0061/running', 'M:0062/running', 'M:0064/gone', 'M:0074/installs', 'M:0076/removes'],
        within: '50 s',
      }),
    )
    check(
      updatesTakeEffect(management, {
        id: 'settings',
        looks: 'settings',
        verifies: ['M:0063/in-effect', 'M:0075/applies'],
        within: '50 s',
      }),
    )
    check(
      neverHalfUpdated(management, {
        verifies: [
          'M:0062/running',
          'M:0063/in-effect',
          'M:0074/receives',
          'M:0075/receives',
          'M:0076/receives',
        ],
      }),
    )
    check(
      installsWhole(management, {
        verifies: [
          'M:0061/handed-over',
          'M:0062/handed-over',
          'M:0063/handed-over',
          'M:0064/handed-over',
          'M:0074/receives',
          'M:0075/receives',
          'M:0076/receives',
        ],
        within: '40 s',
      }),
    )
    const send = (id: string, what: Omit<Update, 'id' | 'kind' | 'size'>): void =>
      management.update({
        id,
        kind: Object.values(what.apps ?? {}).every((a) => a.version === undefined)
          ? 'configuration'
          : 'software',
        size: 3_000,
        ...what,
      })
    // Nobody ever brings version 1.7 of it, or a pulse of 15 s.
    const never = { first: { version: '1.7', config: { name: 'first', pulse: 15 } } }
    for (const wrong of ['unsigned', 'wrong-signer', 'altered', 'damaged', 'other-platform'] as const)
      send(wrong, { apps: never, wrong })
    // An app of the old form has no versions.
    send('no-version', {
      apps: { guid: { version: '2.0', config: { name: 'guid', pulse: 15 } } },
      wrong: 'unfit',
    })
    // It takes its time to shut down: nobody runs as the update has it before all have gone.
    scripted.app('second').behave({ shutdown: { after: 2 } })
    send('both', {
      apps: {
        first: { version: '1.1', config: { name: 'first', pulse: 4 } },
        second: { config: { name: 'second', pulse: 7 } },
      },
    })
    send('fewer', { remove: ['guid'] })
    await time.pass('20 s')
    send('more', {
      apps: { guid: { program: true, config: { name: 'guid', pulse: 5 } } },
      remove: ['third'],
    })
    await time.pass('10 s')

    await platform.ask('machine', { do: 'restart' })
    await time.pass('6 s')
    send('never-runs', {
      apps: { first: { version: '9.9' }, second: { config: { name: 'second', pulse: 2 } } },
      wrong: 'never-runs',
    })
    await time.pass(Math.max(52_000, start + time.horizon - time.now() - 2_000))
    await management.collect()
  },
})
