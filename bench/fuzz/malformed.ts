/** Malformed Modbus requests, seeded: what a stranger, a fault or an attacker may send, and what has to come back. */
import type { Random } from '../../drivers/random.ts'
import { crcOf, expected } from './modbus-oracle.ts'
import type { Documented, Expected } from './modbus-oracle.ts'

export interface MalformedCase {
  /** What is wrong with it. */
  readonly what: string
  readonly bytes: Uint8Array
  /** The request PDU that an answer belongs to. */
  readonly pdu: Uint8Array
  /** `silence`: nothing comes back, and the next request is answered. `close`: the connection ends. */
  readonly expect: Expected | 'silence' | 'close'
}

const pick = <T>(random: Random, from: readonly T[]): T => from[Math.floor(random() * from.length)] as T
const upTo = (random: Random, n: number): number => Math.floor(random() * (n + 1))
const noise = (random: Random, length: number): number[] => Array.from({ length }, () => upTo(random, 255))
const word = (n: number): number[] => [(n >>> 8) & 0xff, n & 0xff]

/** A PDU with something wrong, and what. At least a function code, at most 253 bytes. */
function badPdu(d: Documented, random: Random): { what: string; pdu: Uint8Array } {
  const reading = pick(
    random,
    d.functions.filter((f) => f === 3 || f === 4),
  )
  const address = pick(random, [0, 1, 7, 13, 14, 29, 30, 100, 523, 999, 1000, 1006, 0xfffe, 0xffff])
  const kinds: readonly (() => [string, number[]])[] = [
    () => [
      'a function that it has not',
      [
        pick(random, [0, 1, 2, 5, 7, 8, 11, 15, 17, 20, 22, 23, 24, 65, 99, 127, 128, 131, 255]),
        ...noise(random, upTo(random, 12)),
      ],
    ],
    () => [
      'no registers, or too many',
      [reading, ...word(address), ...word(pick(random, [0, 126, 127, 128, 256, 1000, 0xffff]))],
    ],
    () => [
      'an address that is not there',
      [reading, ...word(address), ...word(pick(random, [1, 2, 20, 125]))],
    ],
    () => [
      'a read of a wrong length',
      [reading, ...noise(random, pick(random, [0, 1, 2, 3, 5, 6, 20, 200]))],
    ],
    () => [
      'a write whose byte count does not fit',
      [
        16,
        ...word(address),
        ...word(pick(random, [0, 1, 2, 123, 124, 0x0800])),
        pick(random, [0, 1, 2, 3, 4, 246, 248, 255]),
        ...noise(random, pick(random, [0, 1, 2, 4, 100])),
      ],
    ],
    () => ['a write where it must not', [16, ...word(address), ...word(2), 4, ...noise(random, 4)]],
    () => ['a write cut short', [16, ...noise(random, upTo(random, 5))]],
    () => [
      'a single write',
      [6, ...word(pick(random, [address, 29])), ...word(pick(random, [3, 1, 0xffff]))],
    ],
    () => ['a single write of a wrong length', [6, ...noise(random, pick(random, [0, 1, 3, 5, 9]))]],
    () => [
      'an identification that is none',
      [43, pick(random, [0, 13, 14, 255]), pick(random, [0, 1, 4, 5, 255]), pick(random, [0, 2, 3, 200])],
    ],
    () => ['an identification of a wrong length', [43, 14, ...noise(random, pick(random, [0, 1, 3, 10]))]],
    () => ['noise', noise(random, 1 + upTo(random, 252))],
  ]
  const [what, bytes] = pick(random, kinds)()
  return { what, pdu: Uint8Array.from(bytes) }
}

/** Wraps a PDU for TCP: Modbus Messaging on TCP/IP Implementation Guide V1.0b, 3.1.3. */
export function tcpFrame(
  transaction: number,
  unit: number,
  pdu: Uint8Array,
  protocol = 0,
  length?: number,
): Uint8Array {
  return Uint8Array.from([
    ...word(transaction),
    ...word(protocol),
    ...word(length ?? pdu.length + 1),
    unit,
    ...pdu,
  ])
}

/** Wraps a PDU for a serial line: Modbus over Serial Line V1.02, 2.5.1. `flip`: bits of the CRC turned over. */
export function rtuFrame(unit: number, pdu: Uint8Array, flip = 0): Uint8Array {
  const crc = crcOf(Uint8Array.from([unit, ...pdu])) ^ flip
  return Uint8Array.from([unit, ...pdu, crc & 0xff, crc >>> 8])
}

/** The next one for a TCP device that answers unknown units like a gateway (exception 11). */
export function malformedTcp(d: Documented, random: Random, transaction: number): MalformedCase {
  const { what, pdu } = badPdu(d, random)
  const chance = random()
  if (chance < 0.08) {
    const protocol = 1 + upTo(random, 0xfffe)
    return {
      what: `protocol ${protocol}`,
      bytes: tcpFrame(transaction, d.unit, pdu, protocol),
      pdu,
      expect: 'silence',
    }
  }
  if (chance < 0.14) {
    const length = pick(random, [0, 1, 255, 256, 300, 0xffff])
    return {
      what: `length field ${length}`,
      bytes: tcpFrame(transaction, d.unit, pdu, 0, length),
      pdu,
      expect: 'close',
    }
  }
  if (chance < 0.22) {
    const unit = 2 + upTo(random, 252)
    return {
      what: `unit ${unit}`,
      bytes: tcpFrame(transaction, unit, pdu),
      pdu,
      expect: { is: 'refuse', code: 11 },
    }
  }
  return {
    what,
    bytes: tcpFrame(transaction, pick(random, [d.unit, d.unit, 0, 255]), pdu),
    pdu,
    expect: expected(d, pdu),
  }
}

/** The next one for a device on a serial line. */
export function malformedRtu(d: Documented, random: Random): MalformedCase {
  const { what, pdu } = badPdu(d, random)
  const chance = random()
  const silent = (why: string, bytes: Uint8Array): MalformedCase => ({
    what: why,
    bytes,
    pdu,
    expect: 'silence',
  })
  if (chance < 0.1) return silent('a wrong CRC', rtuFrame(d.unit, pdu, 1 + upTo(random, 0xfffe)))
  if (chance < 0.16) return silent('another unit', rtuFrame(d.unit + 1 + upTo(random, 200), pdu))
  if (chance < 0.22) return silent('a broadcast', rtuFrame(0, pdu))
  if (chance < 0.26)
    return silent('bytes that are no frame', Uint8Array.from(noise(random, 1 + upTo(random, 2))))
  if (chance < 0.29)
    return silent(
      'longer than a frame can be',
      rtuFrame(d.unit, Uint8Array.from([pdu[0] ?? 3, ...noise(random, 254 + upTo(random, 60))])),
    )
  if (chance < 0.33)
    return silent(
      'cut short',
      rtuFrame(d.unit, Uint8Array.from([3, 0, 0, 0, 1])).subarray(0, 1 + upTo(random, 6)),
    )
  if (chance < 0.35) return silent('a unit and nothing more', rtuFrame(d.unit, new Uint8Array(0)))
  return { what, bytes: rtuFrame(d.unit, pdu), pdu, expect: expected(d, pdu) }
}
