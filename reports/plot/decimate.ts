/**
 * A series of any length in bounded memory, read once: time is cut into buckets, each keeps its first, least,
 * greatest and last point. When the buckets run out, neighbours are joined and the width doubles, so that neither
 * length nor rate of the series need be known beforehand. What a plot shows as extreme was extreme.
 */
import type { Instant } from '../../drivers/faces.ts'

export interface Point {
  readonly at: Instant
  readonly value: number
}

interface Bucket {
  first: Point
  min: Point
  max: Point
  last: Point
}

export class Decimator {
  readonly #most: number
  #width: number
  #origin: Instant | undefined
  #buckets = new Map<number, Bucket>()
  /** Points taken in, finite ones only. */
  count = 0
  min = Infinity
  max = -Infinity
  first: Instant | undefined
  last: Instant | undefined

  /** At most `buckets` buckets, 4 points each at the most; `width` is the narrowest bucket in ms. */
  constructor(buckets = 500, width = 1) {
    this.#most = Math.max(2, buckets)
    this.#width = width
  }

  add(at: Instant, value: number): void {
    if (!Number.isFinite(at) || !Number.isFinite(value) || Math.abs(at) > 8.64e15) return
    this.count++
    this.min = Math.min(this.min, value)
    this.max = Math.max(this.max, value)
    this.first = Math.min(this.first ?? at, at)
    this.last = Math.max(this.last ?? at, at)
    this.#origin ??= at
    const p = { at, value }
    const key = Math.floor((at - this.#origin) / this.#width)
    const b = this.#buckets.get(key)
    if (b !== undefined) {
      join(b, { first: p, min: p, max: p, last: p })
      return
    }
    this.#buckets.set(key, { first: p, min: p, max: p, last: p })
    while (this.#buckets.size > this.#most) this.#widen()
  }

  #widen(): void {
    this.#width *= 2
    const joined = new Map<number, Bucket>()
    for (const [key, b] of this.#buckets) {
      const k = Math.floor(key / 2)
      const there = joined.get(k)
      if (there === undefined) joined.set(k, b)
      else join(there, b)
    }
    this.#buckets = joined
  }

  /** The kept points in order of time, thinned to about `most` by joining buckets further. */
  points(most = 1000): Point[] {
    let buckets = [...this.#buckets.entries()].sort((a, b) => a[0] - b[0]).map(([, b]) => b)
    let all = flatten(buckets)
    while (all.length > most && buckets.length > 1) {
      const joined: Bucket[] = []
      for (const [i, b] of buckets.entries()) {
        const there = joined.at(-1)
        if (i % 2 === 0 || there === undefined) joined.push({ ...b })
        else join(there, b)
      }
      buckets = joined
      all = flatten(buckets)
    }
    return all
  }
}

function join(a: Bucket, b: Bucket): void {
  if (b.first.at < a.first.at) a.first = b.first
  if (b.min.value < a.min.value) a.min = b.min
  if (b.max.value > a.max.value) a.max = b.max
  if (b.last.at >= a.last.at) a.last = b.last
}

function flatten(buckets: readonly Bucket[]): Point[] {
  return buckets.flatMap((b) => {
    const points = [...new Set([b.first, b.min, b.max, b.last])]
    return points.sort((p, q) => p.at - q.at)
  })
}
