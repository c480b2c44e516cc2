/** One quantity of a log: what was true, what was seen and when nothing was, in bounded memory. */
import type { Instant } from '../../drivers/faces.ts'
import { Decimator, type Point } from '../plot/decimate.ts'
import type { Span } from '../plot/plot.ts'

/** A point that arrived `delay` ms after the time its sender claims. */
interface Delayed extends Point {
  readonly delay: number
}

/** Spacings and delays kept for marking, the greatest first; more would hide the plot. */
const kept = 60

/** A gap is a spacing beyond this many times the usual one. A mark for the eye, never a verdict. */
export const gapFactor = 1.5

export class Channel {
  readonly alias: string
  readonly seen = new Decimator()
  /** Time from the message before, in s. */
  readonly spacing = new Decimator()
  #last: Instant | undefined
  /** Spacings in classes of 2 %, each with its count and sum: enough for a median, whatever their number. */
  readonly #spacings = new Map<number, { n: number; sum: number }>()
  #spacingCount = 0
  readonly #widest: Span[] = []
  readonly #delayed: Delayed[] = []
  /** Messages of this alias without a figure in them. */
  blank = 0

  constructor(alias: string) {
    this.alias = alias
  }

  /** A message at `at` with a figure, or without one (`undefined`), and the time its sender claims. */
  add(at: Instant, value: number | undefined, stamp?: Instant): void {
    if (this.#last !== undefined && at > this.#last) this.#spaced({ from: this.#last, to: at })
    this.#last = Math.max(this.#last ?? at, at)
    if (value === undefined || !Number.isFinite(value)) {
      this.blank++
      return
    }
    this.seen.add(at, value)
    if (stamp !== undefined && at > stamp)
      keepGreatest(this.#delayed, { at, value, delay: at - stamp }, (d) => d.delay)
  }

  #spaced(s: Span): void {
    this.spacing.add(s.to, (s.to - s.from) / 1000)
    const key = Math.round(Math.log(s.to - s.from) / Math.log(1.02))
    const there = this.#spacings.get(key) ?? { n: 0, sum: 0 }
    this.#spacings.set(key, { n: there.n + 1, sum: there.sum + s.to - s.from })
    this.#spacingCount++
    keepGreatest(this.#widest, s, (w) => w.to - w.from)
  }

  get count(): number {
    return this.seen.count + this.blank
  }

  /** The usual time between two messages in ms, to about 1 %; undefined with fewer than three. */
  usualSpacing(): number | undefined {
    if (this.#spacingCount < 2) return undefined
    let passed = 0
    for (const key of [...this.#spacings.keys()].sort((a, b) => a - b)) {
      const { n, sum } = this.#spacings.get(key) ?? { n: 0, sum: 0 }
      passed += n
      if (passed * 2 >= this.#spacingCount) return sum / n
    }
    return undefined
  }

  /** The largest spacing in ms. */
  largestSpacing(): number | undefined {
    const [widest] = this.#widest
    return widest === undefined ? undefined : widest.to - widest.from
  }

  /** Where nothing came for more than `gapFactor` times the usual spacing, also from the last message to `end`. */
  gaps(end: Instant): Span[] {
    const usual = this.usualSpacing()
    if (usual === undefined || this.#last === undefined) return []
    const tail: Span = { from: this.#last, to: end }
    return [...this.#widest, tail]
      .filter((s) => s.to - s.from > usual * gapFactor)
      .sort((a, b) => a.from - b.from)
  }

  /** Points that came later after their own stamp than the usual spacing is long. */
  late(): Point[] {
    const usual = this.usualSpacing()
    if (usual === undefined) return []
    return this.#delayed.filter((d) => d.delay > usual).sort((a, b) => a.at - b.at)
  }
}

/** Keeps a list of the `kept` greatest, greatest first; of equals the earlier one. */
function keepGreatest<T>(list: T[], item: T, size: (t: T) => number): void {
  const s = size(item)
  const last = list.at(-1)
  if (list.length >= kept && last !== undefined && size(last) >= s) return
  let low = 0
  let high = list.length
  while (low < high) {
    const mid = (low + high) >> 1
    const there = list[mid]
    if (there !== undefined && size(there) >= s) low = mid + 1
    else high = mid
  }
  list.splice(low, 0, item)
  if (list.length > kept) list.pop()
}
