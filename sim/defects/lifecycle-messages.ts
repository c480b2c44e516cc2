/** Defects of the Container Manager in what it says to apps, and in what it hears of them (API sections 5, 6 and 8.2). */
import { topics } from '../reference/lvcap/api.ts'
import type { ManagerParts } from '../reference/lvcap/manager/main.ts'
import type { Effect } from '../reference/lvcap/manager/machine.ts'
import { listOf, type Defect } from './defect.ts'
import {
  deciding,
  messages,
  deafTo,
  isConfig,
  isCommand,
  isError,
  isGuid,
  withConfig,
} from './lifecycle-seams.ts'
import { objectOf } from './payload.ts'

export const lifecycleMessageDefects: readonly Defect<ManagerParts>[] = listOf<ManagerParts>(
  'container-manager',
  'defect',
  {
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
  },
)
