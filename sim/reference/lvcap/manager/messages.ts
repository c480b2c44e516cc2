/** What the Container Manager says, and how it reads what it hears (API section 8.2). */
import { type errno, iidAfter, isObject, parseObject, topics, unixSeconds, type Message } from '../api.ts'
import type { JsonObject } from '../env.ts'
import type { Input, OperatorRequest } from './machine.ts'

/** QoS 0: a heartbeat that comes again (section 8.1.4). `now` in ms, here and below. */
export function statusRequest(now: number): Message {
  return { topic: topics.statusRequest, payload: { Timestamp: unixSeconds(now) }, qos: 0, retain: false }
}

/** Null: none is known. The API leaves that form open (section 5.2, step 4). */
export function configResponse(iid: string, config: JsonObject | null, now: number): Message {
  return {
    topic: topics.configResponse(iid),
    payload: { Configuration: config, Timestamp: unixSeconds(now) },
    qos: 1,
    retain: false,
  }
}

export function shutDown(iid: string, now: number): Message {
  return command(iid, 1, now)
}

/** Section 8.2.3: more values than that of table 9 may come to be. */
export function command(iid: string, value: number, now: number): Message {
  return {
    topic: topics.command(iid),
    payload: { Command: value, Timestamp: unixSeconds(now) },
    qos: 1,
    retain: false,
  }
}

export function error(
  iid: string,
  code: (typeof errno)[keyof typeof errno],
  text: string,
  now: number,
): Message {
  return {
    topic: topics.error(iid),
    payload: { Errno: code, Message: text, Timestamp: unixSeconds(now) },
    qos: 1,
    retain: false,
  }
}

export function managerResponse(id: string, ok: boolean, more: JsonObject): Message {
  return { topic: topics.managerResponse, payload: { Id: id, Ok: ok, ...more }, qos: 1, retain: false }
}

/** What a message means to the Container Manager; undefined: nothing. */
export function interpret(topic: string, payload: Uint8Array): Input | undefined {
  const body = parseObject(payload)
  const asking = iidAfter('config/request/', topic)
  if (asking !== undefined) {
    return body === undefined
      ? { kind: 'bad-message', iid: asking, topic }
      : { kind: 'config-request', iid: asking }
  }
  const answering = iidAfter('status/response/', topic)
  if (answering !== undefined) {
    if (body === undefined) return { kind: 'bad-message', iid: answering, topic }
    const text = body['Message']
    return {
      kind: 'status',
      iid: answering,
      code: body['Status'] ?? null,
      ...(typeof text === 'string' ? { text } : {}),
    }
  }
  if (topic === topics.managerRequest && body !== undefined) {
    const request = operatorRequest(body)
    return request === undefined ? undefined : { kind: 'operator', request }
  }
  return undefined
}

/**
 * A request of the system operator: `{ "Id": <string>, "Do": "configure" | "change" | "restart" | "shutdown" | "start" |
 * "state" | "command", "IID": <string>, "ContainerConfig": <object> }`. Undefined where it cannot even be answered.
 */
function operatorRequest(body: JsonObject): OperatorRequest | undefined {
  const { Id: id, Do: what, IID: iid, ContainerConfig: config } = body
  if (typeof id !== 'string') return undefined
  const known = operatorActions.find((a) => a === what)
  if (known === undefined) return undefined
  return {
    id,
    do: known,
    ...(typeof iid === 'string' ? { iid } : {}),
    ...(isObject(config) ? { config } : {}),
  }
}

const operatorActions = ['configure', 'change', 'restart', 'shutdown', 'start', 'state', 'command'] as const
