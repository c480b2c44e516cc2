/** How late very many things were: counts in steps of 0.1 ms, so that a percentile costs nothing to keep. */

/** ms. */
export interface Lateness {
  readonly count: number
  readonly p50: number
  readonly p99: number
  readonly most: number
}

const step = 0.1
/** Up to 2 s; what is later counts as that, and in `most` as it is. */
const steps = 20_000

export function createLateness(): { add(ms: number): void; clear(): void; readonly value: Lateness } {
  const counts = new Uint32Array(steps)
  let count = 0
  let most = 0
  const at = (share: number): number => {
    let left = Math.ceil(count * share)
    for (let i = 0; i < steps; i++) {
      left -= counts[i] ?? 0
      if (left <= 0) return Math.min((i + 1) * step, most)
    }
    return most
  }
  return {
    add(ms) {
      const i = Math.min(Math.max(Math.floor(ms / step), 0), steps - 1)
      counts[i] = (counts[i] ?? 0) + 1
      count++
      most = Math.max(most, ms)
    },
    clear() {
      counts.fill(0)
      count = 0
      most = 0
    },
    get value() {
      return count === 0 ? { count, p50: 0, p99: 0, most: 0 } : { count, p50: at(0.5), p99: at(0.99), most }
    },
  }
}
