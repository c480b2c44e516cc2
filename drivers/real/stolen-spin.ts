/** One spin of the probe for stolen time. */

export interface SpinPlan {
  /** How long one spin takes (ms). */
  readonly spinMs: number
  /** From one spin's start to the next (ms). */
  readonly everyMs: number
  /** A step of the clock above this is not the loop's own work (ms); an interrupt takes a few microseconds. */
  readonly jumpMs: number
}

/** Where the totals stand (ms). */
export const places = { spun: 0, stolen: 1 } as const

/** Spins, and says how long it took and how much of that was lost in jumps (both ms). */
export function spin(
  p: Pick<SpinPlan, 'spinMs' | 'jumpMs'>,
  clock: () => number,
): { spun: number; stolen: number } {
  const start = clock()
  let last = start
  let stolen = 0
  while (last - start < p.spinMs) {
    const t = clock()
    if (t - last > p.jumpMs) stolen += t - last
    last = t
  }
  return { spun: last - start, stolen }
}
