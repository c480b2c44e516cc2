/**
 * Thermocouples, their module and its line in every kind of trouble. A number proves nothing: a module may substitute,
 * freeze or clip what an open input shows, so the flags count. Leads the wrong way round, and an input that stands
 * still, are told by nothing: there the platform must show what the module says.
 */
import {
  equalsTruth,
  flowsWhateverHappens,
  invalidDuring,
  scenario,
  temperatureChannels,
} from '../../bench/index.ts'

/** Faults in order, what they are given, and for how many seconds they last. The first three make the short run. */
const spells: readonly (readonly [
  name: string,
  params: { readonly [k: string]: number | string },
  seconds: number,
])[] = [
  ['unplugged', {}, 30],
  ['open', { input: 'ambient', mode: 'freeze' }, 30],
  ['cj-fault', {}, 20],
  ['open', { input: 'ambient', mode: 'substitute' }, 30],
  ['open', { input: 'ambient', mode: 'full_scale' }, 30],
  ['over', { input: 'indoor' }, 30],
  ['under', { input: 'top_oil' }, 30],
  ['no-reply', {}, 30],
  ['crc-error', {}, 30],
  ['wrong-unit', {}, 30],
  ['truncated', { bytes: 7 }, 30],
  ['busy', {}, 30],
  ['slow', { ms: 3000 }, 30],
  ['reversed', { input: 'top_oil' }, 30],
  ['frozen', { input: 'indoor' }, 30],
]

export default scenario({
  title: 'Whatever befalls the thermocouples, messages go on, say so when they are not valid, and recover',
  verifies: ['API:4.8', 'M:0026/takes-values', 'M:0026/passes-on', 'M:0016'],
  needs: ['platform', 'thermocouple'],
  catches: {
    'temperature-app/silent-when-dead': 'API:4.8/keeps-flowing',
    'temperature-app/valid-when-dead': 'API:4.8/valid-false',
    'temperature-app/ignores-flags': 'API:4.8/valid-false',
    'temperature-app/ignores-cold-junction-fault': 'API:4.8/valid-false',
    'temperature-app/trusts-an-open-input': 'API:4.8/valid-false',
    'temperature-app/gives-up-for-good': 'API:4.8/keeps-flowing',
    'temperature-app/stale-timestamp': 'API:4.8/new-timestamp',
    'temperature-app/smooths-values': 'M:0026/passes-on',
    'temperature-app/whole-degrees': 'M:0016',
    'temperature-app/without-valid': 'API:4.8',
  },
  horizon: '13 min',
  short: '2 min',
  prove: '13 min',
  async run({ platform, thermocouple, time, check }) {
    thermocouple.set('ambient', { from: -4, to: 3, over: '13 min' })
    thermocouple.set('indoor', { from: 9, to: 15, over: '13 min' })
    thermocouple.set('top_oil', { from: 48, to: 61, over: '13 min' })
    await platform.ask('config', { app: 'thermocouple', intervalSeconds: 10 })
    const all = platform.watch('marketplace', 'thermocouple.*')
    const one = (input: string): typeof all =>
      platform.watch('marketplace', `thermocouple.${input}.temperature`)
    check(
      flowsWhateverHappens(all, thermocouple, {
        id: 'flow',
        verifies: ['API:4.8'],
        period: '10 s',
        gap: '±2 s',
        recover: '25 s',
        channels: temperatureChannels,
      }),
    )
    check(
      equalsTruth(all, thermocouple, {
        id: 'as-answered',
        verifies: ['M:0016', 'M:0026/takes-values', 'M:0026/passes-on'],
        channels: temperatureChannels,
      }),
    )
    const during = { role: 'thermocouple', verifies: ['API:4.8/valid-false'], settle: '12 s' } as const
    const whole = { ...during, least: '12 min' } as const
    check(
      invalidDuring(all, {
        ...whole,
        id: 'no-answer',
        faults: ['unplugged', 'no-reply', 'crc-error', 'wrong-unit', 'truncated', 'busy', 'slow'],
      }),
    )
    check(invalidDuring(one('ambient'), { ...during, id: 'open', faults: ['open'], least: '2 min' }))
    check(invalidDuring(all, { ...during, id: 'no-junction', faults: ['cj-fault'], least: '2 min' }))
    check(invalidDuring(one('indoor'), { ...whole, id: 'over-range', faults: ['over'] }))
    check(invalidDuring(one('top_oil'), { ...whole, id: 'under-range', faults: ['under'] }))

    // Faults begin in the middle between two outputs, and so does the time after them.
    await time.pass('25 s')
    const short = time.horizon < 13 * 60_000
    for (const [name, params, seconds] of short ? spells.slice(0, 3) : spells) {
      // A make of module may have no way to tell of a fault, and then it has no fault of that name.
      if (!thermocouple.faults.includes(name)) continue
      const fault = thermocouple.inflict(name, params)
      await time.pass(seconds * 1000)
      fault.lift()
      const rest = (10 - (seconds % 10)) % 10
      await time.pass(1000 * ((short ? 0 : 20) + rest))
    }
    await time.pass('15 s')
  },
})
