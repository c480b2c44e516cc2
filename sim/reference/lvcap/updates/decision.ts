/** What became of an update, in a file of its own by the digest of its package, where whoever fetched it finds it. */
import { join } from 'node:path'
import { z } from 'zod'

export const decisionSchema = z.looseObject({
  state: z.enum(['applied', 'returned', 'refused']),
  why: z.string(),
})
/** Applied; tried, and what was before is back; or not touched at all. */
export type Decision = Readonly<z.infer<typeof decisionSchema>>

/** Folder below the disk. */
export function decisionFolder(disk: string): string {
  return join(disk, 'updates', 'decided')
}

/** @param digest SHA-256 of the package, hexadecimal. */
export function decisionFile(disk: string, digest: string): string {
  return join(decisionFolder(disk), `${digest}.json`)
}
