/**
 * Uploads in progress, on disk: `<id>.json` (what it is) and `<id>.part` (its bytes so far). An offset that this store
 * tells is on the disk itself: it never goes back, whatever happens to the power. So is the file's own existence: its
 * folder is flushed before an ID is told to anybody.
 */
import {
  closeSync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import type { Instant } from '../../../drivers/faces.ts'

/** What an upload is; it does not change. */
export interface UploadFacts {
  readonly id: string
  /** Bytes in all. */
  readonly length: number
  /** Whoever made it: nobody else may touch it. */
  readonly owner: string
  readonly metadata: Readonly<Record<string, string>>
  readonly created: Instant
}

export interface Upload extends UploadFacts {
  /** Bytes that are on the disk. */
  readonly offset: number
}

/** The seams of a store: what a wrong one does otherwise. */
export interface StoreIo {
  /** Flushes a file's bytes to the disk itself. */
  flush(fd: number): void
  /** Flushes a folder, so that a new name in it stays. */
  flushFolder(folder: string): void
}

export const soundIo: StoreIo = {
  flush: (fd) => fdatasyncSync(fd),
  flushFolder(folder) {
    const fd = openSync(folder, 'r')
    try {
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
  },
}

export interface UploadStore {
  create(u: UploadFacts): void
  find(id: string): Upload | undefined
  /** Appends to what is there, without flushing; `flush` makes it last. Throws what `fs` throws: nothing of it counts then. */
  append(id: string, bytes: Uint8Array): void
  /** Everything that was appended to an upload is on the disk; gives its offset. */
  flush(id: string): number
  /** Takes what was appended beyond `offset` away again. */
  cut(id: string, offset: number): void
  read(id: string): Buffer
  remove(id: string): void
  all(): readonly Upload[]
  close(): void
}

/** Opens the folder, which is made where it is not there. What a cut left half made is taken away. */
export function openUploads(folder: string, io: StoreIo = soundIo): UploadStore {
  mkdirSync(folder, { recursive: true })
  const facts = new Map<string, UploadFacts>()
  const files = new Map<string, { readonly fd: number; dirty: boolean }>()
  const partOf = (id: string): string => join(folder, `${id}.part`)
  const factsOf = (id: string): string => join(folder, `${id}.json`)

  for (const name of readdirSync(folder)) {
    const id = name.replace(/\.(json|part|new)$/, '')
    if (name.endsWith('.new')) rmSync(join(folder, name), { force: true })
    if (!name.endsWith('.json')) continue
    const u = readFacts(factsOf(id))
    if (u === undefined) rmSync(factsOf(id), { force: true })
    else facts.set(id, u)
  }
  for (const name of readdirSync(folder)) {
    const id = name.replace(/\.part$/, '')
    if (name.endsWith('.part') && !facts.has(id)) rmSync(join(folder, name), { force: true })
  }

  const open = (id: string): { readonly fd: number; dirty: boolean } => {
    let f = files.get(id)
    if (f === undefined) {
      f = { fd: openSync(partOf(id), 'a'), dirty: false }
      files.set(id, f)
    }
    return f
  }
  const sizeOf = (id: string): number => {
    const f = files.get(id)
    if (f !== undefined) return fstatSync(f.fd).size
    return statSync(partOf(id), { throwIfNoEntry: false })?.size ?? 0
  }
  const shut = (id: string): void => {
    const f = files.get(id)
    files.delete(id)
    if (f !== undefined) closeSync(f.fd)
  }
  const find = (id: string): Upload | undefined => {
    const u = facts.get(id)
    return u === undefined ? undefined : { ...u, offset: sizeOf(id) }
  }

  return {
    create(u) {
      const part = openSync(partOf(u.id), 'w')
      try {
        io.flush(part)
      } finally {
        closeSync(part)
      }
      const fd = openSync(`${factsOf(u.id)}.new`, 'w')
      try {
        writeSync(fd, JSON.stringify(u))
        io.flush(fd)
      } finally {
        closeSync(fd)
      }
      renameSync(`${factsOf(u.id)}.new`, factsOf(u.id))
      io.flushFolder(folder)
      facts.set(u.id, u)
    },
    find,
    append(id, bytes) {
      const f = open(id)
      const before = fstatSync(f.fd).size
      try {
        for (let done = 0; done < bytes.length;) done += writeSync(f.fd, bytes, done)
      } catch (e) {
        truncateSync(partOf(id), before)
        throw e
      }
      f.dirty = true
    },
    flush(id) {
      const f = open(id)
      if (f.dirty) io.flush(f.fd)
      f.dirty = false
      const size = fstatSync(f.fd).size
      // Nothing more comes: no file is held open for it.
      if (size === facts.get(id)?.length) shut(id)
      return size
    },
    cut(id, offset) {
      shut(id)
      truncateSync(partOf(id), offset)
      const f = open(id)
      f.dirty = true
    },
    read: (id) => readFileSync(partOf(id)),
    remove(id) {
      shut(id)
      facts.delete(id)
      rmSync(factsOf(id), { force: true })
      rmSync(partOf(id), { force: true })
      io.flushFolder(folder)
    },
    all: () => [...facts.keys()].flatMap((id) => find(id) ?? []),
    close() {
      for (const id of files.keys()) shut(id)
    },
  }
}

/** Undefined where it is not what this store wrote: a cut took part of it. */
function readFacts(file: string): UploadFacts | undefined {
  try {
    const u = JSON.parse(readFileSync(file, 'utf8')) as UploadFacts
    return typeof u.id === 'string' && typeof u.length === 'number' ? u : undefined
  } catch {
    return undefined
  }
}
