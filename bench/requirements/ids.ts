/** Requirement IDs: their order, what is the same ID written otherwise, and which one was meant. */

/** Families of IDs in source order. Their numbers are compared part by part: M:009 before M:0010, SR-1.9 before SR-1.10. */
const families = ['M:', 'S:', 'W:', 'I:', 'SR-', 'MP102B:'] as const

interface Family {
  readonly rank: number
  readonly numbers: readonly number[]
}

function familyOf(id: string): Family | undefined {
  const rank = families.findIndex((f) => id.startsWith(f))
  const prefix = families[rank]
  if (prefix === undefined) return undefined
  const rest = id.slice(prefix.length)
  return /^\d+(?:\.\d+)*$/.test(rest) ? { rank, numbers: rest.split('.').map(Number) } : undefined
}

/** Source order. IDs outside the families come after all others and are equal to each other. */
export function compareIds(a: string, b: string): number {
  const x = familyOf(a)
  const y = familyOf(b)
  if (x === undefined || y === undefined) return Number(x === undefined) - Number(y === undefined)
  if (x.rank !== y.rank) return x.rank - y.rank
  for (let i = 0; i < Math.max(x.numbers.length, y.numbers.length); i++) {
    const d = (x.numbers[i] ?? -1) - (y.numbers[i] ?? -1)
    if (d !== 0) return d
  }
  return 0
}

/** An ID with the padding zeros of its numbers taken off: M:0005 and M:005 are the same one, mistyped. */
export function unpadded(id: string): string {
  const family = familyOf(id)
  return family === undefined ? id : `${families[family.rank]}${family.numbers.join('.')}`
}

/** By code unit: the same on every machine, whatever its language. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** The ID that was meant, most likely: the same number written otherwise, else the fewest letters away. */
export function nearestId(wrong: string, ids: readonly string[]): string {
  const loose = (id: string): string => unpadded(id.trim().toUpperCase())
  const same = ids.find((id) => loose(id) === loose(wrong))
  return same ?? nearestText(wrong, ids)
}

/** The name with the fewest letters to change. */
export function nearestText(wrong: string, names: readonly string[]): string {
  let best = names[0] ?? 'none, as there is none'
  for (const name of names) if (distance(wrong, name) < distance(wrong, best)) best = name
  return best
}

/** Edit distance by Levenshtein: letters to insert, delete or replace. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, replaced))
    }
    row = next
  }
  return row[b.length] ?? 0
}
