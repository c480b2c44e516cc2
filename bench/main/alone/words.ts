/** Lines of the console: words, and `name=value` pairs. */
import type { Json } from '../../../drivers/faces.ts'
import { GridproofError } from '../../../drivers/errors.ts'

export interface Words {
  readonly plain: readonly string[]
  readonly named: Readonly<Record<string, Json>>
}

/**
 * Splits a line at spaces; a part in double quotes stays whole. `name=value` is a pair, whose value is a number, true,
 * false, null, a list such as `[3,4]`, or else a text. Throws `bad-value` for a quote that does not end, or for a name
 * given twice.
 */
export function wordsOf(line: string): Words {
  const plain: string[] = []
  const named = new Map<string, Json>()
  const parts = line.match(/(?:[^\s"]|"[^"]*")+|"/g) ?? []
  for (const part of parts) {
    if (part.split('"').length % 2 === 0)
      throw new GridproofError('bad-value', `a quotation mark does not end: ${line.trim()}`)
    const pair = /^([A-Za-z][\w-]*)=(.*)$/s.exec(part)
    const [, name, value = ''] = pair ?? []
    if (name === undefined) plain.push(part.replaceAll('"', ''))
    else if (named.has(name)) throw new GridproofError('bad-value', `'${name}' is given twice`)
    else named.set(name, valueOf(value))
  }
  return { plain, named: Object.fromEntries(named) }
}

function valueOf(text: string): Json {
  if (text.includes('"')) return text.replaceAll('"', '')
  if (!/^(?:-?\d|\[|true$|false$|null$)/.test(text)) return text
  try {
    return JSON.parse(text) as Json
  } catch {
    return text
  }
}
