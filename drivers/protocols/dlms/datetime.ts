/**
 * COSEM date-time, 12 bytes (DLMS UA 1000-1, 4.1.6.1): year (2), month, day, day of week (1 = Monday), hour, minute,
 * second, hundredths, deviation (2, minutes: local time + deviation = UTC), clock status. Each field may say that it is
 * not specified.
 */

export interface CosemDateTime {
  /** FFFF: not specified. */
  readonly year: number
  /** 1..12; FD and FE mark the end and the begin of daylight saving; FF: not specified. */
  readonly month: number
  readonly day: number
  /** 1 = Monday .. 7; FF: not specified. */
  readonly dayOfWeek: number
  readonly hour: number
  readonly minute: number
  readonly second: number
  /** 0..99; FF: not specified. */
  readonly hundredths: number
  /** Minutes from local time to UTC (Oslo in winter: -60); undefined: not specified (8000). */
  readonly deviation: number | undefined
  /** Bit 0 invalid, 1 doubtful, 2 different base, 3 invalid status, 7 daylight saving; FF: not specified. */
  readonly status: number
}

export const dateTimeSize = 12

/** @throws RangeError where there are not twelve bytes */
export function decodeDateTime(b: Uint8Array): CosemDateTime {
  if (b.length !== dateTimeSize) throw new RangeError(`a date-time has 12 bytes, not ${b.length}`)
  const v = new DataView(b.buffer, b.byteOffset, b.byteLength)
  const deviation = v.getInt16(9)
  return {
    year: v.getUint16(0),
    month: v.getUint8(2),
    day: v.getUint8(3),
    dayOfWeek: v.getUint8(4),
    hour: v.getUint8(5),
    minute: v.getUint8(6),
    second: v.getUint8(7),
    hundredths: v.getUint8(8),
    deviation: deviation === -0x8000 ? undefined : deviation,
    status: v.getUint8(11),
  }
}

export function encodeDateTime(t: CosemDateTime): Uint8Array {
  const b = new Uint8Array(dateTimeSize)
  const v = new DataView(b.buffer)
  v.setUint16(0, t.year)
  for (const [i, x] of [t.month, t.day, t.dayOfWeek, t.hour, t.minute, t.second, t.hundredths].entries())
    v.setUint8(2 + i, x)
  v.setInt16(9, t.deviation ?? -0x8000)
  v.setUint8(11, t.status)
  return b
}

/** `2017-09-12T23:18:46`, the local time as it stands, or undefined where a field of it is not specified or no date. */
export function wallTime(t: CosemDateTime): string | undefined {
  const days = new Date(Date.UTC(t.year, t.month, 0)).getUTCDate()
  const right =
    t.year !== 0xffff &&
    t.month >= 1 &&
    t.month <= 12 &&
    t.day >= 1 &&
    t.day <= days &&
    t.hour <= 23 &&
    t.minute <= 59 &&
    t.second <= 59
  if (!right) return undefined
  const two = (n: number): string => String(n).padStart(2, '0')
  return `${String(t.year).padStart(4, '0')}-${two(t.month)}-${two(t.day)}T${two(t.hour)}:${two(t.minute)}:${two(t.second)}`
}

/** The instant that it names, ms since 1970, where it says its deviation; else undefined. */
export function instantOf(t: CosemDateTime): number | undefined {
  if (t.deviation === undefined || wallTime(t) === undefined) return undefined
  const hundredths = t.hundredths <= 99 ? t.hundredths : 0
  return Date.UTC(t.year, t.month - 1, t.day, t.hour, t.minute + t.deviation, t.second, hundredths * 10)
}
