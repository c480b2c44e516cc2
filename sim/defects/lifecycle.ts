/** Defects and variants of the Container Manager about the life of apps (API sections 5, 6 and 8.2; W:002, W:004). */
import { status } from '../reference/lvcap/api.ts'
import type { ManagerParts } from '../reference/lvcap/manager/main.ts'
import { listOf, type Defect } from './defect.ts'
import { lifecycleMessageDefects } from './lifecycle-messages.ts'
import {
  deciding,
  effects,
  messages,
  byPolicy,
  takesForOk,
  deafTo,
  isConfig,
  isCommand,
  isError,
  textOf,
  up,
  appOf,
  never,
  longWait,
} from './lifecycle-seams.ts'
import { objectOf } from './payload.ts'

export const lifecycleDefects: readonly Defect<ManagerParts>[] = [
  ...listOf<ManagerParts>('container-manager', 'defect', {
    'restarts-after-four-silences': [
      'Restarts a silent application only after four unanswered status requests.',
      byPolicy({ restartAfter: 4 }),
    ],
    'never-stops-for-good': [
      'Restarts a silent application and never stops it for good.',
      byPolicy({ stopAfter: never }),
    ],
    'forgets-silences-at-restart': [
      'Begins to count silences anew when it has restarted an application.',
      deciding((shipped, { state, input, reached }) => {
        const [next, done] = shipped()
        if (input.kind !== 'exited' || (appOf(state, input.iid)?.misses ?? 0) === 0) return [next, done]
        reached()
        return [
          { ...next, apps: next.apps.map((a) => (a.iid === input.iid ? { ...a, misses: 0 } : a)) },
          done,
        ]
      }),
    ],
    'never-clears-silences': [
      'Counts silences that do not follow each other.',
      deciding((shipped, { state, input, reached }) => {
        const [next, done] = shipped()
        if (input.kind !== 'status') return [next, done]
        const misses = appOf(state, input.iid)?.misses ?? 0
        if (misses === (appOf(next, input.iid)?.misses ?? 0)) return [next, done]
        reached()
        return [{ ...next, apps: next.apps.map((a) => (a.iid === input.iid ? { ...a, misses } : a)) }, done]
      }),
    ],
    'skips-status-requests': [
      'Leaves out every third status request.',
      (p, reached) => {
        let n = 0
        return {
          ...p,
          decide: (state, input, now, policy, iid) => {
            if (input.kind !== 'poll' || ++n % 3 !== 0) return p.decide(state, input, now, policy, iid)
            reached()
            return [state, []]
          },
        }
      },
    ],
    'takes-one-answer-for-all': [
      "Takes one application's answer for everybody's.",
      deciding((shipped, { input, reached }) => {
        const [next, done] = shipped()
        if (input.kind !== 'status' || input.code !== status.ok) return [next, done]
        if (next.apps.some((a) => a.asked)) reached()
        return [{ ...next, apps: next.apps.map((a) => ({ ...a, asked: false })) }, done]
      }),
    ],
    'stops-without-a-word': [
      'Stops an application for good and tells nobody.',
      messages((m) => (isError(m) && textOf(m).includes('it stays stopped') ? undefined : m)),
    ],
    'ignores-failures': ['Takes status 2 and 3 for good ones.', takesForOk(status.failed, status.error)],
    'ignores-last-wills': [
      'Does nothing about a last will.',
      deafTo(
        (topic, body) =>
          topic.startsWith('status/response/') && body['Status'] === 2 && !('Timestamp' in body),
      ),
    ],
    'keeps-failure-messages': [
      'Does not pass on what a failing application says of its failure.',
      deciding((shipped, { input, reached }) => {
        if (input.kind !== 'status' || input.text === undefined) return shipped()
        reached()
        return shipped({ kind: 'status', iid: input.iid, code: input.code })
      }),
    ],
    'restarts-waiting-apps': [
      'Restarts an application that waits for its configuration.',
      deciding((shipped, { input, reached }) => {
        if (input.kind !== 'status' || input.code !== status.initial) return shipped()
        reached()
        return shipped({ ...input, code: status.error })
      }),
    ],
    'keeps-configuration-from-waiting-apps': [
      'Does not send the configuration again on status 5.',
      deciding((shipped, { input, reached }) => {
        const [next, done] = shipped()
        if (input.kind !== 'status' || !done.some((e) => e.do === 'publish' && isConfig(e.message)))
          return [next, done]
        reached()
        return [next, done.filter((e) => e.do !== 'publish')]
      }),
    ],
    'kills-at-once': [
      'Ends an application in the moment in which it tells it to shut down.',
      effects((e) =>
        e.do === 'timer' && e.what === 'polite' ? { do: 'signal', iid: e.iid, signal: 'KILL' } : e,
      ),
    ],
    'gives-ten-seconds': [
      'Stops an application ten seconds after the command.',
      byPolicy({ politeAfter: 10_000 }),
    ],
    'stops-without-command': [
      'Stops applications without telling them to shut down.',
      effects((e) => {
        if (e.do === 'publish' && isCommand(e.message)) return undefined
        if (e.do === 'timer' && e.what === 'polite') return { do: 'signal', iid: e.iid, signal: 'TERM' }
        return e
      }),
    ],
    'waits-for-ever': [
      'Waits without end for an application that does not shut down.',
      byPolicy({ politeAfter: longWait, killAfter: longWait }),
    ],
    'never-forces': [
      'Asks an application to stop and never ends it by force.',
      byPolicy({ killAfter: longWait, grace: longWait }),
    ],
    'leaves-apps-that-are-ready': [
      'Does not stop an application that says that it has shut down.',
      deciding((shipped, { input, state, reached }) => {
        if (input.kind !== 'status' || input.code !== status.shutDown) return shipped()
        reached()
        return [state, []]
      }),
    ],
    'forgets-the-stopped-list': [
      'Starts an application again that has shut itself down.',
      deciding((shipped, { state, input, reached }) => {
        if (input.kind !== 'status' || input.code !== status.shutDown) return shipped()
        if (!up(appOf(state, input.iid))) return shipped()
        reached()
        return shipped({ ...input, code: status.restart })
      }),
    ],
    'ignores-restart-wishes': ['Takes status 6 for status 1.', takesForOk(status.restart)],
    'restart-means-stop': [
      'Shuts an application down that it was to restart, and leaves it there.',
      deciding((shipped, { input, reached }) => {
        if (input.kind !== 'operator' || input.request.do !== 'restart') return shipped()
        reached()
        return shipped({ ...input, request: { ...input.request, do: 'shutdown' } })
      }),
    ],
    'starts-before-it-has-stopped': [
      'Starts an application anew before the old one has ended.',
      deciding((shipped, { state, input, reached }) => {
        const [next, done] = shipped()
        if (input.kind !== 'operator' || input.request.do !== 'restart') return [next, done]
        const iid = input.request.iid ?? ''
        if (!up(appOf(state, iid))) return [next, done]
        reached()
        return [next, [...done, { do: 'start', iid }]]
      }),
    ],
    'starts-apps-before-the-marketplace': [
      'Starts applications first and the Data Marketplace three seconds later.',
      (p, reached) => ({
        ...p,
        startCore: async (start, begin) => {
          reached()
          begin()
          await new Promise<void>((resolve) => {
            setTimeout(resolve, 3_000)
          })
          await start()
        },
      }),
    ],
    'starts-apps-in-another-order': [
      'Starts the last installed application first.',
      (p, reached) => ({
        ...p,
        order: (apps) => {
          reached()
          return p.order(apps).toReversed()
        },
      }),
    ],
    'leaves-the-last-app-out': [
      'After a restart of the platform it leaves the last installed application out.',
      (p, reached) => {
        let begun = false
        return {
          ...p,
          decide: (state, input, now, policy, iid) => {
            const [next, done] = p.decide(state, input, now, policy, iid)
            const starts = done.filter((e) => e.do === 'start')
            const last = starts.at(-1)
            if (input.kind !== 'begin' || begun || last === undefined || starts.length < 2)
              return [next, done]
            begun = true
            reached()
            return [next, done.filter((e) => e !== last)]
          },
        }
      },
    ],
  }),
  ...lifecycleMessageDefects,
  ...listOf<ManagerParts>('container-manager', 'variant', {
    'sends-the-whole-file': [
      'Sends the whole configuration file, which holds the ContainerConfig object.',
      messages((m) => {
        const config = objectOf(m.payload)['Configuration']
        if (!isConfig(m) || config === null || config === undefined) return m
        const file = { ContainerName: m.topic.split('/')[2] ?? '', ContainerConfig: config }
        return { ...m, payload: { ...objectOf(m.payload), Configuration: file } }
      }),
    ],
    'stops-politely-after-eighty-seconds': [
      'Asks an application to stop 80 s after the command: more than a minute, less than two.',
      byPolicy({ politeAfter: 80_000 }),
    ],
    'without-time-stamps': [
      'Leaves out the time stamps that it may leave out.',
      messages((m) => {
        const { Timestamp: stamp, ...rest } = objectOf(m.payload)
        return stamp === undefined || isError(m) ? m : { ...m, payload: rest }
      }),
    ],
  }),
]
