/** Courses of outages: when power goes, and for how long. Pure, from random numbers in [0, 1) that it is given. */
import { GridproofError } from '../../drivers/errors.ts'
import type { Outage } from '../faces.ts'

/** OpenLV S:007: three cuts within five minutes. */
const fiveMinutes = 300_000
/** Shortest and longest of them. Ours: a reclosing network gives a second or two, a fuse half a minute. */
const shortest = 1_000
const longest = 30_000

/**
 * Three outages within five minutes, counted from the begin of the first to the end of the last; each in a third of its own,
 * so that now the platform has just booted, and now it is still at it.
 */
export function threeInFiveMinutes(random: () => number): readonly Outage[] {
  const third = fiveMinutes / 3
  return [0, 1, 2].map((n) => {
    const long = shortest + Math.floor(random() * (longest - shortest))
    return { at: Math.floor(n * third + random() * (third - long)), for: long }
  })
}

/** Moments at which power is cut while a platform boots: one in each of `n` equal parts of `bootMs`, since its power came. */
export function momentsOfABoot(n: number, bootMs: number, random: () => number): readonly number[] {
  if (!(Number.isSafeInteger(n) && n > 0 && bootMs > 0))
    throw new GridproofError(
      'bad-value',
      `${n} moments of a boot of ${bootMs} ms: take 1 or more of a length`,
    )
  return Array.from({ length: n }, (_, i) => Math.floor(((i + random()) * bootMs) / n))
}

/** Refuses plans that cannot be followed: negative times, outages that overlap. Gives it in the order of time. */
export function checkedPlan(plan: readonly Outage[]): readonly Outage[] {
  const sorted = plan.toSorted((a, b) => a.at - b.at)
  let end = 0
  for (const o of sorted) {
    if (!(Number.isFinite(o.at) && Number.isFinite(o.for) && o.at >= 0 && o.for >= 0))
      throw new GridproofError('bad-value', `an outage at ${o.at} ms for ${o.for} ms: take 0 or more of each`)
    if (o.at < end)
      throw new GridproofError('bad-value', `an outage at ${o.at} ms begins before the one before has ended`)
    end = o.at + o.for
  }
  return sorted
}
