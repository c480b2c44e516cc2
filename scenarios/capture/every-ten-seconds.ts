/** An hour of capture at the fastest rate that the requirements ask for. */
import {
  arrivesEvery,
  equalsTruth,
  gridkeyChannels,
  scenario,
  stampedByPlatformClock,
} from '../../bench/index.ts'

export default scenario({
  title: 'Feeder readings are captured without a break every ten seconds for an hour',
  verifies: ['M:0024'],
  needs: ['platform', 'gridkey'],
  catches: {
    'gridkey-app/ignores-its-interval': 'M:0024/every-ten-seconds',
    'gridkey-app/loses-messages-when-fast': 'M:0024/every-ten-seconds',
    'gridkey-app/stops-after-ten-minutes': 'M:0024/one-hour',
    'gridkey-app/stale-value': 'M:0024/every-ten-seconds',
    'gridkey-app/stale-timestamp': 'M:0024/every-ten-seconds',
    'container-manager/keeps-changes-to-itself': 'M:0024/every-ten-seconds',
  },
  horizon: '1 h',
  short: '3 min',
  prove: '1 h',
  async run({ platform, gridkey, time, check, load }) {
    gridkey.follow(load('winter-weekday'))
    await platform.ask('config', { app: 'gridkey', intervalSeconds: 10 })
    const seen = platform.watch('marketplace', 'gridkey.*')
    check(
      arrivesEvery('10 s', seen, {
        id: 'every-ten-seconds',
        verifies: ['M:0024/every-ten-seconds'],
        gap: '±2 s',
        channels: gridkeyChannels,
        start: '25 s',
      }),
    )
    check(
      arrivesEvery('10 s', seen, {
        id: 'for-an-hour',
        verifies: ['M:0024/one-hour'],
        gap: '±2 s',
        channels: gridkeyChannels,
        start: '25 s',
        least: '1 h',
      }),
    )
    check(
      equalsTruth(seen, gridkey, {
        id: 'values',
        verifies: ['M:0024/every-ten-seconds'],
        channels: gridkeyChannels,
      }),
    )
    check(
      stampedByPlatformClock(seen, { id: 'stamps', verifies: ['M:0024/every-ten-seconds'], within: '2 s' }),
    )
    await time.pass(time.horizon)
  },
})
