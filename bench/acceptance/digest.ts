/** Digests of files, and of every file below a folder. */
import { createHash } from 'node:crypto'
import { closeSync, openSync, readSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { holdsSecret } from '../evidence/redact.ts'
import { compareText } from '../requirements/ids.ts'

const chunkBytes = 1 << 20

/** SHA-256 in hexadecimal of a file of any size. Throws what the file system throws. */
export function digestFile(path: string): { readonly bytes: number; readonly sha256: string } {
  const hash = createHash('sha256')
  const chunk = Buffer.allocUnsafe(chunkBytes)
  const fd = openSync(path, 'r')
  let bytes = 0
  try {
    for (;;) {
      const n = readSync(fd, chunk, 0, chunk.length, null)
      if (n === 0) break
      bytes += n
      hash.update(chunk.subarray(0, n))
    }
  } finally {
    closeSync(fd)
  }
  return { bytes, sha256: hash.digest('hex') }
}

export interface Walked {
  /** Paths below the folder, with `/`, in order by code unit. */
  readonly files: readonly string[]
  /** What is neither a file nor a folder: links, sockets. Nothing vouches for what they lead to. */
  readonly strange: readonly string[]
}

/** Every file below a folder. Throws what the file system throws. */
export function filesBelow(folder: string): Walked {
  const files: string[] = []
  const strange: string[] = []
  const walk = (below: string): void => {
    for (const e of readdirSync(join(folder, below), { withFileTypes: true })) {
      const path = below === '' ? e.name : `${below}/${e.name}`
      if (e.isDirectory()) walk(path)
      else if (e.isFile()) files.push(path)
      else strange.push(path)
    }
  }
  walk('')
  return { files: files.sort(compareText), strange: strange.sort(compareText) }
}

const pemHead = '-----BEGIN '
/** Bytes that are looked at again at the start of the next chunk: longer than any head of a PEM block. */
const overlap = 80

/** Whether a file of any size holds a private key in PEM. */
export function holdsKey(path: string): boolean {
  const chunk = Buffer.allocUnsafe(chunkBytes)
  const fd = openSync(path, 'r')
  try {
    let kept = 0
    for (;;) {
      const n = readSync(fd, chunk, kept, chunk.length - kept, null)
      if (n === 0) return false
      const filled = chunk.subarray(0, kept + n)
      if (filled.includes(pemHead) && holdsSecret(filled.toString('latin1'))) return true
      kept = Math.min(overlap, filled.length)
      chunk.copyWithin(0, filled.length - kept, filled.length)
    }
  } finally {
    closeSync(fd)
  }
}
