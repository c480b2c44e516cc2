/**
 * When a meter says which list. Each list has its own instants; where they meet, the longer list takes the place of the
 * shorter one: Kaifa sends one list in each slot of 2 s, List 2 where the seconds end in 0, List 3 at hh:00:10 instead of it.
 */
import type { Instant } from '../../../drivers/faces.ts'
import type { MeterPersonality } from './personality.ts'

export interface Slot {
  readonly list: 1 | 2 | 3
  /** The slot's instant: what the clock in the list says. */
  readonly at: Instant
}

/** The first slot after `t`. Instants are multiples since midnight of UTC, so whole hours of any zone fit. */
export function nextSlot(cadence: MeterPersonality['cadence'], t: Instant): Slot {
  let best: Slot | undefined
  for (const [list, c] of [
    [3, cadence.list_3],
    [2, cadence.list_2],
    [1, cadence.list_1],
  ] as const) {
    if (c === undefined) continue
    const at = (Math.floor((t - c.at) / c.every) + 1) * c.every + c.at
    if (best === undefined || at < best.at) best = { list, at }
  }
  if (best === undefined) throw new RangeError('a cadence without a list')
  return best
}
