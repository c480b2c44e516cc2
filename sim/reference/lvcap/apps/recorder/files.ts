/**
 * The recorder's files: `<number>_<day>.csv`, numbered in the order of their beginning, each with its header line. What
 * `append` has taken is with the operating system when it returns, so that the program's end costs nothing; it is on
 * the disk itself after the next `sync`.
 *
 * A full disk, or more than `keepBytes`, costs the oldest file. Where that does not help, `append` throws, and the file
 * still ends with a whole line.
 */
import {
  closeSync,
  fdatasyncSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import type { JsonObject } from '../../env.ts'
import { LvcapError, textOf } from '../../errors.ts'
import type { RecorderConfig } from './config.ts'
import { remembered, type Key } from './resume.ts'
import { fieldsOf, headerLine, wholeLines } from './row.ts'

export interface FileFacts {
  readonly name: string
  readonly bytes: number
}

export interface FileParts {
  /** The first line of each file, with its line end. */
  header(config: RecorderConfig): string
  /** Whether the next line belongs into a new file. `day`: of the file's beginning, as `2018-01-15`. */
  full(file: FileFacts & { readonly day: string }, now: number, config: RecorderConfig): boolean
  /** Names of files that give way; `files` oldest first, the last one is being written. */
  expired(files: readonly FileFacts[], config: RecorderConfig): readonly string[]
  /** Hands bytes to the operating system; returns how many it took. */
  write(fd: number, bytes: Uint8Array): number
  /** Has the disk itself take what was written. */
  flush(fd: number): void
}

export const shippedFileParts: FileParts = {
  header: headerLine,
  full: (file, now, config) =>
    file.bytes >= config.rotate.bytes || (config.rotate.daily && file.day !== dayOf(now)),
  expired(files, config) {
    let sum = files.reduce((n, f) => n + f.bytes, 0)
    const gone: string[] = []
    for (const f of files.slice(0, -1)) {
      if (sum <= config.keepBytes) break
      sum -= f.bytes
      gone.push(f.name)
    }
    return gone
  },
  write: (fd, bytes) => writeSync(fd, bytes),
  flush: (fd) => fdatasyncSync(fd),
}

export interface RecordFiles {
  /**
   * Keeps one line, with its line end.
   * @throws LvcapError `disk`: nothing of it was kept.
   */
  append(line: string, now: number): void
  /** Flushes to the disk itself what was not yet. */
  sync(): void
  close(): void
  /** The last lines kept before this program began, oldest first. */
  readonly tail: readonly Key[]
  counts(): { readonly files: number; readonly bytes: number; readonly unsynced: number }
}

interface Open {
  readonly name: string
  readonly fd: number
  readonly day: string
  bytes: number
}

const pattern = /^(\d{8})_(\d{4}-\d\d-\d\d)\.csv$/

/** Opens the folder, and mends the end of the last file where a line is torn. @throws LvcapError `disk`. */
export function openRecords(
  folder: string,
  config: RecorderConfig,
  parts: FileParts,
  log: (entry: JsonObject) => void,
): RecordFiles {
  const header = parts.header(config)
  const at = (name: string): string => join(folder, name)
  let unsynced = 0

  const syncFolder = (): void => {
    const fd = openSync(folder, 'r')
    try {
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
  }

  /** Cuts off what a loss of power has torn, and remembers the last lines. */
  const mend = (name: string): { readonly same: boolean; readonly bytes: number; readonly keys: Key[] } => {
    const bytes = readFileSync(at(name))
    const { end, starts } = wholeLines(bytes)
    if (end < bytes.length) {
      const fd = openSync(at(name), 'r+')
      try {
        ftruncateSync(fd, end)
        fsyncSync(fd)
      } finally {
        closeSync(fd)
      }
      log({ event: 'mended', file: name, bytes: bytes.length - end })
    }
    const line = (i: number): string =>
      bytes.toString('utf8', starts[i], starts[i + 1] ?? end).replace(/\r?\n$/, '')
    const names = starts.length === 0 ? [] : fieldsOf(line(0))
    const [topic, payload] = [names.indexOf('Topic'), names.indexOf('Payload')]
    const keys: Key[] = []
    for (let i = Math.max(1, starts.length - remembered); i < starts.length; i++) {
      const fields = fieldsOf(line(i))
      keys.push({ topic: fields[topic] ?? '', payload: fields[payload] ?? '' })
    }
    return { same: starts.length > 0 && `${line(0)}\r\n` === header, bytes: end, keys }
  }

  const begin = (name: string, bytes: number): Open => {
    const fd = openSync(at(name), 'a')
    const file = { name, fd, day: name.slice(9, 19), bytes }
    if (bytes === 0) {
      put(file, Buffer.from(header))
      parts.flush(fd)
      syncFolder()
    }
    return file
  }

  /** Writes all of it or nothing. */
  const put = (file: Open, bytes: Buffer): void => {
    let done = 0
    try {
      while (done < bytes.length) done += parts.write(file.fd, bytes.subarray(done))
    } catch (error) {
      ftruncateSync(file.fd, file.bytes)
      throw error
    }
    file.bytes += bytes.length
  }

  const names = (): string[] =>
    readdirSync(folder)
      .filter((n) => pattern.test(n))
      .sort()
  const files: FileFacts[] = []
  const tail: Key[] = []
  let current: Open | undefined
  let number = 0
  try {
    mkdirSync(folder, { recursive: true })
    for (const name of names()) files.push({ name, bytes: statSync(at(name)).size })
    number = Number(files.at(-1)?.name.slice(0, 8) ?? 0)
    // One more than the last, which may have been begun a moment ago.
    for (const f of files.slice(-2)) {
      const mended = mend(f.name)
      tail.push(...mended.keys)
      files[files.findIndex((x) => x.name === f.name)] = { name: f.name, bytes: mended.bytes }
      if (f.name === files.at(-1)?.name && (mended.same || mended.bytes === 0)) {
        files.pop()
        current = begin(f.name, mended.bytes)
      }
    }
  } catch (error) {
    throw new LvcapError('disk', `The folder ${folder} cannot be used: ${textOf(error)}`, error)
  }

  const all = (): FileFacts[] => [
    ...files,
    ...(current === undefined ? [] : [{ name: current.name, bytes: current.bytes }]),
  ]
  const giveUp = (name: string, why: string): void => {
    rmSync(at(name), { force: true })
    const i = files.findIndex((f) => f.name === name)
    if (i >= 0) files.splice(i, 1)
    log({ event: 'file-given-up', file: name, why })
  }
  const sync = (): void => {
    if (unsynced === 0 || current === undefined) return
    parts.flush(current.fd)
    unsynced = 0
  }
  const close = (): void => {
    if (current === undefined) return
    sync()
    closeSync(current.fd)
    files.push({ name: current.name, bytes: current.bytes })
    current = undefined
  }

  const keep = (line: Buffer, now: number): void => {
    if (current !== undefined && parts.full(current, now, config)) close()
    if (current === undefined) {
      current = begin(`${String(number + 1).padStart(8, '0')}_${dayOf(now)}.csv`, 0)
      number++
      for (const name of parts.expired(all(), config)) giveUp(name, 'more than may be kept')
    }
    put(current, line)
    unsynced += line.length
  }

  return {
    tail: tail.slice(-remembered),
    append(line, now) {
      const bytes = Buffer.from(line)
      for (;;) {
        try {
          keep(bytes, now)
          return
        } catch (error) {
          const oldest = files[0]
          if (!isFull(error) || oldest === undefined)
            throw new LvcapError('disk', `A line was not kept: ${textOf(error)}`, error)
          giveUp(oldest.name, 'the disk is full')
        }
      }
    },
    sync,
    close,
    counts: () => ({
      files: files.length + (current === undefined ? 0 : 1),
      bytes: all().reduce((n, f) => n + f.bytes, 0),
      unsynced,
    }),
  }
}

function isFull(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return code === 'ENOSPC' || code === 'EDQUOT'
}

/** The UTC day. */
function dayOf(now: number): string {
  return new Date(now).toISOString().slice(0, 10)
}
