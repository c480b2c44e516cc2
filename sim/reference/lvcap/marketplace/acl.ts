/**
 * Who may publish what (API sections 5.3, 8.2 to 8.6). Each application publishes on its own subtrees only;
 * the Container Manager's topics are its own; an observer publishes nothing. Subscriptions are not restricted (8.1).
 */
import { topics } from '../api.ts'

export type Role = 'app' | 'storage' | 'manager' | 'operator' | 'none'

/** Somebody with a good certificate. */
export interface Identity {
  /** Common name of the certificate. */
  readonly name: string
  readonly role: Role
  /** Instances that may run under this identity: several, where one application runs twice. */
  readonly iids: readonly string[]
}

/** Standing common names, and the instances of each installed APID. */
export interface Directory {
  readonly managerIid: string
  readonly apps: readonly {
    readonly apid: string
    readonly iid: string
    readonly service?: 'storage' | undefined
  }[]
}

/**
 * The rights of a common name. One that is not installed may connect, as section 8.1 has it, and publish nothing.
 */
export function identityOf(name: string, directory: Directory): Identity {
  if (name === 'container-manager') return { name, role: 'manager', iids: [directory.managerIid] }
  if (name === 'operator') return { name, role: 'operator', iids: [] }
  const mine = directory.apps.filter((a) => a.apid === name)
  const iids = mine.map((a) => a.iid)
  if (mine.some((a) => a.service === 'storage')) return { name, role: 'storage', iids }
  return { name, role: iids.length === 0 ? 'none' : 'app', iids }
}

/** Whether an identity may publish on a topic. */
export function mayPublish(identity: Identity, topic: string): boolean {
  return publishFilters(identity).some((filter) => matches(filter, topic))
}

/** The topics on which an identity may publish, as MQTT topic filters (MQTT 3.1.1, section 4.7). */
export function publishFilters(identity: Identity): readonly string[] {
  switch (identity.role) {
    case 'app':
      return identity.iids.flatMap(appFilters)
    case 'storage':
      return [...identity.iids.flatMap(appFilters), 'storage/response/+', 'storage/response/newdata/+']
    case 'manager':
      return [
        topics.statusRequest,
        topics.managerResponse,
        'config/response/+',
        'command/+',
        ...identity.iids.map((iid) => topics.error(iid)),
      ]
    case 'operator':
      return [topics.managerRequest]
    case 'none':
      return []
    default:
      return identity.role satisfies never
  }
}

function appFilters(iid: string): readonly string[] {
  return [
    topics.configRequest(iid),
    topics.statusResponse(iid),
    topics.error(iid),
    `storage/request/newdata/${iid}`,
    `storage/uploaded/${iid}`,
    `${topics.sensor(iid)}/#`,
    `${topics.algorithm(iid)}/#`,
    `storage/data/${iid}/#`,
    `storage/request/${iid}/#`,
  ]
}

/** Whether a topic falls under a filter: `+` stands for one level, `#` at the end for the parent and all below it. */
export function matches(filter: string, topic: string): boolean {
  const wanted = filter.split('/')
  const levels = topic.split('/')
  if (wanted.at(-1) === '#') {
    wanted.pop()
    levels.splice(wanted.length)
  }
  return wanted.length === levels.length && wanted.every((w, i) => w === '+' || w === levels[i])
}

/**
 * Whether a message on this topic may be retained: metadata only (section 8.3.2, which says `/metadata`, and
 * section 9.4, which says `/meta/`; both are taken).
 */
export function mayRetain(topic: string): boolean {
  const levels = topic.split('/')
  const data = (levels[0] === 'sensor' || levels[0] === 'algorithm') && levels[1] === 'data'
  return data && (levels.at(-1) === 'metadata' || levels.includes('meta'))
}

/** What a client says of itself in CONNECT. */
export interface Introduction {
  readonly clientId: string
  readonly username?: string
  readonly willTopic?: string
}

export interface Session {
  readonly identity: Identity
  /** Names the session inside the broker: see `admit`. */
  readonly key: string
  /** What in the introduction is not as table 4 asks; tolerated. */
  readonly warnings: readonly string[]
}

/**
 * Makes a session of a peer's identity and its introduction, or says why not.
 *
 * Table 4 sets user name and client ID to the APID. Fielded clients use random IDs, so that a mismatch is a warning. What
 * the session may do comes from the certificate alone. Its key joins identity, client ID and the instance named by the
 * last will, so that a claimed client ID throws nobody else out, and two instances of one application (one APID, one
 * client ID) live side by side while a returning instance still takes its old session over.
 */
export function admit(
  name: string,
  hello: Introduction,
  directory: Directory,
): { readonly ok: true; readonly session: Session } | { readonly ok: false; readonly reason: 'will-topic' } {
  const identity = identityOf(name, directory)
  if (hello.willTopic !== undefined && !mayPublish(identity, hello.willTopic)) {
    return { ok: false, reason: 'will-topic' }
  }
  const warnings: string[] = []
  if (hello.clientId !== name) warnings.push(`client id ${JSON.stringify(hello.clientId)} is not the APID`)
  if (hello.username !== name)
    warnings.push(`user name ${JSON.stringify(hello.username ?? '')} is not the APID`)
  if (identity.role === 'app' && hello.willTopic === undefined) warnings.push('no last will (section 8.1.3)')
  return {
    ok: true,
    session: { identity, key: `${name}|${hello.clientId}|${hello.willTopic ?? ''}`, warnings },
  }
}
