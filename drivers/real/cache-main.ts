/**
 * A disk with a write cache that loses power. Arguments: where to mount, its image, the seed of what is lost, and the file
 * that holds its state. Looking for one of these names is a command, done when the look is answered:
 * `<anything>-lose`, `-restore`, `-flush`, `-lose-at-<n>` (at the nth flush from now, or not any more: 0), and `-tell`, by
 * which its state is as it is now.
 */
import { closeSync, fstatSync, openSync, readSync, renameSync, writeFileSync, writeSync } from 'node:fs'
import { serveFile } from './fuse-file.ts'
import { loadLibc } from './libc.ts'
import { writeCache } from './write-cache.ts'
import type { Medium } from './write-cache.ts'

function main(): void {
  const [at = '', image = '', seed = '', state = ''] = process.argv.slice(2)
  const libc = loadLibc()
  // Nobody else would end it where the bench is killed.
  if (!('lacks' in libc)) libc.dieWithParent()
  const fd = openSync(image, 'r+')
  const cache = writeCache({ medium: mediumOf(fd), seed: Number(seed) })
  /** Written aside, so that it is always whole. */
  const tell = (): void => {
    writeFileSync(`${state}.new`, JSON.stringify({ powered: cache.powered, ...cache.figures }))
    renameSync(`${state}.new`, state)
  }
  serveFile(
    at,
    {
      size: fstatSync(fd).size,
      read: (from, length) => cache.read(from, length),
      write: (to, bytes) => cache.write(to, bytes),
      flush() {
        const before = cache.powered
        cache.flush()
        if (cache.powered !== before) tell()
      },
      named(name) {
        const [, word, n] = /-(lose|restore|flush|tell|lose-at-(\d+))$/.exec(name) ?? []
        if (word === undefined) return
        if (n !== undefined) cache.loseAtFlush(Number(n))
        else if (word === 'lose') cache.lose()
        else if (word === 'restore') cache.restore()
        else if (word === 'flush') cache.flush()
        tell()
      },
    },
    tell,
  )
  closeSync(fd)
}

function mediumOf(fd: number): Medium {
  return {
    read(at, length) {
      const out = Buffer.alloc(length)
      readSync(fd, out, 0, length, at)
      return out
    },
    write: (at, bytes) => void writeSync(fd, bytes, 0, bytes.length, at),
  }
}

main()
