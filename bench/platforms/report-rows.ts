/** What an upload application of the bench asks of Data Storage and reports, for scenarios that judge something else. */
import type { Json } from '../../drivers/faces.ts'
import type { Platform } from '../faces.ts'

/** The rows of an answer, as a report of their upload names them. */
export function rowsIn(answer: Json): readonly { readonly name: string; readonly ids: readonly number[] }[] {
  // A platform may answer anything; of a rehearsal and in trouble there is nothing.
  const a = answer as {
    readonly tables?: readonly { readonly name: string; readonly rows: readonly { readonly id: number }[] }[]
  } | null
  return (a?.tables ?? []).map((t) => ({ name: t.name, ids: t.rows.map((r) => r.id) }))
}

/** Asks for at most so many rows, the oldest first, and reports them as uploaded. */
export async function uploadSome(platform: Platform, max: number): Promise<void> {
  const request = { MaxLength: max, PreferOldest: true }
  const answer = await platform.ask('upload', { do: 'query', name: 'some', request })
  await platform.ask('upload', { do: 'report', tables: rowsIn(answer) })
}
