/** A log as bytes: its digest, and single lines of it by number (which is the seq of the event that it holds). */
import { createHash } from 'node:crypto'
import { closeSync, openSync, readSync } from 'node:fs'
import type { FileDigest } from './run.ts'

const chunkBytes = 1 << 20
/** A longer line is left out: no report shows so much. */
const longestLine = 8 << 20

export interface Picked {
  readonly digest: FileDigest
  /** By line number, 1-based. Lines that are not there are left out. */
  readonly lines: ReadonlyMap<number, string>
}

/** Reads a file once, whatever its size. Throws what the file system throws. */
export function pickLines(path: string, file: string, wanted: Iterable<number>): Picked {
  const sorted = [...new Set(wanted)].sort((a, b) => a - b)
  const lines = new Map<number, string>()
  const hash = createHash('sha256')
  const chunk = Buffer.allocUnsafe(chunkBytes)
  const fd = openSync(path, 'r')
  let bytes = 0
  let number = 1
  let next = 0
  let parts: Buffer[] = []
  let held = 0

  function take(piece: Buffer): void {
    held += piece.length
    if (held <= longestLine) parts.push(Buffer.from(piece))
  }
  function endLine(): void {
    if (held <= longestLine && held > 0) lines.set(number, Buffer.concat(parts).toString('utf8'))
    parts = []
    held = 0
    next++
  }

  try {
    for (;;) {
      const n = readSync(fd, chunk, 0, chunk.length, null)
      if (n === 0) break
      bytes += n
      const data = chunk.subarray(0, n)
      hash.update(data)
      let start = 0
      while (start < n) {
        const nl = data.indexOf(10, start)
        const end = nl < 0 ? n : nl
        if (sorted[next] === number) take(data.subarray(start, end))
        if (nl < 0) break
        if (sorted[next] === number) endLine()
        number++
        start = nl + 1
      }
    }
    if (sorted[next] === number) endLine()
  } finally {
    closeSync(fd)
  }
  return { digest: { file, bytes, sha256: hash.digest('hex') }, lines }
}
