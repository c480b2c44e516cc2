/**
 * HDLC frames out of a stream of bytes. After garbage, a lost or an added byte it goes back to the byte behind the
 * false start and looks again, so that at most the damaged frame is lost: the frame behind it is found even where the
 * damaged one's length reached into it. Flags may be shared by two frames or each have its own.
 */
import { type HdlcFlaw, type HdlcFrame, flag, lookAtHeader, maxLength, takeFrame } from './frame.ts'

export interface HdlcHandlers {
  /** `bytes`: the whole frame with both flags, valid during the call only. */
  frame(f: HdlcFrame, bytes: Uint8Array): void
  /** A frame that began and was none: why, and the bytes that it claimed as far as they came. */
  rejected?(why: HdlcFlaw, bytes: Uint8Array): void
  /** Bytes that belonged to no frame, counted between two frames or rejections. */
  noise?(count: number): void
}

export interface HdlcReceiver {
  push(chunk: Uint8Array): void
  /** The line has been silent for so long that nothing can follow: what is held is looked through, and let go. */
  flush(): void
  /** Bytes held that are not settled yet. */
  readonly held: number
}

export function createHdlcReceiver(to: HdlcHandlers): HdlcReceiver {
  let buffer = new Uint8Array(2 * (maxLength + 2))
  let start = 0
  let end = 0
  let noise = 0
  /** Bytes before this place belong to a frame already rejected: false starts inside it are not told again. */
  let toldUntil = 0

  const tellNoise = (): void => {
    const n = noise
    noise = 0
    if (n > 0) to.noise?.(n)
  }

  const reject = (why: HdlcFlaw, length: number): void => {
    if (start >= toldUntil) {
      tellNoise()
      to.rejected?.(why, buffer.subarray(start, Math.min(end, start + length)))
      toldUntil = start + length
    }
  }

  /** Lets one byte go, and counts it where it belongs to nothing. */
  const skip = (): void => {
    const bare = buffer[start] === flag && start + 1 < end && buffer[start + 1] === flag
    if (start >= toldUntil && !bare) noise++
    start++
  }

  /** `all`: nothing more will come. */
  const scan = (all: boolean): void => {
    while (start < end) {
      if (buffer[start] !== flag) {
        skip()
        continue
      }
      const header = lookAtHeader(buffer, start, end)
      if (header.kind === 'more') {
        if (!all) return
        // A lone flag is the end of the frame before.
        if (end - start > 1) reject('cut short', end - start)
        start++
        continue
      }
      if (header.kind === 'flaw') {
        if (header.flaw === 'HCS wrong' || header.flaw === 'malformed address')
          reject(header.flaw, Math.min(end - start, 2))
        skip()
        continue
      }
      const size = header.length + 2
      if (end - start < size) {
        if (!all) return
        reject('cut short', end - start)
        start++
        continue
      }
      const f = takeFrame(buffer, start, header)
      if (typeof f === 'string') {
        reject(f, size)
        start++
        continue
      }
      tellNoise()
      to.frame(f, buffer.subarray(start, start + size))
      // The closing flag may open the next frame.
      start += size - 1
      toldUntil = Math.max(toldUntil, start + 1)
    }
  }

  return {
    get held() {
      return end - start
    },
    push(chunk) {
      for (let from = 0; from < chunk.length;) {
        if (start > 0) {
          buffer.copyWithin(0, start, end)
          toldUntil = Math.max(0, toldUntil - start)
          end -= start
          start = 0
        }
        const part = chunk.subarray(from, from + buffer.length - end)
        buffer.set(part, end)
        end += part.length
        from += part.length
        scan(false)
      }
    },
    flush() {
      scan(true)
      tellNoise()
      start = 0
      end = 0
      toldUntil = 0
      buffer = new Uint8Array(buffer.length)
    },
  }
}
