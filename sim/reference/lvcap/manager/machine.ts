/**
 * The Container Manager's decisions, as a pure machine: (state, input, now) -> [state, effects]. Times in ms. API sections
 * 5.1, 6 and 8.2; where the API contradicts itself, the decision taken stands at the place.
 */
import { errno, status, type Message } from '../api.ts'
import type { Json, JsonObject } from '../env.ts'
import type { Policy, AppState, State, Input, OperatorRequest, Effect } from './decisions.ts'
import * as say from './messages.ts'

export type { Policy, Phase, AppState, State, Input, OperatorRequest, Effect } from './decisions.ts'

export const shippedPolicy: Policy = {
  restartAfter: 3,
  stopAfter: 5,
  politeAfter: 60_000,
  killAfter: 120_000,
  grace: 10_000,
}

export function initial(apps: readonly { iid: string; config: JsonObject | null }[]): State {
  return {
    closing: false,
    apps: apps.map(({ iid, config }) => fresh(iid, config)),
  }
}

function fresh(iid: string, config: JsonObject | null): AppState {
  return { iid, config, phase: 'idle', misses: 0, restarts: 0, asked: false, after: 'stay' }
}

/** One step. `managerIid` and `now` stamp the messages. */
export function step(
  state: State,
  input: Input,
  now: number,
  policy: Policy,
  managerIid: string,
): readonly [State, readonly Effect[]] {
  const turn = new Turn(state, now, policy, managerIid)
  turn.take(input)
  return turn.result()
}

/** One step's working: lives no longer than the call. */
class Turn {
  readonly #apps: Map<string, AppState>
  #closing: boolean
  readonly #effects: Effect[] = []
  readonly #now: number
  readonly #policy: Policy
  readonly #managerIid: string

  constructor(state: State, now: number, policy: Policy, managerIid: string) {
    this.#apps = new Map(state.apps.map((a) => [a.iid, a]))
    this.#closing = state.closing
    this.#now = now
    this.#policy = policy
    this.#managerIid = managerIid
  }

  result(): readonly [State, readonly Effect[]] {
    const apps = [...this.#apps.values()]
    if (this.#closing && apps.every((a) => isGone(a))) {
      this.#effects.push({ do: 'finish' })
    }
    return [{ apps, closing: this.#closing }, this.#effects]
  }

  take(input: Input): void {
    if (input.kind === 'install') {
      this.#install(input.iid, input.config)
      return
    }
    if ('iid' in input) {
      const app = this.#apps.get(input.iid)
      if (app !== undefined) this.#about(app, input)
      else if (input.kind === 'config-request') this.#publish(say.configResponse(input.iid, null, this.#now))
      return
    }
    switch (input.kind) {
      case 'begin':
        // In the order of installation (section 5.1.2).
        for (const a of this.#apps.values()) {
          if (a.phase === 'idle') this.#start(a)
          // An answer may have been lost while the marketplace was away: not the application's fault.
          else this.#set(a, { asked: false })
        }
        return
      case 'poll':
        this.#poll()
        return
      case 'close':
        this.#closing = true
        for (const a of this.#apps.values()) this.#askToLeave(a, 'stay')
        return
      case 'operator':
        this.#operator(input.request)
        return
      default:
        input satisfies never
    }
  }

  #about(app: AppState, input: Exclude<Extract<Input, { iid: string }>, { kind: 'install' }>): void {
    switch (input.kind) {
      case 'config-request':
        if (app.phase === 'starting') this.#set(app, { phase: 'running' })
        this.#publish(say.configResponse(app.iid, app.config, this.#now))
        return
      case 'bad-message':
        this.#problem(errno.jsonInvalid, `${app.iid} sent no JSON object on ${input.topic}.`)
        return
      case 'status':
        this.#status(app, input.code, input.text)
        return
      case 'exited':
        this.#exited(app, input.how)
        return
      case 'timer':
        this.#timer(app, input.what)
        return
      case 'hold':
        if (isGone(app)) this.#set(app, { phase: 'held' })
        else this.#askToLeave(app, 'hold')
        return
      case 'remove':
        if (isGone(app)) this.#apps.delete(app.iid)
        return
      default:
        input satisfies never
    }
  }

  /** Failures of what ran before it are not its own. */
  #install(iid: string, config: JsonObject | null): void {
    const before = this.#apps.get(iid)
    if (before !== undefined && !isGone(before)) return
    this.#apps.set(iid, fresh(iid, config))
    if (!this.#closing) this.#start(fresh(iid, config))
  }

  #poll(): void {
    for (const a of this.#apps.values()) {
      if (a.asked && isUp(a)) this.#missed(a, 'did not answer the status request')
    }
    this.#publish(say.statusRequest(this.#now))
    for (const a of this.#apps.values()) if (isUp(a)) this.#set(a, { asked: true })
  }

  /** Silence and unknown codes are counted. An answer must come before the next request, since no other time is given. */
  #missed(app: AppState, why: string): void {
    const misses = app.misses + 1
    const a = this.#set(app, { misses, asked: false })
    this.#log('status-missed', a, { misses, why })
    if (misses >= this.#policy.stopAfter) {
      this.#problem(errno.application, `${a.iid} ${why}, ${misses} times in a row: it stays stopped.`)
      this.#end(a, 'stay')
    } else if (misses === this.#policy.restartAfter) {
      this.#problem(errno.application, `${a.iid} ${why}, ${misses} times in a row: it is restarted.`)
      this.#end(a, 'start')
    }
  }

  #status(app: AppState, code: Json, text: string | undefined): void {
    if (code === status.shutDown && app.phase === 'leaving') {
      this.#end(app, app.after)
      return
    }
    if (!isUp(app)) return
    // The word that an application gives at its start answers no request: else one that hangs after each start would
    // be restarted for ever.
    const misses = app.asked ? 0 : app.misses
    const a = this.#set(app, { asked: false })
    switch (typeof code === 'number' ? code : -1) {
      case status.ok:
        this.#set(a, { misses, restarts: 0, phase: 'running' })
        return
      case status.initial: {
        this.#set(a, { misses, phase: 'running' })
        // Nothing is sent where nothing is known: the two would answer each other for ever.
        if (a.config !== null) this.#publish(say.configResponse(a.iid, a.config, this.#now))
        return
      }
      case status.failed:
        // The last will of the process before this one may arrive late.
        if (a.phase === 'starting') return
        this.#restartAtOnce(a, `status 2${text === undefined ? '' : `: ${text}`}`)
        return
      case status.error:
        this.#restartAtOnce(a, `status 3${text === undefined ? '' : `: ${text}`}`)
        return
      case status.shutDown:
        this.#log('shut-itself-down', a, {})
        this.#end(a, 'stay')
        return
      case status.restart:
        this.#restartAtOnce(a, 'status 6, it wishes to')
        return
      default:
        this.#missed(a, `answered with the unknown status ${JSON.stringify(code)}`)
    }
  }

  /**
   * Status 2, 3 and 6, a last will and an exit act at once. The API sets no bound for these; ours: as with silence, the
   * fifth in a row without a status 1 between them stops the application for good.
   */
  #restartAtOnce(app: AppState, why: string): void {
    const restarts = app.restarts + 1
    const a = this.#set(app, { restarts })
    const stays = restarts >= this.#policy.stopAfter
    this.#problem(
      errno.application,
      `${a.iid}: ${why}; it ${stays ? `stays stopped after ${restarts} in a row` : 'is restarted'}.`,
    )
    this.#end(a, stays ? 'stay' : 'start')
  }

  #exited(app: AppState, how: number | string): void {
    this.#effects.push({ do: 'untime', iid: app.iid })
    this.#log('exited', app, { how })
    if (app.phase === 'leaving' || app.phase === 'ending') {
      const a = this.#set(app, { phase: app.after === 'hold' ? 'held' : 'down' })
      if (a.after === 'start' && !this.#closing) this.#start(a)
      return
    }
    if (!isUp(app)) return
    const a = this.#set(app, { phase: 'down', restarts: app.restarts + 1 })
    const stays = a.restarts >= this.#policy.stopAfter
    this.#problem(
      errno.application,
      `${a.iid} ended by itself (${how}); it ${stays ? `stays stopped after ${a.restarts} in a row` : 'is restarted'}.`,
    )
    if (!stays && !this.#closing) this.#start(a)
  }

  #timer(app: AppState, what: 'polite' | 'kill'): void {
    if (app.phase !== 'leaving' && app.phase !== 'ending') return
    this.#log(what === 'polite' ? 'stopped-politely' : 'stopped-by-force', app, {})
    this.#effects.push({ do: 'signal', iid: app.iid, signal: what === 'polite' ? 'TERM' : 'KILL' })
  }

  #start(app: AppState): void {
    const a = this.#set(app, { phase: 'starting', asked: false, after: 'stay' })
    this.#log('started', a, {})
    this.#effects.push({ do: 'start', iid: a.iid })
  }

  /** Stops the process: politely, and by force when it takes too long. */
  #end(app: AppState, after: AppState['after']): void {
    const { iid } = this.#set(app, { phase: 'ending', after: this.#closing ? 'stay' : after, asked: false })
    this.#effects.push(
      { do: 'untime', iid },
      { do: 'signal', iid, signal: 'TERM' },
      { do: 'timer', what: 'kill', iid, ms: this.#policy.grace },
    )
  }

  /** The shutdown of section 6: command, a minute of patience, polite stop, forced stop. */
  #askToLeave(app: AppState, after: AppState['after']): void {
    if (!isUp(app)) {
      if (app.phase === 'leaving' || app.phase === 'ending') this.#set(app, { after })
      return
    }
    const { iid } = this.#set(app, { phase: 'leaving', after, asked: false })
    this.#publish(say.shutDown(iid, this.#now))
    this.#effects.push(
      { do: 'timer', what: 'polite', iid, ms: this.#policy.politeAfter },
      { do: 'timer', what: 'kill', iid, ms: this.#policy.killAfter },
    )
  }

  #operator(r: OperatorRequest): void {
    const answer = (ok: boolean, more: JsonObject = {}): void =>
      this.#publish(say.managerResponse(r.id, ok, more))
    if (r.do === 'state') {
      const apps = [...this.#apps.values()].map(({ iid, phase, misses, restarts, config }) => ({
        IID: iid,
        Phase: phase,
        Misses: misses,
        Restarts: restarts,
        ContainerConfig: config,
      }))
      answer(true, { Apps: apps })
      return
    }
    const seconds = r.config?.['statusInterval']
    if (r.iid === this.#managerIid && r.do === 'change' && isInterval(seconds)) {
      this.#effects.push(
        { do: 'interval', seconds },
        { do: 'save', iid: r.iid, config: { statusInterval: seconds } },
      )
      answer(true)
      return
    }
    const app = this.#apps.get(r.iid ?? '')
    if (app === undefined) {
      answer(false, { Message: `There is no instance ${r.iid ?? '(none named)'}.` })
      return
    }
    if (app.phase === 'held' || app.after === 'hold') {
      answer(false, { Message: `${app.iid} is being updated.` })
      return
    }
    switch (r.do) {
      case 'configure':
      case 'change': {
        if (r.config === undefined) {
          answer(false, { Message: 'ContainerConfig, an object, is missing.' })
          return
        }
        const config = r.do === 'change' ? { ...app.config, ...r.config } : r.config
        this.#set(app, { config })
        this.#effects.push({ do: 'save', iid: app.iid, config })
        if (isUp(app)) this.#publish(say.configResponse(app.iid, config, this.#now))
        break
      }
      case 'restart':
        if (isUp(app)) this.#askToLeave(app, 'start')
        else if (app.phase === 'down') this.#start(this.#set(app, { misses: 0, restarts: 0 }))
        break
      case 'shutdown':
        this.#askToLeave(app, 'stay')
        break
      case 'start':
        if (app.phase === 'down') this.#start(this.#set(app, { misses: 0, restarts: 0 }))
        break
      case 'command': {
        const value = r.config?.['Command']
        if (!Number.isInteger(value) || value === 1) {
          answer(false, { Message: 'ContainerConfig.Command, an integer other than 1, is missing.' })
          return
        }
        this.#publish(say.command(app.iid, Number(value), this.#now))
        break
      }
      default:
        r.do satisfies never
    }
    answer(true)
  }

  #set(app: AppState, change: Partial<AppState>): AppState {
    const a = { ...this.#apps.get(app.iid), ...app, ...change }
    this.#apps.set(a.iid, a)
    return a
  }

  #publish(message: Message): void {
    this.#effects.push({ do: 'publish', message })
  }

  #log(event: string, app: AppState, more: JsonObject): void {
    this.#effects.push({ do: 'log', entry: { event, iid: app.iid, ...more } })
  }

  /** Into the log, and to storage (section 8.2.4). */
  #problem(code: (typeof errno)[keyof typeof errno], text: string): void {
    this.#effects.push({ do: 'log', entry: { event: 'problem', text } })
    this.#publish(say.error(this.#managerIid, code, text, this.#now))
  }
}

/** Seconds between status requests: a second to a day, as in config.ts. */
export function isInterval(v: Json | undefined): v is number {
  return typeof v === 'number' && v >= 1 && v <= 86_400
}

/** It has no process. */
function isGone(a: AppState): boolean {
  return a.phase === 'idle' || a.phase === 'down' || a.phase === 'held'
}

function isUp(a: AppState): boolean {
  return a.phase === 'starting' || a.phase === 'running'
}
