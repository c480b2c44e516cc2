/**
 * A pair that is meshed for a winter evening loses the link between its platforms, for good. The mesh is kept for a quarter
 * of an hour, in which the link might have come back, and is then parted, since B is well alone; nothing else is operated.
 */
import { eventually, never, scenario } from '../../bench/index.ts'
import { allStand, everything, networkAt, onCommand, winterEvening } from './_pair.ts'

export default scenario({
  title: 'A peer that dies while meshed: the mesh is kept for 15 min, and then parted',
  verifies: ['M:0045/decides-to-part', 'M:0045/instructs', 'M:0035/obeys-loadsense'],
  needs: [...everything, 'peers'],
  catches: {
    'loadsense-app/keeps-the-mesh-without-the-peer': 'M:0045/instructs',
    'loadsense-app/parts-at-once-without-the-peer': 'M:0045/decides-to-part',
    'meshing-app/no-record-of-closings': 'M:0035/obeys-loadsense',
  },
  horizon: '22 min',
  short: '85 s',
  prove: '22 min',
  async run({ platform2, network, automation, peers, time, check }) {
    const end = time.now() + time.horizon
    check(onCommand(platform2, 'on-command', 'M:0035/obeys-loadsense'))
    await winterEvening({ network, automation, time }, 17)
    await time.pass('12 s')
    if (end - time.now() < 60_000) return time.pass(Math.max(0, end - time.now()))
    const lost = peers.inflict('carrier')
    const from = time.now()
    check(
      never(networkAt('b'), (e) => !allStand('closed')(e) && e.at < from + 14 * 60_000, {
        id: 'kept',
        least: '10 min',
        limit: 'no open contact at B in the 14 min after the link was lost',
        verifies: ['M:0045/decides-to-part'],
      }),
    )
    check(
      eventually(networkAt('b'), allStand('open'), {
        id: 'parted',
        by: '20 min',
        least: '20 min',
        limit: 'three open contacts at B within 20 min after the link was lost',
        verifies: ['M:0045/instructs'],
      }),
    )
    await time.pass(Math.max(0, end - time.now()))
    lost.lift()
  },
})
