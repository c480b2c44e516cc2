/**
 * Random numbers from one seed, split by name: `stream(seed, 'gridkey/noise')`. Adding a device changes no other
 * device's numbers. The generator is sfc32 (C. Doty-Humphrey, public domain), seeded by xmur3 over the name.
 */

/** A number in [0, 1). */
export type Random = () => number

function xmur3(text: string): () => number {
  let h = 1779033703 ^ text.length
  for (let i = 0; i < text.length; i++) {
    h = Math.imul(h ^ text.charCodeAt(i), 3432918353)
    h = (h << 13) | (h >>> 19)
  }
  return () => {
    h = Math.imul(h ^ (h >>> 16), 2246822507)
    h = Math.imul(h ^ (h >>> 13), 3266489909)
    h ^= h >>> 16
    return h >>> 0
  }
}

/** A fresh generator for a name under a seed. Two calls with the same arguments give the same numbers. */
export function stream(seed: number | string, name: string): Random {
  const next = xmur3(`${seed}/${name}`)
  let a = next() | 0
  let b = next() | 0
  let c = next() | 0
  let d = next() | 0
  const step = (): number => {
    const t = (((a + b) | 0) + d) | 0
    d = (d + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (c << 21) | (c >>> 11)
    c = (c + t) | 0
    return (t >>> 0) / 4294967296
  }
  for (let i = 0; i < 12; i++) step()
  return step
}

/** Streams by name, each made once. */
export function streams(seed: number | string): (name: string) => number {
  const made = new Map<string, Random>()
  return (name) => {
    let r = made.get(name)
    if (r === undefined) {
      r = stream(seed, name)
      made.set(name, r)
    }
    return r()
  }
}

/** A normally distributed number (mean 0, standard deviation 1) by Box and Muller, from a generator. */
export function normal(r: Random): number {
  return Math.sqrt(-2 * Math.log(1 - r())) * Math.cos(2 * Math.PI * r())
}
