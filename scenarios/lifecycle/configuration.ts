/** Apps ask for their configuration, are given another, do not ask, and cannot use what they get (LV-CAP API 5.2, 8.2.1). */
import { always, eventually, scenario, within } from '../../bench/index.ts'
import { configOf, iidOf, same, sameApp, told, wrapping } from './_life.ts'

/** What the operator gives: every kind of JSON value, since the manager has no business with any. */
const given = {
  name: 'third',
  pulse: 12,
  nested: { list: [1, 'two', false, null], empty: {} },
  text: 'Größe "1"',
}

export default scenario({
  title:
    'Each app gets its own configuration whenever it asks, when it changes, and when it says that it waits',
  verifies: [
    'API:5.2/answered',
    'API:5.2/none-known',
    'API:5.2/initial-resends',
    'API:5.2/error-restarts',
    'API:8.2.1/right-one',
    'API:8.2.1/inner-object',
    'API:8.2.1/pushed',
    'API:8.2.1/qos-and-retention',
  ],
  needs: ['platform', 'scripted'],
  catches: {
    'container-manager/answers-with-anothers-configuration': 'API:8.2.1/right-one',
    'container-manager/configuration-as-text': 'API:8.2.1/inner-object',
    'container-manager/keeps-changes-to-itself': 'API:8.2.1/pushed',
    'container-manager/silent-where-none-is-known': 'API:5.2/none-known',
    'container-manager/keeps-configuration-from-waiting-apps': 'API:5.2/initial-resends',
    'container-manager/ignores-failures': 'API:5.2/error-restarts',
    'container-manager/configuration-at-qos-0': 'API:8.2.1/qos-and-retention',
    'container-manager/deaf-to-requests': 'API:5.2/answered',
  },
  horizon: '10 min',
  short: '70 s',
  prove: '10 min',
  async run({ platform, scripted, time, check }) {
    const [first, second, third, bare] = [
      scripted.app('first'),
      scripted.app('second'),
      scripted.app('third'),
      scripted.app('bare'),
    ]
    const names: Readonly<Record<string, string>> = Object.fromEntries(
      scripted.all.map((a) => [a.iid, a.name]),
    )
    await platform.ask('operator', { do: 'interval', seconds: 10 })
    check(
      within('10 s', scripted.saw('asks'), scripted.saw('configured'), {
        id: 'answered',
        limit: 'each request for configuration is answered within 10 s',
        verifies: ['API:5.2/answered'],
        when: (e) => iidOf(e) !== bare.iid,
        pairs: sameApp,
      }),
    )
    check(
      within('10 s', bare.saw('asks'), bare.saw('configured'), {
        id: 'none-known',
        limit: 'a request of which no configuration is known is answered within 10 s, without one',
        verifies: ['API:5.2/none-known'],
        how: (e) => told(e)['config'] === null,
      }),
    )
    check(
      always(
        scripted.saw('configured'),
        (e) => {
          const c = configOf(e) as { readonly name?: unknown } | null
          return iidOf(e) === bare.iid ? c === null : c?.name === names[String(iidOf(e))]
        },
        {
          id: 'right-one',
          limit:
            "each app is sent its own configuration, an object, and nobody else's; null where none is known",
          verifies: ['API:8.2.1/right-one', 'API:8.2.1/inner-object'],
        },
      ),
    )
    check(
      eventually(third.saw('configured'), (e) => same(configOf(e), given), {
        id: 'pushed',
        limit: 'a changed configuration reaches its app unasked, as it was given, within 8 s',
        verifies: ['API:8.2.1/pushed', 'API:8.2.1/inner-object'],
        by: '8 s',
      }),
    )
    check(
      within('25 s', second.saw('tells'), second.saw('configured'), {
        id: 'initial-resends',
        limit: 'an app that says that it waits is sent its configuration within 25 s',
        verifies: ['API:5.2/initial-resends'],
        when: (e) => told(e)['status'] === 5,
      }),
    )
    check(
      within('20 s', bare.saw('tells'), bare.saw('stopped'), {
        id: 'error-restarts',
        limit: 'an app that says status 3 is stopped within 20 s, to be restarted',
        verifies: ['API:5.2/error-restarts'],
        when: (e) => told(e)['status'] === 3,
      }),
    )
    check(
      always(
        platform.watch('marketplace', 'config.*'),
        (e) => wrapping(e).qos === 1 && wrapping(e).retain === false,
        {
          id: 'quality',
          limit: 'requests for configuration and their answers have QoS 1 and are not retained',
          verifies: ['API:8.2.1/qos-and-retention'],
        },
      ),
    )
    await time.pass('1 s')
    await platform.ask('operator', { do: 'configure', app: 'third', config: given })
    first.act({ do: 'ask' })
    second.behave({ asks: 'never' })
    await platform.ask('operator', { do: 'restart', app: 'second' })
    bare.behave({}, { rejectsNull: true })
    bare.act({ do: 'ask' })
    await platform.ask('operator', { do: 'restart', app: 'bare' })
    for (let k = 0; k < 3; k++) {
      await time.pass('10 s')
      third.act({ do: 'ask' })
    }
    const spent = 31_000
    await time.pass(time.horizon - spent)
  },
})
