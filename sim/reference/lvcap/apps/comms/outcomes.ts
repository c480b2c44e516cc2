/** What has become of updates that were fetched, as the Container Manager leaves it on the disk: the server is told once. */
import { join } from 'node:path'
import { z } from 'zod'
import { readJson, replaceFile, type Flush } from '../../sdk/disk.ts'
import { decisionFile, decisionSchema, type Decision } from '../../updates/decision.ts'
import type { Job } from './downloads.ts'

export interface Outcomes {
  /** Undefined: there is none yet, or the server knows. */
  news(j: Job): Decision | undefined
  told(j: Job, d: Decision): void
}

const toldSchema = z.record(z.string(), z.string())

/** @param folder of the application's own. */
export function openOutcomes(disk: string, folder: string, flush: Flush): Outcomes {
  const file = join(folder, 'outcomes.json')
  const read = toldSchema.safeParse(readJson(file))
  const told = new Map(Object.entries(read.success ? read.data : {}))
  return {
    news(j) {
      const d = decisionSchema.safeParse(readJson(decisionFile(disk, j.sha256)))
      return d.success && told.get(j.sha256) !== d.data.state ? d.data : undefined
    },
    told(j, d) {
      told.set(j.sha256, d.state)
      replaceFile(file, JSON.stringify(Object.fromEntries(told)), { flush })
    },
  }
}
