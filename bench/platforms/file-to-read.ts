/** Files of any length, read in parts: what a server offers, and what stands on a platform's disk. */
import { createCipheriv, createHash } from 'node:crypto'

export interface FileToRead {
  /** In bytes. */
  readonly size: number
  /** Bytes `from` up to before `to`, in memory of their own. */
  read(from: number, to: number): Uint8Array
}

/** Bytes of a block of AES. */
const block = 16
/** Bytes that are digested at a time. Ours. */
const part = 1_048_576

/**
 * Bytes that no packing makes small, that no two seeds share, and that are known at any place without those before: the
 * key stream of AES-128 in counter mode (NIST SP 800-38A, section 6.5), its key made from the seed.
 */
export function fileOf(size: number, seed: number): FileToRead {
  const key = createHash('sha256').update(String(seed)).digest().subarray(0, block)
  return {
    size,
    read(from, to) {
      const first = Math.floor(from / block)
      const skipped = from - first * block
      const counter = Buffer.alloc(block)
      counter.writeBigUInt64BE(BigInt(first), block - 8)
      const stream = createCipheriv('aes-128-ctr', key, counter).update(Buffer.alloc(skipped + to - from))
      return stream.subarray(skipped)
    },
  }
}

/** So many characters that no packing makes smaller than three quarters: of base64, made from the seed. */
export function noise(characters: number, seed: number): string {
  const bytes = Math.ceil((characters * 3) / 4)
  return Buffer.from(fileOf(bytes, seed).read(0, bytes)).toString('base64').slice(0, characters)
}

/** SHA-256, hexadecimal. */
export function digestOf(file: FileToRead): string {
  const hash = createHash('sha256')
  for (let at = 0; at < file.size; at += part) hash.update(file.read(at, Math.min(file.size, at + part)))
  return hash.digest('hex')
}
