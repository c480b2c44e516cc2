/**
 * The M-Bus link layer (EN 13757-2, clause 5; IEC 60870-5-2 FT 1.2; M-Bus documentation 4.8, chapter 5): a single
 * character E5, short frames `10 C A CS 16`, control frames (long ones of three bytes) and long frames
 * `68 L L 68 | C A CI data | CS 16`. L counts C to data; CS is their sum modulo 256.
 */
import { createScanWindow } from '../window.ts'

export type MbusFrame =
  | { readonly kind: 'acknowledge' }
  | { readonly kind: 'short'; readonly control: number; readonly address: number }
  | {
      /** Without data it is what the standard calls a control frame. */
      readonly kind: 'long'
      /** `53`: SND_UD, as meters push. */
      readonly control: number
      /** FF: broadcast without an answer. */
      readonly address: number
      readonly ci: number
      readonly data: Uint8Array
    }

export type MbusFlaw =
  | 'lengths differ'
  | 'length out of range'
  | 'second start byte missing'
  | 'checksum wrong'
  | 'stop byte missing'
  | 'cut short'

export interface MbusOptions {
  /**
   * Some Sagemcom T210-D send a frame of 256 bytes or more with the low byte of its length: a length below three,
   * which no long frame can have, is then read as 256 more.
   */
  readonly lengthOverflow?: boolean
}

const start = 0x68
const startShort = 0x10
const stop = 0x16
const single = 0xe5

/** Largest frame: length 255 and six more; with the overflow 258 and six. */
const maxFrame = 264

function sum(b: Uint8Array, from: number, to: number): number {
  let s = 0
  for (let i = from; i < to; i++) s = (s + (b[i] ?? 0)) & 0xff
  return s
}

/** What stands at `at` in `b[..end)`: a frame with its size, a flaw, or `more`. */
export function lookAtMbus(
  b: Uint8Array,
  at: number,
  end: number,
  options: MbusOptions = {},
): { readonly frame: MbusFrame; readonly size: number } | MbusFlaw | 'more' | 'no start' {
  const first = b[at]
  const held = end - at
  if (held < 1) return 'more'
  if (first === single) return { frame: { kind: 'acknowledge' }, size: 1 }
  if (first === startShort) {
    if (held < 5) return 'more'
    if (b[at + 3] !== sum(b, at + 1, at + 3)) return 'checksum wrong'
    if (b[at + 4] !== stop) return 'stop byte missing'
    return { frame: { kind: 'short', control: b[at + 1] ?? 0, address: b[at + 2] ?? 0 }, size: 5 }
  }
  if (first !== start) return 'no start'
  if (held < 2) return 'more'
  const stated = b[at + 1] ?? 0
  const length = options.lengthOverflow === true && stated < 3 ? stated + 256 : stated
  if (held >= 3 && b[at + 2] !== stated) return 'lengths differ'
  if (held >= 4 && b[at + 3] !== start) return 'second start byte missing'
  if (length < 3) return 'length out of range'
  const size = length + 6
  if (held < size) return 'more'
  if (b[at + size - 2] !== sum(b, at + 4, at + 4 + length)) return 'checksum wrong'
  if (b[at + size - 1] !== stop) return 'stop byte missing'
  return {
    frame: {
      kind: 'long',
      control: b[at + 4] ?? 0,
      address: b[at + 5] ?? 0,
      ci: b[at + 6] ?? 0,
      data: b.slice(at + 7, at + 4 + length),
    },
    size,
  }
}

/**
 * A frame's bytes.
 * @throws RangeError for more data than a length byte can tell, unless `lengthOverflow` lets the length overflow as those
 *   meters do
 */
export function encodeMbus(f: MbusFrame, options: MbusOptions = {}): Uint8Array {
  if (f.kind === 'acknowledge') return Uint8Array.of(single)
  if (f.kind === 'short') {
    const body = Uint8Array.of(f.control, f.address)
    return Uint8Array.of(startShort, ...body, sum(body, 0, 2), stop)
  }
  const body = Uint8Array.of(f.control, f.address, f.ci, ...f.data)
  const most = options.lengthOverflow === true ? 258 : 255
  if (body.length > most)
    throw new RangeError(`an M-Bus frame holds at most ${most - 3} bytes of data, not ${f.data.length}`)
  const length = body.length & 0xff
  return Uint8Array.of(start, length, length, start, ...body, sum(body, 0, body.length), stop)
}

export interface MbusHandlers {
  /** `bytes`: the whole frame, valid during the call only. */
  frame(f: MbusFrame, bytes: Uint8Array): void
  rejected?(why: MbusFlaw, bytes: Uint8Array): void
  noise?(count: number): void
}

export interface MbusReceiver {
  push(chunk: Uint8Array): void
  /** The line fell silent: what is held is looked through, and let go. */
  flush(): void
  readonly held: number
}

/** M-Bus frames out of a stream of bytes; after a flaw it looks again from the byte behind the false start. */
export function createMbusReceiver(to: MbusHandlers, options: MbusOptions = {}): MbusReceiver {
  const w = createScanWindow(2 * maxFrame, (n) => to.noise?.(n))
  const { buffer } = w

  const scan = (all: boolean): void => {
    while (w.start < w.end) {
      const look = lookAtMbus(buffer, w.start, w.end, options)
      if (look === 'more' && !all) return
      if (typeof look === 'object') {
        // One byte that happens to be E5, inside a frame already rejected, is no acknowledgement.
        if (look.frame.kind === 'acknowledge' && w.start < w.toldUntil) {
          w.start++
          continue
        }
        w.tellNoise()
        to.frame(look.frame, buffer.subarray(w.start, w.start + look.size))
        w.start += look.size
        continue
      }
      const why = look === 'more' ? 'cut short' : look
      if (why === 'no start') {
        if (w.start >= w.toldUntil) w.noise++
      } else if (w.start >= w.toldUntil) {
        const stated = (buffer[w.start + 1] ?? 0) + 6
        const whole = why === 'checksum wrong' || why === 'stop byte missing' || why === 'cut short'
        const size = whole && buffer[w.start] === start ? stated : 1
        w.tellNoise()
        to.rejected?.(why, buffer.subarray(w.start, Math.min(w.end, w.start + size)))
        w.toldUntil = w.start + size
      }
      w.start++
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
