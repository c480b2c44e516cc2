/**
 * After a reset the computer takes long to boot, as when it checks its disk, and says nothing meanwhile. A watchdog that knew
 * but one time limit would reset it again and again, in the midst of that, for ever. In the whole length one boot takes longer
 * than the watchdog has patience, which then grows. A computer whose power is out is not reset either.
 */
import { backAfterReset, noticesHangs, resetsSparingly, scenario } from '../../bench/index.ts'

export default scenario({
  title: 'A computer that takes long to boot after a reset is let finish',
  verifies: ['S:001/resets', 'I:0017/resets'],
  needs: ['platform', 'thermocouple', 'link', 'mains', 'watchdog'],
  catches: {
    'watchdog/resets-while-booting': 'S:001/resets',
    'watchdog/never-armed': 'I:0017/resets',
  },
  horizon: '15 min',
  short: '95 s',
  prove: '95 s',
  async run({ platform, thermocouple, mains, watchdog, time, check }) {
    thermocouple.set('ambient', { mean: 1, swing: 6, period: '6 min' })
    thermocouple.set('indoor', { mean: 14, swing: 3, period: '6 min' })
    thermocouple.set('top_oil', { mean: 48, swing: 12, period: '6 min' })
    const begin = time.now()
    const whole = time.horizon >= 900_000
    await platform.ask('config', { app: 'thermocouple', intervalSeconds: 5 })
    check(noticesHangs({ of: 'computer', verifies: ['I:0017/resets'], within: '30 s', hangs: whole ? 2 : 1 }))
    check(
      backAfterReset([platform.watch('marketplace', 'thermocouple.*')], {
        of: 'computer',
        verifies: ['S:001/resets', 'I:0017/resets'],
        reset: '30 s',
        within: whole ? '7 min' : '1 min',
        hangs: whole ? 2 : 1,
      }),
    )
    // One boot in the whole length takes longer than anybody could wait: whoever gives it more time then loses nothing.
    check(resetsSparingly({ of: 'computer', verifies: ['S:001/resets'], spare: whole ? 1 : 0 }))
    await mains.cut({ for: '18 s' })
    await time.pass('10 s')
    const slow = watchdog.inflict('slow-boot', { for: '25 s' })
    const hang = watchdog.inflict('hang')
    await time.pass('62 s')
    slow.lift()
    hang.lift()
    if (whole) {
      const slower = watchdog.inflict('slow-boot', { for: '150 s' })
      const again = watchdog.inflict('hang')
      await time.pass('8 min')
      slower.lift()
      again.lift()
    }
    await time.pass(Math.max(5_000, begin + time.horizon - time.now()))
  },
})
