/**
 * What was obeyed, kept over restarts: a command that the marketplace delivers again after one is known. Written to the
 * disk before the breaker is touched.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { replaceFile } from '../../sdk/disk.ts'
import { readObeyed, type Obeyed } from './obey.ts'

export interface Journal {
  recall(): readonly Obeyed[]
  /** @throws where the disk takes nothing. */
  remember(obeyed: readonly Obeyed[]): void
}

export function journalIn(folder: string): Journal {
  const file = join(folder, 'obeyed.json')
  return {
    recall() {
      try {
        return readObeyed(JSON.parse(readFileSync(file, 'utf8')))
      } catch {
        // None yet, or torn by a loss of power before it was complete: then no breaker was touched either.
        return []
      }
    },
    remember(obeyed) {
      replaceFile(file, JSON.stringify(obeyed))
    },
  }
}
