/** When a watchdog pulls: a pure machine over signs of life. Times are ms of one steady clock. */
import type { JsonObject } from '../env.ts'

export interface Policy {
  readonly computer: { readonly silence: number; readonly boot: number }
  readonly router: { readonly silence: number; readonly boot: number; readonly link: number }
  /** The longest that a wait becomes by doubling. */
  readonly most: number
}

/** Somebody who is to give signs of life. */
export interface Watched {
  /** `booting`: no sign yet since power came. */
  readonly life: 'booting' | 'alive'
  /** The last sign; where there was none, when power came. */
  readonly since: number
  /** Resets that brought no sign of life. */
  readonly vain: number
}

export interface State {
  readonly computer: Watched
  /** Its supply is being looked at, before it is reset. */
  readonly looking: boolean
  /** By its page. */
  readonly router: Watched
  /** By who stands beyond it. */
  readonly link: Watched
}

export type Input =
  | { readonly kind: 'tick' }
  /** The computer fed. */
  | { readonly kind: 'fed' }
  /** How the computer's supply stands, as its relay tells, and for how long; `unknown`: the relay does not tell. */
  | { readonly kind: 'supply'; readonly state: 'on' | 'off' | 'unknown'; readonly forMs: number }
  /** The router's page answered, or somebody beyond the router. */
  | { readonly kind: 'page' | 'beyond' }

export type Effect =
  | { readonly do: 'reset'; readonly of: 'computer' | 'router' }
  /** Ask the relay how the computer's supply stands. */
  | { readonly do: 'look' }
  | { readonly do: 'log'; readonly entry: JsonObject }

export function initial(now: number): State {
  const begin: Watched = { life: 'booting', since: now, vain: 0 }
  return { computer: begin, looking: false, router: begin, link: { ...begin, life: 'alive' } }
}

/** Doubled with each reset in vain. */
function doubled(first: number, vain: number, most: number): number {
  return Math.min(Math.max(first, most), first * 2 ** vain)
}

/** How long somebody may be silent now. */
export function patience(
  w: Watched,
  p: { readonly silence: number; readonly boot: number },
  most: number,
): number {
  return w.life === 'alive' ? p.silence : doubled(p.boot, w.vain, most)
}

const alive = (now: number): Watched => ({ life: 'alive', since: now, vain: 0 })
const wasReset = (w: Watched, now: number): Watched => ({ life: 'booting', since: now, vain: w.vain + 1 })

/** The next state, and what is to be done, in order. */
export function step(
  state: State,
  input: Input,
  now: number,
  policy: Policy,
): readonly [State, readonly Effect[]] {
  switch (input.kind) {
    case 'fed': {
      const first = state.computer.life === 'booting'
      const heard = { ...state, computer: alive(now), looking: false }
      return [heard, first ? [{ do: 'log', entry: { event: 'watchdog', hears: 'computer' } }] : []]
    }
    case 'page':
      return [{ ...state, router: alive(now) }, []]
    case 'beyond':
      return [{ ...state, link: alive(now) }, []]
    case 'supply':
      return supply(state, input, now, policy)
    case 'tick':
      return tick(state, now, policy)
    default:
      return input satisfies never
  }
}

/** Silent for too long, and its supply is known now: it may have been off, or have come back since. */
function supply(
  state: State,
  input: Extract<Input, { kind: 'supply' }>,
  now: number,
  policy: Policy,
): readonly [State, readonly Effect[]] {
  // It spoke meanwhile.
  if (!state.looking) return [state, []]
  const looked = { ...state, looking: false }
  if (input.state === 'off')
    return [{ ...looked, computer: { ...state.computer, life: 'booting', since: now } }, []]
  const powered = now - input.forMs
  const computer: Watched =
    input.state === 'on' && powered > state.computer.since
      ? { ...state.computer, life: 'booting', since: powered }
      : state.computer
  if (now - computer.since < patience(computer, policy.computer, policy.most))
    return [{ ...looked, computer }, []]
  return [
    { ...looked, computer: wasReset(computer, now) },
    [resetLog('computer', now - computer.since, computer.vain), { do: 'reset', of: 'computer' }],
  ]
}

function tick(state: State, now: number, policy: Policy): readonly [State, readonly Effect[]] {
  const effects: Effect[] = []
  let next = state
  const { computer, router, link } = state
  if (!state.looking && now - computer.since >= patience(computer, policy.computer, policy.most)) {
    next = { ...next, looking: true }
    effects.push({ do: 'look' })
  }
  const silent = now - router.since >= patience(router, policy.router, policy.most)
  const nothingPasses =
    router.life === 'alive' && now - link.since >= doubled(policy.router.link, link.vain, policy.most)
  if (silent || nothingPasses) {
    const why = silent ? router : link
    next = {
      ...next,
      router: silent ? wasReset(router, now) : { life: 'booting', since: now, vain: 0 },
      // Whoever boots passes nothing on: the wait begins anew.
      link: { ...link, since: now, vain: link.vain + (nothingPasses ? 1 : 0) },
    }
    effects.push(resetLog('router', now - why.since, why.vain), { do: 'reset', of: 'router' })
  }
  return [next, effects]
}

function resetLog(of: 'computer' | 'router', silent: number, vain: number): Effect {
  return {
    do: 'log',
    entry: { event: 'watchdog', resets: of, 'silent [s]': Math.round(silent / 1_000), vain },
  }
}
