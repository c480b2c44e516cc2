/** Textbook ways to keep something on a disk, sound and flawed: by them the explorer itself is known to find what it is for. */
import {
  closeSync,
  existsSync,
  fdatasyncSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { itemOf, textOfItem, type Subject } from './subject.ts'

function flushFolder(folder: string): void {
  const fd = openSync(folder, 'r')
  fsyncSync(fd)
  closeSync(fd)
}

/** Lines at the end of one file. */
function appends(id: string, describes: string, flush: boolean): Subject {
  return {
    id,
    describes,
    is: flush ? 'sound' : 'flawed',
    of: 'textbook',
    write(folder, n, promised) {
      const fd = openSync(join(folder, 'lines'), 'a')
      if (flush) flushFolder(folder)
      for (let i = 0; i < n; i++) {
        writeSync(fd, `${textOfItem(i)}\n`)
        if (flush) fdatasyncSync(fd)
        promised(i)
      }
      closeSync(fd)
    },
    read(folder) {
      const file = join(folder, 'lines')
      const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : []
      // The last one may be torn: it was never promised.
      const items = lines.map(itemOf).filter((i) => i !== undefined)
      return { items: new Set(items), damaged: [] }
    },
  }
}

/** One file that is replaced each time. */
function replaces(
  id: string,
  describes: string,
  flush: { readonly file: boolean; readonly folder: boolean },
): Subject {
  return {
    id,
    describes,
    is: flush.file && flush.folder ? 'sound' : 'flawed',
    of: 'textbook',
    write(folder, n, promised) {
      for (let i = 0; i < n; i++) {
        const fd = openSync(join(folder, 'state.new'), 'w')
        writeSync(fd, textOfItem(i))
        if (flush.file) fsyncSync(fd)
        closeSync(fd)
        renameSync(join(folder, 'state.new'), join(folder, 'state'))
        if (flush.folder) flushFolder(folder)
        promised(i)
      }
    },
    read(folder) {
      const file = join(folder, 'state')
      if (!existsSync(file)) return { items: new Set(), damaged: [] }
      const text = readFileSync(file, 'utf8')
      const last = itemOf(text)
      if (last === undefined)
        return { items: new Set(), damaged: [`the file holds ${text.length} B of nothing`] }
      // Whoever holds a later one has no need of those before.
      return { items: new Set(Array.from({ length: last + 1 }, (_, i) => i)), damaged: [] }
    },
  }
}

export const textbook: readonly Subject[] = [
  appends('no-fsync', 'Appends lines, and never flushes.', false),
  replaces('rename-without-fsync', 'Writes a file aside and renames it, and never flushes.', {
    file: false,
    folder: false,
  }),
  replaces(
    'no-folder-fsync',
    'Writes a file aside, flushes it and renames it, and does not flush the folder.',
    {
      file: true,
      folder: false,
    },
  ),
  appends('append-and-fsync', 'Appends lines, and flushes each.', true),
  replaces('replace-and-fsync', 'Writes a file aside, flushes it, renames it, and flushes the folder.', {
    file: true,
    folder: true,
  }),
]
