/**
 * The computer hangs: first all of it, then its marketplace alone, so that something of it still runs and nobody can use it.
 * Each time nothing more comes on the inner network, and the watchdog takes its power, once; it comes back by itself with what
 * it had acknowledged. While it works, and has nothing to do, it is left alone.
 */
import { backAfterReset, noticesHangs, nothingLost, resetsSparingly, scenario } from '../../bench/index.ts'

export default scenario({
  title: 'A computer that hangs is reset by its watchdog, once, and comes back into service by itself',
  verifies: ['S:001/detects', 'S:001/resets', 'I:0016/unresponsive', 'I:0017/resets'],
  needs: ['platform', 'thermocouple', 'storage', 'link', 'mains', 'watchdog'],
  catches: {
    'watchdog/never-armed': 'S:001/detects',
    'watchdog/resets-once': 'S:001/detects',
    'watchdog/takes-any-traffic-for-life': 'S:001/detects',
    'container-manager/feeds-by-a-timer': 'I:0016/unresponsive',
    'watchdog/says-that-it-resets': 'S:001/resets',
    'watchdog/hair-trigger': 'S:001/resets',
    'container-manager/never-feeds': 'S:001/resets',
    'data-storage/stores-twice': 'S:001/resets',
  },
  horizon: '10 min',
  short: '100 s',
  prove: { others: '100 s', 'container-manager/never-feeds': '220 s' },
  async run({ platform, thermocouple, storage, watchdog, time, check }) {
    thermocouple.set('ambient', { mean: 1, swing: 6, period: '6 min' })
    thermocouple.set('indoor', { mean: 14, swing: 3, period: '6 min' })
    thermocouple.set('top_oil', { mean: 48, swing: 12, period: '6 min' })
    const begin = time.now()
    await platform.ask('config', { app: 'thermocouple', intervalSeconds: 5 })
    check(
      noticesHangs({
        of: 'computer',
        verifies: ['S:001/detects', 'I:0016/unresponsive'],
        // The specification has no figure; ours.
        within: '30 s',
        hangs: 2,
      }),
    )
    check(
      backAfterReset([platform.watch('marketplace', 'thermocouple.*'), platform.watch('log', 'log.hears')], {
        of: 'computer',
        verifies: ['S:001/resets', 'I:0016/unresponsive', 'I:0017/resets'],
        reset: '30 s',
        within: '30 s',
        hangs: 2,
      }),
    )
    check(resetsSparingly({ of: 'computer', verifies: ['S:001/resets'], hangs: 2 }))
    check(
      nothingLost(storage.sent, platform.watch('upload', 'upload.*'), {
        verifies: ['S:001/resets'],
        within: '30 s',
      }),
    )
    let last = 0
    const burst = (n: number): string[] =>
      Array.from({ length: n }, () => `{"Timestamp":1,"Value":${++last},"ToStore":true}`)
    /** So long, and no longer: of a computer that hangs for ever no answer comes. */
    const meanwhile = (what: Promise<unknown>, lasts: string): Promise<unknown> =>
      Promise.all([time.pass(lasts), Promise.race([what, time.pass(lasts)])])
    // It works, and has little to say.
    await time.pass(Math.max(10_000, time.horizon - 90_000))
    await meanwhile(storage.publish({ messages: burst(60), kept: true }), '3 s')
    const whole = watchdog.inflict('hang')
    await time.pass('33 s')
    // Where it still hangs, somebody goes there.
    whole.lift()
    await meanwhile(storage.publish({ messages: burst(60), kept: true }), '3 s')
    const part = watchdog.inflict('hang', { what: 'marketplace' })
    await time.pass(Math.max(35_000, begin + time.horizon - time.now() - 5_000))
    part.lift()
    await meanwhile(platform.ask('upload', { do: 'drain', name: 'drained', request: {} }), '5 s')
  },
})
