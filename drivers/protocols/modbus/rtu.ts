/**
 * RTU framing as a slave hears it: bytes with their time into frames. Source: Modbus over Serial Line V1.02,
 * section 2.5.1. A frame ends with a silence of 3.5 characters; a slave also knows how long each request is, and
 * takes a frame of that length with a right CRC at once. A frame with a wrong CRC never comes out.
 */
import { crcFits } from './crc.ts'

/** Longest frame: unit, 253 bytes of PDU, CRC. */
export const maxRtuFrame = 256

export interface RtuTiming {
  /** Time of one character on the line, ms. */
  readonly charMs: number
  /** Silence that ends a frame, ms. */
  readonly silenceMs: number
}

/**
 * Timing of a line. `bitsPerChar` counts start, data, parity and stop bits. Up to 19 200 baud the silence is 3.5
 * characters, above it is 1.75 ms (Modbus over Serial Line V1.02, 2.5.1.1).
 */
export function rtuTiming(baudRate: number, bitsPerChar: number): RtuTiming {
  const charMs = (bitsPerChar * 1000) / baudRate
  return { charMs, silenceMs: baudRate > 19_200 ? 1.75 : 3.5 * charMs }
}

export interface RtuReceiver {
  /** Takes bytes whose last one arrived at `at` (ms). Calls `onFrame` with a buffer valid only during the call. */
  push(chunk: Uint8Array, at: number, onFrame: (frame: Uint8Array) => void): void
  /** The line has been silent for `silenceMs`: a held frame with a right CRC comes out. */
  silence(onFrame: (frame: Uint8Array) => void): void
  /** Bytes are held that are no frame yet. */
  readonly waiting: boolean
  /** Frames and pieces dropped for a wrong CRC, or for too many bytes. */
  readonly dropped: number
}

/**
 * Length of a request frame by its first bytes; the least it can be while the byte count has not come;
 * undefined for a function whose length is unknown.
 */
function requestLength(b: Uint8Array, held: number): number | undefined {
  if (held < 2) return 4
  switch (b[1] ?? 0) {
    case 1:
    case 2:
    case 3:
    case 4:
    case 5:
    case 6:
      return 8
    case 7:
    case 11:
    case 12:
    case 17:
      return 4
    case 15:
    case 16:
      return 9 + (held < 7 ? 0 : (b[6] ?? 0))
    case 22:
      return 10
    case 23:
      return 13 + (held < 11 ? 0 : (b[10] ?? 0))
    case 43:
      return 7
    default:
      return undefined
  }
}

export function createRtuReceiver(timing: RtuTiming): RtuReceiver {
  const buffer = new Uint8Array(maxRtuFrame)
  let held = 0
  let overrun = false
  /** The known length was wrong, or its CRC: only silence can end this one. */
  let onlySilence = false
  let last = Number.NEGATIVE_INFINITY
  let dropped = 0

  const clear = (): void => {
    held = 0
    overrun = false
    onlySilence = false
  }

  /** Ends what is held: out with a right CRC, else dropped. */
  const settle = (onFrame: (frame: Uint8Array) => void): void => {
    const length = held
    const good = !overrun && crcFits(buffer, 0, length)
    if (!good && length > 0) dropped++
    clear()
    if (good) onFrame(buffer.subarray(0, length))
  }

  /** Takes frames of known length and right CRC from the front. */
  const extract = (onFrame: (frame: Uint8Array) => void): void => {
    while (!onlySilence) {
      const length = requestLength(buffer, held)
      if (length === undefined || held < length) return
      if (!crcFits(buffer, 0, length)) {
        onlySilence = true
        return
      }
      const frame = buffer.slice(0, length)
      buffer.copyWithin(0, length, held)
      held -= length
      onFrame(frame)
    }
  }

  /** Whether held bytes and a chunk after them can be one request. */
  const joins = (chunk: Uint8Array): boolean => {
    const total = held + chunk.length
    if (overrun || onlySilence || total > maxRtuFrame) return false
    const whole = new Uint8Array(total)
    whole.set(buffer.subarray(0, held))
    whole.set(chunk, held)
    const length = requestLength(whole, total)
    return length !== undefined && (total < length || (total === length && crcFits(whole)))
  }

  return {
    get waiting() {
      return held > 0
    },
    get dropped() {
      return dropped
    },
    push(chunk, at, onFrame) {
      // A chunk is stamped when it has arrived. Sent as a burst it began then; paced, its characters' time before.
      // Where only that decides whether there was a silence, bytes that fit together belong together.
      const longest = at - last
      const shortest = longest - chunk.length * timing.charMs
      if (held > 0 && longest >= timing.silenceMs && (shortest >= timing.silenceMs || !joins(chunk)))
        settle(onFrame)
      last = at
      for (let from = 0; from < chunk.length;) {
        const room = maxRtuFrame - held
        if (room === 0) {
          overrun = true
          return
        }
        const part = chunk.subarray(from, from + room)
        buffer.set(part, held)
        held += part.length
        from += part.length
        extract(onFrame)
      }
    },
    silence(onFrame) {
      // what is not whole yet stays: the time of the next bytes decides whether they belong to it
      if (held > 0 && !overrun && crcFits(buffer, 0, held)) settle(onFrame)
    },
  }
}
