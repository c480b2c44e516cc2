/**
 * Five ways to be shut down, at the same time: at once, after 50 s, never, never and deaf to being stopped, and by an
 * app's own wish (LV-CAP API 6 and 8.2.3).
 */
import { always, never, scenario, within } from '../../bench/index.ts'
import type { Event } from '../../bench/faces.ts'
import { told, wrapping } from './_life.ts'

/** Its own word, after which an app may be stopped at once (API table 7): failed, shut down, to be restarted. */
function asksForIt(e: Event): boolean {
  return [2, 3, 4, 6].includes(told(e)['said'] as number)
}

export default scenario({
  title: 'Apps are shut down by command, left a minute, stopped after it, and ended by force after two',
  verifies: [
    'API:6/command-first',
    'API:6/patience',
    'API:6/stopped-after-a-minute',
    'API:6/forced',
    'API:6/stopped-on-its-word',
    'API:6/own-wish',
    'API:6/restart-wish',
    'API:8.2.3/form',
    'API:8.2.3/right-one',
    'API:8.2.3/restart',
    'API:8.1.4/commands-at-least-once',
    'W:004/one-instance',
  ],
  needs: ['platform', 'scripted'],
  catches: {
    'container-manager/kills-at-once': 'API:6/patience',
    'container-manager/gives-ten-seconds': 'API:6/patience',
    'container-manager/stops-without-command': 'API:6/command-first',
    'container-manager/waits-for-ever': 'API:6/stopped-after-a-minute',
    'container-manager/never-forces': 'API:6/forced',
    'container-manager/leaves-apps-that-are-ready': 'API:6/stopped-on-its-word',
    'container-manager/forgets-the-stopped-list': 'API:6/own-wish',
    'container-manager/ignores-restart-wishes': 'API:6/restart-wish',
    'container-manager/restart-means-stop': 'API:8.2.3/restart',
    'container-manager/starts-before-it-has-stopped': 'W:004/one-instance',
    'container-manager/commands-at-qos-0': 'API:8.2.3/form',
    'container-manager/commands-by-name': 'API:8.2.3/form',
    'container-manager/commands-everybody': 'API:8.2.3/right-one',
  },
  horizon: '5 min',
  short: '140 s',
  prove: '5 min',
  async run({ platform, scripted, time, check }) {
    const [first, second, third, guid, bare] = [
      scripted.app('first'),
      scripted.app('second'),
      scripted.app('third'),
      scripted.app('guid'),
      scripted.app('bare'),
    ]
    check(
      always(scripted.saw('stopped'), (e) => told(e)['since command [s]'] !== null || asksForIt(e), {
        id: 'command-first',
        limit: 'no app is stopped that was neither told to shut down nor asked for it',
        verifies: ['API:6/command-first'],
      }),
    )
    check(
      // Half a second for the way of the command to the app.
      always(scripted.saw('stopped'), (e) => asksForIt(e) || Number(told(e)['since command [s]']) >= 59.5, {
        id: 'patience',
        limit: 'no app that has not said that it is ready is stopped within 60 s of the command',
        verifies: ['API:6/patience'],
      }),
    )
    check(
      within('123 s', third.saw('commanded'), third.saw('stopped'), {
        id: 'stopped-after-a-minute',
        limit: 'an app that never says that it is ready is stopped, within 2 minutes',
        verifies: ['API:6/stopped-after-a-minute'],
      }),
    )
    check(
      within('155 s', guid.saw('commanded'), guid.saw('ended'), {
        id: 'forced',
        limit:
          'an app that will not be stopped is ended by force after 2 minutes, half a minute given for doing so',
        verifies: ['API:6/forced'],
      }),
    )
    check(
      within('10 s', scripted.saw('tells'), scripted.saw('stopped'), {
        id: 'stopped-on-its-word',
        limit: 'an app that says status 4 is stopped within 10 s',
        verifies: ['API:6/stopped-on-its-word'],
        when: (e) => told(e)['status'] === 4,
        pairs: (a, b) => (a.data as { iid?: unknown }).iid === (b.data as { iid?: unknown }).iid,
      }),
    )
    check(
      never(bare.saw('started'), () => true, {
        id: 'own-wish',
        limit: 'an app that said status 4 unasked is not run again',
        verifies: ['API:6/own-wish'],
        alive: bare.saw('tells'),
      }),
    )
    check(
      within('20 s', first.saw('tells'), first.saw('started'), {
        id: 'restart-wish',
        limit: 'an app that says status 6 is started again within 20 s',
        verifies: ['API:6/restart-wish'],
        when: (e) => told(e)['status'] === 6,
      }),
    )
    check(
      within('20 s', first.saw('commanded'), first.saw('started'), {
        id: 'restart',
        limit: 'an app that the operator wants restarted is told to shut down, and started within 20 s',
        verifies: ['API:8.2.3/restart'],
      }),
    )
    check(
      always(
        platform.watch('marketplace', 'command.*'),
        (e) => told(e)['Command'] === 1 && wrapping(e).qos === 1 && wrapping(e).retain === false,
        {
          id: 'command-form',
          limit: 'each command has Command 1 and QoS 1 and is not retained',
          verifies: ['API:8.2.3/form', 'API:8.1.4/commands-at-least-once'],
        },
      ),
    )
    check(
      never(bare.saw('commanded'), () => true, {
        id: 'right-one',
        limit: 'an app that nobody wants shut down gets no command',
        verifies: ['API:8.2.3/right-one'],
        alive: first.saw('commanded'),
      }),
    )
    check(
      never(scripted.saw('twice'), () => true, {
        id: 'one-instance',
        limit: 'no app runs twice at once',
        verifies: ['W:004/one-instance'],
        alive: scripted.saw('started'),
      }),
    )
    second.behave({ shutdown: { after: 50 } })
    third.behave({ shutdown: { after: 'never' } })
    guid.behave({ shutdown: { after: 'never', ignoresStop: true } })
    first.behave({ shutdown: { after: 5 } })
    await time.pass('1 s')
    for (const app of ['guid', 'third', 'second'] as const)
      await platform.ask('operator', { do: 'shutdown', app })
    await platform.ask('operator', { do: 'restart', app: 'first' })
    await time.pass('35 s')
    first.act({ do: 'tell', status: 6 })
    bare.act({ do: 'tell', status: 4 })
    await time.pass('100 s')
    const spent = 136_000
    if (time.horizon > spent) await time.pass(time.horizon - spent)
  },
})
