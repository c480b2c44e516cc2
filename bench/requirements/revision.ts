/** Which revision of a requirement a verdict is about: a digest of what the catalogue says of it. */
import { createHash } from 'node:crypto'
import { compareText } from './ids.ts'
import type { Requirement } from './schema.ts'

/**
 * SHA-256 in hexadecimal over all that the catalogue says of one requirement (statement, clauses, methods, readings),
 * whatever the order of keys, the layout or the name of its file. Another one: the requirement has changed.
 */
export function revisionOf(r: Requirement & { readonly document: string; readonly file?: string }): string {
  const { file: _, ...said } = r
  return createHash('sha256').update(canonical(said)).digest('hex')
}

/** JSON with sorted keys. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, v: unknown) =>
    typeof v === 'object' && v !== null && !Array.isArray(v)
      ? Object.fromEntries(Object.entries(v).sort(([a], [b]) => compareText(a, b)))
      : v,
  )
}
