/**
 * Somebody logs in at the site's router and has it take the power of the computer for a moment, twice: the second time
 * while the platform still boots. The platform is back in service each time, and nobody has been on site.
 */
import { backInService, scenario } from '../../bench/index.ts'

export default scenario({
  title: 'A reset of the computer at the router, from afar, brings the platform back into service',
  verifies: ['M:0010/remote-access', 'M:0010/resets', 'M:0010/no-visit'],
  needs: ['platform', 'thermocouple', 'storage', 'link', 'mains'],
  catches: {
    'container-manager/waits-for-help-after-a-cut-boot': 'M:0010/no-visit',
  },
  horizon: '3 min',
  short: '80 s',
  prove: '80 s',
  async run({ platform, thermocouple, link, time, check, note }) {
    thermocouple.set('ambient', { mean: 1, swing: 6, period: '6 min' })
    thermocouple.set('indoor', { mean: 14, swing: 3, period: '6 min' })
    thermocouple.set('top_oil', { mean: 48, swing: 12, period: '6 min' })
    const begin = time.now()
    await platform.ask('config', { app: 'thermocouple', intervalSeconds: 5 })
    check(
      // Power goes by the router alone, the second time at a command that was given while nothing of the computer answers:
      // with fewer cuts than commands nothing would be shown.
      backInService([platform.watch('marketplace', 'thermocouple.*'), platform.watch('log', 'log.hears')], {
        verifies: ['M:0010/remote-access', 'M:0010/resets', 'M:0010/no-visit'],
        within: '25 s',
        cuts: 2,
      }),
    )
    await time.pass('12 s')
    await link.router.visit({ name: 'first', gives: 'right', asks: 'reset-computer' })
    await time.pass('2 s')
    // The computer is dark, and the router answers.
    note('at the router', await link.router.visit({ name: 'meanwhile', gives: 'right', asks: 'status' }))
    await time.pass('4 s')
    await link.router.visit({ name: 'second', gives: 'right', asks: 'reset-computer' })
    await time.pass(Math.max(32_000, begin + time.horizon - time.now()))
  },
})
