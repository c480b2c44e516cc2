/** The user's own material: scenarios, requirements, personalities and rigs in folders outside the project. */
import { existsSync, statSync } from 'node:fs'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { GridproofError } from '../../drivers/errors.ts'
import { shippedCatalogue } from '../requirements/load.ts'
import { readRig } from '../rigs/schema.ts'
import type { RigFile } from '../rigs/schema.ts'

/** Root of the project. */
export const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '')

/** Folders, absolute. Those of one kind count together; the project's own are among them only where asked for. */
export interface Material {
  readonly scenarios: readonly string[]
  readonly requirements: readonly string[]
  /** Looked through before those of the project. */
  readonly personalities: readonly string[]
  /** Looked through before those of the project. */
  readonly rigs: readonly string[]
}

/** What a command line gives: folders, and the word `shipped` for what comes with the project. */
export interface MaterialOptions {
  readonly scenarios?: readonly string[]
  readonly requirements?: readonly string[]
  readonly personalities?: readonly string[]
  readonly rigs?: readonly string[]
}

/** The word for what comes with the project. */
const shipped = 'shipped'

/** Reads what a command line gives. Throws `usage` for what is no folder. */
export function readMaterial(o: MaterialOptions = {}): Material {
  const folders = (option: string, given: readonly string[] | undefined, own?: string): readonly string[] => {
    if (given === undefined) return own === undefined ? [] : [own]
    return [...new Set(given.map((f) => (f === shipped && own !== undefined ? own : folderOf(option, f))))]
  }
  return {
    scenarios: folders('--scenarios', o.scenarios, join(root, 'scenarios')),
    requirements: folders('--requirements', o.requirements, shippedCatalogue),
    personalities: folders('--personalities', o.personalities),
    rigs: folders('--rigs', o.rigs),
  }
}

function folderOf(option: string, given: string): string {
  const folder = resolve(given)
  if (existsSync(folder) && statSync(folder).isDirectory()) return folder
  throw new GridproofError('usage', `${option}: '${given}' is no folder`)
}

/**
 * Reads a rig file, and finds the personalities that it names: a bare name in these folders before the project's, a path
 * from the rig file's own folder before the project's root.
 */
export function readRigWith(file: string, personalities: readonly string[]): RigFile {
  const rig = readRig(file)
  const find = (name: string): string => {
    const places =
      name.includes('/') || name.endsWith('.yaml')
        ? isAbsolute(name)
          ? []
          : [join(resolve(dirname(file)), name)]
        : personalities.map((f) => join(f, `${name}.yaml`))
    return places.find((p) => existsSync(p)) ?? name
  }
  const roles = Object.fromEntries(
    Object.entries(rig.roles).map(([role, entry]) => {
      const name = entry !== undefined && 'device' in entry ? entry.options?.['personality'] : undefined
      if (entry === undefined || !('device' in entry) || typeof name !== 'string') return [role, entry]
      return [role, { ...entry, options: { ...entry.options, personality: find(name) } }]
    }),
  )
  return { ...rig, roles }
}
