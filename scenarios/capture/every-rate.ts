/**
 * The temperature app at each of 60 settings, 10 s to 10 min in steps of 10 s (S:003). Three readings at each by
 * default, eight at the fastest; a run of 30 h or more takes six at each.
 */
import { equalsTruth, followsSetting, intervalSet, scenario, temperatureChannels } from '../../bench/index.ts'

const settings = Array.from({ length: 60 }, (_, i) => 10 * (i + 1))

export default scenario({
  title:
    'Temperatures can be captured at any interval from ten seconds to ten minutes, in steps of ten seconds',
  verifies: ['S:003'],
  needs: ['platform', 'thermocouple'],
  catches: {
    'temperature-app/ignores-its-interval': 'S:003/shortest',
    'temperature-app/loses-messages-when-fast': 'S:003/shortest',
    'temperature-app/rounds-its-interval': 'S:003/ten-second-steps',
    'temperature-app/never-slower-than-five-minutes': 'S:003/longest',
    'temperature-app/swaps-channels': 'S:003/ten-second-steps',
  },
  horizon: '16 h',
  short: '100 s',
  prove: '16 h',
  async run({ platform, time, thermocouple, check, note }) {
    thermocouple.set('ambient', { mean: 1, swing: 6, period: '24 h' })
    const seen = platform.watch('marketplace', 'thermocouple.*')
    const readings = time.horizon >= 30 * 3_600_000 ? 6 : 3
    const common = { readings, channels: temperatureChannels } as const
    check(followsSetting(seen, { ...common, id: 'shortest', verifies: ['S:003/shortest'], settings: [10] }))
    check(
      followsSetting(seen, {
        ...common,
        id: 'longest',
        verifies: ['S:003/longest'],
        settings: [600],
        least: '15 h',
      }),
    )
    check(
      followsSetting(seen, {
        ...common,
        id: 'each-step',
        verifies: ['S:003/ten-second-steps'],
        settings,
        least: '15 h',
      }),
    )
    check(equalsTruth(seen, thermocouple, { id: 'values', verifies: ['S:003/ten-second-steps'] }))
    // The first interval: eight readings, for what only shows when it is fast.
    const short = time.horizon < 3_600_000
    for (const seconds of short ? [10] : settings) {
      await platform.ask('config', { app: 'thermocouple', intervalSeconds: seconds })
      note(intervalSet, { seconds })
      await time.pass(1000 * (seconds * (seconds === 10 ? 8 : readings) + Math.min(5, seconds / 2)))
    }
  },
})
