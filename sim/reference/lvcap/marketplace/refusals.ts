/** Refusals: what is written of them in the log, and what is published so that it is stored (API section 8.2.4). */
import { errno, topics, unixSeconds } from '../api.ts'
import type { Json } from '../env.ts'
import type { RefusalReason } from './peers.ts'

export interface Refusal {
  readonly reason: RefusalReason
  /** Common name shown or session's identity; `unknown` where none was. */
  readonly identity: string
  readonly address: string
  readonly topic?: string
  readonly detail?: string
}

/** The error message of the marketplace `iid` about a refusal; `now` in ms since 1970. */
export function errorOf(
  refusal: Refusal,
  iid: string,
  now: number,
): { readonly topic: string; readonly payload: Json } {
  const { reason, identity, address, topic, detail } = refusal
  const about = [topic, detail].filter((t) => t !== undefined).join(', ')
  const message = `Refused (${reason}): ${identity} from ${address}${about === '' ? '' : `: ${about}`}`
  return {
    topic: topics.error(iid),
    payload: { Errno: errno.access, Message: message, Timestamp: unixSeconds(now) },
  }
}

/** The error message about a subscriber that was dropped, because it did not read what it was sent. */
export function errorOfDrop(
  identity: string,
  why: string,
  iid: string,
  now: number,
): { readonly topic: string; readonly payload: Json } {
  return {
    topic: topics.error(iid),
    payload: { Errno: errno.network, Message: `Dropped ${identity}: ${why}`, Timestamp: unixSeconds(now) },
  }
}
