/**
 * JSON as text: where its parts stand, so that what a platform sends back can be compared with what was sent, number by
 * number as it was written. Texts are checked by JSON.parse before; only then are their parts looked for.
 */
import { createHash } from 'node:crypto'

/** Where a value stands: from its first character to behind its last one. */
export interface Span {
  readonly from: number
  readonly to: number
}

const blank = /[ \t\n\r]/

function skipBlank(text: string, at: number): number {
  while (at < text.length && blank.test(text.charAt(at))) at++
  return at
}

/** Behind a string that begins at `at`. */
function stringEnd(text: string, at: number): number {
  // By jumps: some strings are megabytes long.
  for (let end = text.indexOf('"', at + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let slashes = 0
    while (end - slashes - 1 > at && text.charCodeAt(end - slashes - 1) === 92) slashes++
    if (slashes % 2 === 0) return end + 1
  }
  return text.length
}

/** Behind a value that begins at `at`. */
function valueEnd(text: string, at: number): number {
  const first = text.charAt(at)
  if (first === '"') return stringEnd(text, at)
  if (first !== '{' && first !== '[') {
    let i = at
    while (i < text.length && !/[,\]} \t\n\r]/.test(text.charAt(i))) i++
    return i
  }
  let depth = 0
  for (let i = at; i < text.length; i++) {
    const c = text.charAt(i)
    if (c === '"') i = stringEnd(text, i) - 1
    else if (c === '{' || c === '[') depth++
    else if ((c === '}' || c === ']') && --depth === 0) return i + 1
  }
  return text.length
}

/** The members of an object by key, of an array by position; none of anything else. Of two equal keys the last counts. */
export function membersOf(text: string, span: Span): ReadonlyMap<string, Span> {
  const found = new Map<string, Span>()
  let i = skipBlank(text, span.from)
  const open = text.charAt(i)
  if (open !== '{' && open !== '[') return found
  i++
  for (let n = 0; i < span.to; n++) {
    i = skipBlank(text, i)
    if (text.charAt(i) === '}' || text.charAt(i) === ']') break
    let key = String(n)
    if (open === '{') {
      const end = stringEnd(text, i)
      key = JSON.parse(text.slice(i, end)) as string
      i = skipBlank(text, skipBlank(text, end) + 1)
    }
    const to = valueEnd(text, i)
    found.set(key, { from: i, to })
    i = skipBlank(text, to)
    if (text.charAt(i) === ',') i++
  }
  return found
}

/** The same text without blanks between its parts: two texts are the same JSON, as it was written, where these are equal. */
export function compact(text: string): string {
  let out = ''
  let from = 0
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (c === 34) i = stringEnd(text, i) - 1
    else if (c === 32 || (c >= 9 && c <= 13)) {
      out += text.slice(from, i)
      from = i + 1
    }
  }
  return out + text.slice(from)
}

/** Characters up to which a text stands in the evidence as it is, and those of a longer one. Ours. */
const longestKept = 16_384
const keptHead = 200

/** A text as the evidence keeps it: a long one by its beginning, its length and its SHA-256, so that equal ones stay equal. */
export function kept(text: string): string {
  if (text.length <= longestKept) return text
  const bare = compact(text)
  const sum = createHash('sha256').update(bare).digest('hex')
  return `${bare.slice(0, keptHead)}... ${Buffer.byteLength(bare)} B, SHA-256 ${sum}`
}
