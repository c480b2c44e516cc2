/** Defects and variants of the Container Manager (API sections 5, 6, 8.2). */
import type { ManagerParts } from '../reference/lvcap/manager/main.ts'
import type { Policy } from '../reference/lvcap/manager/machine.ts'
import { listOf, type Defect } from './defect.ts'

/** Decides by another policy. It is reached when that makes a difference. */
function byPolicy(change: Partial<Policy>): Defect<ManagerParts>['wrap'] {
  return (p, reached) => ({
    ...p,
    decide: (state, input, now, policy, managerIid) => {
      const shipped = p.decide(state, input, now, policy, managerIid)
      const other = p.decide(state, input, now, { ...policy, ...change }, managerIid)
      if (JSON.stringify(shipped[1]) !== JSON.stringify(other[1])) reached()
      return other
    },
  })
}

export const managerDefects: readonly Defect<ManagerParts>[] = [
  ...listOf<ManagerParts>('container-manager', 'defect', {
    'never-restarts-silent-apps': [
      'Counts silences, and does nothing.',
      byPolicy({ restartAfter: Number.MAX_SAFE_INTEGER, stopAfter: Number.MAX_SAFE_INTEGER }),
    ],
    'restarts-after-one-silence': [
      'Restarts an application at the first unanswered status request.',
      byPolicy({ restartAfter: 1 }),
    ],
    'asks-nothing': [
      'Never asks after its applications.',
      (p, reached) => ({
        ...p,
        decide: (state, input, now, policy, managerIid) => {
          if (input.kind !== 'poll') return p.decide(state, input, now, policy, managerIid)
          reached()
          return [state, []]
        },
      }),
    ],
    'keeps-changes-to-itself': [
      'Stores a changed configuration and does not tell the application.',
      (p, reached) => ({
        ...p,
        decide: (state, input, now, policy, managerIid) => {
          const [next, effects] = p.decide(state, input, now, policy, managerIid)
          if (
            input.kind !== 'operator' ||
            (input.request.do !== 'configure' && input.request.do !== 'change')
          ) {
            return [next, effects]
          }
          reached()
          const quiet = effects.filter(
            (e) => !(e.do === 'publish' && e.message.topic.startsWith('config/response/')),
          )
          return [next, quiet]
        },
      }),
    ],
    'leaves-dead-apps': [
      'Does not start an application again whose process ended.',
      (p, reached) => ({
        ...p,
        decide: (state, input, now, policy, managerIid) => {
          const [next, effects] = p.decide(state, input, now, policy, managerIid)
          if (input.kind !== 'exited' || !effects.some((e) => e.do === 'start')) return [next, effects]
          reached()
          return [next, effects.filter((e) => e.do !== 'start')]
        },
      }),
    ],
  }),
  ...listOf<ManagerParts>('container-manager', 'variant', {
    'restarts-after-two-silences': [
      'Restarts after two unanswered status requests, as table 2 has it.',
      byPolicy({ restartAfter: 2 }),
    ],
  }),
]
