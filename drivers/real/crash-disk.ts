/** Puts states in which a loss of power may leave a disk on an image, one after the other, and mounts them. */
import { closeSync, ftruncateSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { GridproofError } from '../errors.ts'
import { loadBlock } from './block.ts'
import type { CrashState, LogEntry } from './write-log.ts'

const blockBytes = 4096

export interface CrashDisks {
  /** Image of a state; one at a time. States come in the order of their `durable`. */
  put(state: CrashState): void
  /** Mounts it, and gives what `look` gives; undefined where it cannot be mounted. */
  mounted<T>(look: (folder: string) => T): { readonly value: T } | undefined
  /** Where the image is. */
  readonly image: string
}

/** `image`: what the disk held before the log began. `folder`: of its own, in memory. */
export function crashDisks(o: {
  readonly folder: string
  readonly image: string
  readonly log: readonly LogEntry[]
}): CrashDisks {
  const block = loadBlock()
  if ('lacks' in block) throw new GridproofError('not-capable', block.lacks)
  const before = readFileSync(o.image)
  const blocks = new Map<number, Buffer>()
  for (let at = 0; at < before.length; at += blockBytes) {
    const b = before.subarray(at, at + blockBytes)
    if (!b.equals(zeros)) blocks.set(at, Buffer.from(b))
  }
  const image = join(o.folder, 'state.img')
  const path = join(o.folder, 'state')
  mkdirSync(path, { recursive: true })
  let applied = 0

  /** Writes into blocks; those of others are copied first. */
  const write = (
    into: Map<number, Buffer>,
    own: Set<number> | undefined,
    at: number,
    bytes: Uint8Array,
  ): void => {
    for (let i = 0; i < bytes.length;) {
      const start = Math.floor((at + i) / blockBytes) * blockBytes
      const n = Math.min(bytes.length - i, start + blockBytes - (at + i))
      let b = into.get(start)
      if (b === undefined || (own !== undefined && !own.has(start))) {
        b = b === undefined ? Buffer.alloc(blockBytes) : Buffer.from(b)
        into.set(start, b)
        own?.add(start)
      }
      b.set(bytes.subarray(i, i + n), at + i - start)
      i += n
    }
  }
  return {
    image,
    put(state) {
      if (state.durable < applied)
        throw new GridproofError('bad-value', 'states must come in the order of what is durable in them')
      for (; applied < state.durable; applied++) {
        const e = o.log[applied]
        if (e?.kind === 'write') write(blocks, undefined, e.at, e.bytes)
      }
      const own = new Set<number>()
      const now = new Map(blocks)
      for (const k of state.kept) write(now, own, k.at, k.bytes)
      rmSync(image, { force: true })
      const fd = openSync(image, 'w', 0o600)
      try {
        ftruncateSync(fd, before.length)
        for (const [at, b] of now) if (!b.equals(zeros)) writeSync(fd, b, 0, blockBytes, at)
      } finally {
        closeSync(fd)
      }
    },
    mounted(look) {
      using loop = block.attach(image)
      try {
        block.mount(loop.path, path, 'ext4', 'noauto_da_alloc')
      } catch {
        return undefined
      }
      try {
        return { value: look(path) }
      } finally {
        // What the look itself has written is of no interest.
        block.shutDown(path)
        if (!block.unmount(path)) block.unmount(path, 'detach')
      }
    },
  }
}

const zeros = Buffer.alloc(blockBytes)
