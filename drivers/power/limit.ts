/** How often one outlet has been switched off within the last hour, over all runs of this machine. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { GridproofError } from '../errors.ts'
import { stateFolder } from '../real/ledger.ts'

const hour = 3_600_000

/** By outlet, the times at which it was switched off, ms since 1970. */
type Operations = Record<string, number[]>

export interface OperationLimit {
  /** Notes one more. Throws `not-capable` where it would be one too many. */
  take(now: number): void
}

export function operationLimit(outlet: string, most: number, state: string = stateFolder()): OperationLimit {
  const file = join(state, 'power-operations.json')
  return {
    take(now) {
      const all = read(file)
      const mine = (all[outlet] ?? []).filter((t) => t > now - hour && t <= now)
      if (mine.length >= most) {
        const free = Math.ceil(((mine[mine.length - most] ?? now) + hour - now) / 60_000)
        throw new GridproofError(
          'not-capable',
          `${outlet} was switched off ${mine.length} times within an hour, and ${most} are allowed (operationsAnHour): again in ${free} min`,
        )
      }
      all[outlet] = [...mine, now]
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(`${file}.new`, JSON.stringify(all))
      renameSync(`${file}.new`, file)
    },
  }
}

/** Nothing where there is no file, or none that can be read. */
function read(file: string): Operations {
  try {
    const all = JSON.parse(readFileSync(file, 'utf8')) as unknown
    if (typeof all !== 'object' || all === null) return {}
    return Object.fromEntries(
      Object.entries(all).map(([k, v]) => [
        k,
        Array.isArray(v) ? v.filter((t): t is number => typeof t === 'number') : [],
      ]),
    )
  } catch {
    return {}
  }
}
