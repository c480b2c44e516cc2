/**
 * HDLC frames out of a stream of bytes. After garbage, a lost or an added byte it goes back to the byte behind the
 * false start and looks again, so that at most the damaged frame is lost: the frame behind it is found even where the
 * damaged one's length reached into it. Flags may be shared by two frames or each have its own.
 */
import { type HdlcFlaw, type HdlcFrame, flag, lookAtHeader, maxLength, takeFrame } from './frame.ts'
import { createScanWindow } from '../window.ts'

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
  const w = createScanWindow(2 * (maxLength + 2), (n) => to.noise?.(n))
  const { buffer } = w

  const reject = (why: HdlcFlaw, length: number): void => {
    if (w.start >= w.toldUntil) {
      w.tellNoise()
      to.rejected?.(why, buffer.subarray(w.start, Math.min(w.end, w.start + length)))
      w.toldUntil = w.start + length
    }
  }

  /** Lets one byte go, and counts it where it belongs to nothing. */
  const skip = (): void => {
    const bare = buffer[w.start] === flag && w.start + 1 < w.end && buffer[w.start + 1] === flag
    if (w.start >= w.toldUntil && !bare) w.noise++
    w.start++
  }

  /** `all`: nothing more will come. */
  const scan = (all: boolean): void => {
    while (w.start < w.end) {
      if (buffer[w.start] !== flag) {
        skip()
        continue
      }
      const held = w.end - w.start
      const header = lookAtHeader(buffer, w.start, w.end)
      if (header.kind === 'more') {
        if (!all) return
        // A lone flag is the end of the frame before.
        if (held > 1) reject('cut short', held)
        w.start++
        continue
      }
      if (header.kind === 'flaw') {
        if (header.flaw === 'HCS wrong' || header.flaw === 'malformed address')
          reject(header.flaw, Math.min(held, 2))
        skip()
        continue
      }
      const size = header.length + 2
      if (held < size) {
        if (!all) return
        reject('cut short', held)
        w.start++
        continue
      }
      const f = takeFrame(buffer, w.start, header)
      if (typeof f === 'string') {
        reject(f, size)
        w.start++
        continue
      }
      w.tellNoise()
      to.frame(f, buffer.subarray(w.start, w.start + size))
      // The closing flag may open the next frame.
      w.start += size - 1
      w.toldUntil = Math.max(w.toldUntil, w.start + 1)
    }
  }

  return {
    get held() {
      return w.end - w.start
    },
    push: (chunk) => w.push(chunk, () => scan(false)),
    flush() {
      scan(true)
      w.tellNoise()
      w.clear()
    },
  }
}
