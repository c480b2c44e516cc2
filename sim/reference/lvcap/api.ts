/**
 * The words of the LV-CAP API, V04.03 (OpenLV requirements specification, Appendix A): topics, codes, payloads.
 * Where the API contradicts itself, the decision taken stands beside the constant.
 */
import type { Json, JsonObject } from './env.ts'

/** A message for the Data Marketplace. */
export interface Message {
  readonly topic: string
  readonly payload: Json
  readonly qos: 0 | 1 | 2
  readonly retain: boolean
  /** The payload as text, where it is sent byte for byte; `payload` then only stands for it. */
  readonly text?: string
}

/** Values of `Status` (section 8.2.2, table 7). */
export const status = {
  ok: 1,
  failed: 2,
  error: 3,
  shutDown: 4,
  initial: 5,
  restart: 6,
} as const

/** Values of `Command` (section 8.2.3, table 9). */
export const command = { shutDown: 1 } as const

/** Values of `Errno` (section 8.2.4, table 11). */
export const errno = {
  jsonInvalid: 1,
  io: 2,
  access: 3,
  noDevice: 4,
  fileDirectory: 5,
  mqttSubscription: 6,
  mqttPublish: 7,
  application: 8,
  configuration: 9,
  mqttCallback: 10,
  sensor: 11,
  network: 12,
  port: 13,
  profile: 14,
} as const

/** Topics (sections 5.3, 8.2, 8.3). `+` stands for any instance. Case matters; table 6 prints `Status /response` by mistake. */
export const topics = {
  statusRequest: 'status/request',
  statusResponse: (iid: string) => `status/response/${iid}`,
  configRequest: (iid: string) => `config/request/${iid}`,
  configResponse: (iid: string) => `config/response/${iid}`,
  command: (iid: string) => `command/${iid}`,
  error: (iid: string) => `storage/data/error/${iid}`,
  sensor: (iid: string) => `sensor/data/${iid}`,
  algorithm: (iid: string) => `algorithm/data/${iid}`,
  storageRequest: (iid: string) => `storage/request/${iid}`,
  storageResponse: (iid: string) => `storage/response/${iid}`,
  newDataRequest: (iid: string) => `storage/request/newdata/${iid}`,
  uploaded: (iid: string) => `storage/uploaded/${iid}`,
  newDataResponse: (iid: string) => `storage/response/newdata/${iid}`,
  /** Ours, not of the API: requests of the system operator to the Container Manager, and its answers. */
  managerRequest: 'manager/request',
  managerResponse: 'manager/response',
} as const

/** Sessions that applications keep beside their first one: the recorder's, and those of Data Storage. Ours. */
export const sessionNames = ['recording', 'records', 'requests'] as const
export type SessionName = (typeof sessionNames)[number]

/** Instance IDs: `<vendor>_<application>_<two digits>` (section 4.2), or a UUID (section 4.2.1, fielded applications). */
export const iidPattern =
  /^(?:[a-z0-9][a-z0-9.-]*_[a-z0-9][a-z0-9.-]*_\d\d|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$/

/** Unix time in whole seconds (section 4.5), from milliseconds. */
export function unixSeconds(ms: number): number {
  return Math.floor(ms / 1000)
}

/** Scalar object (section 9.1, table 20). `stamp` in Unix seconds. */
export function scalar(
  stamp: number,
  value: number | boolean,
  valid: boolean,
  toStore?: boolean,
): JsonObject {
  return {
    Timestamp: stamp,
    Value: value,
    Valid: valid,
    ...(toStore === undefined ? {} : { ToStore: toStore }),
  }
}

/**
 * The JSON object in a payload. A zero-length payload stands for an empty object: requests need none (tables 5 and 6).
 * Undefined for anything that is not one.
 */
export function parseObject(payload: Uint8Array): JsonObject | undefined {
  if (payload.length === 0) return {}
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(payload).toString('utf8'))
  } catch {
    return undefined
  }
  return isObject(value) ? value : undefined
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The IID in a topic that ends with one, after a fixed beginning such as `status/response/`. */
export function iidAfter(prefix: string, topic: string): string | undefined {
  if (!topic.startsWith(prefix)) return undefined
  const rest = topic.slice(prefix.length)
  return rest === '' || rest.includes('/') ? undefined : rest
}

/**
 * The ContainerConfig object of a `config/response` payload. Fielded clients read `Configuration` as the inner
 * object (section 9.5 against table 5); the whole file form is accepted and unwrapped. Null: no configuration known.
 */
export function containerConfigOf(payload: JsonObject): JsonObject | null | undefined {
  const c = payload['Configuration']
  if (c === null) return null
  if (!isObject(c)) return undefined
  const inner = c['ContainerConfig']
  return typeof c['ContainerName'] === 'string' && isObject(inner) ? inner : c
}

/** Whether two JSON values are equal, whatever the order of keys. */
export function sameJson(a: Json, b: Json): boolean {
  return canonical(a) === canonical(b)
}

function canonical(v: Json): string {
  return JSON.stringify(v, (_key, value: unknown) =>
    isObject(value) ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) : value,
  )
}
