/**
 * node:fs behind the owner's seam. Synchronous calls stay what they are; asynchronous ones do the same work at once
 * and complete as a virtual immediate, so that no thread decides when. Times of files are virtual.
 */
import type { Kernel } from './kernel.ts'
import { createFileHandles, type SyncFs } from './filehandle.ts'
import { argumentError, type Bag, type Fn, promisify, put, replace } from './patch.ts'

/** Functions with a callback and a twin that ends in Sync. */
const names =
  'access appendFile chmod chown close copyFile cp exists fchmod fchown fdatasync fstat fsync ftruncate futimes lchown link lstat lutimes mkdir mkdtemp open read readdir readFile readlink readv realpath rename rm rmdir stat statfs symlink truncate unlink utimes write writeFile writev'.split(
    ' ',
  )

/** Calls that change a file's content, and where its path or descriptor stands among the arguments. */
const writers: Readonly<Record<string, number>> = {
  appendFile: 0,
  writeFile: 0,
  write: 0,
  writev: 0,
  truncate: 0,
  ftruncate: 0,
  copyFile: 1,
  mkdir: 0,
  symlink: 1,
}

interface Times {
  ino: number | bigint
  mtimeMs: number | bigint
  [k: string]: unknown
}

export function installFiles(kernel: Kernel, modules: { fs: Bag }): void {
  const { fs } = modules
  const sync: SyncFs = {}
  const fstat = fs['fstatSync'] as Fn
  const lstat = fs['lstatSync'] as Fn
  /** Virtual time of the last change, by inode. */
  const changed = new Map<string, number>()
  let began = 0
  kernel.add({
    begin() {
      changed.clear()
      began = kernel.natives.wallMs()
    },
  })

  const stamp = (target: unknown): void => {
    if (!kernel.active) return
    try {
      const s = (typeof target === 'number' ? fstat(target) : lstat(target)) as Times
      changed.set(String(s.ino), Date.now())
    } catch {
      // It has gone again, or is not a file.
    }
  }
  /** What was changed in this run was changed at a virtual time; what SQLite wrote is as new as the question. */
  const virtualTimes = (s: Times | undefined): unknown => {
    if (s === undefined || !kernel.active) return s
    const at = changed.get(String(s.ino)) ?? (Number(s.mtimeMs) >= began ? Date.now() : undefined)
    if (at === undefined) return s
    const big = typeof s.mtimeMs === 'bigint'
    for (const k of ['atime', 'mtime', 'ctime', 'birthtime']) {
      s[`${k}Ms`] = big ? BigInt(at) : at
      if (big) s[`${k}Ns`] = BigInt(at) * 1_000_000n
      s[k] = new Date(at)
    }
    return s
  }

  const real: Record<string, Fn> = {}
  for (const name of names) {
    const full = `${name}Sync`
    const original = fs[full] as Fn | undefined
    if (original === undefined) continue
    real[name] = original
    const place = writers[name]
    const work: Fn =
      name === 'mkdtemp'
        ? (prefix: string) => {
            const path = temporaryFolder(real['mkdir'] as Fn, prefix)
            stamp(path)
            return path
          }
        : name === 'open'
          ? (path: string, flags?: unknown, mode?: unknown) => {
              const fd = original(path, flags, mode) as number
              if (typeof flags === 'string' && /[wa]/.test(flags)) stamp(fd)
              return fd
            }
          : name === 'stat' || name === 'lstat' || name === 'fstat'
            ? (...args: unknown[]) => virtualTimes(original.apply(fs, args) as Times | undefined)
            : place === undefined
              ? (...args: unknown[]) => original.apply(fs, args) as unknown
              : (...args: unknown[]) => {
                  const out = original.apply(fs, args) as unknown
                  stamp(args[place])
                  return out
                }
    const checked: Fn = (...args: unknown[]) => {
      const o = kernel.current()
      kernel.seam(o, `fs ${name}`)
      if (o.dead !== undefined) o.refuse(`fs ${name}`)
      if (o.top.diskFull && place !== undefined) throw noSpace(name)
      return work(...args) as unknown
    }
    sync[name] = checked
    replace(fs, full, () => checked)
    // Node calls these natives of its own: keep what hangs on them.
    if (name === 'realpath') (fs[full] as Bag)['native'] = checked
  }

  for (const name of names) {
    const work = sync[name]
    if (work === undefined || typeof fs[name] !== 'function') continue
    replace(fs, name, () => withCallback(kernel, name, work))
  }
  promisify(fs['exists'] as object, async (path: string) => (sync['exists'] as Fn)(path) as boolean)

  const promises = fs['promises'] as Bag
  const handles = createFileHandles(kernel, sync, fs)
  for (const name of names) {
    const work = sync[name]
    if (work === undefined || typeof promises[name] !== 'function' || name === 'open') continue
    replace(promises, name, () => async (...args: unknown[]) => {
      const out: unknown = work(...args.map((a) => handles.descriptor(a)))
      await handles.later()
      return out
    })
  }
  put(promises, 'open', async (path: string, flags?: unknown, mode?: unknown) => {
    const fd = (sync['open'] as Fn)(path, flags ?? 'r', mode) as number
    await handles.later()
    return handles.make(fd)
  })
}

/** As Node reports ENOSPC (errno 28 of Linux). */
function noSpace(name: string): Error {
  return Object.assign(new Error(`ENOSPC: no space left on device, ${name}`), {
    code: 'ENOSPC',
    errno: -28,
    syscall: name,
  })
}

/** The callback form: the same work at once, its result in a virtual immediate. */
function withCallback(kernel: Kernel, name: string, work: Fn): Fn {
  return (...args: unknown[]) => {
    const done = args.pop()
    if (typeof done !== 'function')
      throw argumentError('ERR_INVALID_ARG_TYPE', 'The "cb" argument must be of type function')
    const f = done as (...a: unknown[]) => void
    if (name === 'read' && !ArrayBuffer.isView(args[1])) {
      const o = (args[1] ?? {}) as { buffer?: NodeJS.ArrayBufferView }
      args[1] = o.buffer ?? Buffer.alloc(16_384)
      args[2] ??= o
    }
    let out: unknown[]
    try {
      const result: unknown = work(...args)
      out =
        name === 'exists'
          ? [result]
          : name === 'read' || name === 'write' || name === 'readv' || name === 'writev'
            ? [null, result, args[1]]
            : result === undefined
              ? [null]
              : [null, result]
    } catch (e) {
      // A wrong argument is thrown, as Node does; a dead owner's call too.
      if (!(e instanceof Error) || (e as NodeJS.ErrnoException).errno === undefined) throw e
      out = name === 'exists' ? [false] : [e]
    }
    kernel.immediate(kernel.current(), () => f(...out), undefined)
  }
}

/** How often a name may be taken already: whoever makes folders in one place with one seed draws the same names each time. Ours. */
const mostNames = 10_000

/** As mkdtemp, but its six letters come from the run's seed. */
function temporaryFolder(mkdir: Fn, prefix: string): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
  for (let i = 0; ; i++) {
    let path = prefix
    for (let k = 0; k < 6; k++) path += letters[Math.floor(Math.random() * letters.length)]
    try {
      mkdir(path)
      return path
    } catch (e) {
      if ((e as NodeJS.ErrnoException).code !== 'EEXIST' || i >= mostNames) throw e
    }
  }
}
