/**
 * MBAP framing of Modbus/TCP: a byte stream into ADUs. Source: Modbus Messaging on TCP/IP Implementation Guide
 * V1.0b, section 3.1.3 (header: transaction, protocol, length, unit; length counts the unit and the PDU).
 */

/** Bytes before the PDU. */
export const mbapHead = 7
/** Length field: the unit and at least a function code; at most a PDU of 253 bytes. */
const least = 2
const most = 254

export interface MbapDecoder {
  /**
   * Takes the next bytes of the stream; calls `onAdu` for each whole ADU with `bytes[start..end)`, valid only
   * during the call. An ADU with a protocol ID other than 0 is discarded. False: a length field was out of range,
   * so that the stream has lost its framing; the connection has to be closed, and every later call is false too.
   */
  push(chunk: Uint8Array, onAdu: (bytes: Uint8Array, start: number, end: number) => void): boolean
  /** ADUs discarded for their protocol ID. */
  readonly discarded: number
}

export function createMbapDecoder(): MbapDecoder {
  const carry = new Uint8Array(6 + most)
  let held = 0
  let broken = false
  let discarded = 0

  /** The length field at `at`, or 0 where it is out of range. */
  const lengthAt = (b: Uint8Array, at: number): number => {
    const length = ((b[at + 4] ?? 0) << 8) | (b[at + 5] ?? 0)
    return length < least || length > most ? 0 : length
  }

  const deliver = (
    b: Uint8Array,
    start: number,
    end: number,
    onAdu: (bytes: Uint8Array, start: number, end: number) => void,
  ): void => {
    if (b[start + 2] === 0 && b[start + 3] === 0) onAdu(b, start, end)
    else discarded++
  }

  return {
    get discarded() {
      return discarded
    },
    push(chunk, onAdu) {
      let at = 0
      while (!broken && at < chunk.length) {
        if (held === 0 && chunk.length - at >= 6) {
          // the usual case: a whole ADU lies in the chunk, and nothing is copied
          const length = lengthAt(chunk, at)
          broken = length === 0
          if (broken) break
          if (chunk.length - at >= 6 + length) {
            deliver(chunk, at, at + 6 + length, onAdu)
            at += 6 + length
            continue
          }
        }
        const need = held < 6 ? 6 : 6 + lengthAt(carry, 0)
        const taken = Math.min(need - held, chunk.length - at)
        carry.set(chunk.subarray(at, at + taken), held)
        held += taken
        at += taken
        if (held < 6) continue
        const length = lengthAt(carry, 0)
        broken = length === 0
        if (!broken && held === 6 + length) {
          held = 0
          deliver(carry, 0, 6 + length, onAdu)
        }
      }
      return !broken
    },
  }
}
