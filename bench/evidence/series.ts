/** Matching of series against events. A pattern is compiled once; the answer for each alias is remembered. */
import type { Event, Series } from '../faces.ts'

/** Answers remembered for one pattern; above it (only a flood of made-up aliases gets there) they are forgotten. */
const remembered = 4096

/** The alias that an event carries in its data, if any. */
export function aliasOf(e: Event): string | undefined {
  const data = e.data
  if (data === null || typeof data !== 'object' || Array.isArray(data)) return undefined
  const alias = (data as { readonly alias?: unknown }).alias
  return typeof alias === 'string' ? alias : undefined
}

/**
 * A test for texts that fit a pattern, in which `*` stands for any run of characters (also none) and every other
 * character for itself.
 */
export function wildcard(pattern: string): (text: string) => boolean {
  if (!pattern.includes('*')) return (text) => text === pattern
  if (pattern === '*') return () => true
  const known = new Map<string, boolean>()
  return (text) => {
    let fits = known.get(text)
    if (fits === undefined) {
      if (known.size >= remembered) known.clear()
      fits = glob(pattern, text)
      known.set(text, fits)
    }
    return fits
  }
}

/** A test for events of a series. An event without alias fits only the pattern `*`. */
export function matcher(s: Series): (e: Event) => boolean {
  const { src, kind, select } = s
  if (select === '*') return (e) => e.kind === kind && e.src === src
  const fits = wildcard(select)
  return (e) => {
    if (e.kind !== kind || e.src !== src) return false
    const alias = aliasOf(e)
    return alias !== undefined && fits(alias)
  }
}

/** Two pointers with one point of return: at most length times length, whatever stands in the pattern. */
function glob(pattern: string, text: string): boolean {
  let p = 0
  let t = 0
  let star = -1
  let mark = 0
  while (t < text.length) {
    if (pattern[p] === '*') {
      star = p++
      mark = t
    } else if (p < pattern.length && pattern[p] === text[t]) {
      p++
      t++
    } else if (star >= 0) {
      p = star + 1
      t = ++mark
    } else return false
  }
  while (pattern[p] === '*') p++
  return p === pattern.length
}
