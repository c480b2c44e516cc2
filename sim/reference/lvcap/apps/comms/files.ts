/** Files that a loss of power leaves either as they were or as they are to be: written aside, flushed, renamed. */
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Json } from '../../env.ts'

/** Flushes an open file, or an open folder, to the disk itself. */
export type Flush = (fd: number) => void

/** Makes it and notes it in its parents. */
export function makeFolder(folder: string, flush: Flush): void {
  if (mkdirSync(folder, { recursive: true }) !== undefined) flushFolder(dirname(folder), flush)
}

export function flushFolder(folder: string, flush: Flush): void {
  const fd = openSync(folder, 'r')
  try {
    flush(fd)
  } finally {
    closeSync(fd)
  }
}

export function writeWhole(file: string, value: Json, flush: Flush): void {
  const fd = openSync(`${file}.new`, 'w')
  try {
    writeSync(fd, JSON.stringify(value))
    flush(fd)
  } finally {
    closeSync(fd)
  }
  renameSync(`${file}.new`, file)
  flushFolder(dirname(file), flush)
}

/** Undefined where it is not there, or no JSON. */
export function readWhole(file: string): Json | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Json
  } catch {
    return undefined
  }
}

export function removeFile(file: string, flush: Flush): void {
  rmSync(file, { force: true })
  flushFolder(dirname(file), flush)
}
