/**
 * A thermocouple module of another make: readings as counts of a range that goes by the input's type, burn-out told by
 * coils, under and over range by the ends of the counts. The app is told so by configuration alone. A burnt-out input may
 * go on showing its last value: then the coil alone tells.
 */
import {
  adamChannels,
  arrivesEvery,
  equalsTruth,
  flowsWhateverHappens,
  invalidDuring,
  scenario,
} from '../../bench/index.ts'

/** Faults in order, what they are given; 30 s each. The first makes the short run. */
const spells: readonly (readonly [name: string, params: { readonly [k: string]: string }])[] = [
  ['open', { input: 'ambient', mode: 'freeze' }],
  ['under', { input: 'top_oil' }],
  ['open', { input: 'ambient', mode: 'full_scale' }],
  ['open', { input: 'ambient', mode: 'substitute' }],
  ['over', { input: 'indoor' }],
  ['no-reply', {}],
  ['crc-error', {}],
]

export default scenario({
  title: 'A module that shows counts and burn-out coils is read as truly as one that shows degrees and flags',
  verifies: [
    'M:0016',
    'M:0025/collects-ambient',
    'M:0025/collects-transformer',
    'M:0026/takes-values',
    'M:0026/passes-on',
    'I:0014',
    'API:4.5/base-units',
    'API:4.8',
  ],
  needs: ['platform', 'adam'],
  catches: {
    'temperature-app/range-of-another-type': 'M:0025/collects-transformer',
    'temperature-app/counts-with-a-sign': 'M:0026/passes-on',
    'temperature-app/twelve-bits': 'M:0026/passes-on',
    'temperature-app/takes-ends-for-values': 'API:4.8/valid-false',
    'temperature-app/ignores-burn-out-coils': 'API:4.8/valid-false',
    'temperature-app/coil-of-the-input-before': 'API:4.8/valid-false',
    'temperature-app/fahrenheit': 'API:4.5/base-units',
    'temperature-app/valid-when-dead': 'API:4.8/valid-false',
    'temperature-app/skips-a-minute': 'M:0026/takes-values',
    'temperature-app/swaps-channels': 'M:0025/collects-ambient',
  },
  horizon: '6 min',
  short: '90 s',
  prove: '6 min',
  async run({ platform, adam, time, check }) {
    adam.set('ambient', { from: -6, to: 5, over: '6 min' })
    adam.set('indoor', { from: 9, to: 15, over: '6 min' })
    adam.set('top_oil', { from: 48, to: 61, over: '6 min' })
    await platform.ask('config', { app: 'adam', intervalSeconds: 10 })
    const all = platform.watch('marketplace', 'adam.*')
    const one = (input: string): typeof all => platform.watch('marketplace', `adam.${input}.temperature`)
    check(
      flowsWhateverHappens(all, adam, {
        id: 'flow',
        verifies: ['API:4.8'],
        period: '10 s',
        gap: '±2 s',
        recover: '25 s',
        channels: adamChannels,
      }),
    )
    check(
      arrivesEvery('10 s', all, {
        id: 'each-input-read',
        verifies: ['M:0026/takes-values', 'M:0016'],
        gap: '±2 s',
        drift: '1 %',
        channels: adamChannels,
        start: '25 s',
      }),
    )
    for (const [input, verifies] of [
      ['ambient', ['M:0025/collects-ambient', 'I:0014/ambient']],
      ['indoor', []],
      ['top_oil', ['M:0025/collects-transformer', 'I:0014/transformer']],
    ] as const)
      check(
        equalsTruth(one(input), adam, {
          id: `${input.replace('_', '-')}-true`,
          verifies: [...verifies, 'M:0016', 'M:0026/takes-values', 'M:0026/passes-on', 'API:4.5/base-units'],
          channels: [`adam.${input}.temperature`],
        }),
      )
    const during = { role: 'adam', verifies: ['API:4.8/valid-false'], settle: '12 s' } as const
    const whole = { ...during, least: '6 min' } as const
    check(invalidDuring(one('ambient'), { ...during, id: 'burnt-out', faults: ['open'] }))
    check(invalidDuring(one('top_oil'), { ...whole, id: 'under-range', faults: ['under'] }))
    check(invalidDuring(one('indoor'), { ...whole, id: 'over-range', faults: ['over'] }))
    check(invalidDuring(all, { ...whole, id: 'no-answer', faults: ['no-reply', 'crc-error'] }))

    // Faults begin in the middle between two outputs, and so does the time after them.
    await time.pass('25 s')
    const short = time.horizon < 360_000
    for (const [name, params] of short ? spells.slice(0, 1) : spells) {
      const fault = adam.inflict(name, params)
      await time.pass('30 s')
      fault.lift()
      await time.pass(short ? '25 s' : '10 s')
    }
    await time.pass(short ? '10 s' : '55 s')
  },
})
