/**
 * General block transfer (DLMS UA 1000-2 Ed. 9, 9.3.13 and 9.5): one APDU in several, each `E0`, block control (80 last,
 * 40 streaming, window in the low six bits), block number, number of the block acknowledged, length, bytes. Pushes are
 * unconfirmed: nothing is asked for again.
 */
import { Cursor, DlmsError, lengthBytes } from './axdr.ts'

export const generalBlockTransfer = 0xe0

export interface Block {
  readonly last: boolean
  readonly streaming: boolean
  /** 0..63. */
  readonly window: number
  /** From 1. */
  readonly number: number
  readonly acknowledged: number
  readonly data: Uint8Array
}

/** @throws DlmsError */
export function decodeBlock(apdu: Uint8Array): Block {
  const c = new Cursor(apdu)
  if (c.byte('APDU') !== generalBlockTransfer) throw new DlmsError('not a general block transfer', 0)
  const control = c.byte('block control')
  const number = c.view.getUint16(c.skip(2, 'block number'))
  const acknowledged = c.view.getUint16(c.skip(2, 'block number acknowledged'))
  const data = c.take(c.length('block data'), 'block data')
  if (c.left > 0) throw new DlmsError(`${c.left} bytes behind the block`, c.at)
  return {
    last: (control & 0x80) !== 0,
    streaming: (control & 0x40) !== 0,
    window: control & 0x3f,
    number,
    acknowledged,
    data,
  }
}

export function encodeBlock(b: Block): Uint8Array {
  const control = (b.last ? 0x80 : 0) | (b.streaming ? 0x40 : 0) | (b.window & 0x3f)
  return Uint8Array.from([
    generalBlockTransfer,
    control,
    b.number >>> 8,
    b.number & 0xff,
    b.acknowledged >>> 8,
    b.acknowledged & 0xff,
    ...lengthBytes(b.data.length),
    ...b.data,
  ])
}

/** An APDU in blocks of at most `size` bytes, as Landis+Gyr meters push them: streaming, window 0. */
export function splitIntoBlocks(apdu: Uint8Array, size: number): Block[] {
  if (!Number.isInteger(size) || size < 1) throw new RangeError('a block has at least one byte')
  const count = Math.max(1, Math.ceil(apdu.length / size))
  return Array.from({ length: count }, (_, i) => ({
    last: i === count - 1,
    streaming: true,
    window: 0,
    number: i + 1,
    acknowledged: 0,
    data: apdu.slice(i * size, (i + 1) * size),
  }))
}
