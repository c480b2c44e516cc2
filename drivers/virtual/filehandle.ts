/** What `fs.promises.open` gives in virtual time: a FileHandle whose work is synchronous and ends in an immediate. */
import { EventEmitter } from 'node:events'
import type { Kernel } from './kernel.ts'
import type { Bag, Fn } from './patch.ts'

/** The synchronous functions behind the owner's seam, by their name without Sync. */
export type SyncFs = Record<string, Fn>

export interface FileHandles {
  make(fd: number): object
  /** The descriptor of a handle of ours; anything else as it is. */
  descriptor(v: unknown): unknown
  later(): Promise<void>
}

export function createFileHandles(kernel: Kernel, sync: SyncFs, fs: Bag): FileHandles {
  const later = (): Promise<void> =>
    new Promise((resolve) => kernel.immediate(kernel.current(), () => resolve(), undefined))
  const call = async (name: string, ...args: unknown[]): Promise<unknown> => {
    const f = sync[name]
    if (f === undefined) throw new TypeError(`fs has no ${name}`)
    const out: unknown = f(...args)
    await later()
    return out
  }

  class VirtualFileHandle extends EventEmitter {
    fd: number

    constructor(fd: number) {
      super()
      this.fd = fd
    }

    appendFile(data: unknown, o?: unknown): Promise<unknown> {
      return call('appendFile', this.fd, data, o)
    }
    chmod(mode: unknown): Promise<unknown> {
      return call('fchmod', this.fd, mode)
    }
    chown(uid: number, gid: number): Promise<unknown> {
      return call('fchown', this.fd, uid, gid)
    }
    datasync(): Promise<unknown> {
      return call('fdatasync', this.fd)
    }
    sync(): Promise<unknown> {
      return call('fsync', this.fd)
    }
    stat(o?: unknown): Promise<unknown> {
      return call('fstat', this.fd, o)
    }
    truncate(n?: number): Promise<unknown> {
      return call('ftruncate', this.fd, n)
    }
    utimes(a: unknown, m: unknown): Promise<unknown> {
      return call('futimes', this.fd, a, m)
    }
    readFile(o?: unknown): Promise<unknown> {
      return call('readFile', this.fd, o)
    }
    writeFile(data: unknown, o?: unknown): Promise<unknown> {
      return call('writeFile', this.fd, data, o)
    }
    async read(first?: unknown, ...rest: unknown[]): Promise<unknown> {
      const o = (ArrayBuffer.isView(first) ? {} : (first ?? {})) as { buffer?: NodeJS.ArrayBufferView }
      const buffer = ArrayBuffer.isView(first) ? first : (o.buffer ?? Buffer.alloc(16_384))
      const args = ArrayBuffer.isView(first) ? rest : [o]
      return { bytesRead: await call('read', this.fd, buffer, ...args), buffer }
    }
    async write(data: unknown, ...rest: unknown[]): Promise<unknown> {
      return { bytesWritten: await call('write', this.fd, data, ...rest), buffer: data }
    }
    async readv(buffers: unknown, at?: number): Promise<unknown> {
      return { bytesRead: await call('readv', this.fd, buffers, at), buffers }
    }
    async writev(buffers: unknown, at?: number): Promise<unknown> {
      return { bytesWritten: await call('writev', this.fd, buffers, at), buffers }
    }
    createReadStream(o: object = {}): unknown {
      return (fs['createReadStream'] as Fn)('', { ...o, fd: this.fd, autoClose: true }) as unknown
    }
    createWriteStream(o: object = {}): unknown {
      return (fs['createWriteStream'] as Fn)('', { ...o, fd: this.fd, autoClose: true }) as unknown
    }
    async close(): Promise<void> {
      if (this.fd < 0) return
      const { fd } = this
      this.fd = -1
      await call('close', fd)
      this.emit('close')
    }
    [Symbol.asyncDispose](): Promise<void> {
      return this.close()
    }
  }
  return {
    make: (fd) => new VirtualFileHandle(fd),
    descriptor: (v) => (v instanceof VirtualFileHandle ? v.fd : v),
    later,
  }
}
