/**
 * The router hangs: its page does not answer and nothing passes. In the whole length its modem hangs too, so that the page
 * answers and still nothing passes. Each time the watchdog takes its power, once, and what was waiting is uploaded.
 */
import { backAfterReset, noticesHangs, resetsSparingly, scenario } from '../../bench/index.ts'

export default scenario({
  title: 'A router that passes nothing on is reset by its watchdog, once, and the link is there again',
  verifies: ['W:001/detects', 'W:001/resets', 'I:0016/unresponsive', 'I:0017/resets'],
  needs: ['platform', 'storage', 'centre', 'link', 'mains', 'watchdog'],
  catches: {
    'watchdog/router-not-watched': 'W:001/detects',
    'watchdog/asks-the-page-alone': 'W:001/detects',
    'watchdog/says-that-it-resets': 'W:001/resets',
    'watchdog/resets-a-router-that-boots': 'W:001/resets',
    'watchdog/resets-all-for-the-link': 'I:0017/resets',
  },
  horizon: '15 min',
  short: '100 s',
  prove: { others: '100 s', 'watchdog/asks-the-page-alone': '10 min' },
  async run({ storage, centre, link, time, check }) {
    const begin = time.now()
    const modem = time.horizon >= 600_000
    check(
      noticesHangs({
        of: 'router',
        fault: 'freeze',
        verifies: ['W:001/detects', 'I:0016/unresponsive'],
        // The specification has no figure; ours.
        within: '1 min',
      }),
    )
    if (modem)
      check(
        noticesHangs({
          id: 'modem-noticed',
          of: 'router',
          fault: 'modem',
          verifies: ['W:001/detects'],
          within: '8 min',
        }),
      )
    check(
      backAfterReset([centre.batches], {
        of: 'router',
        verifies: ['W:001/resets', 'I:0016/unresponsive', 'I:0017/resets'],
        reset: modem ? '8 min' : '1 min',
        within: '1 min',
        hangs: modem ? 2 : 1,
      }),
    )
    check(resetsSparingly({ of: 'router', verifies: ['W:001/resets'], hangs: modem ? 2 : 1 }))
    check(resetsSparingly({ of: 'computer', verifies: ['I:0017/resets'] }))
    let n = 0
    const readings = (count: number): string[] =>
      Array.from(
        { length: count },
        () => `{"Timestamp":${1_500_000_000 + ++n},"Value":${n / 8},"ToStore":true}`,
      )
    await storage.publish({ messages: readings(20), kept: true })
    await time.pass('12 s')
    const freeze = link.router.inflict('freeze')
    await storage.publish({ messages: readings(20), kept: true })
    await time.pass('80 s')
    // Where it still hangs, somebody goes there.
    freeze.lift()
    if (modem) {
      const deaf = link.router.inflict('modem')
      await storage.publish({ messages: readings(20), kept: true })
      await time.pass('8 min')
      deaf.lift()
    }
    await time.pass(Math.max(5_000, begin + time.horizon - time.now()))
  },
})
