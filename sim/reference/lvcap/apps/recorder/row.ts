/**
 * One message as one line of CSV (RFC 4180, UTF-8): who published it, when it was recorded, what its payload says of
 * time, value and validity, and the payload itself, unaltered.
 */
import { isObject } from '../../api.ts'
import type { Json } from '../../env.ts'
import { columns, type Column, type RecorderConfig } from './config.ts'

/** A message as it came from the marketplace. */
export interface Heard {
  readonly topic: string
  readonly payload: Uint8Array
}

/** Fields by column, as text without quotes. */
export type Row = Readonly<Record<Column, string>>

/**
 * Topics on which the instance of the fourth or third level publishes (API sections 5.3, 8.2 to 8.6). The marketplace lets
 * nobody else publish there (M:0019), so that the topic names the publisher.
 */
const byTopic: readonly (readonly [pattern: RegExp, ofManager?: true])[] = [
  [/^(?:sensor|algorithm)\/data\/([^/]+)(?:\/|$)/],
  [/^storage\/data\/error\/([^/]+)$/],
  [/^storage\/request\/newdata\/([^/]+)$/],
  [/^storage\/(?:data|request|uploaded)\/([^/]+)(?:\/|$)/],
  [/^status\/response\/([^/]+)$/],
  [/^config\/request\/([^/]+)$/],
  [/^(?:status\/request|config\/response\/[^/]+|command\/[^/]+|manager\/response)$/, true],
]

/** The instance that published on a topic; `unknown` where the API gives the topic to no application. */
export function publisherOf(topic: string, config: Pick<RecorderConfig, 'containerManager'>): string {
  for (const [pattern, ofManager] of byTopic) {
    const m = pattern.exec(topic)
    if (m !== null) return ofManager ? config.containerManager : (m[1] ?? 'unknown')
  }
  return 'unknown'
}

const notText = 'base64:'

/** The payload as text. Bytes that are no UTF-8 (and text that could be taken for such) stand as `base64:...`. */
export function payloadText(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const text = buffer.toString('utf8')
  const faithful = Buffer.from(text, 'utf8').equals(buffer) && !text.startsWith(notText)
  return faithful ? text : `${notText}${buffer.toString('base64')}`
}

/** `now` in ms since 1970. Timestamp, Value and Valid are the JSON text of the payload's keys, empty where it has none. */
export function rowOf(heard: Heard, now: number, publisher: string): Row {
  const Payload = payloadText(heard.payload)
  const body = parse(Payload)
  const key = (name: string): string =>
    isObject(body) && Object.hasOwn(body, name) ? JSON.stringify(body[name]) : ''
  return {
    RecordedAt: new Date(now).toISOString(),
    Publisher: publisher,
    Topic: heard.topic,
    Timestamp: key('Timestamp'),
    Value: key('Value'),
    Valid: key('Valid'),
    Payload,
  }
}

function parse(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json
  } catch {
    return undefined
  }
}

/** The header line, with its line end. */
export function headerLine(config: RecorderConfig): string {
  return lineOf(Object.fromEntries(columns.map((c) => [c, c])) as Row, config)
}

/** A row as a line, with its line end. */
export function lineOf(row: Row, config: Pick<RecorderConfig, 'columns' | 'quotes'>): string {
  return `${config.columns.map((c) => fieldOf(row[c], config.quotes)).join(',')}\r\n`
}

/** A field within quotes where needed: with comma, quote or line end inside, each quote doubled. */
export function fieldOf(text: string, quotes: RecorderConfig['quotes']): string {
  if (quotes === 'needed' && !/[",\r\n]/.test(text)) return text
  return `"${text.replaceAll('"', '""')}"`
}

/** The fields of one line, without its line end. Any text is taken. */
export function fieldsOf(line: string): string[] {
  const fields: string[] = []
  let field = ''
  let quoted = false
  for (let i = 0; i < line.length; i++) {
    const c = line.charAt(i)
    if (quoted) {
      if (c !== '"') field += c
      else if (line.charAt(i + 1) === '"') field += line.charAt(i++)
      else quoted = false
    } else if (c === '"' && field === '') quoted = true
    else if (c === ',') {
      fields.push(field)
      field = ''
    } else field += c
  }
  fields.push(field)
  return fields
}

/** Where the whole lines of a file's bytes end, and the lines: a line end within quotes belongs to the field. */
export function wholeLines(bytes: Uint8Array): { readonly end: number; readonly starts: readonly number[] } {
  const starts: number[] = []
  let begin = 0
  let quoted = false
  for (let i = 0; i < bytes.length; i++) {
    const b = bytes[i]
    if (b === 0x22) quoted = !quoted
    else if (b === 0x0a && !quoted) {
      starts.push(begin)
      begin = i + 1
    }
  }
  return { end: begin, starts }
}
