/** One timer for very many deadlines: a ring of slots of a millisecond, each with a list of who is due in it. */
import type { Instant } from '../../../drivers/faces.ts'

/** About 16 s: longer than the time between two lists of most meters; who is due later waits another turn. */
const slots = 1 << 14

export interface Wheel {
  /** Once for each `id` at a time. A deadline in the past is due at the next turn. */
  add(id: number, due: Instant): void
  has(id: number): boolean
  /** Calls `f` for all who are due by `now`, in the order of their milliseconds. They may be added again by it. */
  turn(now: Instant, f: (id: number, due: Instant) => void): void
}

/** For ids from 0 to `count` - 1. */
export function createWheel(count: number, start: Instant): Wheel {
  const heads = new Int32Array(slots).fill(-1)
  const next = new Int32Array(count).fill(-1)
  const dues = new Float64Array(count)
  const held = new Uint8Array(count)
  let turned = Math.floor(start)

  const put = (id: number, due: Instant): void => {
    // Never before its time: the slot that ends the millisecond.
    const slot = Math.max(Math.ceil(due), turned + 1) & (slots - 1)
    dues[id] = due
    next[id] = heads[slot] ?? -1
    heads[slot] = id
  }
  return {
    has: (id) => held[id] === 1,
    add(id, due) {
      held[id] = 1
      put(id, due)
    },
    turn(now, f) {
      const to = Math.floor(now)
      // After a long sleep of the process every slot is looked at once.
      turned = Math.max(turned, to - slots)
      while (turned < to) {
        const slot = (turned + 1) & (slots - 1)
        let id = heads[slot] ?? -1
        heads[slot] = -1
        turned++
        while (id >= 0) {
          const following = next[id] ?? -1
          const due = dues[id] ?? 0
          if (due > turned) put(id, due)
          else {
            held[id] = 0
            f(id, due)
          }
          id = following
        }
      }
    },
  }
}
