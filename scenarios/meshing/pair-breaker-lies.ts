/**
 * Two substations are to be meshed for a winter evening, and one of the three breakers lies: it says that it has closed, and
 * its contact has not moved. What flows in the network shows it; the status tells it; LoadSense opens all three, leaves the
 * automation to a person, and closes nothing more.
 */
import { eventually, never, scenario } from '../../bench/index.ts'
import { allStand, everything, networkAt, onCommand, winterEvening } from './_pair.ts'

/** A message on a control topic that closes. */
const closes = (e: { readonly data: unknown }): boolean =>
  (e.data as { readonly payload?: { readonly Value?: unknown } }).payload?.Value === true

export default scenario({
  title: 'A breaker that says done and has not moved: all are opened, and the automation stays out of it',
  verifies: ['M:0035/obeys-loadsense', 'M:0045/instructs', 'M:0046/right-decision'],
  needs: everything,
  catches: {
    'loadsense-app/stays-in-command': 'M:0046/right-decision',
    'loadsense-app/believes-its-commands': 'M:0046/right-decision',
    'meshing-app/closes-only': 'M:0045/instructs',
    'meshing-app/no-record-of-closings': 'M:0035/obeys-loadsense',
  },
  horizon: '40 min',
  short: '85 s',
  prove: '40 min',
  async run({ platform2, alvin2, network, automation, time, check }) {
    const end = time.now() + time.horizon
    const commands = platform2.watch('marketplace', 'loadsense2.control.*')
    check(onCommand(platform2, 'on-command', 'M:0035/obeys-loadsense'))
    check(
      eventually(
        platform2.watch('marketplace', 'loadsense2.decision'),
        (e) =>
          (e.data as { readonly payload?: { readonly LockedOut?: boolean } }).payload?.LockedOut === true,
        {
          id: 'out-of-it',
          by: '2 min',
          least: '2 min',
          limit: 'the automation locked out within 2 min',
          verifies: ['M:0046/right-decision'],
        },
      ),
    )
    alvin2.inflict('stuck', { phase: 'l2', told: 'done' })
    await winterEvening({ network, automation, time }, 17)
    await time.pass('18 s')
    if (end - time.now() < 60_000) return time.pass(Math.max(0, end - time.now()))
    check(
      eventually(networkAt('b'), allStand('open'), {
        id: 'opened',
        by: '2 min',
        least: '3 min',
        limit: 'three open contacts at B',
        verifies: ['M:0045/instructs'],
      }),
    )
    // Longer than an operation must rest: whoever is still in command would try again.
    check(
      never(commands, closes, {
        id: 'never-again',
        alive: platform2.watch('marketplace', 'alvin2.*.fault_status'),
        least: '35 min',
        limit: 'no command to close after that',
        verifies: ['M:0046/right-decision'],
      }),
    )
    await time.pass(Math.max(0, end - time.now()))
  },
})
