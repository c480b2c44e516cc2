/** Where data of devices lies, and how it is read. */
import { existsSync, readdirSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import type { z } from 'zod'
import { GridproofError } from '../../drivers/errors.ts'
import { readYaml } from '../../drivers/yaml.ts'

/** The project's root. */
export const root = join(import.meta.dirname, '..', '..')

/** A path as a rig or command gives it: absolute, or from the project's root. */
export function fromRoot(path: string): string {
  return isAbsolute(path) ? path : join(root, path)
}

/**
 * Reads `fixtures/<kind>/<name>.yaml`, or the file itself where the name is a path (it has a slash or ends in .yaml).
 * Throws `no-such` for an unknown name, `bad-file` with file, line, path and what was expected.
 */
export function readFixture<T>(kind: 'personalities' | 'profiles', name: string, schema: z.ZodType<T>): T {
  if (name.includes('/') || name.endsWith('.yaml')) return readYaml(fromRoot(name), schema)
  const folder = join(root, 'fixtures', kind)
  const file = join(folder, `${name}.yaml`)
  if (!existsSync(file)) {
    const there = readdirSync(folder)
      .filter((f) => f.endsWith('.yaml'))
      .map((f) => f.slice(0, -5))
    throw new GridproofError('no-such', `fixtures/${kind} has no '${name}'; there are: ${there.join(', ')}`)
  }
  return readYaml(file, schema)
}
