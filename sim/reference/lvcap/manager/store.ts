/** Configuration files of the applications, on the Container Manager's own disk (API section 9.5). */
import { join } from 'node:path'
import { isObject } from '../api.ts'
import type { JsonObject } from '../env.ts'
import { makeFolder, readJson, replaceFile } from '../sdk/disk.ts'

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
      const value = readJson(file(iid))
      if (value === undefined || !isObject(value) || value['ContainerName'] !== iid) return undefined
      const config = value['ContainerConfig']
      return isObject(config) ? config : undefined
    },
    save(iid, config) {
      makeFolder(folder)
      replaceFile(file(iid), `${JSON.stringify({ ContainerName: iid, ContainerConfig: config }, null, 1)}\n`)
    },
  }
}
