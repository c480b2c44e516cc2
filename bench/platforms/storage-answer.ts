/** Responses of Data Storage (LV-CAP API, tables 15, 17, 19), read without believing anything. */
import { messageOf } from '../../drivers/errors.ts'
import type { Json } from '../../drivers/faces.ts'
import type { Answer, AnsweredRow } from '../evidence/storage.ts'
import { kept, membersOf } from './json-text.ts'
import type { Span } from './json-text.ts'

/** A message as it came. */
export interface Heard {
  readonly bytes: Buffer
  readonly qos: number
  readonly retain: boolean
}

/** Characters from which an answer is not parsed as a whole: it would stand in memory twice more. Ours. */
const longestWhole = 16_000_000

/** `heard` undefined: nothing came in `patience` ms. */
export function answerOf(by: string, topic: string, heard: Heard | undefined, patience: number): Answer {
  const none = (problem: string): Answer => ({
    by,
    status: null,
    problem,
    tables: [],
    'length [B]': 0,
    qos: heard?.qos ?? 0,
    retain: heard?.retain ?? false,
  })
  if (heard === undefined) return none(`no answer within ${patience / 1000} s`)
  const text = heard.bytes.toString('utf8')
  try {
    const top = membersOf(text, { from: 0, to: text.length })
    // One that is hundreds of megabytes long is read part by part: its rows by `rowOf`, each parsed.
    if (text.length < longestWhole) JSON.parse(text)
    if (!text.trimStart().startsWith('{')) return none('no object')
    const status = valueAt(text, top.get('Status'))
    if (typeof status !== 'number') return none('no Status')
    const response = top.get('Response')
    if (response === undefined || text.charAt(response.from) !== '[') return none('Response is no array')
    return {
      by,
      status,
      tables: tablesOf(text, response),
      // Topic with its length, packet identifier, payload (MQTT 3.1.1, 3.3).
      'length [B]': 2 + Buffer.byteLength(topic) + 2 + heard.bytes.length,
      qos: heard.qos,
      retain: heard.retain,
    }
  } catch (e) {
    return none(`no JSON: ${messageOf(e)}`)
  }
}

function valueAt(text: string, at: Span | undefined): Json {
  return at === undefined ? null : (JSON.parse(text.slice(at.from, at.to)) as Json)
}

function tablesOf(text: string, response: Span): Answer['tables'] {
  return [...membersOf(text, response).values()].map((table) => {
    const parts = membersOf(text, table)
    const name = parts.get('TableName')
    const rows = parts.get('TableRows')
    return {
      name: name === undefined ? '' : String(JSON.parse(text.slice(name.from, name.to))),
      rows: rows === undefined ? [] : [...membersOf(text, rows).values()].map((r) => rowOf(text, r)),
    }
  })
}

function rowOf(text: string, span: Span): AnsweredRow {
  const parts = membersOf(text, span)
  const value = (key: string): Json => valueAt(text, parts.get(key))
  const data = parts.get('Data')
  if (text.length >= longestWhole) value('Data')
  return {
    id: value('ID'),
    timestamp: value('Timestamp'),
    subTopic: value('SubTopic'),
    text: data === undefined ? '' : kept(text.slice(data.from, data.to)),
  }
}
