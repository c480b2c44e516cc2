/** The power comes back with the networks meshed: nothing is commanded because of that, and the mesh goes on as it was. */
import { decisionFollowsRules, scenario } from '../../bench/index.ts'
import { calm, evening, roomy } from './_rows.ts'

const dwell = 40

export default scenario({
  title:
    'After an outage LoadSense takes over the mesh that it finds, and commands nothing because it has started',
  verifies: ['M:0045/decides-to-part', 'M:0046/right-decision'],
  needs: ['platform', 'advisers', 'mains'],
  catches: {
    'loadsense-app/repeats-after-a-restart': 'M:0046/right-decision',
    'loadsense-app/forgets-its-operations': 'M:0045/decides-to-part',
    'loadsense-app/never-parts': 'M:0045/decides-to-part',
  },
  horizon: '80 s',
  async run({ platform, advisers, mains, time, note, check }) {
    const config = { every: 2, operations: { rest: 3, aDay: 20 }, part: { dwell } }
    await platform.ask('operator', { do: 'change', app: 'loadsense', config })
    await time.pass('2 s')
    check(
      decisionFollowsRules({
        within: '6 s',
        rules: { rest: 3, aDay: 20, part: { share: 0.85, ahead: 7200, dwell } },
        verifies: ['M:0045/decides-to-part', 'M:0046/right-decision'],
      }),
    )
    await advisers.advise({ ...evening, ...roomy })
    await time.pass('4 s')
    note('the whole platform loses its power')
    await mains.cut({ for: '4 s' })
    await time.pass('10 s')
    await advisers.advise({ all: true })
    await time.pass('6 s')
    note('a calm night: it parts when the least time of the mesh of before the outage has passed')
    await advisers.advise(calm)
    await time.pass('40 s')
  },
})
