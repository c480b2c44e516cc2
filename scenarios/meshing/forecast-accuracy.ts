/**
 * For three weeks, day by day: the predictor is given all that came before, forecasts the next 24 h, and is held against
 * what came then. Its mean error must not be much larger than that of saying the last week again; how large it is in itself
 * depends on the load (operators put their own in its place by `--load`), and is told and not judged.
 */
import { forecastError, scenario } from '../../bench/index.ts'

/** A past is given and a forecast made from it in so many ms. */
const each = 10_000

export default scenario({
  title: 'Over three weeks the forecast is no worse than the last week said again',
  verifies: ['I:0089/enough-history', 'I:0084'],
  needs: ['platform', 'forecaster'],
  catches: {
    'predictor-app/says-the-mean-all-day': 'I:0089/enough-history',
    'predictor-app/swaps-circuits': 'I:0084/feeder',
  },
  horizon: '210 s',
  short: '80 s',
  prove: '70 s',
  async run({ platform, forecaster, time, check, load }) {
    const all = platform.watch('marketplace', '*')
    const asked = Math.floor(time.horizon / each)
    for (const circuit of ['transformer', 'feeder'] as const)
      check(
        forecastError(all, {
          verifies: ['I:0089/enough-history', `I:0084/${circuit}`],
          circuit,
          past: forecaster.past,
          atMost: 1.15,
          // one of them may lie over the beginning of a half-hour
          days: asked - 1,
        }),
      )
    for (let d = 0; d < asked; d++) {
      await forecaster.remember({
        name: `day-${d + 1}`,
        load: load('winter-weekday'),
        span: '29 d',
        later: `${d} d`,
      })
      await time.pass('5 s')
    }
  },
})
