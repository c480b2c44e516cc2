/**
 * Apps that fall silent, fail, vanish or wait, beside one that stumbles now and then: who is asked how often, who is
 * restarted, and who is stopped for good (LV-CAP API 8.2.2, 8.1.3).
 */
import { always, eventually, never, scenario, spaced, within } from '../../bench/index.ts'
import { aliasOf, textOf, told, wrapping } from './_life.ts'

export default scenario({
  title: 'Silent apps are restarted and in the end stopped, failed ones restarted, and all others left alone',
  verifies: ['API:8.2.2', 'API:8.1.3/spoken', 'API:8.1.3/acted-upon', 'API:8.1.4/heartbeat-at-most-once'],
  needs: ['platform', 'scripted'],
  catches: {
    'container-manager/asks-nothing': 'API:8.2.2/heartbeat',
    'container-manager/skips-status-requests': 'API:8.2.2/heartbeat',
    'container-manager/heartbeat-at-qos-1': 'API:8.1.4/heartbeat-at-most-once',
    'container-manager/never-restarts-silent-apps': 'API:8.2.2/restarted',
    'container-manager/restarts-after-four-silences': 'API:8.2.2/restarted',
    'container-manager/restarts-after-one-silence': 'API:8.2.2/one-silence',
    'container-manager/never-clears-silences': 'API:8.2.2/count-cleared',
    'container-manager/never-stops-for-good': 'API:8.2.2/stopped-for-good',
    'container-manager/forgets-silences-at-restart': 'API:8.2.2/stopped-for-good',
    'container-manager/stops-without-a-word': 'API:8.2.2/logged',
    'container-manager/takes-one-answer-for-all': 'API:8.2.2/no-proxy',
    'container-manager/ignores-failures': 'API:8.2.2/failure-restarts',
    'container-manager/keeps-failure-messages': 'API:8.2.2/message-stored',
    'container-manager/restarts-waiting-apps': 'API:8.2.2/waiting-left-alone',
    'container-manager/ignores-last-wills': 'API:8.1.3/acted-upon',
    'marketplace/speaks-no-wills': 'API:8.1.3/spoken',
  },
  horizon: '30 min',
  short: '70 s',
  prove: '30 min',
  async run({ platform, scripted, time, check }) {
    // 2 minutes are the default (API 6); a short run asks more often.
    const every = time.horizon >= 30 * 60_000 ? 120 : 5
    const beat = `${every} s`
    const beats = (n: number): string => `${n * every} s`
    const first = scripted.app('first')
    const second = scripted.app('second')
    const third = scripted.app('third')
    const guid = scripted.app('guid')
    const bare = scripted.app('bare')
    const errors = platform.watch('marketplace', 'error.*')
    await platform.ask('operator', { do: 'interval', seconds: every })

    check(
      spaced(beat, platform.watch('marketplace', 'status.request'), {
        id: 'heartbeat',
        verifies: ['API:8.2.2/heartbeat'],
        gap: every >= 60 ? '2 s' : '1 s',
        start: `${every + 2} s`,
      }),
    )
    check(
      always(
        platform.watch('marketplace', 'status.*'),
        (e) => {
          const { qos, retain } = wrapping(e)
          return retain === false && qos === (aliasOf(e) === 'status.request' ? 0 : 1)
        },
        {
          id: 'quality',
          limit: 'status requests have QoS 0, answers QoS 1, none is retained',
          verifies: ['API:8.2.2/qos-and-retention', 'API:8.1.4/heartbeat-at-most-once'],
        },
      ),
    )
    check(
      never(first.saw('stopped'), () => true, {
        id: 'one-silence',
        limit: 'an app that now and then misses one request, never two in a row, is not stopped',
        verifies: ['API:8.2.2/one-silence', 'API:8.2.2/count-cleared'],
        alive: first.saw('kept-silent'),
      }),
    )
    check(
      eventually(
        second.saw('stopped'),
        (e) => [2, 3].includes(told(e)['unanswered in a row [1]'] as number),
        {
          id: 'restarted',
          limit: `a silent app is stopped at the 2nd or 3rd request that it misses, within ${beats(5)}`,
          verifies: ['API:8.2.2/restarted', 'API:8.2.2/no-proxy'],
          by: beats(5),
        },
      ),
    )
    check(
      eventually(second.saw('started'), (e) => told(e)['run'] === 2, {
        id: 'started-again',
        limit: 'it is then started again',
        verifies: ['API:8.2.2/restarted'],
        by: beats(5.5),
      }),
    )
    check(
      eventually(second.saw('stopped'), (e) => told(e)['unanswered in a row [1]'] === 5, {
        id: 'stopped-for-good',
        limit: 'it is stopped at the 5th request in a row that it misses',
        verifies: ['API:8.2.2/stopped-for-good'],
        by: beats(9.5),
      }),
    )
    check(
      never(second.saw('started'), (e) => Number(told(e)['run']) > 2, {
        id: 'stays-stopped',
        limit: 'it is not started a second time',
        verifies: ['API:8.2.2/stopped-for-good'],
        alive: second.saw('kept-silent'),
      }),
    )
    check(
      within('30 s', second.saw('stopped'), errors, {
        id: 'logged',
        limit: 'an error that names the app is logged within 30 s of its being stopped for good',
        verifies: ['API:8.2.2/logged'],
        // The platform may log it first, and the two come here by different ways.
        early: '2 s',
        when: (e) => told(e)['unanswered in a row [1]'] === 5,
        how: (e) => textOf(e).includes(second.iid),
      }),
    )
    check(
      within('30 s', third.saw('tells'), third.saw('started'), {
        id: 'failure-restarts',
        limit: 'an app that says status 2 or 3 is started again within 30 s',
        verifies: ['API:8.2.2/failure-restarts'],
        when: (e) => told(e)['status'] === 2 || told(e)['status'] === 3,
      }),
    )
    check(
      within('10 s', { ...third.saw('act'), kind: 'sent' }, errors, {
        id: 'message-stored',
        limit: 'what it says of its failure is passed on as an error within 10 s',
        verifies: ['API:8.2.2/message-stored'],
        how: (e) => textOf(e).includes('the pump is dry'),
      }),
    )
    check(
      within('10 s', guid.saw('vanishes'), platform.watch('marketplace', `status.response.${guid.iid}`), {
        id: 'will-spoken',
        limit: 'the last will of an app whose connection broke is spoken within 10 s',
        verifies: ['API:8.1.3/spoken'],
        how: (e) => told(e)['Status'] === 2,
      }),
    )
    check(
      within('30 s', guid.saw('vanishes'), guid.saw('stopped'), {
        id: 'will-acted-upon',
        limit: 'it is stopped within 30 s, to be started again',
        verifies: ['API:8.1.3/acted-upon'],
      }),
    )
    check(
      never(bare.saw('stopped'), (e) => told(e)['since command [s]'] === null, {
        id: 'waiting-left-alone',
        limit: 'an app that answers with status 5 is not stopped',
        verifies: ['API:8.2.2/waiting-left-alone'],
        alive: bare.saw('started'),
      }),
    )

    await platform.ask('operator', { do: 'restart', app: 'bare' })
    // Half way between two requests.
    await time.pass(every * 500)
    second.behave({ silent: 'always' })
    for (let k = 0; k < 6; k++) {
      first.behave({ silent: 1 })
      if (k === 1) third.act({ do: 'tell', status: 2, message: 'the pump is dry' })
      if (k === 2) guid.act({ do: 'vanish' })
      if (k === 4) third.act({ do: 'tell', status: 3, message: 'the pump is dry again' })
      await time.pass(every * 2000)
    }
    const spent = every * 12_500
    if (time.horizon > spent) await time.pass(time.horizon - spent)
  },
})
