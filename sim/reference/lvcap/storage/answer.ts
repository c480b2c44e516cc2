/** Responses of Data Storage (API tables 15, 17 and 19), written around the stored bytes. */
import type { QueryStatus } from './query.ts'
import type { StoredRecord } from './store.ts'

/**
 * A response as text. The data of a record stands in it byte for byte as it was published. `now` in Unix seconds.
 * Response is always an array, empty where there is nothing (table 15 has it so; table 17 would leave it out).
 */
export function responseText(status: QueryStatus, records: readonly StoredRecord[], now: number): string {
  const byTable = new Map<string, StoredRecord[]>()
  for (const r of records) {
    const list = byTable.get(r.table)
    if (list === undefined) byTable.set(r.table, [r])
    else list.push(r)
  }
  // One join: a response may be hundreds of megabytes long.
  const parts = [`{"Status":${status},"Response":[`]
  for (const [name, rows] of byTable) {
    parts.push(parts.length === 1 ? '' : ',', `{"TableName":${JSON.stringify(name)},"TableRows":[`)
    rows.forEach((r, i) => parts.push(i === 0 ? '' : ',', ...rowParts(r)))
    parts.push(']}')
  }
  parts.push(`],"Timestamp":${now}}`)
  return parts.join('')
}

function rowParts(r: StoredRecord): readonly string[] {
  const data = Buffer.from(r.data.buffer, r.data.byteOffset, r.data.byteLength).toString('utf8')
  return [
    `{"ID":${r.id},"Timestamp":${r.timestamp},"SubTopic":${JSON.stringify(r.subTopic)},"Data":`,
    data,
    '}',
  ]
}

/**
 * Remaining length of the PUBLISH packet that carries a text, in bytes (MQTT 3.1.1, sections 2.2.3 and 3.3): topic with
 * its length, packet identifier, payload.
 */
export function packetLength(topic: string, text: string): number {
  return 2 + Buffer.byteLength(topic) + 2 + Buffer.byteLength(text)
}
