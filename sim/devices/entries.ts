/** Settings by number that are made one by one: a new map with an entry set, or taken away where the value is null. */
export function withEntry(
  map: ReadonlyMap<number, number>,
  key: number,
  value: number | null,
): Map<number, number> {
  const out = new Map(map)
  if (value === null) out.delete(key)
  else out.set(key, value)
  return out
}

/** The same of one phase, from 1, or of all three; L1 stands at `first`. */
export function withPhases(
  map: ReadonlyMap<number, number>,
  phase: number | undefined,
  value: number | null,
  first = 0,
): Map<number, number> {
  let out = new Map(map)
  for (let i = 0; i < 3; i++)
    if (phase === undefined || phase === i + 1) out = withEntry(out, first + i, value)
  return out
}
