/**
 * The batch that is on its way, on disk: until the server has it and Data Storage knows so, a loss of power changes
 * nothing about which rows it holds and under which name. `batch.gz` first, then `batch.json` by renaming: a batch is
 * there when the latter is.
 */
import { fsyncSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { isObject } from '../api.ts'
import type { Json } from '../env.ts'
import { flushFolder, makeFolder, readJson, replaceFile, type Flush } from '../sdk/disk.ts'
import { sha256Of, type Ids } from './batch.ts'

export interface Spooled {
  readonly name: string
  readonly rtu: string
  readonly sha256: string
  readonly ids: Ids
  /** Its rows, as `keyOf` tells them apart. */
  readonly rows: readonly string[]
  readonly bytes: Uint8Array
  /** Where the server lets it be sent to; undefined before that is known. */
  readonly url: string | undefined
}

export interface Spool {
  /** What was on its way, also before this program began. */
  readonly held: Spooled | undefined
  put(b: Spooled): void
  /** Notes where it is sent to. */
  at(url: string | undefined): void
  /** The server has it, and its report is on its way. `still`: uploaded before, and given by Data Storage all the same. */
  clear(still?: readonly string[]): void
  /** Whether a row was uploaded with one of the last batches. */
  has(row: string): boolean
}

/** Batches whose rows are remembered. Data Storage is asked for the oldest first, so one would do. Ours. */
const remembered = 2

/** Opens it; what a cut left half made is taken away. Throws what `fs` throws. */
export function openSpool(folder: string, { flush = fsyncSync }: { readonly flush?: Flush } = {}): Spool {
  makeFolder(folder, flush)
  const bytesFile = join(folder, 'batch.gz')
  const noteFile = join(folder, 'batch.json')
  const doneFile = join(folder, 'uploaded.json')
  let held = read()
  let done = readDone()
  let known = new Set(done.flat())

  function readDone(): readonly (readonly string[])[] {
    const list = readJson(doneFile)
    if (!Array.isArray(list)) return []
    return list.map((one) => (Array.isArray(one) ? one.filter((key) => typeof key === 'string') : []))
  }
  function read(): Spooled | undefined {
    try {
      const note = JSON.parse(readFileSync(noteFile, 'utf8')) as Json
      const bytes = readFileSync(bytesFile)
      if (!isObject(note)) return undefined
      const { name, rtu, sha256, ids, rows, url } = note
      if (typeof name !== 'string' || typeof rtu !== 'string' || !isObject(ids ?? null)) return undefined
      if (sha256Of(bytes) !== sha256) return undefined
      return {
        name,
        rtu,
        sha256,
        ids: ids as unknown as Ids,
        rows: Array.isArray(rows) ? rows.filter((key) => typeof key === 'string') : [],
        bytes,
        url: typeof url === 'string' ? url : undefined,
      }
    } catch {
      return undefined
    }
  }
  function note(b: Spooled): void {
    const { bytes: _bytes, ...rest } = b
    replaceFile(noteFile, JSON.stringify(rest), { flush })
    held = b
  }

  return {
    get held() {
      return held
    },
    put(b) {
      rmSync(noteFile, { force: true })
      replaceFile(bytesFile, b.bytes, { flush })
      note(b)
    },
    at(url) {
      if (held !== undefined && held.url !== url) note({ ...held, url })
    },
    clear(still = []) {
      done = [[...(held?.rows ?? []), ...still], ...done].slice(0, remembered)
      known = new Set(done.flat())
      replaceFile(doneFile, JSON.stringify(done), { flush })
      held = undefined
      rmSync(noteFile, { force: true })
      flushFolder(folder, flush)
      rmSync(bytesFile, { force: true })
    },
    has: (row) => known.has(row),
  }
}
