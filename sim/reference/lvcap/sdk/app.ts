/**
 * The life of an application on the platform: start-up in the order of API section 5.2, answers to status requests,
 * configuration at any time, and the shutdown of section 6.
 */
import {
  command,
  containerConfigOf,
  errno,
  parseObject,
  sameJson,
  status,
  topics,
  unixSeconds,
  type Message,
} from '../api.ts'
import { appSchema, parseConfig, type AppConfig } from '../config.ts'
import { matches } from '../marketplace/acl.ts'
import { wallClock, type Json, type JsonObject, type ProgramEnv } from '../env.ts'
import { LvcapError, textOf } from '../errors.ts'
import { within } from './schedule.ts'
import { openSession, type Delivery, type Presentation, type Session, type SessionStats } from './session.ts'

/** The parts that every application has. */
export interface SdkParts {
  /** How the application presents itself. */
  present(config: AppConfig): Presentation
  /** Lets one message go; `send` resolves at the acknowledgement. */
  publish(message: Message, send: (message: Message) => Promise<void>): Promise<void>
  /** The answer to a status request (section 8.2.2). Null: none. `code` as in table 7. */
  answer(iid: string, code: number, now: number): Message | null
  /** Whether a configuration is the one in force: QoS 1 may bring it twice, and intervals must not start anew for it. */
  isCopy(inForce: JsonObject, wanted: JsonObject): boolean
  /** Whether a command (table 9) tells the application to shut down. */
  endsAt(asked: Json): boolean
}

export function sdkParts(): SdkParts {
  return {
    present: (config) => ({
      clientId: config.apid,
      username: config.apid,
      clean: true,
      // Section 8.1.3 asks for the state FAILED; it has no time stamp, since it is written beforehand.
      will: {
        topic: topics.statusResponse(config.iid),
        payload: { Status: status.failed, Message: 'The session ended uncleanly.' },
        qos: 1,
        retain: false,
      },
    }),
    publish: (message, send) => send(message),
    answer: (iid, code, now) => statusMessage(iid, code, now),
    isCopy: sameJson,
    endsAt: (asked) => asked === command.shutDown,
  }
}

/** What an application's operation may do. */
export interface AppContext {
  readonly config: AppConfig
  readonly log: (entry: JsonObject) => void
  /** Publishes through the part `publish`; never rejects, failures are logged. */
  publish(message: Message): void
  /** The same, and resolves at its acknowledgement. Rejects where it was given up: it may or may not have arrived. */
  deliver(message: Message): Promise<void>
  /** Logs an error for storage (section 8.2.4). */
  error(code: number, text: string): void
  stats(): SessionStats
  /**
   * Hears what others publish under these topic filters, at QoS 1, while the configuration is in force: a change of it ends
   * the subscription. Resolves when the marketplace has granted it; without a session it is asked for at the next one.
   */
  hear(filters: readonly string[], f: Hears): Promise<void>
}

/** Takes a message of another application; anything may stand in it. */
export type Hears = (topic: string, payload: Uint8Array, how: Delivery) => void

/** A configuration in force. */
export interface Operation {
  /** When it operates in full: status 1 is not said before. At once, where it is absent. */
  readonly ready?: Promise<void>
  /** Counts worth watching for growth, written to the log with each status answer. */
  gauges(): Readonly<Record<string, number>>
  stop(): Promise<void>
}

/**
 * Takes a ContainerConfig and starts to operate.
 * @throws LvcapError `config` where it does not fit.
 */
export type Operate = (containerConfig: JsonObject, context: AppContext) => Operation

/** Milliseconds after which a configuration that did not come is asked for again. Ours. */
const configPatience = 30_000

/** Milliseconds for the acknowledgement of status 4: the marketplace may end at the same time. Ours. */
const farewellPatience = 5_000

/** Runs an application until it is told to shut down; 0 then. */
export async function runApp(p: SdkParts, env: ProgramEnv, operate: Operate): Promise<number> {
  const config = parseConfig(appSchema, env.config, `the start configuration of ${env.name}`)
  const log = (entry: JsonObject): void => env.log(entry)
  const session = openSession(
    { pki: config.pki, name: config.apid, ...config.marketplace },
    p.present(config),
    (text) => log({ event: 'trouble', text }),
  )
  const life = new Life(p, session, config, operate, log)
  session.onMessage((topic, payload, how) => life.take(topic, payload, how))
  session.onConnect(() => void life.greet())
  await life.over(env.term)
  await session.close(2_000)
  return 0
}

/** Topics for which it is remembered who hears them: whoever makes up more is looked up each time. Ours. */
const mostTopics = 5_000

class Life {
  readonly #p: SdkParts
  readonly #session: Session
  readonly #config: AppConfig
  readonly #operate: Operate
  readonly #log: (entry: JsonObject) => void
  #operation: { readonly config: JsonObject; readonly running: Operation } | undefined
  #code: number = status.initial
  #ask: NodeJS.Timeout | undefined
  #finish: () => void = () => {}
  #changing: Promise<void> = Promise.resolve()
  /** Subscriptions of the operation in force. */
  /** Whose topics these are, as far as they have come by. */
  readonly #heard = new Map<string, readonly Hears[]>()
  readonly #hears: { readonly filters: readonly string[]; readonly f: Hears }[] = []

  constructor(
    p: SdkParts,
    session: Session,
    config: AppConfig,
    operate: Operate,
    log: (entry: JsonObject) => void,
  ) {
    this.#p = p
    this.#session = session
    this.#config = config
    this.#operate = operate
    this.#log = log
  }

  /** At each connection: subscribe (table 2), then ask for the configuration, or say that all is well. */
  async greet(): Promise<void> {
    const { iid } = this.#config
    try {
      await this.#session.subscribe(topics.statusRequest, 0)
      await this.#session.subscribe(topics.configResponse(iid), 1)
      await this.#session.subscribe(topics.command(iid), 1)
      for (const { filters } of this.#hears) await this.#subscribe(filters)
    } catch (error) {
      // The connection went away again; the next one greets anew.
      this.#log({ event: 'trouble', text: textOf(error) })
      return
    }
    if (this.#operation === undefined) this.#askForConfig()
    else this.#tell(status.ok)
  }

  /** The same few topics come again and again. */
  #whoHears(topic: string): readonly Hears[] {
    let who = this.#heard.get(topic)
    if (who === undefined) {
      who = this.#hears.filter((h) => h.filters.some((x) => matches(x, topic))).map((h) => h.f)
      if (this.#heard.size < mostTopics) this.#heard.set(topic, who)
    }
    return who
  }

  /** A message from the marketplace. Anything may arrive; nothing of it ends the application. */
  take(topic: string, payload: Uint8Array, how: Delivery): void {
    const { iid } = this.#config
    const own = [topics.statusRequest, topics.configResponse(iid), topics.command(iid)]
    if (!own.includes(topic)) {
      for (const f of this.#whoHears(topic)) f(topic, payload, how)
      return
    }
    const body = parseObject(payload)
    if (body === undefined) {
      this.#error(errno.jsonInvalid, `Not a JSON object on ${topic}.`)
      return
    }
    if (topic === topics.statusRequest) this.#answer()
    else if (topic === topics.configResponse(iid)) this.#configure(body)
    else if (topic === topics.command(iid)) this.#command(body)
  }

  /** Resolves when the application has shut down: told by a command, or by the program's end. */
  async over(term: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#finish = resolve
      if (term.aborted) resolve()
      else term.addEventListener('abort', () => resolve(), { once: true })
    })
    clearTimeout(this.#ask)
    await this.#changing
    await this.#operation?.running.stop()
    if (!this.#session.stats().connected) return
    // Section 6: no subscriptions any more, then the status; the session stays until that is acknowledged.
    try {
      await within(
        farewellPatience,
        this.#farewell(),
        () => new LvcapError('closed', 'The farewell was not acknowledged.'),
      )
    } catch (error) {
      this.#log({ event: 'trouble', text: textOf(error) })
    }
  }

  async #farewell(): Promise<void> {
    const { iid } = this.#config
    await this.#hearNoMore()
    await this.#session.unsubscribe([topics.statusRequest, topics.configResponse(iid), topics.command(iid)])
    await this.#publish(statusMessage(iid, status.shutDown, wallClock()))
  }

  #askForConfig(): void {
    clearTimeout(this.#ask)
    this.#ask = setTimeout(() => this.#askForConfig(), configPatience)
    void this.#publishQuietly({
      topic: topics.configRequest(this.#config.iid),
      payload: { Timestamp: unixSeconds(wallClock()) },
      qos: 1,
      retain: false,
    })
  }

  #answer(): void {
    const gauges = this.#operation?.running.gauges() ?? {}
    const { connected: _connected, ...stats } = this.#session.stats()
    this.#log({ event: 'health', ...stats, ...gauges })
    this.#tell(this.#code)
  }

  #tell(code: number): void {
    const message = this.#p.answer(this.#config.iid, code, wallClock())
    if (message !== null) void this.#publishQuietly(message)
  }

  /** One at a time: a change waits for the one before it. */
  #configure(body: JsonObject): void {
    this.#changing = this.#changing.then(() => this.#apply(body))
  }

  async #apply(body: JsonObject): Promise<void> {
    const wanted = containerConfigOf(body)
    if (wanted === undefined) {
      this.#error(errno.configuration, 'config/response without a Configuration object.')
      return
    }
    if (wanted === null) {
      // The Container Manager knows none: wait for it, and say so (section 5.2, step 7).
      if (this.#operation === undefined) {
        this.#code = status.initial
        this.#tell(status.initial)
      }
      return
    }
    if (this.#operation !== undefined && this.#p.isCopy(this.#operation.config, wanted)) {
      this.#tell(status.ok)
      return
    }
    clearTimeout(this.#ask)
    await this.#operation?.running.stop()
    this.#operation = undefined
    await this.#hearNoMore()
    try {
      this.#operation = { config: wanted, running: this.#operate(wanted, this.#context()) }
      await this.#operation.running.ready
      this.#code = status.ok
      this.#log({ event: 'configured' })
      this.#tell(status.ok)
    } catch (error) {
      const text = textOf(error)
      this.#log({ event: 'misconfigured', text })
      await this.#hearNoMore()
      this.#error(errno.configuration, text)
      this.#code = status.error
      this.#tell(status.error)
    }
  }

  #command(body: JsonObject): void {
    if (this.#p.endsAt(body['Command'] ?? null)) {
      this.#log({ event: 'shutdown-asked' })
      this.#finish()
    } else {
      this.#error(errno.application, `Command ${JSON.stringify(body['Command'] ?? null)} is not known.`)
    }
  }

  #error(code: number, text: string): void {
    void this.#publishQuietly({
      topic: topics.error(this.#config.iid),
      payload: { Errno: code, Message: text, Timestamp: unixSeconds(wallClock()) },
      qos: 1,
      retain: false,
    })
  }

  #context(): AppContext {
    return {
      config: this.#config,
      log: this.#log,
      publish: (message) => void this.#publishQuietly(message),
      deliver: (message) => this.#publish(message),
      error: (code, text) => this.#error(code, text),
      stats: () => this.#session.stats(),
      hear: async (filters, f) => {
        this.#hears.push({ filters, f })
        this.#heard.clear()
        if (this.#session.stats().connected) await this.#subscribe(filters)
      },
    }
  }

  async #subscribe(filters: readonly string[]): Promise<void> {
    for (const filter of filters) await this.#session.subscribe(filter, 1)
  }

  /** Never rejects: where the session is gone, so are its subscriptions. */
  async #hearNoMore(): Promise<void> {
    const filters = this.#hears.splice(0).flatMap((h) => h.filters)
    this.#heard.clear()
    if (filters.length === 0) return
    try {
      await this.#session.unsubscribe(filters)
    } catch (error) {
      this.#log({ event: 'trouble', text: textOf(error) })
    }
  }

  #publish(message: Message): Promise<void> {
    return this.#p.publish(message, (m) => this.#session.publish(m))
  }

  async #publishQuietly(message: Message): Promise<void> {
    try {
      await this.#publish(message)
    } catch (error) {
      if (error instanceof LvcapError && error.code === 'closed') return
      this.#log({ event: 'trouble', text: `${message.topic}: ${textOf(error)}` })
    }
  }
}

function statusMessage(iid: string, code: number, now: number): Message {
  return {
    topic: topics.statusResponse(iid),
    payload: { Status: code, Timestamp: unixSeconds(now) },
    qos: 1,
    retain: false,
  }
}
