/**
 * A disk that remembers what it is told, as a file of a FUSE file system: a process of its own, since it reads its requests
 * blocking. Arguments: where to mount, the image that it begins with, where to write the log when it is unmounted. A loop
 * device on its file `disk` flushes by FSYNC; looking for any other name sets a mark of that name.
 */
import { openSync, readFileSync, readSync, writeFileSync, writeSync } from 'node:fs'
import { loadBlock } from './block.ts'
import { encodeEntry } from './write-log.ts'

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

function main(): void {
  const [at = '', image = '', logFile = ''] = process.argv.slice(2)
  const disk = readFileSync(image)
  const log: Buffer[] = []
  const block = loadBlock()
  if ('lacks' in block) throw new Error(block.lacks)
  const fuse = openSync('/dev/fuse', 'r+')
  block.mount('gridproof', at, 'fuse', `fd=${fuse},rootmode=40000,user_id=0,group_id=0,allow_other`)
  process.stdout.write('ready\n')

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
        if (name === 'disk') answer(unique, 0, entryOut(disk.length))
        else {
          log.push(encodeEntry({ kind: 'mark', name }))
          answer(unique, ENOENT)
        }
        break
      }
      case op.getattr:
      case op.setattr:
        answer(unique, 0, attrOut(node, disk.length))
        break
      case op.open:
      case op.opendir:
        answer(unique, 0, Buffer.alloc(16))
        break
      case op.read: {
        const from = Number(body.readBigUInt64LE(8))
        answer(unique, 0, disk.subarray(from, from + body.readUInt32LE(16)))
        break
      }
      case op.write: {
        const to = Number(body.readBigUInt64LE(8))
        const bytes = Buffer.from(body.subarray(40, 40 + body.readUInt32LE(16)))
        bytes.copy(disk, to)
        log.push(encodeEntry({ kind: 'write', at: to, bytes }))
        const out = Buffer.alloc(8)
        out.writeUInt32LE(bytes.length, 0)
        answer(unique, 0, out)
        break
      }
      case op.fallocate: {
        // A hole is written as what it reads: zeros.
        const from = Number(body.readBigUInt64LE(8))
        const bytes = Buffer.alloc(Math.min(Number(body.readBigUInt64LE(16)), disk.length - from))
        bytes.copy(disk, from)
        log.push(encodeEntry({ kind: 'write', at: from, bytes }))
        answer(unique, 0)
        break
      }
      case op.fsync:
        log.push(encodeEntry({ kind: 'flush' }))
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
  writeFileSync(logFile, Buffer.concat(log))
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

main()
