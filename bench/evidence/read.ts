/** The evidence log's reader: one event at a time, whatever the size of the file. */
import { closeSync, openSync, readSync } from 'node:fs'
import { GridproofError, messageOf } from '../../drivers/errors.ts'
import type { Json } from '../../drivers/faces.ts'
import type { Event } from '../faces.ts'
import { eventKinds } from './kinds.ts'

const kinds: ReadonlySet<string> = new Set(eventKinds)

/** Formats that this reader knows (`data.format` of the first event). */
const formats: ReadonlySet<string> = new Set(['gridproof-run/1', 'gridproof-scenario/1'])

/** Bytes taken from the file at a time. */
const chunk = 1 << 20
/** The longest line that is believed to be one: a gigabyte of garbage must not be gathered in memory. */
const longestLine = 64 << 20

export interface Log extends Iterable<Event> {
  readonly file: string
  /** Number and first characters of a torn last line; known once the iteration is over. */
  readonly torn: { readonly line: number; readonly text: string } | undefined
  /** True if there is no trailer (`end`), known once the iteration is over: whoever wrote it died. */
  readonly cutShort: boolean
}

/**
 * Reads a log. Iterating throws `bad-log`, with file and line, if the file cannot be opened, a line is no event,
 * sequence numbers are not those of the lines, the header is missing or of a format that is not known, or something
 * follows the trailer. A torn last line (no line feed at its end, and no event) is left out and reported in `torn`.
 */
export function readLog(file: string): Log {
  let torn: { line: number; text: string } | undefined
  let ended = false

  function* events(): Generator<Event> {
    torn = undefined
    ended = false
    let line = 0
    for (const { text, last } of lines(file)) {
      line++
      const e = parse(text)
      if (typeof e === 'string') {
        if (last) {
          torn = { line, text: text.slice(0, 200) }
          return
        }
        throw bad(file, line, e)
      }
      if (ended) throw bad(file, line, 'something follows the trailer')
      if (e.seq !== line)
        throw bad(file, line, `sequence number ${e.seq} on line ${line}: lines are missing or added`)
      if (line === 1) checkHeader(file, e)
      ended = e.kind === 'end' && e.src === 'bench'
      yield e
    }
  }

  return {
    file,
    [Symbol.iterator]: events,
    get torn() {
      return torn
    },
    get cutShort() {
      return !ended
    },
  }
}

function bad(file: string, line: number, what: string, cause?: unknown): GridproofError {
  return new GridproofError('bad-log', what, { cause, place: { file, line } })
}

function checkHeader(file: string, e: Event): void {
  const data = e.data as { readonly format?: Json } | null
  const format = data !== null && typeof data === 'object' ? data.format : undefined
  if (e.kind !== 'run' || typeof format !== 'string')
    throw bad(file, 1, 'a log begins with its header (kind run, with a format)')
  if (!formats.has(format))
    throw bad(
      file,
      1,
      `format '${format.slice(0, 80)}' is not known to this version; read it with a newer one`,
    )
}

/** An event, or what is wrong with the line. */
function parse(text: string): Event | string {
  let e: unknown
  try {
    e = JSON.parse(text)
  } catch {
    return 'no JSON'
  }
  if (e === null || typeof e !== 'object' || Array.isArray(e)) return 'no JSON object'
  const { seq, at, src, kind, stamp, cause, data } = e as Record<string, unknown>
  if (!Number.isSafeInteger(seq)) return 'no sequence number (seq)'
  if (!Number.isFinite(at)) return 'no time (at)'
  if (typeof src !== 'string') return 'no speaker (src)'
  if (typeof kind !== 'string' || !kinds.has(kind)) return 'no kind that is known (kind)'
  if (stamp !== undefined && typeof stamp !== 'number') return 'a stamp that is no number (stamp)'
  if (cause !== undefined && typeof cause !== 'number') return 'a cause that is no number (cause)'
  if (data === undefined) return 'no data (data)'
  return e as Event
}

/** The lines of a file; `last` marks one without line feed at its end. */
function* lines(file: string): Generator<{ text: string; last: boolean }> {
  let fd: number
  try {
    fd = openSync(file, 'r')
  } catch (e) {
    throw new GridproofError('bad-log', `cannot open the log: ${messageOf(e)}`, { cause: e, place: { file } })
  }
  try {
    const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
    const buffer = Buffer.allocUnsafe(chunk)
    let rest: Buffer[] = []
    let restLength = 0
    let count = 0
    for (;;) {
      let n: number
      try {
        n = readSync(fd, buffer, 0, chunk, null)
      } catch (e) {
        throw bad(file, count + 1, `cannot read on: ${messageOf(e)}`, e)
      }
      if (n === 0) break
      const end = buffer.lastIndexOf(10, n - 1)
      if (end < 0) {
        rest.push(Buffer.from(buffer.subarray(0, n)))
        restLength += n
        if (restLength > longestLine) throw bad(file, count + 1, 'a line of more than 64 MiB')
        continue
      }
      const head = buffer.subarray(0, end)
      const bytes = restLength === 0 ? head : Buffer.concat([...rest, head])
      rest = end + 1 < n ? [Buffer.from(buffer.subarray(end + 1, n))] : []
      restLength = n - end - 1
      for (const text of decode(bytes, strict, file, count)) {
        count++
        yield { text, last: false }
      }
    }
    // Not strict: the cut may go through a character, and then it is torn anyway.
    if (restLength > 0) yield { text: Buffer.concat(rest).toString('utf8'), last: true }
  } finally {
    closeSync(fd)
  }
}

function decode(
  bytes: Buffer,
  strict: InstanceType<typeof TextDecoder>,
  file: string,
  before: number,
): string[] {
  try {
    return strict.decode(bytes).split('\n')
  } catch (e) {
    // Once more line by line, to say where.
    let from = 0
    for (let line = before + 1; ; line++) {
      const to = bytes.indexOf(10, from)
      try {
        strict.decode(bytes.subarray(from, to < 0 ? bytes.length : to))
      } catch {
        throw bad(file, line, 'bytes that are no UTF-8', e)
      }
      if (to < 0) throw bad(file, line, 'bytes that are no UTF-8', e)
      from = to + 1
    }
  }
}
