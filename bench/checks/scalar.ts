/** The LV-CAP Scalar object (Public API 9.1), read out of a `seen` event without believing anything. */
import type { Instant, Json } from '../../drivers/faces.ts'
import type { Event } from '../faces.ts'

export type JsonObject = { readonly [k: string]: Json }

export function objectOf(j: Json | undefined): JsonObject | undefined {
  return j !== null && typeof j === 'object' && !Array.isArray(j) ? (j as JsonObject) : undefined
}

/** A JSON value as a name: texts as they are, anything else as JSON. */
export function textOf(j: Json | undefined): string {
  return typeof j === 'string' ? j : (JSON.stringify(j) ?? '')
}

/** The payload of a `seen` event. */
export function payloadOf(e: Event): Json | undefined {
  return objectOf(e.data)?.['payload']
}

/** A key of the payload itself, never of its prototype. */
export function field(e: Event, key: string): Json | undefined {
  const p = objectOf(payloadOf(e))
  return p !== undefined && Object.hasOwn(p, key) ? p[key] : undefined
}

/** What the sender claims as time, in ms since 1970: the payload's Timestamp (in seconds, API 4.5), else the event's. */
export function stampOf(e: Event): Instant | undefined {
  const t = field(e, 'Timestamp')
  return typeof t === 'number' ? t * 1000 : e.stamp
}

/** The channel that an event belongs to: its alias, else one for all. */
export function channelOf(e: Event): string {
  const alias = objectOf(e.data)?.['alias']
  return typeof alias === 'string' ? alias : ''
}

/** A number that an event shows: the payload itself, or its Value. */
export function numberOf(e: Event): number | undefined {
  const p = payloadOf(e)
  const n = typeof p === 'number' ? p : field(e, 'Value')
  return typeof n === 'number' && Number.isFinite(n) ? n : undefined
}
