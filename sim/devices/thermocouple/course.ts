/** How temperatures go in time: pure functions of the instant. */
import type { Instant } from '../../../drivers/faces.ts'
import { duration } from '../../../drivers/units.ts'
import type { TemperatureCourse } from '../../faces.ts'

/** Hour of the day (UTC) at which a daily curve is highest. Ours. */
const warmest = 15 * 3_600_000

/**
 * Temperature in °C at `t` of a course that began at `began`. A ramp goes straight from one value to the other and
 * stays; a curve is a cosine with its highest value at 15:00 UTC where its period is a day.
 */
export function courseAt(c: TemperatureCourse, began: Instant, t: Instant): number {
  if ('constant' in c) return c.constant
  if ('over' in c) {
    const gone = Math.max(0, Math.min(1, (t - began) / duration(c.over)))
    return c.from + (c.to - c.from) * gone
  }
  return c.mean + c.swing * Math.cos((2 * Math.PI * (t - warmest)) / duration(c.period))
}

/** Courses of one input, each from its instant on. */
export interface Courses {
  at(t: Instant): number
  /** The first course begins now: a ramp starts from here. */
  begin(t: Instant): void
  change(from: Instant, c: TemperatureCourse): void
  /** In place of the first course. */
  feed(at: (t: Instant) => number): void
}

export function createCourses(initial: TemperatureCourse): Courses {
  const list: { from: Instant; began: Instant; course: TemperatureCourse }[] = [
    { from: Number.NEGATIVE_INFINITY, began: Number.NEGATIVE_INFINITY, course: initial },
  ]
  let fed: ((t: Instant) => number) | undefined
  return {
    feed(at) {
      fed = at
    },
    at(t) {
      for (let i = list.length - 1; i >= 0; i--) {
        const entry = list[i]
        if (entry === undefined || (entry.from > t && i > 0)) continue
        return i === 0 && fed !== undefined ? fed(t) : courseAt(entry.course, entry.began, t)
      }
      return Number.NaN
    },
    begin(t) {
      const entry = list[0]
      if (entry !== undefined) entry.began = t
    },
    change(from, course) {
      while (list.length > 0 && (list.at(-1)?.from ?? 0) >= from) list.pop()
      if (list.length === 0) fed = undefined
      list.push({ from, began: from, course })
    },
  }
}
