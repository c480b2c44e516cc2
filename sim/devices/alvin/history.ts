/** What was so at past instants: the values of something that changes by steps, in order of time. */
import type { Instant } from '../../../drivers/faces.ts'

export interface History<T> {
  /** From `t` on; what was put for later is forgotten. */
  put(t: Instant, value: T): void
  /** What held at `t`: of anything before the oldest that is kept, that one. */
  at(t: Instant): T
  readonly last: T
}

/** Keeps at least the last `most` values: a bound on memory only. */
export function createHistory<T>(t: Instant, first: T, most: number): History<T> {
  let kept: { readonly from: Instant; readonly value: T }[] = [{ from: t, value: first }]
  const latest = { value: first }
  return {
    get last() {
      return latest.value
    },
    put(from, value) {
      latest.value = value
      while ((kept.at(-1)?.from ?? Number.NEGATIVE_INFINITY) >= from) kept.pop()
      kept.push({ from, value })
      if (kept.length > 2 * most) kept = kept.slice(-most)
    },
    at(when) {
      let [low, high] = [0, kept.length - 1]
      while (low < high) {
        const middle = (low + high + 1) >> 1
        if ((kept[middle]?.from ?? 0) <= when) low = middle
        else high = middle - 1
      }
      return kept[low]?.value ?? latest.value
    },
  }
}
