/**
 * A platform that the management server does not hear of for more than five days, then again, and then not, being out
 * of service: an alert after 1, 3 and 5 days each, and none when there is no cause. Days take virtual time.
 */
import { alertsOfSilence, scenario } from '../../bench/index.ts'

const hour = 3_600_000

export default scenario({
  title: 'Alerts come after one, three and five days of silence, once each, and not without cause',
  verifies: ['S:005/one-day', 'S:005/three-days', 'S:005/five-days', 'S:005/decommissioned-excepted'],
  needs: ['platform', 'management'],
  catches: {
    'comms-app/silent-after-a-break': 'S:005/one-day',
    'comms-app/asks-for-nothing': 'S:005/decommissioned-excepted',
  },
  horizon: '151 h',
  short: '30 s',
  prove: {
    'comms-app/asks-for-nothing': '151 h',
    'comms-app/silent-after-a-break': '32 h',
    others: '30 s',
  },
  async run({ platform, management, time, check }) {
    const judged = [
      { days: 1, least: '30 h', verifies: ['S:005/one-day'] },
      { days: 3, least: '150 h', verifies: ['S:005/three-days', 'S:005/decommissioned-excepted'] },
      { days: 5, least: '150 h', verifies: ['S:005/five-days', 'S:005/decommissioned-excepted'] },
    ] as const
    for (const j of judged) check(alertsOfSilence(management, { ...j, rtu: management.rtu }))
    // As rarely as the limit lets it, so that days pass fast.
    await platform.ask('operator', { do: 'interval', seconds: 7_200 })
    await platform.ask('operator', {
      do: 'change',
      app: 'comms',
      config: { poll: 1_800, interval: 3_600, life: 3_600, retry: { first: 60, most: 1_500 } },
    })
    if (time.horizon < 30 * hour) return time.pass(time.horizon)
    const whole = time.horizon >= 150 * hour
    await time.pass('2 h')
    const away = management.inflict('away')
    await time.pass(whole ? '121 h' : '26 h')
    away.lift()
    await time.pass('2 h')
    management.decommission()
    const out = management.inflict('away')
    await time.pass(whole ? '25 h' : '2 h')
    out.lift()
    return undefined
  },
})
