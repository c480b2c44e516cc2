/**
 * The Peer-to-Peer application (section 3.12.5): what LoadSense needs of the linked substation is brought here from the
 * partner's platform, and the partner is told the same of this one. What the partner's apps publish comes out here
 * unchanged under `algorithm/data/<IID>/partner/<name>`, its time stamp included, so that its age can be seen; whether the
 * partner lives stands in `algorithm/data/<IID>/alive`.
 */
import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import { errno, scalar, topics, unixSeconds, type Message } from '../../api.ts'
import { wallClock, type Json, type JsonObject, type ProgramEnv } from '../../env.ts'
import { textOf } from '../../errors.ts'
import type { Peer } from '../../marketplace/peers.ts'
import { runApp, sdkParts, type AppContext, type Operation, type SdkParts } from '../../sdk/app.ts'
import type { Delivery } from '../../sdk/session.ts'
import { mostNames, readConfig, type DataEntry, type PeerConfig, type Road } from './config.ts'
import type { Value } from './frames.ts'
import { lookUp, type Lookup } from './history.ts'
import { createLink } from './link.ts'
import { travel } from './road.ts'
import { judgePartner, materialOf, secure, type PartnerJudgement } from './secure.ts'
import { createInbox, createOutbox, type Inbox, type Outbox } from './values.ts'

export interface PeerParts extends SdkParts {
  /** By which road the partner is looked for. */
  road(config: PeerConfig): Road
  /** What the partner is sent. */
  dataSet(config: PeerConfig): readonly DataEntry[]
  /** Whether a message of the data set goes to the partner; a copy that the marketplace sends again does not. */
  offers(name: string, text: string, how: Delivery): boolean
  outbox(window: number): Outbox
  /** Entries of which the last stored value is looked up, of those of which nothing is known. */
  missing(entries: readonly DataEntry[]): readonly DataEntry[]
  readonly secure: typeof secure
  judge(peer: Peer, partner: string, now: number, revoked: readonly string[]): PartnerJudgement
  isNew(inbox: Inbox, value: Value): boolean
  /** Whether the partner's requests for everything current are answered (I:00146). */
  answers(): boolean
  /** Whether a connection silent for so long (ms) is given up. */
  isDead(silent: number, config: PeerConfig): boolean
  /** Whether the partner counts as alive after so long a silence (ms). */
  isAlive(silent: number, config: PeerConfig): boolean
  /** Milliseconds until try k to reach the partner, k from 1; `chance` from 0 to 1. */
  pause(k: number, chance: number, config: PeerConfig): number
  /** A value of the partner's as it is published here. */
  republish(iid: string, value: Value): Message
  alive(iid: string, lives: boolean, now: number): Message
}

export function parts(_config: Json): PeerParts {
  return {
    ...sdkParts(),
    road: (config) => config.road,
    dataSet: (config) => config.dataSet,
    offers: (_name, _text, how) => !how.dup,
    outbox: createOutbox,
    missing: (entries) => entries,
    secure,
    judge: judgePartner,
    isNew: (inbox, value) => inbox.isNew(value),
    answers: () => true,
    isDead: (silent, config) => silent >= config.deadAfter * 1_000,
    isAlive: (silent, config) => silent < config.deadAfter * 1_000,
    pause: (k, chance, { retry }) =>
      Math.min(retry.longest, retry.first * 2 ** Math.min(k - 1, 20)) * 1_000 * (1 - chance / 2),
    republish: (iid, { name, text }) => ({
      topic: `${topics.algorithm(iid)}/partner/${name}`,
      payload: parsed(text) ?? null,
      text,
      qos: 1,
      retain: false,
    }),
    alive: (iid, lives, now) => ({
      topic: `${topics.algorithm(iid)}/alive`,
      payload: scalar(unixSeconds(now), lives, true),
      qos: 1,
      retain: false,
    }),
  }
}

export async function run(p: PeerParts, env: ProgramEnv): Promise<number> {
  const memory: Memory = {
    run: randomBytes(8).toString('hex'),
    inbox: createInbox(10 * mostNames),
    lastHeard: Number.NEGATIVE_INFINITY,
  }
  return runApp(p, env, (containerConfig, context) =>
    operate(p, readConfig(containerConfig, context.config), context, memory, env.address),
  )
}

export async function main(env: ProgramEnv): Promise<number> {
  return run(parts(env.config), env)
}

/** What outlasts a change of configuration: else it would repeat to both sides what they know. */
interface Memory {
  readonly run: string
  readonly inbox: Inbox
  outbox?: Outbox
  /** Topics by name, as they were when the outbox was filled. */
  topics?: ReadonlyMap<string, string>
  /** ms of performance.now(). */
  lastHeard: number
}

/** Milliseconds for Data Storage to answer a query. Ours. */
const storagePatience = 10_000

/** Milliseconds between two complaints of one kind in the error topic. Ours. */
const complaintEvery = 60_000

function operate(
  p: PeerParts,
  config: PeerConfig,
  context: AppContext,
  memory: Memory,
  address: string,
): Operation {
  const { iid, pki } = context.config
  const material = materialOf(pki, config.platform)
  const dataSet = p.dataSet(config)
  const namesOf = new Map<string, string[]>()
  for (const { name, topic } of dataSet) namesOf.set(topic, [...(namesOf.get(topic) ?? []), name])
  const current = new Map(dataSet.map((e) => [e.name, e.topic]))
  memory.outbox ??= p.outbox(config.window)
  const { outbox } = memory
  outbox.prune((name) => current.get(name) === memory.topics?.get(name))
  memory.topics = current

  const complained = new Map<string, number>()
  const complain = (code: number, kind: string, text: string): void => {
    context.log({ event: kind, text })
    const now = performance.now()
    if (now - (complained.get(kind) ?? Number.NEGATIVE_INFINITY) < complaintEvery) return
    complained.set(kind, now)
    context.error(code, text)
  }

  let lives: boolean | undefined
  /** Says whether the partner lives, at each change and, with `again`, in any case. */
  const tell = (again: boolean): void => {
    const now = p.isAlive(performance.now() - memory.lastHeard, config)
    if (now === lives && !again) return
    if (now !== lives) context.log({ event: now ? 'partner-alive' : 'partner-dead' })
    lives = now
    context.publish(p.alive(iid, now, wallClock()))
  }
  let watching: NodeJS.Timeout | undefined
  /** Tells at the moment at which silence becomes death. */
  const watch = (): void => {
    tell(false)
    const left = memory.lastHeard + config.deadAfter * 1_000 - performance.now()
    clearTimeout(watching)
    if (left > -1) watching = setTimeout(watch, Math.max(1, left))
  }

  const link = createLink(
    {
      secure: (socket: Socket, as) => p.secure(socket, as, material, config.handshake * 1_000),
      judge: ({ peer }) => p.judge(peer, config.partner, wallClock(), config.revoked),
      isNew: (inbox, value) => p.isNew(inbox, value),
      answers: () => p.answers(),
      isDead: (silent) => p.isDead(silent, config),
    },
    { run: memory.run, heartbeat: config.heartbeat, handshake: config.handshake, maxFrame: config.maxFrame },
    { outbox, inbox: memory.inbox },
    {
      heard() {
        memory.lastHeard = performance.now()
        if (lives !== true) watch()
      },
      value(value) {
        if (parsed(value.text) === undefined)
          complain(errno.jsonInvalid, 'partner-nonsense', `The partner's ${value.name} is no JSON object.`)
        else context.publish(p.republish(iid, value))
      },
      joined: () => context.log({ event: 'partner-joined', partner: config.partner }),
      left: (why) => context.log({ event: 'partner-left', why }),
      refused: (reason, who) =>
        complain(errno.access, 'refused', `${who} is not ${config.partner}: ${reason}`),
      trouble: (text) => complain(errno.network, 'trouble', `The link with ${config.partner}: ${text}`),
      tooLong: (name) =>
        complain(errno.application, 'too-long', `${name} is longer than ${config.maxFrame} bytes; not sent.`),
    },
  )

  const take = (topic: string, payload: Uint8Array, how: Delivery): void => {
    const text = textIn(payload)
    for (const name of namesOf.get(topic) ?? []) {
      if (text === undefined || text.length > config.maxFrame || parsed(text) === undefined)
        complain(errno.jsonInvalid, 'not-sent', `${topic} is no JSON object, or too long: not sent.`)
      else if (p.offers(name, text, how)) outbox.put(name, text)
    }
    link.flush()
  }

  const stop = travel(
    {
      road: p.road(config),
      platform: config.platform,
      address,
      handshake: config.handshake,
      pause: (k) => p.pause(k, Math.random(), config),
    },
    link,
  )
  let stopped = false
  const reporting = setInterval(() => tell(true), config.aliveEvery * 1_000)
  tell(true)
  watch()

  let lookup: Lookup | undefined
  const hear = async (): Promise<void> => {
    try {
      await context.hear([...namesOf.keys()], take)
      await context.hear([topics.storageResponse(iid)], (_, payload) => lookup?.answered(payload))
    } catch (error) {
      // The session went away again; the next one subscribes anew.
      context.log({ event: 'trouble', text: textOf(error) })
    }
    if (config.stored === 0 || stopped) return
    const since = unixSeconds(wallClock()) - config.stored
    lookup = lookUp(
      p.missing(dataSet.filter((e) => !outbox.knows(e.name))),
      since,
      storagePatience,
      (query) =>
        context.publish({ topic: topics.storageRequest(iid), payload: query, qos: 1, retain: false }),
      ({ name }, text) => {
        // What was published meanwhile is newer.
        if (outbox.knows(name) || text.length > config.maxFrame) return
        outbox.put(name, text)
        link.flush()
      },
    )
  }
  const hearing = hear()
  return {
    ready: hearing,
    gauges: () => ({ ...link.counts(), ...outbox.counts() }),
    async stop() {
      clearInterval(reporting)
      clearTimeout(watching)
      stopped = true
      lookup?.stop()
      await stop()
    },
  }
}

/** The JSON object in a text; undefined for anything else (API section 4.3: every message is one). */
function parsed(text: string): JsonObject | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as JsonObject)
    : undefined
}

/** Undefined where the bytes are no UTF-8: they could not be passed on unchanged. */
function textIn(payload: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(payload)
  } catch {
    return undefined
  }
}
