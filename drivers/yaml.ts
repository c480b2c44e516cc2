/** YAML files with a schema: refused with file, line, path and what was expected. */
import { readFileSync } from 'node:fs'
import { LineCounter, parseDocument, isMap, isNode, isSeq, visit } from 'yaml'
import type { Document } from 'yaml'
import type { z } from 'zod'
import { GridproofError, messageOf } from './errors.ts'

/**
 * Reads a YAML file and checks it against a schema.
 * Throws `bad-file` naming file, line, path and what was expected: for the first fault found.
 */
export function readYaml<T>(file: string, schema: z.ZodType<T>): T {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (e) {
    throw new GridproofError('bad-file', `cannot be read: ${messageOf(e)}`, { cause: e, place: { file } })
  }
  return parseYaml(text, file, schema)
}

/** As `readYaml`, for a text that is already here; `file` is what errors name. */
export function parseYaml<T>(text: string, file: string, schema: z.ZodType<T>): T {
  const lines = new LineCounter()
  const doc = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true })
  const broken = doc.errors[0]
  if (broken !== undefined) {
    const { line, col } = lines.linePos(broken.pos[0])
    throw new GridproofError('bad-file', `is not YAML: ${broken.message}`, {
      place: { file, line, column: col },
    })
  }
  let value: unknown
  try {
    value = doc.toJS({ maxAliasCount: 100 })
  } catch (e) {
    // An alias without its anchor, or one that would unfold without end.
    const at = lines.linePos(firstAlias(doc) ?? 0)
    throw new GridproofError('bad-file', `cannot be unfolded: ${messageOf(e)}`, {
      cause: e,
      place: { file, line: at.line, column: at.col },
    })
  }
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  if (issue === undefined) throw new GridproofError('internal', `schema of ${file} refused without a reason`)
  const unknown = issue.code === 'unrecognized_keys' ? issue.keys[0] : undefined
  const path = unknown === undefined ? issue.path : [...issue.path, unknown]
  const place = placeIn(doc, path, lines)
  throw new GridproofError('bad-file', issue.message, {
    place: { file, ...place, path: path.map(String).join('.') },
  })
}

/**
 * Line and column of what stands at a path of keys in a YAML file, or of the nearest parent that exists: for faults
 * that no schema can see. Nothing where the file cannot be read any more.
 */
export function placeOf(file: string, path: readonly PropertyKey[]): { line?: number; column?: number } {
  const lines = new LineCounter()
  try {
    return placeIn(parseDocument(readFileSync(file, 'utf8'), { lineCounter: lines }), path, lines)
  } catch {
    return {}
  }
}

/** Line and column of the node at a path, or of the nearest parent that exists. */
function placeIn(
  doc: Document,
  path: readonly PropertyKey[],
  lines: LineCounter,
): { line: number; column: number } {
  let node: unknown = doc.contents
  let best = 0
  for (const key of path) {
    if (isMap(node)) {
      const pair = node.items.find((p) => isNode(p.key) && String(p.key.toJSON()) === String(key))
      if (pair === undefined) break
      if (isNode(pair.key) && pair.key.range) best = pair.key.range[0]
      node = pair.value
    } else if (isSeq(node)) {
      node = node.items[Number(key)]
      if (isNode(node) && node.range) best = node.range[0]
    } else break
  }
  const { line, col } = lines.linePos(best)
  return { line, column: col }
}

function firstAlias(doc: Document): number | undefined {
  let at: number | undefined
  visit(doc, {
    Alias(_, node) {
      at = node.range?.[0]
      return visit.BREAK
    },
  })
  return at
}
