/**
 * What every wire shares on its receiving side: bytes and the end wait for whoever registers late, come in order,
 * and the end comes once, after the bytes.
 */
import type { Conn, Instant } from '../faces.ts'

export type EndKind = 'fin' | 'rst' | 'lost'

/** The receiving side of a Conn. */
export interface Inbox {
  /** Bytes that arrived. Kept until a handler is there. */
  bytes(b: Uint8Array, at: Instant): void
  /** The line's end. Only the first counts. */
  end(how: EndKind): void
  /** Nothing is handed on any more: our own side has ended the connection. */
  shut(): void
  /** Bytes that wait for a handler. */
  held(): number
  onBytes(f: (b: Uint8Array, at: Instant) => void): void
  onEnd(f: (how: EndKind) => void): void
}

/**
 * `onRoom` is called when held bytes have been handed on, so that a wire that had stopped reading goes on.
 * Held bytes are handed on in a microtask, never inside `onBytes` itself: the caller's own set-up finishes first.
 */
export function createInbox(onRoom?: () => void): Inbox {
  const waiting: { b: Uint8Array; at: Instant }[] = []
  let count = 0
  let handler: ((b: Uint8Array, at: Instant) => void) | undefined
  let endHandler: ((how: EndKind) => void) | undefined
  let ended: EndKind | undefined
  let told = false
  let over = false
  let draining = false

  const handOn = (): boolean => {
    if (handler === undefined || over) return false
    const next = waiting.shift()
    if (next === undefined) return false
    count -= next.b.length
    handler(next.b, next.at)
    return true
  }
  const drain = (): void => {
    draining = false
    const had = count > 0
    while (handOn());
    if (had && count === 0 && !over) onRoom?.()
    if (ended !== undefined && endHandler !== undefined && !told && !over) {
      told = true
      endHandler(ended)
    }
  }
  const soon = (): void => {
    if (draining) return
    draining = true
    queueMicrotask(drain)
  }

  return {
    bytes(b, at) {
      if (over || ended !== undefined) return
      if (handler !== undefined && waiting.length === 0 && !draining) {
        handler(b, at)
        return
      }
      waiting.push({ b, at })
      count += b.length
      if (handler !== undefined) soon()
    },
    end(how) {
      if (over || ended !== undefined) return
      ended = how
      if (draining || endHandler === undefined) return
      told = true
      endHandler(how)
    },
    shut() {
      over = true
      waiting.length = 0
      count = 0
    },
    held: () => count,
    onBytes(f) {
      handler = f
      if (waiting.length > 0) soon()
    },
    onEnd(f) {
      endHandler = f
      if (ended !== undefined) soon()
    },
  }
}

/** A Conn over a receiving side: whoever does not wait for what he sends to leave brings nothing down when it does not. */
export function connOver(
  peer: string,
  inbox: Inbox,
  more: { readonly send: (b: Uint8Array) => Promise<Instant>; readonly end: Conn['end'] },
): Conn {
  return {
    peer,
    send(b) {
      const sent = more.send(b)
      sent.catch(() => {})
      return sent
    },
    onBytes: (f) => inbox.onBytes(f),
    onEnd: (f) => inbox.onEnd(f),
    end: more.end,
  }
}
