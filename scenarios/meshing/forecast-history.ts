/**
 * The predictor is given one past after another, each of which differs from the first in one stretch. What lies further back
 * than the four weeks and a day that it states must change nothing; the oldest day of those must. Then a past with gaps, one
 * that is too short, and one of a year, of which it may keep no more than of the others.
 */
import { always, forecastByMethod, forecastDependsOn, scenario } from '../../bench/index.ts'
import type { Event } from '../../bench/faces.ts'

/**
 * What four weeks and a day of two circuits take at most on the disk: 2,784 half-hours, of which each is told in 60
 * characters. Ours.
 */
const mostBytes = 2784 * 60

const kept = (e: Event): number => {
  const payload = (e.data as { readonly payload?: { readonly 'kept [B]'?: unknown } }).payload
  return Number(payload?.['kept [B]'])
}

export default scenario({
  title: 'The forecast depends on four weeks and a day of the past, as stated, and on nothing before',
  verifies: ['I:0085', 'I:0086/confirmed', 'I:0084', 'I:0089/enough-history'],
  needs: ['platform', 'forecaster'],
  catches: {
    'predictor-app/uses-all-history': 'I:0085/bounded-history',
    'predictor-app/keeps-everything': 'I:0085/bounded-history',
    'predictor-app/uses-two-weeks': 'I:0086/confirmed',
    'predictor-app/swaps-circuits': 'I:0084/feeder',
    'predictor-app/always-sure': 'I:0089/enough-history',
  },
  horizon: '70 s',
  async run({ platform, forecaster, time, check, load }) {
    const { past } = forecaster
    const all = platform.watch('marketplace', '*')
    for (const circuit of ['transformer', 'feeder'] as const)
      check(
        forecastByMethod(all, {
          verifies: [`I:0084/${circuit}`, 'I:0089/enough-history'],
          circuit,
          past,
          phases: ['l1', 'l2', 'l3'].map((p) => `gridkey.feeder${circuit === 'feeder' ? 2 : 1}.${p}.current`),
          every: '60 s',
        }),
      )
    check(
      forecastDependsOn(all, {
        verifies: ['I:0085/bounded-history', 'I:0086/confirmed'],
        circuit: 'transformer',
        past,
        says: 'what is older than four weeks and a day changes nothing of a forecast, and their oldest day changes it',
      }),
    )
    check(
      always(forecaster.disk, (e) => kept(e) > 0 && kept(e) <= mostBytes, {
        id: 'kept',
        verifies: ['I:0085/bounded-history'],
        limit: `something, and at most ${mostBytes} bytes, kept of any past`,
      }),
    )
    const common = { load: load('winter-weekday'), span: '42 d' }
    const pasts = [
      { ...common, name: 'plain', group: 'as-stated' },
      {
        ...common,
        name: 'older-is-other',
        group: 'as-stated',
        changes: [{ from: '42 d', to: '29 d', times: 3 }],
      },
      {
        ...common,
        name: 'oldest-is-other',
        group: 'oldest-day',
        changes: [{ from: '28 d', to: '27 d', times: 1.5 }],
      },
      {
        ...common,
        name: 'with-gaps',
        changes: [
          // a week that is not known, and an outage: what remains is enough
          { from: '20 d', to: '13 d' },
          { from: '27 d', to: '26.5 d', times: 0 },
        ],
      },
      { ...common, name: 'too-short', span: '10 d' },
      { ...common, name: 'a-year', span: '365 d' },
    ]
    for (const p of pasts) {
      await forecaster.remember(p)
      await time.pass('5 s')
      // it saves what it has learnt when it is ended
      if (p.name === 'a-year') await platform.ask('operator', { do: 'restart', app: 'predictor' })
    }
    await time.pass('5 s')
    await forecaster.measure()
  },
})
