/** What defects and variants of the Container Manager are made with. */
import { status } from '../reference/lvcap/api.ts'
import type { Message } from '../reference/lvcap/api.ts'
import type { Json } from '../reference/lvcap/env.ts'
import type { ManagerParts } from '../reference/lvcap/manager/main.ts'
import type { AppState, Effect, Input, Policy, State } from '../reference/lvcap/manager/machine.ts'
import type { Defect } from './defect.ts'
import { objectOf } from './payload.ts'

type Wrap = Defect<ManagerParts>['wrap']
type Decide = ManagerParts['decide']
type Step = ReturnType<Decide>

/** Decides otherwise. `change` gets what the shipped one decides, and says when its difference comes to bear. */
export function deciding(
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
export function effects(
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
export function messages(change: (m: Message, state: State, input: Input) => Message | undefined): Wrap {
  return effects((e, { state, input }) => {
    if (e.do !== 'publish') return e
    const message = change(e.message, state, input)
    if (message === e.message) return e
    return message === undefined ? undefined : { ...e, message }
  })
}

export function byPolicy(change: Partial<Policy>): Wrap {
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
export function takesForOk(...codes: readonly Json[]): Wrap {
  return deciding((shipped, { input, reached }) => {
    if (input.kind !== 'status' || !codes.includes(input.code)) return shipped()
    reached()
    return shipped({ kind: 'status', iid: input.iid, code: status.ok })
  })
}

/** Hears nothing of messages that fit. */
export function deafTo(fits: (topic: string, body: { readonly [k: string]: Json }) => boolean): Wrap {
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

export const isConfig = (m: Message): boolean => m.topic.startsWith('config/response/')
export const isCommand = (m: Message): boolean => m.topic.startsWith('command/')
export const isError = (m: Message): boolean => m.topic.startsWith('storage/data/error/')
export const textOf = (m: Message): string => JSON.stringify(objectOf(m.payload)['Message'] ?? '')
export const up = (a: AppState | undefined): boolean => a?.phase === 'running' || a?.phase === 'starting'
export const appOf = (state: State, iid: string): AppState | undefined =>
  state.apps.find((a) => a.iid === iid)
export const isGuid = (iid: string): boolean => !iid.includes('_')
export const never = Number.MAX_SAFE_INTEGER
/** As long as a timer can wait, ms: 24 days. */
export const longWait = 2 ** 31 - 1

/** The same, with another configuration where it is one. */
export function withConfig(e: Extract<Effect, { do: 'publish' }>, config: Json): Effect {
  if (!isConfig(e.message)) return e
  return {
    ...e,
    message: { ...e.message, payload: { ...objectOf(e.message.payload), Configuration: config } },
  }
}
