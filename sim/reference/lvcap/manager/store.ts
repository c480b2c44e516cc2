/** Configuration files of the applications, on the Container Manager's own disk (API section 9.5). */
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { isObject } from '../api.ts'
import type { JsonObject } from '../env.ts'

export interface ConfigStore {
  /** The stored ContainerConfig; undefined where none is stored, or what is stored cannot be read. */
  load(iid: string): JsonObject | undefined
  /** Stored when this returns: written aside, flushed, and renamed. */
  save(iid: string, config: JsonObject): void
}

export function configStore(disk: string): ConfigStore {
  const folder = join(disk, 'config')
  const file = (iid: string): string => join(folder, `${iid}.json`)
  return {
    load(iid) {
      let value: unknown
      try {
        value = JSON.parse(readFileSync(file(iid), 'utf8'))
      } catch {
        return undefined
      }
      if (!isObject(value) || value['ContainerName'] !== iid) return undefined
      const config = value['ContainerConfig']
      return isObject(config) ? config : undefined
    },
    save(iid, config) {
      mkdirSync(folder, { recursive: true })
      const aside = `${file(iid)}.new`
      const fd = openSync(aside, 'w')
      try {
        writeSync(fd, `${JSON.stringify({ ContainerName: iid, ContainerConfig: config }, null, 1)}\n`)
        fsyncSync(fd)
      } finally {
        closeSync(fd)
      }
      renameSync(aside, file(iid))
      const dir = openSync(folder, 'r')
      try {
        fsyncSync(dir)
      } finally {
        closeSync(dir)
      }
    },
  }
}
