/**
 * A winter evening of the pair: substation A has more to carry than its transformer bears, B has room. The predictors
 * know four weeks of such evenings; LoadSense at B meshes in time. How warm A would have become without it, the network
 * knows.
 */
import { carriesOutCommands, meshSaves, scenario } from '../../bench/index.ts'
import { atB, everything, onCommand, winterEvening } from './_pair.ts'

export default scenario({
  title:
    'A winter evening that needs a mesh is saved by it: two platforms, all their apps, and the network between them',
  verifies: ['I:0073/autonomous', 'I:0094/predicted', 'I:0096', 'I:0098/load-profile', 'I:0098/peer'],
  needs: everything,
  catches: {
    'meshing-app/opens-only': 'I:0096',
    'meshing-app/no-record-of-closings': 'I:0073/autonomous',
    'peer-app/says-nothing': 'I:0098/peer',
    'predictor-app/no-feeder': 'I:0098/load-profile',
  },
  horizon: '150 min',
  short: '85 s',
  prove: {
    others: '150 min',
    'meshing-app/opens-only': '5 min',
    'meshing-app/no-record-of-closings': '5 min',
  },
  async run({ platform2, network, automation, time, check }) {
    const commands = platform2.watch('marketplace', 'loadsense2.control.*')
    check(onCommand(platform2, 'by-itself', 'I:0073/autonomous'))
    check(carriesOutCommands(commands, { ...atB, id: 'through-the-meshing-app', verifies: ['I:0096'] }))
    check(
      meshSaves({
        id: 'saved',
        verifies: ['I:0094/predicted', 'I:0098/load-profile', 'I:0098/peer'],
        least: '140 min',
      }),
    )
    const end = time.now() + time.horizon
    await winterEvening({ network, automation, time }, 16)
    await time.pass(Math.max(0, end - time.now()))
  },
})
