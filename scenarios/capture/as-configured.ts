/**
 * What the GridKey app is configured to: the address of the monitor (Appendix C, 2.7), and the names of its topics, both
 * those that Appendix C proposes and those fielded in the trials.
 */
import {
  always,
  arrivesEvery,
  equalsTruth,
  gridkeyChannels,
  invalidDuring,
  scenario,
} from '../../bench/index.ts'
import type { Event } from '../../bench/faces.ts'

const channels = gridkeyChannels.filter((c) => c.includes('.busbar.') || c.includes('.feeder1.'))

/** Levels below `sensor/data/<instance>/`. The observer knows the names of both profiles, and no others. */
const fielded =
  /^gridkey-mcu520\/\d+\/(busbar\/l[123](-l[123])?\/voltage-mean|feeder\/[1-5]\/l[123]\/(current|power-factor|real-power|reactive-power)-mean)$/

function below(e: Event): string {
  const { topic } = e.data as { readonly topic?: unknown }
  return typeof topic === 'string' ? topic.split('/').slice(3).join('/') : ''
}

export default scenario({
  title:
    'The GridKey app reads the address that it is configured to, and names its topics by the profile chosen',
  verifies: ['APPC:2.7', 'APPC:4', 'APPC:2.5', 'M:0022/voltage'],
  needs: ['platform', 'gridkey'],
  catches: {
    'gridkey-app/keeps-the-first-address': 'APPC:2.7',
    'gridkey-app/keeps-its-first-topics': 'APPC:4',
    'gridkey-app/wrong-topic': 'APPC:2.5/separate-topics',
    'gridkey-app/invents-names': 'APPC:4',
    'gridkey-app/valid-when-dead': 'APPC:2.7',
    'gridkey-app/line-voltage-for-phase-voltage': 'M:0022/voltage',
    'gridkey-app/gives-up-for-good': 'APPC:2.5/valid-again',
  },
  horizon: '4 min',
  short: '110 s',
  prove: '4 min',
  async run({ platform, gridkey, time, check, load, note }) {
    const part = Math.max(30_000, Math.floor(time.horizon / 4 / 10_000) * 10_000)
    const all = platform.watch('marketplace', 'gridkey.*')
    gridkey.follow(load('winter-weekday'))
    await platform.ask('config', { app: 'gridkey', intervalSeconds: 10, feeders: [1] })
    check(
      equalsTruth(all, gridkey, {
        id: 'as-answered',
        verifies: ['M:0022/voltage', 'APPC:2.7', 'APPC:2.5/separate-topics', 'APPC:4'],
        channels,
      }),
    )
    await time.pass(part)

    // An address at which nothing is: whatever the monitor is asked meanwhile, it is asked against the configuration.
    check(
      invalidDuring(all, {
        id: 'nothing-there',
        verifies: ['APPC:2.7'],
        role: 'gridkey',
        faults: ['asked-elsewhere'],
        settle: '12 s',
      }),
    )
    const lost = gridkey.inflict('asked-elsewhere')
    await platform.ask('config', { app: 'gridkey', deviceAt: 'nowhere' })
    await time.pass(part)
    lost.lift()
    await platform.ask('config', { app: 'gridkey', deviceAt: 'device' })
    note('the address of the monitor is configured again')
    check(
      arrivesEvery('10 s', all, {
        id: 'again',
        verifies: ['APPC:2.5/valid-again', 'APPC:2.5/separate-topics'],
        gap: '±2 s',
        drift: '10 %',
        channels,
        start: '25 s',
      }),
    )
    await time.pass('10.5 s')
    await platform.ask('config', { app: 'gridkey', topics: 'openlv-2018' })
    await time.pass('3 s')
    check(
      always(all, (e) => isOther(e) || (fielded.test(below(e)) && isValid(e)), {
        id: 'fielded-names',
        limit: 'fielded names from the change on, and values valid',
        verifies: ['APPC:4', 'APPC:2.5/valid-again'],
      }),
    )
    await time.pass(part)
  },
})

function isValid(e: Event): boolean {
  const d = e.data as { readonly payload?: { readonly Valid?: unknown } }
  return d.payload?.Valid === true
}

/** Other measurement data may be published as well (Appendix C, 2.4). */
function isOther(e: Event): boolean {
  return (e.data as { readonly alias?: unknown }).alias === 'gridkey.busbar.frequency'
}
