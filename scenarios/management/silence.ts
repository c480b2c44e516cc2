/**
 * A platform that the management server does not hear of for more than five days, then again, and then not, being out
 * of service: an alert after 1, 3 and 5 days each, and none when there is no cause.
 */
import { alertsOfSilence, scenario } from '../../bench/index.ts'

export default scenario({
  title: 'Alerts come after one, three and five days of silence, once each, and not without cause',
  verifies: ['S:005/one-day', 'S:005/three-days', 'S:005/five-days', 'S:005/decommissioned-excepted'],
  needs: ['platform', 'management'],
  catches: {
    'comms-app/silent-after-a-break': 'S:005/one-day',
    'comms-app/asks-for-nothing': 'S:005/decommissioned-excepted',
  },
  horizon: '151 h',
  short: '30 h',
  prove: { 'comms-app/asks-for-nothing': '151 h', others: '30 h' },
  async run({ platform, management, time, check }) {
    const whole = time.horizon > 150 * 3_600_000
    const judged = [
      { days: 1, verifies: ['S:005/one-day', ...(whole ? ['S:005/decommissioned-excepted'] : [])] },
      { days: 3, verifies: ['S:005/three-days'] },
      { days: 5, verifies: ['S:005/five-days'] },
    ] as const
    for (const j of judged)
      if (whole || j.days === 1) check(alertsOfSilence(management, { ...j, rtu: management.rtu }))
    // As rarely as the limit lets it, so that days pass fast.
    await platform.ask('operator', { do: 'interval', seconds: 7_200 })
    await platform.ask('operator', {
      do: 'change',
      app: 'comms',
      config: {
        poll: 1_800,
        interval: 3_600,
        life: 3_600,
        retry: { first: 60, most: 1_500 },
      },
    })
    await time.pass('2 h')
    const away = management.inflict('away')
    await time.pass(whole ? '121 h' : '25 h')
    away.lift()
    await time.pass('2 h')
    if (!whole) return
    management.decommission()
    const out = management.inflict('away')
    await time.pass('25 h')
    out.lift()
  },
})
