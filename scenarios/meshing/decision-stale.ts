/**
 * Data that has stopped coming: each input alone, until it is too old to be decided on; and messages that come twice or out
 * of their order. The ages are shortened to seconds by configuration.
 */
import { decisionFollowsRules, scenario } from '../../bench/index.ts'
import type { Advice } from '../../bench/index.ts'
import { calm, evening, quick, roomy } from './_rows.ts'

/** Everything is told each 10 s; what is older than this is not decided on. */
const age = 15

const missing = (...items: readonly string[]): readonly [Advice, Advice] => [
  { told: Object.fromEntries(items.map((i) => [i, 'missing'])) },
  { told: Object.fromEntries(items.map((i) => [i, null])) },
]

const rows: readonly (readonly [string, Advice, Advice])[] = [
  ['row peer: its hot spot comes no more', ...missing('peer.partner.hot_spot')],
  ['row data: the load of one phase comes no more', ...missing('gridkey.feeder1.l2.current')],
  ['row forecast: it comes no more', ...missing('predictor.transformer.forecast')],
  ['row rating: it comes no more', ...missing('dtr.transformer.rating.forecast')],
  [
    'row breakers: one is not read any more',
    { breakers: { l3: { silent: true } } },
    { breakers: { l3: { silent: false } } },
  ],
  ['row peer: the word that it is there comes no more', ...missing('peer.alive')],
  ['row switch: its contact comes no more', ...missing('isolation.engaged')],
]

export default scenario({
  title: 'LoadSense decides on nothing that is old, and takes no old word for a new one',
  verifies: ['M:0044/decides-to-mesh', 'M:0044/uses-peer-data', 'M:0046/right-decision'],
  needs: ['platform', 'advisers'],
  catches: {
    'loadsense-app/ignores-peer-age': 'M:0044/uses-peer-data',
    'loadsense-app/believes-old-data': 'M:0046/right-decision',
    'loadsense-app/goes-back-in-time': 'M:0044/decides-to-mesh',
    'loadsense-app/takes-any-shape': 'M:0046/right-decision',
  },
  horizon: '6 min',
  short: '85 s',
  prove: '85 s',
  async run({ platform, advisers, time, note, check }) {
    const end = time.now() + time.horizon
    const config = { ...quick.config, age: { data: age, forecast: age, breakers: age, alive: age } }
    await platform.ask('operator', { do: 'change', app: 'loadsense', config })
    await time.pass('2 s')
    const o = {
      within: quick.within,
      rules: { ...quick.rules, age: { measured: age, forecast: age, breakers: age, alive: age } },
    }
    check(decisionFollowsRules({ ...o, verifies: ['M:0044/decides-to-mesh', 'M:0046/right-decision'] }))
    check(
      decisionFollowsRules({ ...o, id: 'by-peer', rows: /^row peer/, verifies: ['M:0044/uses-peer-data'] }),
    )
    await advisers.advise({ ...calm, ...roomy })
    await time.pass('3 s')

    note('row data: an old forecast comes after a new one, and the new one twice')
    await advisers.advise(evening)
    await advisers.again('predictor.transformer.forecast', {
      Timestamp: Math.floor(time.now() / 1000) - 8,
      Value: Array.from({ length: 48 }, () => 500),
    })
    await time.pass('5 s')
    await advisers.advise(calm)
    await advisers.again('predictor.transformer.forecast', 'duplicate')
    await advisers.again('predictor.transformer.forecast', {
      Timestamp: Math.floor(time.now() / 1000) - 8,
      Value: Array.from({ length: 48 }, () => 900),
    })
    await time.pass('9 s')

    note('row data: what is told is of no shape that can be read, after what was')
    await advisers.advise({ local: { ...evening.local, forecast: 500 } })
    await advisers.advise({
      ...evening,
      told: { 'dtr.transformer.hot_spot': 'misshapen', 'peer.partner.hot_spot': 'not-json' },
    })
    await advisers.advise({ told: { 'predictor.transformer.forecast': 'misshapen' } })
    await time.pass('6 s')
    await advisers.advise({
      ...calm,
      told: {
        'dtr.transformer.hot_spot': null,
        'peer.partner.hot_spot': null,
        'predictor.transformer.forecast': null,
      },
    })
    await time.pass('8 s')

    for (const [name, flip, back] of rows) {
      if (time.now() + 36_000 > end) return
      note(name)
      await advisers.advise(flip)
      await time.pass(`${age + 2} s`)
      await advisers.advise(evening)
      await time.pass('5 s')
      await advisers.advise(back)
      await time.pass('4 s')
      await advisers.advise(calm)
      await time.pass('9 s')
    }
  },
})
