/**
 * What waits for a subscriber that reads too slowly, or no more at all. API section 4.1 has no rate adaption: messages go
 * out as they come. The broker waits for each connection to take what it is sent before it goes on with anybody's next
 * message, so that one subscriber would hold up everyone. Here no connection is ever waited for: what it has not taken
 * yet is kept for it, within stated limits, and beyond them it is dropped.
 */
import type { Duplex } from 'node:stream'

export interface BacklogLimits {
  /** Seconds without a byte taken, after which a subscriber is dropped. */
  readonly seconds: number
  /** Bytes that may wait for it. */
  readonly bytes: number
}

/** Milliseconds between looks at a connection that has something waiting. Ours. */
const lookEvery = 1_000

/** Never lets a writer wait for this connection. `drop` is called once, with the reason, where a limit is passed. */
export function unhurried(stream: Duplex, limits: BacklogLimits, drop: (why: string) => void): void {
  let written = 0
  let taken = 0
  let still = 0
  let watch: NodeJS.Timeout | undefined
  const rest = (): void => {
    clearInterval(watch)
    watch = undefined
    still = 0
  }
  const end = (why: string): void => {
    rest()
    drop(why)
  }
  const look = (): void => {
    const waits = stream.writableLength
    if (waits === 0 || stream.destroyed) return rest()
    const before = taken
    taken = written - waits
    still = taken > before ? 0 : still + lookEvery
    if (still >= limits.seconds * 1_000)
      end(`it has taken nothing for ${limits.seconds} s, and ${waits} B wait for it`)
    return undefined
  }
  const write = stream.write.bind(stream) as (chunk: Uint8Array | string, ...rest: unknown[]) => boolean
  const unwaited = (chunk: Uint8Array | string, ...more: unknown[]): boolean => {
    if (stream.destroyed) return true
    written += Buffer.byteLength(chunk)
    write(chunk, ...more)
    if (stream.writableLength > limits.bytes) end(`${stream.writableLength} B wait for it`)
    else if (stream.writableNeedDrain && watch === undefined) {
      taken = written - stream.writableLength
      watch = setInterval(look, lookEvery)
    }
    return true
  }
  stream.write = unwaited as typeof stream.write
  stream.once('close', rest)
}
