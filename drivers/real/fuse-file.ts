/**
 * Serves a file system of one file, `disk`, to the kernel by the FUSE protocol; a loop device stands on that file. It reads its
 * requests blocking, so it takes a process of its own.
 */
import { openSync, readSync, writeSync } from 'node:fs'
import { GridproofError } from '../errors.ts'
import { loadBlock } from './block.ts'

/** What becomes of what is asked of the file. All of it is done before the kernel is answered. */
export interface ServedFile {
  /** Its size, bytes. */
  readonly size: number
  /** At most so many bytes from there. */
  read(at: number, length: number): Uint8Array
  /** The bytes are the receiver's own. */
  write(at: number, bytes: Uint8Array): void
  /** A flush of the loop device. */
  flush(): void
  /** Somebody looked for a file of this name beside it: there is none, but who serves may take it for a word. */
  named(name: string): void
}

/** linux/include/uapi/linux/fuse.h: opcodes. */
const op = {
  lookup: 1,
  forget: 2,
  getattr: 3,
  setattr: 4,
  open: 14,
  read: 15,
  write: 16,
  statfs: 17,
  release: 18,
  fsync: 20,
  flush: 25,
  init: 26,
  opendir: 27,
  readdir: 28,
  releasedir: 29,
  fsyncdir: 30,
  interrupt: 36,
  destroy: 38,
  batchForget: 42,
  fallocate: 43,
} as const
/** Protocol version that is spoken; the kernel keeps to it. */
const minor = 31
const BIG_WRITES = 1 << 5
const MAX_PAGES = 1 << 22
const maxWrite = 1 << 20
/** errno-base.h, errno.h */
const ENOENT = 2
const ENOSYS = 38
const [rootId, diskId] = [1n, 2n]
const inHeader = 40

/** Mounts it and serves until it is unmounted; `ready` is called when it is there. Throws `rig-broke`. */
export function serveFile(at: string, file: ServedFile, ready: () => void): void {
  const block = loadBlock()
  if ('lacks' in block) throw new GridproofError('rig-broke', block.lacks)
  const fuse = openSync('/dev/fuse', 'r+')
  block.mount('gridproof', at, 'fuse', `fd=${fuse},rootmode=40000,user_id=0,group_id=0,allow_other`)
  ready()

  const request = Buffer.alloc(maxWrite + 65_536)
  const answer = (unique: bigint, error: number, body: Uint8Array = new Uint8Array(0)): void => {
    const head = Buffer.alloc(16)
    head.writeUInt32LE(16 + body.length, 0)
    head.writeInt32LE(-error, 4)
    head.writeBigUInt64LE(unique, 8)
    try {
      writeSync(fuse, Buffer.concat([head, body]))
    } catch (e) {
      // Whoever asked was killed meanwhile, or all is unmounted: the next reading tells.
      const { code } = e as NodeJS.ErrnoException
      if (code !== 'ENOENT' && code !== 'ENODEV') throw e
    }
  }
  for (;;) {
    let length: number
    try {
      length = readSync(fuse, request)
    } catch (e) {
      const { code } = e as NodeJS.ErrnoException
      if (code === 'EINTR' || code === 'EAGAIN' || code === 'ENOENT') continue
      // Unmounted.
      break
    }
    const unique = request.readBigUInt64LE(8)
    const node = request.readBigUInt64LE(16)
    const body = request.subarray(inHeader, length)
    switch (request.readUInt32LE(4)) {
      case op.init:
        answer(unique, 0, initOut())
        break
      case op.lookup: {
        const name = body.subarray(0, body.indexOf(0)).toString()
        if (name === 'disk') answer(unique, 0, entryOut(file.size))
        else {
          file.named(name)
          answer(unique, ENOENT)
        }
        break
      }
      case op.getattr:
      case op.setattr:
        answer(unique, 0, attrOut(node, file.size))
        break
      case op.open:
      case op.opendir:
        answer(unique, 0, Buffer.alloc(16))
        break
      case op.read: {
        const from = Number(body.readBigUInt64LE(8))
        answer(unique, 0, file.read(from, body.readUInt32LE(16)))
        break
      }
      case op.write: {
        const to = Number(body.readBigUInt64LE(8))
        const bytes = Buffer.from(body.subarray(40, 40 + body.readUInt32LE(16)))
        file.write(to, bytes)
        const out = Buffer.alloc(8)
        out.writeUInt32LE(bytes.length, 0)
        answer(unique, 0, out)
        break
      }
      case op.fallocate: {
        // A hole is written as what it reads: zeros.
        const from = Number(body.readBigUInt64LE(8))
        file.write(from, Buffer.alloc(Math.min(Number(body.readBigUInt64LE(16)), file.size - from)))
        answer(unique, 0)
        break
      }
      case op.fsync:
        file.flush()
        answer(unique, 0)
        break
      case op.statfs: {
        const out = Buffer.alloc(80)
        out.writeUInt32LE(4096, 40)
        out.writeUInt32LE(255, 44)
        answer(unique, 0, out)
        break
      }
      case op.flush:
      case op.release:
      case op.releasedir:
      case op.fsyncdir:
      case op.readdir:
      case op.destroy:
        answer(unique, 0)
        break
      case op.forget:
      case op.batchForget:
      case op.interrupt:
        break
      default:
        answer(unique, ENOSYS)
    }
  }
}

function initOut(): Buffer {
  const out = Buffer.alloc(64)
  out.writeUInt32LE(7, 0)
  out.writeUInt32LE(minor, 4)
  out.writeUInt32LE(maxWrite, 8)
  out.writeUInt32LE(BIG_WRITES | MAX_PAGES, 12)
  out.writeUInt16LE(16, 16)
  out.writeUInt16LE(12, 18)
  out.writeUInt32LE(maxWrite, 20)
  out.writeUInt32LE(1, 24)
  out.writeUInt16LE(maxWrite / 4096, 28)
  return out
}

/** `struct fuse_attr`: a folder, or the file. */
function attr(node: bigint, size: number): Buffer {
  const file = node === diskId
  const out = Buffer.alloc(88)
  out.writeBigUInt64LE(node, 0)
  out.writeBigUInt64LE(BigInt(file ? size : 0), 8)
  out.writeBigUInt64LE(BigInt(file ? Math.ceil(size / 512) : 0), 16)
  out.writeUInt32LE(file ? 0o100_600 : 0o040_700, 60)
  out.writeUInt32LE(file ? 1 : 2, 64)
  out.writeUInt32LE(4096, 80)
  return out
}

function attrOut(node: bigint, size: number): Buffer {
  return Buffer.concat([Buffer.alloc(16), attr(node === 0n ? rootId : node, size)])
}

function entryOut(size: number): Buffer {
  const head = Buffer.alloc(40)
  head.writeBigUInt64LE(diskId, 0)
  return Buffer.concat([head, attr(diskId, size)])
}
