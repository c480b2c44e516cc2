/**
 * The Container Manager: starts the Data Marketplace and then the applications, configures them, asks after them, and
 * restarts or stops them (API sections 5, 6 and 8.2). How a program is run is `env.start`'s affair.
 */
import { fsyncSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isObject, status, topics, type Message } from '../api.ts'
import { parseConfig, platformSchema, type AppEntry, type PlatformConfig } from '../config.ts'
import { aborted, wallClock, type Json, type Proc, type Program, type ProgramEnv } from '../env.ts'
import { LvcapError, textOf } from '../errors.ts'
import { openSession, type Presentation } from '../sdk/session.ts'
import { noUpdates, openUpdates, soundUpdates } from '../updates/procedure.ts'
import type { UpdateHost, UpdateParts, Updates } from '../updates/procedure.ts'
import { openUpdateStore } from '../updates/store.ts'
import { keepCore } from './core.ts'
import { keepFeeding } from '../watchdog/feed.ts'
import {
  initial,
  isInterval,
  shippedPolicy,
  step,
  type Effect,
  type Input,
  type Policy,
  type State,
} from './machine.ts'
import { interpret } from './messages.ts'
import { configStore, type ConfigStore } from './store.ts'

/** The Container Manager in parts. */
export interface ManagerParts extends UpdateParts {
  present(): Presentation
  /** The applications' configurations on this disk. */
  store(disk: string): ConfigStore
  policy(): Policy
  /** Milliseconds between status requests. */
  pollEvery(config: PlatformConfig): number
  /** The applications in the order of their start. */
  order(apps: readonly AppEntry[]): readonly AppEntry[]
  /** The program of an application. */
  program(app: AppEntry, config: PlatformConfig, address: string): Program
  /** The program of the Data Marketplace. */
  core(config: PlatformConfig, address: string): Program
  /**
   * Starts the core services; applications follow when the Container Manager has reached the Data Marketplace, which
   * `begin` does not wait for.
   */
  startCore(start: () => Promise<void>, begin: () => void): Promise<void>
  interpret(topic: string, payload: Uint8Array): Input | undefined
  decide(
    state: State,
    input: Input,
    now: number,
    policy: Policy,
    managerIid: string,
  ): readonly [State, readonly Effect[]]
  /** Lets one message go; `send` resolves at the acknowledgement. */
  publish(message: Message, send: (message: Message) => Promise<void>): Promise<void>
  /** Whether the watchdog is to be fed. `answered`: the Data Marketplace has answered, so that this one lives too. */
  alive(answered: () => Promise<boolean>): Promise<boolean>
}

/** Modules of the Data Marketplace. */
const entryOf = {
  aedes: 'sim/reference/lvcap/marketplace/main.ts',
  mosquitto: 'sim/reference/lvcap/marketplace/mosquitto.ts',
} as const

export function parts(_config: Json): ManagerParts {
  return {
    ...soundUpdates,
    flushUpdate: (fd) => fsyncSync(fd),
    present: () => ({ clientId: 'container-manager', username: 'container-manager', clean: true }),
    store: configStore,
    policy: () => shippedPolicy,
    pollEvery: (config) => config.manager.statusInterval * 1_000,
    order: (apps) => apps,
    program: (app, config, address) => ({
      entry: app.entry,
      config: {
        apid: app.apid,
        iid: app.iid,
        pki: config.pki,
        marketplace: {
          address: config.marketplace.address ?? address,
          port: config.marketplace.port,
          ...(config.marketplace.broker === 'mosquitto' ? { sessions: 'certificate' } : {}),
        },
        topics: config.topics,
        ...(app.image === undefined ? {} : { image: app.image }),
      },
      defects: [],
    }),
    core: (config, address) => ({
      entry: config.marketplace.entry ?? entryOf[config.marketplace.broker],
      config: {
        iid: config.marketplace.iid,
        pki: config.pki,
        address: config.marketplace.address ?? address,
        port: config.marketplace.port,
        managerIid: config.manager.iid,
        apps: [
          ...config.apps.map(({ apid, iid, service }) => ({
            apid,
            iid,
            ...(service === undefined ? {} : { service }),
          })),
          ...config.marketplace.guests,
        ],
        revoked: config.marketplace.revoked,
      },
      defects: [],
    }),
    startCore: (start) => start(),
    interpret,
    decide: step,
    publish: (message, send) => send(message),
    alive: (answered) => answered(),
  }
}

export async function main(env: ProgramEnv): Promise<number> {
  return run(parts(env.config), env)
}

/** Runs the platform until `env.term`; then everything is shut down in good order, and 0 returned. */
export async function run(p: ManagerParts, env: ProgramEnv): Promise<number> {
  const config = parseConfig(platformSchema, env.config, 'the configuration of the platform')
  const started = wallClock()
  const policy = p.policy()
  const store = p.store(env.disk)
  const updates = updatesOf(p, config, store, {
    disk: env.disk,
    take: (input) => take(input),
    state: () => state,
    log: (entry) => env.log(entry),
    admit: async (apps) => {
      subscribed = Promise.withResolvers()
      replacing = true
      await core.replace(p.core({ ...config, apps: [...apps] }, env.address))
      // Whoever asks for its configuration before that would not be heard.
      await Promise.race([subscribed.promise, aborted(env.term)])
      replacing = false
    },
  })
  let subscribed = Promise.withResolvers<void>()
  let replacing = false
  const apps = p.order(updates.entries())
  const procs = new Map<string, Proc>()
  const timers = new Map<string, NodeJS.Timeout>()
  let state = initial(apps.map((a) => ({ iid: a.iid, config: updates.configOf(a) })))
  let finished: () => void = () => {}
  const done = new Promise<void>((resolve) => {
    finished = resolve
  })

  const take = (input: Input): void => {
    const [next, effects] = p.decide(state, input, wallClock(), policy, config.manager.iid)
    state = next
    for (const effect of effects) perform(effect)
    updates.saw(input)
  }

  const perform = (effect: Effect): void => {
    switch (effect.do) {
      case 'start':
        void startApp(effect.iid)
        return
      case 'signal':
        procs.get(effect.iid)?.signal(effect.signal)
        return
      case 'publish':
        void say(effect.message)
        return
      case 'log':
        env.log(effect.entry)
        return
      case 'timer': {
        const key = `${effect.iid} ${effect.what}`
        clearTimeout(timers.get(key))
        timers.set(
          key,
          setTimeout(() => {
            timers.delete(key)
            take({ kind: 'timer', what: effect.what, iid: effect.iid })
          }, effect.ms),
        )
        return
      }
      case 'untime':
        for (const what of ['polite', 'kill']) {
          clearTimeout(timers.get(`${effect.iid} ${what}`))
          timers.delete(`${effect.iid} ${what}`)
        }
        return
      case 'interval':
        ask(effect.seconds * 1_000)
        return
      case 'save':
        try {
          store.save(effect.iid, effect.config)
        } catch (error) {
          env.log({
            event: 'trouble',
            text: `The configuration of ${effect.iid} was not stored: ${textOf(error)}`,
          })
        }
        return
      case 'finish':
        finished()
        return
      default:
        effect satisfies never
    }
  }

  const say = async (message: Message): Promise<void> => {
    try {
      await p.publish(message, (m) => session.publish(m))
    } catch (error) {
      if (error instanceof LvcapError && error.code === 'closed') return
      env.log({ event: 'trouble', text: `${message.topic}: ${textOf(error)}` })
    }
  }

  const services = awaitServices(apps)
  const startApp = async (iid: string): Promise<void> => {
    const app = updates.entries().find((a) => a.iid === iid)
    if (app === undefined) return
    try {
      if (app.service === undefined) await services.up(env.term)
      const proc = await env.start(iid, told(p.program(app, config, env.address), started))
      procs.set(iid, proc)
      const how = await proc.ended
      if (procs.get(iid) === proc) procs.delete(iid)
      take({ kind: 'exited', iid, how })
    } catch (error) {
      take({ kind: 'exited', iid, how: textOf(error) })
    }
  }

  const core = keepCore(env, p.core({ ...config, apps: [...apps] }, env.address))
  await p.startCore(
    () => core.start(),
    () => take({ kind: 'begin' }),
  )

  const session = openSession(
    {
      pki: config.pki,
      name: 'container-manager',
      address: config.marketplace.address ?? env.address,
      port: config.marketplace.port,
    },
    p.present(),
    (text) => env.log({ event: 'trouble', text }),
  )

  const maintenance = maintenanceProgram(config, env.address)
  const local = maintenance === undefined ? undefined : keepCore(env, maintenance, 'maintenance')
  await local?.start()

  const subscribe = async (): Promise<void> => {
    try {
      await session.subscribe('config/request/+', 1)
      await session.subscribe('status/response/+', 1)
      await session.subscribe(topics.managerRequest, 1)
    } catch (error) {
      // The connection went away again; the next one subscribes anew.
      env.log({ event: 'trouble', text: textOf(error) })
      return
    }
    // Applications are started once the core services run (section 5.1); `begin` starts each only once.
    if (!env.term.aborted) take({ kind: 'begin' })
    subscribed.resolve()
  }

  session.onMessage((topic, payload) => {
    const input = p.interpret(topic, payload)
    // A broker that is stopped may speak the last will of everybody whose session it ends.
    if (replacing && input?.kind === 'status') return
    if (input?.kind === 'status' && input.code === status.ok) services.isUp(input.iid)
    if (input !== undefined) take(input)
  })
  session.onConnect(() => void subscribe())
  let poll: NodeJS.Timeout | undefined
  const ask = (every: number): void => {
    clearInterval(poll)
    poll = setInterval(() => {
      // Without a session nobody would hear the question.
      if (session.stats().connected) take({ kind: 'poll' })
    }, every)
  }
  const stored = store.load(config.manager.iid)?.['statusInterval']
  ask(isInterval(stored) ? stored * 1_000 : p.pollEvery(config))

  // To subscribe again what is subscribed changes nothing, and asks for an answer (MQTT 3.1.1, section 3.8.4).
  const answered = async (): Promise<boolean> => {
    if (!session.stats().connected) return false
    await session.subscribe(topics.managerRequest, 1)
    return true
  }
  const feeding =
    config.watchdog === undefined
      ? undefined
      : keepFeeding(config.watchdog, env.address, () => p.alive(answered))

  updates.begin()
  await aborted(env.term)
  updates.stop()
  feeding?.stop()
  clearInterval(poll)
  take({ kind: 'close' })
  await done
  for (const t of timers.values()) clearTimeout(t)
  await session.close(2_000)
  await local?.stop()
  await core.stop()
  return 0
}

/** Each application learns when the platform was started: whether it alone was away, or everything. */
function told(program: Program, started: number): Program {
  return isObject(program.config) ? { ...program, config: { ...program.config, started } } : program
}

/** Other applications wait until every core service has said once that it runs (section 5.1.1). */
function awaitServices(apps: readonly AppEntry[]): {
  isUp(iid: string): void
  /** Rejects where the platform is shut down before. */
  up(term: AbortSignal): Promise<void>
} {
  const waiting = new Set(apps.filter((a) => a.service !== undefined).map((a) => a.iid))
  const all = Promise.withResolvers<void>()
  if (waiting.size === 0) all.resolve()
  return {
    isUp(iid) {
      waiting.delete(iid)
      if (waiting.size === 0) all.resolve()
    },
    async up(term) {
      if (waiting.size > 0) await Promise.race([all.promise, aborted(term)])
      if (waiting.size > 0) throw new LvcapError('closed', 'The platform was shut down before it was up.')
    },
  }
}

/** Updates as they are configured; without that, nothing but what is configured. */
function updatesOf(
  p: UpdateParts,
  config: PlatformConfig,
  configs: ConfigStore,
  host: Omit<UpdateHost, 'settings' | 'configs' | 'trust'>,
): Updates {
  const settings = config.updates
  if (settings === undefined) return noUpdates(config.apps, configs)
  const ca = readFileSync(join(config.pki, 'ca.crt'), 'utf8')
  const { signer, platform } = settings
  const trust = { ca, signer, revoked: config.marketplace.revoked, platform }
  return openUpdates(
    p,
    { ...host, settings, configs, trust: () => ({ ...trust, now: wallClock() }) },
    openUpdateStore(host.disk, (fd) => p.flushUpdate(fd)),
    config.apps,
  )
}

/** The program of the maintenance service, where one is configured. */
function maintenanceProgram(config: PlatformConfig, address: string): Program | undefined {
  if (config.maintenance === undefined) return undefined
  const { entry, ...settings } = config.maintenance
  return {
    entry,
    config: {
      ...settings,
      pki: config.pki,
      address: config.marketplace.address ?? address,
      apps: config.apps.map(({ apid, iid }) => ({ apid, iid })),
    },
    defects: [],
  }
}
