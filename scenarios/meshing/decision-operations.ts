/**
 * Rest after an operation, the least time of a mesh, and how many operations a day may have, over restarts of the app. The
 * times are shortened to seconds by configuration.
 */
import { decisionFollowsRules, scenario } from '../../bench/index.ts'
import { calm, evening, roomy } from './_rows.ts'

const rest = 15
const dwell = 10
const aDay = 4

export default scenario({
  title: 'LoadSense lets breakers rest, and operates them only so often in a day, whatever happens to it',
  verifies: ['M:0044/decides-to-mesh', 'M:0045/decides-to-part', 'M:0046/right-decision'],
  needs: ['platform', 'advisers'],
  catches: {
    'loadsense-app/no-rest': 'M:0044/decides-to-mesh',
    'loadsense-app/no-dwell': 'M:0045/decides-to-part',
    'loadsense-app/no-limit-a-day': 'M:0044/decides-to-mesh',
    'loadsense-app/counts-closings-alone': 'M:0044/decides-to-mesh',
    'loadsense-app/forgets-its-operations': 'M:0044/decides-to-mesh',
    'loadsense-app/repeats-after-a-restart': 'M:0045/decides-to-part',
  },
  horizon: '90 s',
  async run({ platform, advisers, time, note, check }) {
    const config = { every: 2, operations: { rest, aDay }, part: { dwell } }
    await platform.ask('operator', { do: 'change', app: 'loadsense', config })
    await time.pass('2 s')
    // After a restart the app has to be told everything anew.
    const o = { within: '6 s', rules: { rest, aDay, part: { share: 0.85, ahead: 7200, dwell } } }
    check(
      decisionFollowsRules({
        ...o,
        id: 'meshes',
        only: 'close',
        verifies: ['M:0044/decides-to-mesh', 'M:0046/right-decision'],
      }),
    )
    check(decisionFollowsRules({ ...o, id: 'parts', only: 'open', verifies: ['M:0045/decides-to-part'] }))
    await advisers.advise({ ...calm, ...roomy })
    await time.pass('2 s')
    note('the first mesh, and a calm hour at once: not before its least time has passed')
    await advisers.advise(evening)
    await time.pass('4 s')
    await advisers.advise(calm)
    await time.pass('11 s')
    note('needed again, and a restart meanwhile: not before the rest has passed')
    await advisers.advise(evening)
    await time.pass('2 s')
    await platform.ask('operator', { do: 'restart', app: 'loadsense' })
    await time.pass('3 s')
    await advisers.advise({ all: true })
    await time.pass('12 s')
    note('the second mesh, and the fourth operation of the day')
    await advisers.advise(calm)
    await time.pass('13 s')
    note('needed once more, and a restart meanwhile: enough for today')
    await platform.ask('operator', { do: 'restart', app: 'loadsense' })
    await time.pass('3 s')
    await advisers.advise({ all: true, ...evening })
    await time.pass('25 s')
  },
})
