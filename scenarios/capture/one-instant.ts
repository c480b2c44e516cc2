/** What the feeder monitor samples together leaves the app together. */
import { equalsTruth, gridkeyChannels, sampledTogether, scenario } from '../../bench/index.ts'

export default scenario({
  title: 'All values of one output are of one sample of the feeder monitor and carry one time stamp',
  verifies: ['S:002'],
  needs: ['platform', 'gridkey'],
  catches: {
    'gridkey-app/stamps-each-apart': 'S:002/kept-together',
    'gridkey-app/reads-slowly': 'S:002/kept-together',
    'gridkey-app/mixes-samples': 'S:002/kept-together',
  },
  horizon: '10 min',
  short: '2 min',
  prove: '2 min',
  async run({ platform, gridkey, time, check, load }) {
    gridkey.follow(load('winter-weekday'))
    await platform.ask('config', { app: 'gridkey', intervalSeconds: 10 })
    const seen = platform.watch('marketplace', 'gridkey.*')
    check(sampledTogether(seen, { id: 'one-stamp', verifies: ['S:002'], role: 'gridkey', spread: '500 ms' }))
    check(
      equalsTruth(seen, gridkey, {
        id: 'one-sample',
        verifies: ['S:002/kept-together'],
        channels: gridkeyChannels,
      }),
    )
    await time.pass(time.horizon)
  },
})
