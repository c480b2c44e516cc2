/**
 * Numbers that look random and are a pure function of a seed and an integer, so that any instant can be asked in any
 * order. The mixer is the 32-bit finaliser of MurmurHash3 (A. Appleby, public domain).
 */

/** A number in [-1, 1) for a seed and an integer. */
export function noise(seed: number, k: number): number {
  let h = (Math.imul(k | 0, 0x9e3779b1) ^ seed) | 0
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return ((h ^ (h >>> 16)) >>> 0) / 2147483648 - 1
}

/** Noise between whole numbers too: values at the integers, a smooth step between. In [-1, 1). */
export function smooth(seed: number, x: number): number {
  const k = Math.floor(x)
  const f = x - k
  const a = noise(seed, k)
  return a + (noise(seed, k + 1) - a) * f * f * (3 - 2 * f)
}

/** Another seed for a channel of a seed. */
export function channel(seed: number, n: number): number {
  return Math.floor((noise(seed, 0x51ed270b + n) + 1) * 2147483648) | 0
}
