/**
 * Every app that keeps to the interface description runs, all at the same time, in each way that the description leaves
 * open: with and without signatures and time stamps, lasting sessions, slow answers, no questions, and as fielded clients
 * have it (M:0020). In the end one sends what is no JSON.
 */
import { always, eventually, never, scenario, spaced, within } from '../../bench/index.ts'
import type { AppBehaviour } from '../../bench/faces.ts'
import { iidOf, sameApp, textOf, told, topicOf } from './_life.ts'

/** As the one public client library of that time behaves (IM-consulting/lv-cap 1.1.2). */
const legacy: AppBehaviour = {
  introduces: 'randomly',
  will: false,
  qos: 0,
  payloads: 'empty',
  rejectsNull: true,
}
type Four = readonly [AppBehaviour, AppBehaviour, AppBehaviour, AppBehaviour]

/** Per round, for first, second, third and guid. */
const rounds: readonly Four[] = [
  [legacy, { clean: false }, { payloads: 'bare' }, { payloads: 'signed' }],
  [{ payloads: 'wrongly-signed' }, { asks: 'again-and-again' }, { asks: 'never' }, { answersAfter: 4 }],
  [{ shutdown: { after: 20 } }, { payloads: 'signed' }, { shutdown: { exits: true } }, legacy],
]
const names = ['first', 'second', 'third', 'guid'] as const

export default scenario({
  title:
    'Every app that keeps to the interface runs on the platform, all at once, in every variant that it allows',
  verifies: [
    'M:0020',
    'W:002',
    'W:004',
    'API:4.2/both-forms',
    'API:4.3/bad-json-survived',
    'API:8.2.2/heartbeat',
    'API:8.2.4/bad-json-reported',
    'API:8.2.4/form',
    'API:8.2.4/application-message',
  ],
  needs: ['platform', 'scripted'],
  catches: {
    'container-manager/leaves-the-last-app-out': 'M:0020/together',
    'container-manager/restarts-waiting-apps': 'M:0020/every-app',
    'marketplace/insists-on-client-ids': 'M:0020/every-app',
    'container-manager/insists-on-signatures': 'W:002/unsigned-accepted',
    'container-manager/chokes-on-signatures': 'W:002/signature-ignored',
    'container-manager/skips-status-requests': 'API:8.2.2/heartbeat',
    'container-manager/starts-before-it-has-stopped': 'W:004/one-instance',
    'container-manager/deaf-to-guids': 'W:004/guid-identifier',
    'container-manager/ends-on-bad-json': 'API:4.3/bad-json-survived',
    'container-manager/says-nothing-of-bad-json': 'API:8.2.4/bad-json-reported',
    'container-manager/errors-without-number': 'API:8.2.4/form',
    'container-manager/errors-without-words': 'API:8.2.4/application-message',
  },
  horizon: '10 min',
  short: '2 min',
  prove: '10 min',
  async run({ platform, scripted, time, check }) {
    const guid = scripted.app('guid')
    const third = scripted.app('third')
    const bare = scripted.app('bare')
    const errors = platform.watch('marketplace', 'error.*')
    // A slow answer of 4 s must still be in time.
    await platform.ask('operator', { do: 'interval', seconds: 6 })
    // Without a configuration the bare one has nothing to run with.
    const unasked = (e: Parameters<typeof told>[0]): boolean =>
      (iidOf(e) !== bare.iid || told(e)['said'] === 1) &&
      told(e)['since command [s]'] === null &&
      told(e)['said'] !== 2
    const signed = (e: Parameters<typeof told>[0]): boolean => String(told(e)['payloads']).includes('signed')

    check(
      spaced('6 s', platform.watch('marketplace', 'status.request'), {
        id: 'heartbeat',
        verifies: ['API:8.2.2/heartbeat'],
        gap: '1 s',
        start: '8 s',
      }),
    )
    check(
      within('20 s', scripted.saw('started'), scripted.saw('configured'), {
        id: 'configured',
        limit: 'each app that is started has its configuration within 20 s',
        verifies: ['M:0020/every-app'],
        pairs: sameApp,
      }),
    )
    check(
      never(scripted.saw('stopped'), unasked, {
        id: 'keeps-running',
        limit: 'no conforming app is stopped that the operator did not want stopped',
        verifies: ['M:0020/every-app'],
        alive: scripted.saw('tells'),
      }),
    )
    check(
      within('30 s', scripted.saw('configured'), platform.watch('marketplace', 'pulse.*'), {
        id: 'data-flows',
        limit: 'what each app publishes is seen within 30 s of its configuration',
        verifies: ['M:0020/every-app'],
        when: (e) => told(e)['config'] !== null,
        pairs: (a, b) => topicOf(b).includes(`/${String(iidOf(a))}/`),
      }),
    )
    check(
      eventually(scripted.saw('configured'), (e) => told(e)['running together [1]'] === 5, {
        id: 'together',
        limit: 'all five run at the same time',
        verifies: ['M:0020/together'],
      }),
    )
    check(
      never(scripted.saw('stopped'), (e) => unasked(e) && !signed(e), {
        id: 'unsigned',
        limit: 'no app whose messages bear no signature is taken for silent',
        verifies: ['W:002/unsigned-accepted'],
        alive: scripted.saw('tells'),
      }),
    )
    check(
      never(scripted.saw('stopped'), (e) => unasked(e) && signed(e), {
        id: 'signed',
        limit: 'no app whose messages bear something under Signature is taken for silent',
        verifies: ['W:002/signature-ignored'],
        alive: scripted.saw('tells'),
      }),
    )
    check(
      never(guid.saw('stopped'), unasked, {
        id: 'guid',
        limit: 'an app whose identifier is a GUID runs like the others',
        verifies: ['W:004/guid-identifier', 'API:4.2/both-forms'],
        alive: guid.saw('tells'),
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
    check(
      always(errors, (e) => Number.isInteger(told(e)['Errno']) && inTable(told(e)['Errno'] as number), {
        id: 'error-form',
        limit: 'each error has a number of table 11',
        verifies: ['API:8.2.4/form'],
      }),
    )
    check(
      never(errors, (e) => told(e)['Errno'] === 8 && textOf(e) === '', {
        id: 'error-words',
        limit: 'each error of number 8 says what it is about',
        verifies: ['API:8.2.4/application-message'],
      }),
    )
    check(
      within('10 s', { ...third.saw('act'), kind: 'sent' }, errors, {
        id: 'bad-json-reported',
        limit: 'what is no JSON leads to an error of number 1 within 10 s',
        verifies: ['API:8.2.4/bad-json-reported'],
        when: (e) => told(e)['do'] === 'publish',
        how: (e) => told(e)['Errno'] === 1,
      }),
    )

    await platform.ask('operator', { do: 'configure', app: 'bare', config: { name: 'bare', pulse: 10 } })
    for (const round of rounds) {
      for (const [i, name] of names.entries()) {
        scripted.app(name).behave(round[i] ?? {})
        await platform.ask('operator', { do: 'restart', app: name })
      }
      await time.pass('30 s')
    }
    // An application's own failure, of which an error tells.
    scripted.app('first').act({ do: 'tell', status: 2, message: 'out of paper' })
    await time.pass('4 s')
    third.act({ do: 'publish', topic: `status/response/${third.iid}`, text: '{"Status": 1,' })
    third.act({ do: 'publish', topic: `config/request/${third.iid}`, text: 'Timestamp=1515974400' })
    check(
      eventually(scripted.saw('asked'), () => true, {
        id: 'bad-json-survived',
        limit: 'after what is no JSON the apps are asked for their status as before',
        verifies: ['API:4.3/bad-json-survived'],
        by: '15 s',
      }),
    )
    const spent = 94_000
    await time.pass(time.horizon - spent)
  },
})

/** Error numbers of LV-CAP API table 11. */
function inTable(n: number): boolean {
  return n >= 1 && n <= 14
}
