/**
 * A meter's energy registers: what has flowed since it was made, counted each second from the power of that second.
 * They can be asked for any second since the start; sums of whole hours are kept, so that looking back is cheap.
 */
import type { Instant } from '../../../drivers/faces.ts'

/** Wh imported, Wh exported, varh imported, varh exported. */
export type Energies = readonly [number, number, number, number]

/** W (below zero: exported) and var of the second that ended at or before an instant. */
export type PowerAt = (t: Instant) => { readonly activePower: number; readonly reactivePower: number }

export interface Registers {
  /** At the last whole second at or before `t`; at its start where that is later. */
  at(t: Instant): Energies
  /** Counts on to `t`, where that is not done yet: who asks later then waits for no more than what has come since. */
  countOn(t: Instant): void
  /** What is counted from `from` on may have changed. */
  forget(from: Instant): void
}

const hour = 3600

export function createRegisters(start: Instant, initial: Energies, powerAt: PowerAt): Registers {
  const first = Math.floor(start / 1000)
  /** Sums at whole hours since `first`. */
  const hours: Energies[] = [initial]
  let last = { second: first, sums: initial }

  function advance(from: { second: number; sums: Energies }, to: number): Energies {
    let [a, b, c, d] = from.sums
    for (let s = from.second + 1; s <= to; s++) {
      const { activePower: p, reactivePower: q } = powerAt(s * 1000)
      if (p >= 0) a += p / hour
      else b -= p / hour
      if (q >= 0) c += q / hour
      else d -= q / hour
      const since = s - first
      if (since % hour === 0) hours[since / hour] ??= [a, b, c, d]
    }
    return [a, b, c, d]
  }

  return {
    countOn(t) {
      const second = Math.floor(t / 1000)
      if (second > last.second) last = { second, sums: advance(last, second) }
    },
    at(t) {
      const second = Math.max(first, Math.floor(t / 1000))
      if (second < last.second) {
        const h = Math.min(Math.floor((second - first) / hour), hours.length - 1)
        return advance({ second: first + h * hour, sums: hours[h] ?? initial }, second)
      }
      last = { second, sums: advance(last, second) }
      return last.sums
    },
    forget(from) {
      const second = Math.floor(from / 1000)
      if (second >= last.second) return
      hours.length = Math.max(1, Math.min(hours.length, Math.floor((second - first) / hour) + 1))
      const h = hours.length - 1
      last = { second: first + h * hour, sums: hours[h] ?? initial }
    },
  }
}
