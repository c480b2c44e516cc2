/** Upload applications that the bench plays at Data Storage: they ask and report as sections 8.5 and 8.6 of the LV-CAP API have it. */
import type { Json } from '../../drivers/faces.ts'
import type { Emit } from '../../sim/faces.ts'
import type { Answer } from '../evidence/storage.ts'
import { answerOf } from './storage-answer.ts'
import { patience } from './storage-client.ts'
import type { Client } from './storage-client.ts'

export const uploaderApid = 'thirdparty_uploader_1.0'
/** Upload applications: one that may have every table, one that may have the first publisher's, one that may have none. */
export const uploaders = {
  all: 'thirdparty_uploader_01',
  limited: 'thirdparty_uploader_02',
  stranger: 'thirdparty_uploader_03',
  late: 'thirdparty_uploader_04',
} as const
export type UploaderName = keyof typeof uploaders

export interface Uploading {
  query(as: UploaderName, name: string, text: string, whole?: boolean): Promise<Answer>
  report(as: UploaderName, tables: readonly { name: string; ids: readonly number[] }[]): Promise<Json>
  drain(as: UploaderName, name: string, request: Json): Promise<Json>
}

/** Rounds of a drain at most: more than any queue that a scenario fills needs. */
const mostRounds = 2_000

export function uploaderAt(client: Client, port: 'upload' | 'storage', emit: Emit): Uploading {
  const [asking, answering, qos] =
    port === 'upload'
      ? (['storage/request/newdata', 'storage/response/newdata', 2] as const)
      : (['storage/request', 'storage/response', 1] as const)
  const self: Uploading = {
    async query(as, name, text, whole = false) {
      await client.up
      const iid = uploaders[as]
      const topic = `${answering}/${iid}`
      const next = await client.hear(topic, qos)
      const cause = emit('sent', { alias: `${port}.query.${name}`, by: as, text: text.slice(0, 2000) })
      const heard = next()
      await client.publish(`${asking}/${iid}`, text, qos)
      const payload = answerOf(as, topic, await heard, patience)
      emit('seen', { alias: `${port}.${name}`, whole, payload: payload as unknown as Json }, { cause })
      return payload
    },
    async report(as, tables) {
      await client.up
      const body = { NewData: tables.map((t) => ({ [t.name]: t.ids })) }
      await client.publish(`storage/uploaded/${uploaders[as]}`, JSON.stringify(body), 1)
      emit('sent', { alias: `${port}.report`, by: as, tables: tables as unknown as Json })
      return null
    },
    async drain(as, name, request) {
      let rows = 0
      let rounds = 0
      for (; rounds < mostRounds; rounds++) {
        const a = await self.query(as, name, JSON.stringify(request), isWhole(request))
        const tables = a.tables.map((t) => ({
          name: t.name,
          ids: t.rows.flatMap((r) => (typeof r.id === 'number' ? [r.id] : [])),
        }))
        const found = tables.reduce((sum, t) => sum + t.ids.length, 0)
        rows += found
        if ((a.status !== 1 && a.status !== 8) || found === 0) break
        await self.report(as, tables)
      }
      return { rows, rounds }
    },
  }
  return self
}

/** Whether a request leaves nothing out. */
function isWhole(request: Json): boolean {
  const narrowing = ['InstanceID', 'SubTopic', 'StartTime', 'EndTime', 'MinPriority', 'MaxPriority']
  return (
    typeof request === 'object' &&
    request !== null &&
    !Object.keys(request).some((k) => narrowing.includes(k))
  )
}
