/**
 * CRC-16/X-25 of HDLC's two check sequences: polynomial x^16 + x^12 + x^5 + 1 reflected (0x8408), register FFFF at the
 * start, result inverted, low byte first on the wire (ISO/IEC 13239; DLMS UA 1000-2 Ed. 9, 8.5.1). The bytes `03 3F`
 * give `5B EC` on the wire.
 */

const table = /* @__PURE__ */ (() => {
  const t = new Uint16Array(256)
  for (let i = 0; i < 256; i++) {
    let c = i
    for (let bit = 0; bit < 8; bit++) c = (c & 1) === 0 ? c >>> 1 : (c >>> 1) ^ 0x8408
    t[i] = c
  }
  return t
})()

/** The check sequence over `b[from..to)`, as the number whose low byte goes on the wire first. */
export function crcX25(b: Uint8Array, from = 0, to = b.length): number {
  let c = 0xffff
  for (let i = from; i < to; i++) c = (c >>> 8) ^ (table[(c ^ (b[i] ?? 0)) & 0xff] ?? 0)
  return c ^ 0xffff
}

/** Whether the two bytes at `to` are the check sequence of `b[from..to)`. */
export function crcX25Fits(b: Uint8Array, from: number, to: number): boolean {
  const c = crcX25(b, from, to)
  return b[to] === (c & 0xff) && b[to + 1] === c >>> 8
}

/** Writes the check sequence of `b[from..to)` at `to`. */
export function putCrcX25(b: Uint8Array, from: number, to: number): void {
  const c = crcX25(b, from, to)
  b[to] = c & 0xff
  b[to + 1] = c >>> 8
}
