/**
 * CRC-16 of Modbus RTU: polynomial 0xA001 (0x8005 reflected), preset 0xFFFF, sent low byte first.
 * Source: Modbus over Serial Line V1.02, section 6.2.2.
 */

const table = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0xa001 : crc >>> 1
  return crc
})

/** CRC of `bytes[start]` up to, not including, `bytes[end]`. */
export function crc16(bytes: Uint8Array, start = 0, end = bytes.length): number {
  let crc = 0xffff
  for (let i = start; i < end; i++) crc = (crc >>> 8) ^ (table[(crc ^ (bytes[i] ?? 0)) & 0xff] ?? 0)
  return crc
}

/** Whether the last two bytes of a frame are the CRC of those before. */
export function crcFits(bytes: Uint8Array, start = 0, end = bytes.length): boolean {
  if (end - start < 4) return false
  return crc16(bytes, start, end - 2) === ((bytes[end - 2] ?? 0) | ((bytes[end - 1] ?? 0) << 8))
}

/** Writes the CRC of `bytes[start..end)` at `end`, low byte first. */
export function putCrc(bytes: Uint8Array, start: number, end: number): void {
  const crc = crc16(bytes, start, end)
  bytes[end] = crc & 0xff
  bytes[end + 1] = crc >>> 8
}
