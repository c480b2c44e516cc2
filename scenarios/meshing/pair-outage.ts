/**
 * High voltage goes at both substations while they are meshed, and the platforms with it. When power is back the mesh still
 * stands: breakers keep their contacts. LoadSense finds it so and, the evening still needing it, operates nothing.
 */
import { always, never, scenario } from '../../bench/index.ts'
import { allStand, everything, networkAt, onCommand, winterEvening } from './_pair.ts'

export default scenario({
  title:
    'Power back after an outage with a mesh closed: the mesh stands, and nothing is operated that need not be',
  verifies: ['M:0046/right-decision', 'M:0035/obeys-loadsense', 'I:0075'],
  needs: everything,
  catches: {
    'loadsense-app/repeats-after-a-restart': 'M:0046/right-decision',
    'meshing-app/repeats-at-restart': 'M:0035/obeys-loadsense',
  },
  horizon: '6 min',
  short: '85 s',
  prove: '6 min',
  async run({ platform, platform2, network, automation, time, check }) {
    const end = time.now() + time.horizon
    const commands = platform2.watch('marketplace', 'loadsense2.control.*')
    check(onCommand(platform2, 'on-command', 'M:0035/obeys-loadsense'))
    await winterEvening({ network, automation, time }, 17)
    await time.pass('12 s')
    if (end - time.now() < 60_000) return time.pass(Math.max(0, end - time.now()))
    const status = platform2.watch('marketplace', 'alvin2.*.fault_status')
    check(
      never(commands, () => true, {
        id: 'nothing-operated',
        alive: status,
        least: '3 min',
        limit: 'no command of LoadSense after the outage, since the mesh stands and is needed',
        verifies: ['M:0046/right-decision'],
      }),
    )
    check(
      always(networkAt('b'), allStand('closed'), {
        id: 'mesh-stands',
        least: '3 min',
        limit: 'three closed contacts at B all the time',
        verifies: ['M:0046/right-decision', 'I:0075'],
      }),
    )
    const outage = network.inflict('outage', { side: 'both' })
    await Promise.all([platform, platform2].map((p) => p.ask('machine', { do: 'restart' })))
    await time.pass('20 s')
    outage.lift()
    await time.pass(Math.max(0, end - time.now()))
  },
})
