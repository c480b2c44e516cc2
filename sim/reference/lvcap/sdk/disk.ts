/** Files that a loss of power leaves either as they were or as they are to be: written aside, flushed, renamed. */
import { createHash } from 'node:crypto'
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { Json } from '../env.ts'

/** Flushes an open file, or an open folder, to the disk itself. */
export type Flush = (fd: number) => void

const toDisk: Flush = (fd) => fsyncSync(fd)

/** Makes it with what is missing above it, each noted in its parent. Throws what `fs` throws. */
export function makeFolder(folder: string, flush: Flush = toDisk): void {
  const made = mkdirSync(folder, { recursive: true })
  if (made === undefined) return
  const first = resolve(made).length
  for (let f = resolve(folder); f.length >= first; f = dirname(f)) flushFolder(dirname(f), flush)
}

/** What stands in it, by which name, is on the disk when this returns. Throws what `fs` throws. */
export function flushFolder(folder: string, flush: Flush = toDisk): void {
  let fd: number
  try {
    fd = openSync(folder, 'r')
  } catch (error) {
    // Where a system opens no folder, a rename is durable by itself.
    if ((error as NodeJS.ErrnoException).code === 'EISDIR') return
    throw error
  }
  try {
    flush(fd)
  } finally {
    closeSync(fd)
  }
}

export interface Replacing {
  readonly flush?: Flush
  /** Access bits of a new file, as of `open`. */
  readonly mode?: number
}

/**
 * The file, in a folder that is there, holds `bytes` when this returns, and keeps what it held before until then, whole.
 * Throws what `fs` throws.
 */
export function replaceFile(
  file: string,
  bytes: string | Uint8Array,
  { flush = toDisk, mode }: Replacing = {},
): void {
  const aside = `${file}.new`
  const fd = openSync(aside, 'w', mode)
  try {
    const all = typeof bytes === 'string' ? Buffer.from(bytes) : bytes
    for (let done = 0; done < all.length;) done += writeSync(fd, all, done)
    flush(fd)
  } finally {
    closeSync(fd)
  }
  renameSync(aside, file)
  flushFolder(dirname(file), flush)
}

/** SHA-256, hexadecimal, of what stands in it, read in parts. Throws what `fs` throws. */
export function sha256OfFile(file: string): string {
  const hash = createHash('sha256')
  const buffer = Buffer.alloc(65_536)
  const fd = openSync(file, 'r')
  try {
    for (let n = readSync(fd, buffer); n > 0; n = readSync(fd, buffer)) hash.update(buffer.subarray(0, n))
  } finally {
    closeSync(fd)
  }
  return hash.digest('hex')
}

/** Undefined where it is not there, or no JSON. */
export function readJson(file: string): Json | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Json
  } catch {
    return undefined
  }
}

/** It is gone when this returns, and stays gone. Throws what `fs` throws. */
export function removeFile(file: string, flush: Flush = toDisk): void {
  rmSync(file, { force: true })
  flushFolder(dirname(file), flush)
}
