/**
 * The batch that is on its way, on disk: until the server has it and Data Storage knows so, a loss of power changes
 * nothing about which rows it holds and under which name. `batch.gz` first, then `batch.json` by renaming: a batch is
 * there when the latter is.
 */
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { isObject } from '../api.ts'
import type { Json } from '../env.ts'
import { sha256Of, type Ids } from './batch.ts'

export interface Spooled {
  readonly name: string
  readonly rtu: string
  readonly sha256: string
  readonly ids: Ids
  readonly bytes: Uint8Array
  /** Where the server lets it be sent to; undefined before that is known. */
  readonly url: string | undefined
}

export interface SpoolIo {
  /** Flushes an open file, or an open folder, to the disk itself. */
  flush(fd: number): void
}

export interface Spool {
  /** What was on its way, also before this program began. */
  readonly held: Spooled | undefined
  put(b: Spooled): void
  /** Notes where it is sent to. */
  at(url: string | undefined): void
  clear(): void
}

/** Opens it; what a cut left half made is taken away. Throws what `fs` throws. */
export function openSpool(folder: string, io: SpoolIo = { flush: fsyncSync }): Spool {
  mkdirSync(folder, { recursive: true })
  const bytesFile = join(folder, 'batch.gz')
  const noteFile = join(folder, 'batch.json')
  let held = read()

  function read(): Spooled | undefined {
    try {
      const note = JSON.parse(readFileSync(noteFile, 'utf8')) as Json
      const bytes = readFileSync(bytesFile)
      if (!isObject(note)) return undefined
      const { name, rtu, sha256, ids, url } = note
      if (typeof name !== 'string' || typeof rtu !== 'string' || !isObject(ids ?? null)) return undefined
      if (sha256Of(bytes) !== sha256) return undefined
      return {
        name,
        rtu,
        sha256,
        ids: ids as unknown as Ids,
        bytes,
        url: typeof url === 'string' ? url : undefined,
      }
    } catch {
      return undefined
    }
  }
  function write(file: string, bytes: Uint8Array): void {
    const fd = openSync(`${file}.new`, 'w')
    try {
      for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done)
      io.flush(fd)
    } finally {
      closeSync(fd)
    }
    renameSync(`${file}.new`, file)
  }
  function flushFolder(): void {
    const fd = openSync(folder, 'r')
    try {
      io.flush(fd)
    } finally {
      closeSync(fd)
    }
  }
  function note(b: Spooled): void {
    const { bytes: _bytes, ...rest } = b
    write(noteFile, Buffer.from(JSON.stringify(rest)))
    flushFolder()
    held = b
  }

  return {
    get held() {
      return held
    },
    put(b) {
      rmSync(noteFile, { force: true })
      write(bytesFile, b.bytes)
      flushFolder()
      note(b)
    },
    at(url) {
      if (held !== undefined && held.url !== url) note({ ...held, url })
    },
    clear() {
      held = undefined
      rmSync(noteFile, { force: true })
      flushFolder()
      rmSync(bytesFile, { force: true })
    },
  }
}
