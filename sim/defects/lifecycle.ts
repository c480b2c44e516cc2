/** Defects and variants of the Container Manager about the life of apps (API sections 5, 6 and 8.2; W:002, W:004). */
import { status, topics } from '../reference/lvcap/api.ts'
import type { Message } from '../reference/lvcap/api.ts'
import type { Json } from '../reference/lvcap/env.ts'
import type { ManagerParts } from '../reference/lvcap/manager/main.ts'
import type { AppState, Effect, Input, Policy, State } from '../reference/lvcap/manager/machine.ts'
import { listOf, type Defect } from './defect.ts'
import { objectOf } from './payload.ts'

type Wrap = Defect<ManagerParts>['wrap']
type Decide = ManagerParts['decide']
type Step = ReturnType<Decide>

/** Decides otherwise. `change` gets what the shipped one decides, and says when its difference comes to bear. */
function deciding(
  change: (
    shipped: (input?: Input, state?: State) => Step,
    given: { readonly state: State; readonly input: Input; readonly reached: () => void },
  ) => Step,
): Wrap {
  return (p, reached) => ({
    ...p,
    decide: (state, input, now, policy, iid) =>
      change((i = input, s = state) => p.decide(s, i, now, policy, iid), { state, input, reached }),
  })
}

/** Changes or leaves out effects; undefined leaves one out. */
function effects(
  change: (e: Effect, given: { readonly state: State; readonly input: Input }) => Effect | undefined,
): Wrap {
  return deciding((shipped, { state, input, reached }) => {
    const [next, done] = shipped()
    const out = done.flatMap((e) => {
      const changed = change(e, { state, input })
      if (changed !== e) reached()
      return changed === undefined ? [] : [changed]
    })
    return [next, out]
  })
}

/** Changes or leaves out messages. */
function messages(change: (m: Message, state: State, input: Input) => Message | undefined): Wrap {
  return effects((e, { state, input }) => {
    if (e.do !== 'publish') return e
    const message = change(e.message, state, input)
    if (message === e.message) return e
    return message === undefined ? undefined : { ...e, message }
  })
}

function byPolicy(change: Partial<Policy>): Wrap {
  return (p, reached) => ({
    ...p,
    decide: (state, input, now, policy, iid) => {
      const shipped = p.decide(state, input, now, policy, iid)
      const other = p.decide(state, input, now, { ...policy, ...change }, iid)
      if (JSON.stringify(shipped[1]) !== JSON.stringify(other[1])) reached()
      return other
    },
  })
}

/** Takes a status with this code for a plain status 1. */
function takesForOk(...codes: readonly Json[]): Wrap {
  return deciding((shipped, { input, reached }) => {
    if (input.kind !== 'status' || !codes.includes(input.code)) return shipped()
    reached()
    return shipped({ kind: 'status', iid: input.iid, code: status.ok })
  })
}

/** Hears nothing of messages that fit. */
function deafTo(fits: (topic: string, body: { readonly [k: string]: Json }) => boolean): Wrap {
  return (p, reached) => ({
    ...p,
    interpret: (topic, payload) => {
      const heard = p.interpret(topic, payload)
      if (heard === undefined || heard.kind === 'operator' || !fits(topic, bodyOf(payload))) return heard
      reached()
      return undefined
    },
  })
}

function bodyOf(payload: Uint8Array): { readonly [k: string]: Json } {
  try {
    return objectOf(JSON.parse(Buffer.from(payload).toString('utf8')) as Json)
  } catch {
    return {}
  }
}

const isConfig = (m: Message): boolean => m.topic.startsWith('config/response/')
const isCommand = (m: Message): boolean => m.topic.startsWith('command/')
const isError = (m: Message): boolean => m.topic.startsWith('storage/data/error/')
const textOf = (m: Message): string => JSON.stringify(objectOf(m.payload)['Message'] ?? '')
const up = (a: AppState | undefined): boolean => a?.phase === 'running' || a?.phase === 'starting'
const appOf = (state: State, iid: string): AppState | undefined => state.apps.find((a) => a.iid === iid)
const isGuid = (iid: string): boolean => !iid.includes('_')
const never = Number.MAX_SAFE_INTEGER
/** As long as a timer can wait, ms: 24 days. */
const longWait = 2 ** 31 - 1

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
    'answers-with-anothers-configuration': [
      "Sends an application the next one's configuration.",
      (p, reached) => {
        let answers = 0
        return {
          ...p,
          decide: (state, input, now, policy, iid) => {
            const [next, done] = p.decide(state, input, now, policy, iid)
            // The first answers are right, so that the platform comes up at all.
            if (input.kind !== 'config-request' || ++answers <= state.apps.length) return [next, done]
            const at = state.apps.findIndex((a) => a.iid === input.iid)
            const other = state.apps[(at + 1) % state.apps.length]?.config ?? null
            reached()
            return [next, done.map((e) => (e.do === 'publish' ? withConfig(e, other) : e))]
          },
        }
      },
    ],
    'configuration-as-text': [
      'Sends a changed configuration as a text instead of an object.',
      deciding((shipped, { input, reached }) => {
        const [next, done] = shipped()
        if (input.kind !== 'operator' || !done.some((e) => e.do === 'publish' && isConfig(e.message)))
          return [next, done]
        reached()
        return [
          next,
          done.map((e) =>
            e.do === 'publish' && isConfig(e.message)
              ? withConfig(e, JSON.stringify(objectOf(e.message.payload)['Configuration']))
              : e,
          ),
        ]
      }),
    ],
    'deaf-to-requests': [
      'Answers the first request for configuration of each application and no later one.',
      (p, reached) => {
        const answered = new Set<string>()
        return {
          ...p,
          decide: (state, input, now, policy, iid) => {
            if (input.kind !== 'config-request' || !answered.has(input.iid)) {
              if (input.kind === 'config-request') answered.add(input.iid)
              return p.decide(state, input, now, policy, iid)
            }
            reached()
            return [state, []]
          },
        }
      },
    ],
    'silent-where-none-is-known': [
      'Does not answer a request where it knows no configuration.',
      messages((m) => (isConfig(m) && objectOf(m.payload)['Configuration'] === null ? undefined : m)),
    ],
    'configuration-at-qos-0': [
      'Sends configurations at QoS 0.',
      messages((m) => (isConfig(m) ? { ...m, qos: 0 } : m)),
    ],
    'heartbeat-at-qos-1': [
      'Sends status requests at QoS 1.',
      messages((m) => (m.topic === topics.statusRequest ? { ...m, qos: 1 } : m)),
    ],
    'commands-at-qos-0': ['Sends commands at QoS 0.', messages((m) => (isCommand(m) ? { ...m, qos: 0 } : m))],
    'commands-by-name': [
      'Sends the command by its name instead of its number.',
      messages((m) => (isCommand(m) ? { ...m, payload: { Command: 'SHUT_DOWN' } } : m)),
    ],
    'commands-everybody': [
      'Sends a command to all applications.',
      deciding((shipped, { state, input, reached }) => {
        const [next, done] = shipped()
        if (input.kind !== 'operator') return [next, done]
        const more = done.flatMap((e): Effect[] =>
          e.do === 'publish' && isCommand(e.message)
            ? state.apps
                .filter((a) => topics.command(a.iid) !== e.message.topic)
                .map((a) => ({ ...e, message: { ...e.message, topic: topics.command(a.iid) } }))
            : [],
        )
        if (more.length > 0) reached()
        return [next, [...done, ...more]]
      }),
    ],
    'errors-without-number': [
      'Logs errors without their number.',
      messages((m) => {
        if (!isError(m)) return m
        const { Errno: _errno, ...rest } = objectOf(m.payload)
        return { ...m, payload: rest }
      }),
    ],
    'errors-without-words': [
      'Logs errors without a message.',
      messages((m) => {
        if (!isError(m)) return m
        const { Message: _message, ...rest } = objectOf(m.payload)
        return { ...m, payload: rest }
      }),
    ],
    'says-nothing-of-bad-json': [
      'Passes over what is no JSON without an error.',
      messages((m, _state, input) => (input.kind === 'bad-message' && isError(m) ? undefined : m)),
    ],
    'ends-on-bad-json': [
      'Ends when it gets what is no JSON.',
      deciding((shipped, { input, reached }) => {
        if (input.kind !== 'bad-message') return shipped()
        reached()
        throw new SyntaxError('Unexpected end of JSON input')
      }),
    ],
    'insists-on-signatures': [
      'Does not hear status messages without a signature.',
      deafTo((topic, body) => topic.startsWith('status/response/') && !('Signature' in body)),
    ],
    'chokes-on-signatures': [
      'Does not hear messages with a signature.',
      deafTo((_topic, body) => 'Signature' in body),
    ],
    'deaf-to-guids': [
      'Does not hear the status of applications whose identifier is a GUID.',
      deafTo((topic) => topic.startsWith('status/response/') && isGuid(topic.split('/')[2] ?? '_')),
    ],
  }),
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

function withConfig(e: Extract<Effect, { do: 'publish' }>, config: Json): Effect {
  if (!isConfig(e.message)) return e
  return {
    ...e,
    message: { ...e.message, payload: { ...objectOf(e.message.payload), Configuration: config } },
  }
}
