/**
 * Bytes of a stream that are not settled yet, for receivers that look again from behind a false start (HDLC, M-Bus): where
 * they begin and end, how far what was rejected has been told, and how many bytes belonged to nothing.
 */

export interface ScanWindow {
  readonly buffer: Uint8Array
  /** Bytes `buffer[start..end)` are held. */
  start: number
  readonly end: number
  /** Bytes before this place belong to a frame that was rejected: false starts inside it are not told again. */
  toldUntil: number
  /** Bytes that belonged to nothing, since they were told last. */
  noise: number
  /** Tells the noise there is, if there is any. */
  tellNoise(): void
  /** Takes bytes, as many as there is room for at a time; `scan` settles what it can after each time. */
  push(chunk: Uint8Array, scan: () => void): void
  /** Lets go of all that is held. */
  clear(): void
}

/** `size` bytes at a time: twice the longest frame, so that `scan` always leaves room. */
export function createScanWindow(size: number, tell: ((count: number) => void) | undefined): ScanWindow {
  const buffer = new Uint8Array(size)
  let end = 0
  return {
    buffer,
    start: 0,
    toldUntil: 0,
    noise: 0,
    get end() {
      return end
    },
    tellNoise() {
      const n = this.noise
      this.noise = 0
      if (n > 0) tell?.(n)
    },
    push(chunk, scan) {
      for (let from = 0; from < chunk.length;) {
        if (this.start > 0) {
          buffer.copyWithin(0, this.start, end)
          this.toldUntil = Math.max(0, this.toldUntil - this.start)
          end -= this.start
          this.start = 0
        }
        const part = chunk.subarray(from, from + buffer.length - end)
        buffer.set(part, end)
        end += part.length
        from += part.length
        scan()
      }
    },
    clear() {
      this.start = 0
      this.toldUntil = 0
      end = 0
    },
  }
}
