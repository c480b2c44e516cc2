/**
 * While two substations are meshed for a winter evening, a fault comes in the cable that they share, and goes. Both ends trip
 * that phase and reclose by themselves; LoadSense opens B at once, for the fault or for poles that differ; nothing else is operated by command.
 */
import { eventually, never, scenario } from '../../bench/index.ts'
import { allStand, everything, networkAt, onCommand, winterEvening } from './_pair.ts'

export default scenario({
  title:
    'A fault in the shared cable of a meshed pair: it is parted at once, and no breaker is operated but on command',
  verifies: ['M:0045/decides-to-part', 'M:0045/instructs', 'M:0035/obeys-loadsense'],
  needs: everything,
  catches: {
    'loadsense-app/takes-a-minute': 'M:0045/decides-to-part',
    'loadsense-app/moves-the-wrong-end': 'M:0045/decides-to-part',
    'meshing-app/no-record-of-openings': 'M:0035/obeys-loadsense',
    'meshing-app/closes-only': 'M:0045/instructs',
  },
  horizon: '5 min',
  short: '85 s',
  prove: '5 min',
  async run({ platform, platform2, network, automation, time, check }) {
    const end = time.now() + time.horizon
    check(onCommand(platform2, 'on-command-at-b', 'M:0035/obeys-loadsense'))
    await winterEvening({ network, automation, time }, 17)
    await time.pass('12 s')
    if (end - time.now() < 60_000) return time.pass(Math.max(0, end - time.now()))
    check(
      eventually(
        platform2.watch('marketplace', 'loadsense2.decision'),
        (e) => {
          const p = (e.data as { readonly payload?: { readonly Decision?: string } }).payload
          return p?.Decision === 'part' || p?.Decision === 'open-all'
        },
        {
          id: 'decides-to-part',
          by: '20 s',
          least: '2 min',
          limit: 'LoadSense decides to open within 20 s of the fault',
          verifies: ['M:0045/decides-to-part'],
        },
      ),
    )
    check(
      eventually(networkAt('b'), allStand('open'), {
        id: 'parted',
        by: '2 min',
        least: '3 min',
        limit: 'three open contacts at B within 2 min of the fault',
        verifies: ['M:0045/instructs'],
      }),
    )
    check(
      never(platform.watch('marketplace', 'loadsense.control.*'), () => true, {
        id: 'fed-as-a-rule',
        limit:
          'no command at A, whose breakers feed the shared feeder as a rule: the one that tripped recloses by itself',
        verifies: ['M:0045/decides-to-part'],
        alive: networkAt('a'),
      }),
    )
    const fault = network.inflict('short-circuit', { phase: 2, point: 2 })
    await time.pass('2 s')
    fault.lift()
    await time.pass(Math.max(0, end - time.now()))
  },
})
