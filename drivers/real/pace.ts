/** How long characters take on a serial line, and bytes handed on when the line would have carried them. */
import type { Instant, SerialSettings } from '../faces.ts'
import { atOrAfter } from './clock.ts'

/**
 * Time of one character in ms: start bit, data bits, parity bit where there is one, stop bits, at `baudRate` bits a
 * second. At 2400 baud with 11 bits this is 4.583 ms.
 */
export function characterMs(s: SerialSettings): number {
  return ((1 + s.dataBits + (s.parity === 'none' ? 0 : 1) + s.stopBits) * 1000) / s.baudRate
}

/** When a run of characters stands on the line. */
export interface Slot {
  /** Its first start bit (ms since 1970). */
  readonly start: Instant
  /** The end of its last stop bit. */
  readonly end: Instant
}

/** One direction of a line: a run starts when it is asked for, or when the one before it has ended. */
export function createDirection(msPerCharacter: number): (characters: number, at: Instant) => Slot {
  let free = Number.NEGATIVE_INFINITY
  return (characters, at) => {
    const start = Math.max(at, free)
    free = start + characters * msPerCharacter
    return { start, end: free }
  }
}

/** Work that waits for its instant, in order. */
export interface Due {
  /** Calls `f` at or after `at`, and after all that was asked for before. */
  when(at: Instant, f: () => void): void
  /** Drops all that waits. */
  clear(): void
}

export function createDue(now: () => Instant): Due {
  const waiting: { at: Instant; f: () => void }[] = []
  let cancel: (() => void) | undefined
  const next = (): void => {
    const first = waiting[0]
    if (first === undefined) {
      cancel = undefined
      return
    }
    cancel = atOrAfter(first.at, now, () => {
      waiting.shift()
      // Armed again first: what `f` throws must not stop the line.
      next()
      first.f()
    })
  }
  return {
    when(at, f) {
      waiting.push({ at, f })
      if (cancel === undefined) next()
    },
    clear() {
      cancel?.()
      cancel = undefined
      waiting.length = 0
    },
  }
}
