/**
 * A disk that can lose power: an ext4 in an image in memory, on a loop device. A cut is ext4's own shutdown, by which
 * nothing more reaches the image, then unmounting, which drops what had not been flushed, then mounting what is left. It
 * stands for a disk without a cache of its own, unless it is asked to have one (cached-disk.ts): then of what the file system
 * has written and not had flushed some sectors are there afterwards and others are not.
 *
 * Where root, loop devices or mkfs.ext4 are lacking there is none, and checks of durability cannot be judged.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GridproofError, messageOf } from '../errors.ts'
import { emptyImage, loadBlock, unmountBelow } from './block.ts'
import type { Block, LoopDevice } from './block.ts'
import { lacksFuse, openCached } from './cached-disk.ts'
import type { CachedStore } from './cached-disk.ts'

/** Size of a disk unless another is asked for, bytes; its image takes of memory what was written. Ours. */
const diskBytes = 256 * 1024 * 1024

/**
 * No metadata that differs from one making to the next, so that names are listed in one order; the journal as small as
 * ext4 lets it be, since a remount reads it.
 */
const makeOptions = [
  '-q',
  '-F',
  '-b',
  '4096',
  '-m',
  '0',
  '-J',
  'size=4',
  '-U',
  '6b1c3a52-0000-4000-8000-000000000001',
  '-E',
  'lazy_itable_init=1,hash_seed=6b1c3a52-0000-4000-8000-000000000002',
]

/**
 * `noauto_da_alloc`: ext4 does not flush for those who forget to. `commit=300`: nor by itself within a run, so that what
 * was not flushed is lost whatever the machine's speed.
 */
const mountOptions = 'noauto_da_alloc,commit=300'

/** On a disk with a cache nothing may write or flush at a time of its own: neither unused inodes, nor times of access (`still`). */
const cachedOptions = `${mountOptions},noinit_itable`

export interface DurableDisk {
  /** Where it is mounted. */
  readonly path: string
  /** Present where it has a cache of its own. */
  readonly cache?: Pick<CachedStore, 'figures' | 'loseAtFlush' | 'powered'>
  /** Power goes: from now on nothing reaches it, and whoever still writes is refused. */
  cut(): void
  /**
   * What it holds now is what had been flushed. False: somebody still has a file of it open, or a copy of the mount, as
   * whoever has a mount namespace of his own; then the file system is still the one that was shut down.
   */
  remount(): boolean
  /** Unmounts it for ever, whoever still uses it. */
  close(): void
}

export interface DurableOptions {
  /** Folder for image and mount, which is there; in memory, else fsync takes the host's own disk. */
  readonly folder: string
  /** Where it is to be mounted; made if it is not there. */
  readonly at: string
  /** Its size; 256 MiB unless given. */
  readonly bytes?: number | undefined
  /** It has a write cache; of what is in it at a cut this seed says what is lost. */
  readonly cacheSeed?: number | undefined
  /** Mount options beyond those of all, such as `barrier=0`. */
  readonly mount?: string | undefined
}

/** Makes an ext4 in a new image. Throws `rig-broke`. */
export function makeExt4(image: string, bytes: number = diskBytes): void {
  emptyImage(image, bytes)
  try {
    execFileSync(tool('mkfs.ext4'), [...makeOptions, image], { stdio: ['ignore', 'ignore', 'pipe'] })
  } catch (e) {
    throw new GridproofError('rig-broke', `no ext4 could be made in ${image}: ${messageOf(e)}`, { cause: e })
  }
}

/** Where a program of e2fsprogs is: not on everybody's path. */
function tool(name: 'mkfs.ext4' | 'e2fsck'): string {
  return [`/usr/sbin/${name}`, `/sbin/${name}`].find((p) => existsSync(p)) ?? name
}

/** Makes it, and mounts it. Throws `rig-broke`; ask `probeDurable` first, and `lacksFuse` for a cache. */
export function openDurable(o: DurableOptions): DurableDisk {
  const block = blockOrThrow()
  const image = join(o.folder, 'disk.img')
  makeExt4(image, o.bytes)
  mkdirSync(o.at, { recursive: true })
  const below = o.cacheSeed === undefined ? plain(block, image) : cached(block, image, o.folder, o.cacheSeed)
  const options = [below.cache === undefined ? mountOptions : cachedOptions, o.mount]
    .filter(Boolean)
    .join(',')
  try {
    below.mount(o.at, options)
    // It is as empty after the first cut as now.
    rmSync(join(o.at, 'lost+found'), { recursive: true, force: true })
    block.unmount(o.at)
    below.mount(o.at, options)
  } catch (e) {
    below.close()
    throw e
  }
  return mounted(block, below, o.at, options)
}

/** What an ext4 lies on. */
interface Below {
  readonly cache?: CachedStore
  mount(at: string, options: string): void
  /** It gets power back. */
  restore(): void
  close(): void
}

function plain(block: Block, image: string): Below {
  const loop = block.attach(image)
  return {
    mount: (at, options) => block.mount(loop.path, at, 'ext4', options),
    restore: () => undefined,
    close() {
      loop[Symbol.dispose]()
      rmSync(image, { force: true })
    },
  }
}

function cached(block: Block, image: string, folder: string, seed: number): Below {
  const cache = openCached(block, { folder, image, seed })
  let loop: LoopDevice | undefined
  return {
    cache,
    mount(at, options) {
      loop ??= cache.attach()
      try {
        block.mount(loop.path, at, 'ext4', options, 'still')
      } catch {
        // As a computer does at its start. It says by its exit code what it found; whether it helped shows.
        spawnSync(tool('e2fsck'), ['-f', '-y', loop.path], { stdio: 'ignore' })
        block.mount(loop.path, at, 'ext4', options, 'still')
      }
      // What mounting itself writes is not what is tried.
      cache.flush()
    },
    restore() {
      // Another one: this one has read what is not there any more.
      loop?.[Symbol.dispose]()
      loop = undefined
      cache.restore()
    },
    close() {
      loop?.[Symbol.dispose]()
      cache.close()
    },
  }
}

function mounted(block: Block, below: Below, at: string, options: string): DurableDisk {
  let state: 'on' | 'cut' | 'closed' = 'on'
  let restored = false
  return {
    path: at,
    ...(below.cache === undefined ? {} : { cache: below.cache }),
    cut() {
      if (state !== 'on') return
      state = 'cut'
      below.cache?.lose()
      block.shutDown(at)
    },
    remount() {
      if (state === 'closed') throw new GridproofError('power-gone', `${at} was closed; it cannot be mounted`)
      if (state === 'on') return true
      if (!block.unmount(at)) return false
      if (!restored) below.restore()
      restored = true
      below.mount(at, options)
      if (!block.works(at)) {
        block.unmount(at)
        return false
      }
      state = 'on'
      restored = false
      return true
    },
    close() {
      if (state === 'closed') return
      state = 'closed'
      // Nothing of it is wanted any more: to flush it would only take time.
      try {
        block.shutDown(at)
      } catch {
        // It was cut already.
      }
      block.unmount(at, 'detach')
      below.close()
    },
  }
}

function blockOrThrow(): Block {
  const block = loadBlock()
  if ('lacks' in block) throw new GridproofError('not-capable', `no disk that can lose power: ${block.lacks}`)
  return block
}

/** The cache that a host's disk is asked for, where this machine can play one. */
export function cacheOf(spec: { readonly cached?: true }, seed: number): Pick<DurableOptions, 'cacheSeed'> {
  return spec.cached === true && lacksFuse() === undefined ? { cacheSeed: seed } : {}
}

/** Folder in memory, where this system has one. */
export function memoryFolder(): string {
  return existsSync('/dev/shm') ? '/dev/shm' : tmpdir()
}

/**
 * Whether this machine can play a disk that loses what was not flushed: it tries, on a disk of its own. Says what is
 * lacking where it cannot. `under`: where it may make a folder.
 */
export function probeDurable(
  under: string = memoryFolder(),
): { readonly can: true } | { readonly lacks: string } {
  if (process.platform !== 'linux') return { lacks: `${process.platform} has no loop devices` }
  if (process.getuid?.() !== 0) return { lacks: 'mounting takes root' }
  if (!existsSync('/dev/loop-control')) return { lacks: 'there is no /dev/loop-control' }
  let folder: string | undefined
  try {
    folder = join(under, `gridproof-probe-${process.pid}`)
    mkdirSync(folder, { mode: 0o700 })
    const disk = openDurable({ folder, at: join(folder, 'm') })
    try {
      writeFileSync(join(disk.path, 'unflushed'), 'x')
      disk.cut()
      if (!disk.remount()) return { lacks: 'what was mounted cannot be unmounted again' }
      return existsSync(join(disk.path, 'unflushed'))
        ? { lacks: 'a file that was never flushed is there after a cut' }
        : { can: true }
    } finally {
      disk.close()
    }
  } catch (e) {
    return { lacks: messageOf(e) }
  } finally {
    if (folder !== undefined) {
      unmountBelow(folder)
      rmSync(folder, { recursive: true, force: true })
    }
  }
}

/** What this machine lacks for a disk with a write cache that loses power; nothing where it lacks nothing. */
export function lacksCached(under?: string): string | undefined {
  const durable = probeDurable(under)
  return 'lacks' in durable ? durable.lacks : lacksFuse()
}
