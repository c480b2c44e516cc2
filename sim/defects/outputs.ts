/** Ways to go wrong that all applications with an output at intervals have alike: what an output holds, and its stamp. */
import type { Message } from '../reference/lvcap/api.ts'

interface Arranges {
  arrange(messages: readonly Message[], k: number): readonly Message[]
}
interface Stamps {
  stamp(now: number): number
}
type Some = (messages: readonly Message[], k: number) => readonly Message[]

/** Leaves messages of an output out: `make`, once for each start, tells which stay. */
export function keeps<P extends Arranges>(make: () => Some): (p: P, reached: () => void) => P {
  return (p, reached) => {
    const some = make()
    return {
      ...p,
      arrange: (messages: readonly Message[], k: number) => {
        const kept = some(messages, k)
        if (kept.length < messages.length) reached()
        return p.arrange(kept, k)
      },
    }
  }
}

/** Leaves whole outputs out: `make`, once for each start, tells which. */
export const skips = <P extends Arranges>(
  make: () => (k: number) => boolean,
): ((p: P, reached: () => void) => P) =>
  keeps<P>(() => {
    const left = make()
    return (messages, k) => (left(k) ? [] : messages)
  })

/** Publishes nothing any more when it has run for so many milliseconds. */
export const stopsAfter = <P extends Arranges>(ms: number): ((p: P, reached: () => void) => P) =>
  skips<P>(() => {
    const start = performance.now()
    return () => performance.now() - start >= ms
  })

/** Stamps every nth output with the time of the one before. */
export function repeatsStamp<P extends Stamps>(nth: number): (p: P, reached: () => void) => P {
  return (p, reached) => {
    let n = 0
    let last = 0
    return {
      ...p,
      stamp: (now: number) => {
        if (++n % nth === 0) reached()
        else last = p.stamp(now)
        return last
      },
    }
  }
}
