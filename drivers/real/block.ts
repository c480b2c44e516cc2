/**
 * Loop devices and mounts by the C library, through koffi: what power cuts at the block level take, without a program for
 * each step. Linux only; every call needs root.
 */
import { closeSync, constants, fsyncSync, openSync, readFileSync, statSync, writeSync } from 'node:fs'
import { createRequire } from 'node:module'
import { GridproofError, messageOf } from '../errors.ts'

export interface Block {
  /** Attaches an image to a free loop device, which lets go of it by itself when nobody uses it any more. */
  attach(image: string): LoopDevice
  /** mount(2). Throws `rig-broke`. `still`: reading changes no time of access. */
  mount(source: string, target: string, type: string, options: string, how?: 'still'): void
  /** umount2(2). False: it is busy. Throws `rig-broke` for anything else. `detach`: at once, whoever still uses it. */
  unmount(target: string, how?: 'detach'): boolean
  /** What power leaves of an ext4: nothing more reaches its disk, not even its log. Throws `rig-broke`. */
  shutDown(mounted: string): void
  /** Whether a file system still takes anything: not when it was shut down. */
  works(mounted: string): boolean
}

export interface LoopDevice extends Disposable {
  readonly path: string
}

type Call = (...args: readonly unknown[]) => number

/** linux/include/uapi/linux/loop.h */
const LOOP_CONFIGURE = 0x4c0a
const LOOP_CTL_GET_FREE = 0x4c82
const LO_FLAGS_AUTOCLEAR = 4
/** Octets of `struct loop_config`, and where in it `info.lo_flags` stands. */
const loopConfigSize = 304
const loFlagsAt = 60
/** Number of the loop driver (Documentation/admin-guide/devices.txt). */
const loopMajor = 7
/** fs/ext4/ext4.h: EXT4_IOC_SHUTDOWN, and the argument by which the journal is not flushed either. */
const EXT4_IOC_SHUTDOWN = 0x8004_587d
const EXT4_GOING_FLAGS_NOLOGFLUSH = 2
/** sys/mount.h, asm-generic/errno-base.h, sys/stat.h */
const MNT_DETACH = 2
const MS_NOATIME = 1024
const EBUSY = 16
const EINVAL = 22
const ENOENT = 2
const S_IFBLK = 0o060_000

/** Somebody else may take the loop device that was free a moment ago: so often it is tried again. Ours. */
const tries = 50

/** The calls, or why they cannot be had. Loading it needs no root. */
export function loadBlock(): Block | { readonly lacks: string } {
  if (process.platform !== 'linux') return { lacks: `${process.platform} has no loop devices` }
  try {
    const koffi = createRequire(import.meta.url)('koffi') as {
      load(path: string | null): { func(prototype: string): Call }
      errno(): number
    }
    const lib = koffi.load(null)
    return bind(
      (prototype) => lib.func(prototype),
      () => koffi.errno(),
    )
  } catch (e) {
    return { lacks: `koffi cannot be loaded (${messageOf(e).split('\n')[0] ?? ''})` }
  }
}

function bind(declare: (prototype: string) => Call, errno: () => number): Block {
  const mount = declare('int mount(str, str, str, ulong, str)')
  const umount2 = declare('int umount2(str, int)')
  const ioctlNumber = declare('int ioctl(int, ulong, long)')
  const ioctlBytes = declare('int ioctl(int, ulong, uint8_t *)')
  const mknod = declare('int mknod(str, uint, ulong)')
  const broke = (what: string): never => {
    throw new GridproofError('rig-broke', `${what} failed, errno ${errno()}`)
  }

  const freeLoop = (): string => {
    const control = openSync('/dev/loop-control', constants.O_RDWR)
    try {
      const n = ioctlNumber(control, LOOP_CTL_GET_FREE, 0)
      if (n < 0) broke('asking for a free loop device')
      const path = `/dev/loop${n}`
      // In a container the kernel makes the device, and nobody its file.
      if (statSync(path, { throwIfNoEntry: false }) === undefined) {
        const minor = Number(readFileSync(`/sys/block/loop${n}/dev`, 'latin1').split(':')[1])
        if (mknod(path, S_IFBLK | 0o600, deviceNumber(minor)) !== 0 && errno() !== 17) broke(`making ${path}`)
      }
      return path
    } finally {
      closeSync(control)
    }
  }
  return {
    attach(image) {
      const file = openSync(image, constants.O_RDWR)
      try {
        for (let n = 0; n < tries; n++) {
          const path = freeLoop()
          const loop = openSync(path, constants.O_RDWR)
          const config = new DataView(new ArrayBuffer(loopConfigSize))
          config.setUint32(0, file, true)
          config.setUint32(loFlagsAt, LO_FLAGS_AUTOCLEAR, true)
          if (ioctlBytes(loop, LOOP_CONFIGURE, new Uint8Array(config.buffer)) === 0) {
            let open = true
            return {
              path,
              [Symbol.dispose]() {
                if (open) closeSync(loop)
                open = false
              },
            }
          }
          const why = errno()
          closeSync(loop)
          if (why !== EBUSY)
            throw new GridproofError('rig-broke', `${path} does not take ${image}: errno ${why}`)
        }
        throw new GridproofError('rig-broke', `others took each free loop device, ${tries} times`)
      } finally {
        closeSync(file)
      }
    },
    mount(source, target, type, options, how) {
      if (mount(source, target, type, how === 'still' ? MS_NOATIME : 0, options) !== 0)
        broke(`mounting ${source} at ${target}`)
    },
    unmount(target, how) {
      if (umount2(target, how === 'detach' ? MNT_DETACH : 0) === 0) return true
      const why = errno()
      // Nothing is mounted there (any more).
      if (why === EINVAL || why === ENOENT) return true
      if (why === EBUSY) return false
      throw new GridproofError('rig-broke', `unmounting ${target} failed, errno ${why}`)
    },
    works(mounted) {
      const fd = openSync(mounted, constants.O_RDONLY)
      try {
        fsyncSync(fd)
        return true
      } catch (e) {
        if ((e as NodeJS.ErrnoException).code === 'EIO') return false
        throw e
      } finally {
        closeSync(fd)
      }
    },
    shutDown(mounted) {
      const fd = openSync(mounted, constants.O_RDONLY)
      try {
        const how = new Uint8Array(new Uint32Array([EXT4_GOING_FLAGS_NOLOGFLUSH]).buffer)
        if (ioctlBytes(fd, EXT4_IOC_SHUTDOWN, how) !== 0) broke(`shutting down what is mounted at ${mounted}`)
      } finally {
        closeSync(fd)
      }
    },
  }
}

/** As makedev(3) of glibc has it, for the loop driver. */
function deviceNumber(minor: number): number {
  return (minor & 0xff) + loopMajor * 0x100 + Math.floor(minor / 0x100) * 0x10_0000
}

/** Places where something is mounted at or below a folder, the last one first. */
export function mountsBelow(folder: string): readonly string[] {
  let text: string
  try {
    text = readFileSync('/proc/self/mountinfo', 'utf8')
  } catch {
    return []
  }
  return text
    .split('\n')
    .map((line) => unescaped(line.split(' ')[4] ?? ''))
    .filter((at) => at === folder || at.startsWith(`${folder}/`))
    .toReversed()
}

/** proc_pid_mountinfo(5): blanks and the like stand as octal numbers. */
function unescaped(path: string): string {
  return path.replaceAll(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCodePoint(Number.parseInt(octal, 8)),
  )
}

/** Unmounts all that is mounted at or below a folder, whoever still uses it. Says how many there were. */
export function unmountBelow(folder: string): number {
  const at = mountsBelow(folder)
  if (at.length === 0) return 0
  const block = loadBlock()
  if ('lacks' in block) throw new GridproofError('rig-broke', `${at[0] ?? ''} stays mounted: ${block.lacks}`)
  for (const one of at) block.unmount(one, 'detach')
  return at.length
}

/** Makes a file that is all holes. */
export function emptyImage(path: string, bytes: number): void {
  const fd = openSync(path, 'w', 0o600)
  try {
    writeSync(fd, new Uint8Array(1), 0, 1, bytes - 1)
  } finally {
    closeSync(fd)
  }
}
