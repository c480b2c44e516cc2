/** Folders that a user names. */
import { mkdirSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

/**
 * Makes a folder and what lies above it, one after the other: where there can be none, Node's own recursive making may
 * try for ever (below /proc). Throws what the system says.
 */
export function makeFolders(path: string): void {
  const folder = resolve(path)
  try {
    mkdirSync(folder)
  } catch (e) {
    const code = (e as NodeJS.ErrnoException).code
    if (code === 'EEXIST') return
    const above = dirname(folder)
    if (code !== 'ENOENT' || above === folder) throw e
    makeFolders(above)
    try {
      mkdirSync(folder)
    } catch (again) {
      // Somebody else made it meanwhile; but below /proc what is made above does not come to be.
      if ((again as NodeJS.ErrnoException).code !== 'EEXIST') throw again
    }
  }
}
