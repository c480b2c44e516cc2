/** Notices that the server has yet to take, one file each, in the order in which they were written. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { isObject } from '../../api.ts'
import type { JsonObject } from '../../env.ts'
import { makeFolder, readJson, removeFile, replaceFile, type Flush } from '../../sdk/disk.ts'

export interface Notices {
  add(name: string, body: JsonObject): void
  /** The oldest. */
  next(): { readonly name: string; readonly body: JsonObject } | undefined
  taken(name: string): void
}

/** @param folder of its own. */
export function openNotices(folder: string, flush: Flush): Notices {
  makeFolder(folder, flush)
  return {
    add(name, body) {
      replaceFile(join(folder, `${name}.json`), JSON.stringify(body), { flush })
    },
    next() {
      for (const f of readdirSync(folder)
        .filter((n) => n.endsWith('.json'))
        .sort()) {
        const body = readJson(join(folder, f))
        if (isObject(body ?? null)) return { name: f.slice(0, -'.json'.length), body: body as JsonObject }
        removeFile(join(folder, f), flush)
      }
      return undefined
    },
    taken(name) {
      removeFile(join(folder, `${name}.json`), flush)
    },
  }
}
