/**
 * What a disk was told, in order: writes, flushes, and marks that somebody set beside them; and the states in which a loss
 * of power may leave such a disk: all that was flushed, and any of the sectors that were not. Pure but for the coding.
 */
import { GridproofError } from '../errors.ts'

export type LogEntry =
  | { readonly kind: 'write'; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: 'flush' }
  | { readonly kind: 'mark'; readonly name: string }

/** Bytes that a disk writes whole or not at all: the usual logical sector. */
export const sectorBytes = 512

const codes = { write: 1, flush: 2, mark: 3 } as const

/** One entry as bytes: its kind, then two numbers (place and length), then what it carries. */
export function encodeEntry(e: LogEntry): Buffer {
  const body = e.kind === 'write' ? e.bytes : e.kind === 'mark' ? Buffer.from(e.name) : new Uint8Array(0)
  const head = Buffer.alloc(13)
  head.writeUInt8(codes[e.kind], 0)
  head.writeDoubleLE(e.kind === 'write' ? e.at : 0, 1)
  head.writeUInt32LE(body.length, 9)
  return Buffer.concat([head, body])
}

/** Throws `bad-frame` where the bytes are no log, or end in the midst of an entry. */
export function decodeLog(bytes: Uint8Array): LogEntry[] {
  const b = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const log: LogEntry[] = []
  for (let i = 0; i < b.length;) {
    const code = b.readUInt8(i)
    const length = i + 13 > b.length ? Number.NaN : b.readUInt32LE(i + 9)
    const end = i + 13 + length
    if (!(end <= b.length) || code < 1 || code > 3)
      throw new GridproofError('bad-frame', `a log of writes is damaged at byte ${i}`)
    const body = b.subarray(i + 13, end)
    if (code === codes.write) log.push({ kind: 'write', at: b.readDoubleLE(i + 1), bytes: body })
    else log.push(code === codes.flush ? { kind: 'flush' } : { kind: 'mark', name: body.toString() })
    i = end
  }
  return log
}

export interface CrashState {
  /** Entries that had happened. */
  readonly index: number
  /** Writes of which nothing can be missing: before the last flush that was answered. */
  readonly durable: number
  /** Sectors since then that made it, in order: later ones go over earlier ones. */
  readonly kept: readonly { readonly at: number; readonly bytes: Uint8Array }[]
  /** And how many did not. */
  readonly lost: number
  /** Marks that had been set. */
  readonly marks: readonly string[]
}

/** Shares of the unflushed sectors that make it: none, few, half, most, all. Ours. */
const shares = [0, 0.1, 0.5, 0.9, 1] as const

/**
 * One state in which power may leave the disk. Half of them lie just behind a mark, where somebody has just been promised
 * something. `from`: how much of the log lies so far back that it is all on the disk. `random` gives numbers in [0, 1).
 */
export function crashState(log: readonly LogEntry[], random: () => number, from = 0): CrashState {
  const behind = log.flatMap((e, i) => (e.kind === 'mark' && i >= from ? [i + 1] : []))
  const atMark = behind.length > 0 && random() < 0.5
  const index = atMark
    ? (behind[Math.floor(random() * behind.length)] ?? from)
    : from + Math.floor(random() * (log.length + 1 - from))
  let durable = from
  for (let i = from; i < index; i++) if (log[i]?.kind === 'flush') durable = i
  const share = shares[Math.floor(random() * shares.length)] ?? 0.5
  const kept: { at: number; bytes: Uint8Array }[] = []
  const marks: string[] = []
  let lost = 0
  for (let i = 0; i < index; i++) {
    const e = log[i]
    if (e?.kind === 'mark') marks.push(e.name)
    if (e?.kind !== 'write' || i < durable) continue
    for (let at = 0; at < e.bytes.length; at += sectorBytes)
      if (random() < share) kept.push({ at: e.at + at, bytes: e.bytes.subarray(at, at + sectorBytes) })
      else lost++
  }
  return { index, durable, kept, lost, marks }
}
