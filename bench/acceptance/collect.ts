/** What was handed in: which folder is a run, which a record, and which holds records. */
import { existsSync, readdirSync, realpathSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { GridproofError } from '../../drivers/errors.ts'
import { compareText } from '../requirements/ids.ts'

export interface Found {
  /** Name that no other of its kind has: the folder's own, with a number behind it where two are alike. */
  readonly id: string
  /** Absolute. */
  readonly folder: string
}

export interface Handed {
  readonly runs: readonly Found[]
  readonly records: readonly Found[]
  /** Folders of the bench that are no evidence of a product. */
  readonly proofs: readonly string[]
}

/**
 * Sorts folders: a run has log.jsonl, a record has record.json; a folder without either is looked into, one level deep,
 * and two for an earlier acceptance (its runs/ and records/). Each counts once, however often and by whatever link it is
 * named. Throws `usage` for what is neither and holds neither.
 */
export function collectInputs(folders: readonly string[]): Handed {
  const runs = new Map<string, Found>()
  const records = new Map<string, Found>()
  const proofs = new Set<string>()
  const put = (into: Map<string, Found>, folder: string): void => {
    if (into.has(folder)) return
    const taken = new Set([...into.values()].map((f) => f.id))
    const name = basename(folder)
    let id = name
    for (let n = 2; taken.has(id); n++) id = `${name}-${n}`
    into.set(folder, { id, folder })
  }
  const take = (folder: string): boolean => {
    if (existsSync(join(folder, 'record.json'))) put(records, folder)
    else if (existsSync(join(folder, 'log.jsonl'))) put(runs, folder)
    else if (existsSync(join(folder, 'prove.json'))) proofs.add(basename(folder))
    else return false
    return true
  }
  for (const given of folders) {
    const folder = realFolder(given)
    if (take(folder)) continue
    const inside = below(folder).flatMap((f) =>
      ['runs', 'records'].includes(basename(f)) && existsSync(join(folder, 'acceptance.json'))
        ? below(f)
        : [f],
    )
    if (inside.filter(take).length === 0)
      throw new GridproofError('usage', `'${given}' is no run and no record, and holds none`)
  }
  return { runs: [...runs.values()], records: [...records.values()], proofs: [...proofs] }
}

function realFolder(given: string): string {
  if (existsSync(given) && statSync(given).isDirectory()) return realpathSync(given)
  throw new GridproofError('usage', `there is no folder '${given}'`)
}

function below(folder: string): string[] {
  return readdirSync(folder)
    .sort(compareText)
    .map((f) => join(folder, f))
    .filter((f) => existsSync(f) && statSync(f).isDirectory())
    .map((f) => realpathSync(f))
}
