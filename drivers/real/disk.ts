/**
 * A disk that can lose power: an ext4 in an image in memory, on a loop device. A cut is ext4's own shutdown, by which
 * nothing more reaches the image, then unmounting, which drops what had not been flushed, then mounting what is left. It
 * stands for a disk without a cache of its own; what a disk with one may leave is explored by drivers/real/explore.
 *
 * Where root, loop devices or mkfs.ext4 are lacking there is none, and checks of durability cannot be judged.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GridproofError, messageOf } from '../errors.ts'
import { emptyImage, loadBlock, unmountBelow } from './block.ts'
import type { Block, LoopDevice } from './block.ts'

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

export interface DurableDisk {
  /** Where it is mounted. */
  readonly path: string
  /** Power goes: from now on nothing reaches it, and whoever still writes is refused. */
  cut(): void
  /** What it holds now is what had been flushed. False: somebody still has a file of it open. */
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
}

/** Makes an ext4 in a new image. Throws `rig-broke`. */
export function makeExt4(image: string, bytes: number = diskBytes): void {
  emptyImage(image, bytes)
  try {
    execFileSync(mkfs(), [...makeOptions, image], { stdio: ['ignore', 'ignore', 'pipe'] })
  } catch (e) {
    throw new GridproofError('rig-broke', `no ext4 could be made in ${image}: ${messageOf(e)}`, { cause: e })
  }
}

/** Where mkfs.ext4 is: not on everybody's path. */
function mkfs(): string {
  return ['/usr/sbin/mkfs.ext4', '/sbin/mkfs.ext4'].find((p) => existsSync(p)) ?? 'mkfs.ext4'
}

/** Makes it, and mounts it. Throws `rig-broke`; ask `probeDurable` first. */
export function openDurable(o: DurableOptions): DurableDisk {
  const block = blockOrThrow()
  const image = join(o.folder, 'disk.img')
  makeExt4(image, o.bytes)
  mkdirSync(o.at, { recursive: true })
  const loop = block.attach(image)
  try {
    block.mount(loop.path, o.at, 'ext4', mountOptions)
  } catch (e) {
    loop[Symbol.dispose]()
    throw e
  }
  // It is as empty after the first cut as now.
  rmSync(join(o.at, 'lost+found'), { recursive: true, force: true })
  block.unmount(o.at)
  block.mount(loop.path, o.at, 'ext4', mountOptions)
  return mounted(block, loop, image, o.at)
}

function mounted(block: Block, loop: LoopDevice, image: string, at: string): DurableDisk {
  let state: 'on' | 'cut' | 'closed' = 'on'
  return {
    path: at,
    cut() {
      if (state !== 'on') return
      state = 'cut'
      block.shutDown(at)
    },
    remount() {
      if (state === 'closed') throw new GridproofError('power-gone', `${at} was closed; it cannot be mounted`)
      if (state === 'on') return true
      if (!block.unmount(at)) return false
      block.mount(loop.path, at, 'ext4', mountOptions)
      state = 'on'
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
      loop[Symbol.dispose]()
      rmSync(image, { force: true })
    },
  }
}

function blockOrThrow(): Block {
  const block = loadBlock()
  if ('lacks' in block) throw new GridproofError('not-capable', `no disk that can lose power: ${block.lacks}`)
  return block
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
