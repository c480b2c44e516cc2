/**
 * One HDLC frame of format type 3 (DLMS UA 1000-2 Ed. 9, 8.4.1): flag, format (2 bytes), destination, source, control,
 * HCS, information, FCS, flag. There is no byte stuffing: 7E and 7D stand inside frames as they are, so the length in the
 * format field alone says where a frame ends. Without information there is no HCS, only the FCS.
 */
import { crcX25Fits, putCrcX25 } from './crc.ts'

export const flag = 0x7e

/** The largest value of the 11-bit length field: bytes between the flags. */
export const maxLength = 0x7ff

/** The shortest frame: format, two addresses of one byte, control, FCS. */
export const minLength = 7

export interface HdlcFrame {
  /** More frames of the same message follow (bit S of the format field). */
  readonly segmented: boolean
  /** As they stand on the wire: 1, 2 or 4 bytes, only the last with its lowest bit set. */
  readonly destination: Uint8Array
  readonly source: Uint8Array
  /** `10`: I frame with N(S) = N(R) = 0, final; `13`: UI, final. */
  readonly control: number
  /** LLC header and APDU; empty where the frame has none. */
  readonly information: Uint8Array
}

/** Why bytes that look like a frame are none. */
export type HdlcFlaw =
  | 'not type 3'
  | 'length out of range'
  | 'malformed address'
  | 'HCS wrong'
  | 'FCS wrong'
  | 'closing flag missing'
  | 'cut short'

/** Bytes of the address that begins at `at` (1, 2 or 4), or 0: none ends within four bytes. */
export function addressBytes(b: Uint8Array, at: number, end: number): number {
  for (let n = 1; n <= 4 && at + n <= end; n++) if (((b[at + n - 1] ?? 0) & 1) === 1) return n === 3 ? 0 : n
  return 0
}

export type HeaderLook =
  | { readonly kind: 'more' }
  | { readonly kind: 'flaw'; readonly flaw: HdlcFlaw }
  | {
      readonly kind: 'header'
      /** Bytes between the flags. */
      readonly length: number
      /** Where the destination, the source and the control byte begin, and where the header ends before the HCS. */
      readonly source: number
      readonly control: number
      readonly end: number
    }

/**
 * Looks at the header that begins behind the flag at `at`, in `b[..end)`. `more`: what is there is right so far. A
 * wrong HCS is a flaw: a false start costs a few bytes, never a frame's time.
 */
export function lookAtHeader(b: Uint8Array, at: number, end: number): HeaderLook {
  const format = b[at + 1]
  if (at + 1 >= end || format === undefined) return { kind: 'more' }
  if ((format & 0xf0) !== 0xa0) return { kind: 'flaw', flaw: 'not type 3' }
  if (at + 2 >= end) return { kind: 'more' }
  const length = ((format & 0x07) << 8) | (b[at + 2] ?? 0)
  if (length < minLength) return { kind: 'flaw', flaw: 'length out of range' }
  let p = at + 3
  for (let i = 0; i < 2; i++) {
    const n = addressBytes(b, p, end)
    if (n === 0) return end - p >= 4 ? { kind: 'flaw', flaw: 'malformed address' } : waitForAddress(b, p, end)
    if (i === 0) p += n
    else return checkHeader(b, at, end, length, p, p + n)
  }
  return { kind: 'more' }
}

/** Three bytes without an end can still become an address of four; an end at the third is none. */
function waitForAddress(b: Uint8Array, p: number, end: number): HeaderLook {
  return end - p >= 3 && ((b[p + 2] ?? 0) & 1) === 1
    ? { kind: 'flaw', flaw: 'malformed address' }
    : { kind: 'more' }
}

function checkHeader(
  b: Uint8Array,
  at: number,
  end: number,
  length: number,
  source: number,
  control: number,
): HeaderLook {
  const headerEnd = control + 1
  const rest = length - (headerEnd - at - 1)
  // Two bytes: the FCS alone. Four or more: an HCS, information (possibly none), the FCS.
  if (rest !== 2 && rest < 4) return { kind: 'flaw', flaw: 'length out of range' }
  if (rest > 2) {
    if (headerEnd + 2 > end) return { kind: 'more' }
    if (!crcX25Fits(b, at + 1, headerEnd)) return { kind: 'flaw', flaw: 'HCS wrong' }
  }
  return { kind: 'header', length, source, control, end: headerEnd }
}

/** The frame whose opening flag is at `at`, its header seen; every byte of it must be there. */
export function takeFrame(
  b: Uint8Array,
  at: number,
  header: HeaderLook & { kind: 'header' },
): HdlcFrame | HdlcFlaw {
  const last = at + 1 + header.length
  if (!crcX25Fits(b, at + 1, last - 2)) return 'FCS wrong'
  if (b[last] !== flag) return 'closing flag missing'
  const from = header.end + 2
  return {
    segmented: ((b[at + 1] ?? 0) & 0x08) !== 0,
    destination: b.slice(at + 3, header.source),
    source: b.slice(header.source, header.control),
    control: b[header.control] ?? 0,
    information: from > last - 2 ? new Uint8Array() : b.slice(from, last - 2),
  }
}

/** Reads bytes that should be one whole frame with both flags and nothing else; else says why they are not. */
export function decodeFrame(b: Uint8Array): HdlcFrame | HdlcFlaw {
  if (b[0] !== flag) return 'not type 3'
  const header = lookAtHeader(b, 0, b.length)
  if (header.kind === 'more') return 'cut short'
  if (header.kind === 'flaw') return header.flaw
  if (b.length < header.length + 2) return 'cut short'
  if (b.length > header.length + 2) return 'length out of range'
  return takeFrame(b, 0, header)
}

/**
 * The frame's bytes with both flags.
 * @throws RangeError for an address that does not end, a control byte outside 0..255, or more than 2,047 bytes
 */
export function encodeFrame(f: HdlcFrame): Uint8Array {
  for (const a of [f.destination, f.source]) {
    if (a.length === 0 || addressBytes(a, 0, a.length) !== a.length)
      throw new RangeError('an HDLC address has 1, 2 or 4 bytes, and only the last has its lowest bit set')
  }
  if (!Number.isInteger(f.control) || f.control < 0 || f.control > 0xff)
    throw new RangeError('an HDLC control field is one byte')
  const headerEnd = 4 + f.destination.length + f.source.length
  const withInformation = f.information.length > 0
  const length = headerEnd - 1 + (withInformation ? 2 + f.information.length : 0) + 2
  if (length > maxLength)
    throw new RangeError(
      `an HDLC frame has at most ${maxLength} bytes between its flags; this one would have ${length}`,
    )
  const b = new Uint8Array(length + 2)
  b[0] = flag
  b[1] = 0xa0 | (f.segmented ? 0x08 : 0) | (length >>> 8)
  b[2] = length & 0xff
  b.set(f.destination, 3)
  b.set(f.source, 3 + f.destination.length)
  b[headerEnd - 1] = f.control
  if (withInformation) {
    putCrcX25(b, 1, headerEnd)
    b.set(f.information, headerEnd + 2)
  }
  putCrcX25(b, 1, length - 1)
  b[length + 1] = flag
  return b
}
