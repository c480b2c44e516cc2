/** Numbers in registers: big-endian words, the big word first ("ABCD"), as most maps have it. */

/** IEEE 754 single, in two registers from `at`. */
export function putFloat32(words: Uint16Array, at: number, value: number): void {
  const cell = new DataView(new ArrayBuffer(4))
  cell.setFloat32(0, value)
  words[at] = cell.getUint16(0)
  words[at + 1] = cell.getUint16(2)
}

export function getFloat32(words: ArrayLike<number>, at: number): number {
  const cell = new DataView(new ArrayBuffer(4))
  cell.setUint16(0, words[at] ?? 0)
  cell.setUint16(2, words[at + 1] ?? 0)
  return cell.getFloat32(0)
}

/** Unsigned 32 bits, in two registers from `at`; higher bits are cut off. */
export function putUint32(words: Uint16Array, at: number, value: number): void {
  const v = value >>> 0
  words[at] = v >>> 16
  words[at + 1] = v & 0xffff
}

export function getUint32(words: ArrayLike<number>, at: number): number {
  return (words[at] ?? 0) * 0x10000 + (words[at + 1] ?? 0)
}

/** Signed 16 bits, held at the ends of its range. */
export function putInt16(words: Uint16Array, at: number, value: number): void {
  words[at] = Math.max(-32768, Math.min(32767, Math.round(value))) & 0xffff
}

export function getInt16(words: ArrayLike<number>, at: number): number {
  return ((words[at] ?? 0) << 16) >> 16
}
