/**
 * The platform's own apps keep to the interface: who publishes what, in which form, and how they start, answer and end
 * (LV-CAP API 4, 5 and 6; I:0034).
 */
import { always, eventually, inOrder, never, scenario, within } from '../../bench/index.ts'
import type { Event } from '../../bench/faces.ts'
import { aliasOf, told, topicOf, wrapping } from './_life.ts'

const feeder = { apid: 'lucy_gridkeysensor_1.0', iid: 'lucy_gridkeysensor_01' }
const temperature = { apid: 'eatl_modbusrtusensor_1.0', iid: 'eatl_modbusrtusensor_01' }

/** Whose instance a reading's topic names, and which service it belongs to by the table of names; others may be there. */
function service(e: Event): { readonly iid: string; readonly role: string } {
  return {
    iid: topicOf(e).split('/')[2] ?? '',
    role:
      aliasOf(e)
        .replace(/^metadata\./, '')
        .split('.')[0] ?? '',
  }
}

/** Steps of a restart, by the alias of the message. */
function step(e: Event): string | undefined {
  const s = told(e)['Status']
  switch (aliasOf(e)) {
    case `command.${feeder.iid}`:
      return 'is told to shut down'
    case `status.response.${feeder.iid}`:
      return s === 4 ? 'says that it has' : s === 1 ? 'runs' : undefined
    case `config.request.${feeder.iid}`:
      return 'asks for its configuration'
    case `config.response.${feeder.iid}`:
      return 'gets it'
    default:
      return undefined
  }
}

export default scenario({
  title:
    'Each app of the platform does one service, under its own name, in the form that the interface gives',
  verifies: [
    'I:0034',
    'API:4.2/own-subtree',
    'API:4.3/valid-json',
    'API:4.4',
    'API:4.5/whole-seconds',
    'API:5.2/asks-first',
    'API:5.3',
    'API:6/app-says-so',
    'API:8.1.3/left',
    'API:8.3.1/qos-and-retention',
  ],
  needs: ['platform', 'gridkey', 'thermocouple'],
  catches: {
    'gridkey-app/serves-temperatures-too': 'I:0034/one-app-each',
    'gridkey-app/bare-numbers': 'API:4.3/valid-json',
    'gridkey-app/spaces-in-names': 'API:4.4/plain-names',
    'gridkey-app/timestamp-in-milliseconds': 'API:4.5/whole-seconds',
    'gridkey-app/runs-before-it-asks': 'API:5.2/asks-first',
    'gridkey-app/falls-silent': 'API:5.3/status-requests',
    'temperature-app/falls-silent': 'API:5.3/status-requests',
    'gridkey-app/ignores-status-requests': 'API:5.3/status-requests',
    'temperature-app/ignores-status-requests': 'API:5.3/status-requests',
    'gridkey-app/ignores-its-interval': 'API:5.3/configuration',
    'gridkey-app/leaves-without-a-word': 'API:6/app-says-so',
    'gridkey-app/leaves-no-last-will': 'API:8.1.3/left',
    'gridkey-app/readings-at-qos-0': 'API:8.3.1/qos-and-retention',
  },
  horizon: '5 min',
  short: '100 s',
  prove: '5 min',
  async run({ platform, gridkey, thermocouple, time, check, load }) {
    gridkey.follow(load('winter-weekday'))
    thermocouple.set('ambient', { constant: 7 })
    const all = platform.watch('marketplace', '*')
    const readings = (e: Event): boolean => topicOf(e).startsWith('sensor/data/')
    await platform.ask('operator', { do: 'interval', seconds: 30 })

    check(
      never(
        all,
        (e) => {
          const { iid, role } = service(e)
          if (!readings(e)) return false
          if (iid === feeder.iid) return role !== 'gridkey' && /temperature/i.test(topicOf(e))
          if (iid === temperature.iid)
            return role !== 'thermocouple' && /voltage|current|power/i.test(topicOf(e))
          return true
        },
        {
          id: 'one-app-each',
          limit: 'under each sensor app stand the readings of its own service and no others',
          verifies: ['I:0034/one-app-each', 'API:4.2/own-subtree'],
        },
      ),
    )
    check(
      never(
        all,
        (e) => {
          const p = (e.data as { readonly payload?: unknown }).payload
          return typeof p !== 'object' || p === null || Array.isArray(p) || 'notJson' in p
        },
        { id: 'json', limit: 'each message is a JSON object', verifies: ['API:4.3/valid-json'] },
      ),
    )
    check(
      always(all, (e) => /^[\u0021-\u007e]+$/.test(topicOf(e)), {
        id: 'plain-names',
        limit: 'topic names hold printable ASCII and no space',
        verifies: ['API:4.4/plain-names'],
      }),
    )
    check(
      always(
        all,
        (e) => {
          const t = told(e)['Timestamp']
          // Seconds have ten digits until the year 2286, milliseconds thirteen.
          return t === undefined || (Number.isInteger(t) && (t as number) < 10_000_000_000)
        },
        { id: 'seconds', limit: 'each Timestamp is in whole seconds', verifies: ['API:4.5/whole-seconds'] },
      ),
    )
    check(
      always(all, (e) => !readings(e) || (wrapping(e).qos === 1 && wrapping(e).retain === false), {
        id: 'readings-quality',
        limit: 'readings have QoS 1 and are not retained',
        verifies: ['API:8.3.1/qos-and-retention'],
      }),
    )
    for (const [name, app] of [
      ['feeder', feeder],
      ['temperature', temperature],
    ] as const)
      check(
        within('5 s', platform.watch('marketplace', 'status.request'), all, {
          id: `${name}-answers`,
          limit: `the ${name} app answers each status request within 5 s`,
          verifies: ['API:5.3/status-requests'],
          how: (e) => aliasOf(e) === `status.response.${app.iid}`,
        }),
      )
    await time.pass('5 s')
    check(
      eventually(
        platform.watch('marketplace', 'gridkey.busbar.l1n.voltage'),
        (e) => Number(told(e)['Timestamp']) > 0,
        {
          id: 'takes-configuration',
          limit: 'a feeder app that is given an interval of 10 s publishes within 15 s',
          verifies: ['API:5.3/configuration'],
          by: '15 s',
        },
      ),
    )
    await platform.ask('config', { app: 'gridkey', intervalSeconds: 10 })
    // Between two status requests, so that no answer stands among the steps.
    await time.pass('32 s')
    check(
      inOrder(
        all,
        ['is told to shut down', 'says that it has', 'asks for its configuration', 'gets it', 'runs'],
        {
          id: 'restart-steps',
          limit:
            'the feeder app says that it has shut down; started, it asks, gets its configuration, and says that it runs',
          verifies: ['API:5.2/asks-first'],
          key: step,
        },
      ),
    )
    check(
      within('60 s', platform.watch('marketplace', `command.${feeder.iid}`), all, {
        id: 'says-so',
        limit: 'the feeder app says status 4 within 60 s of the command',
        verifies: ['API:6/app-says-so', 'API:5.3/commands'],
        how: (e) => step(e) === 'says that it has',
      }),
    )
    check(
      always(
        platform.watch('log', 'log.connected'),
        (e) => told(e)['identity'] !== feeder.apid || told(e)['will'] === `status/response/${feeder.iid}: 2`,
        {
          id: 'last-will',
          limit: 'the feeder app leaves a last will with status 2 on its own status topic',
          verifies: ['API:8.1.3/left'],
          needs: ['last-wills'],
        },
      ),
    )
    await platform.ask('operator', { do: 'restart', app: 'gridkey' })
    const spent = 37_000
    await time.pass(time.horizon - spent)
  },
})
