/**
 * What a Modbus device has to answer to a request, from the standard alone: Modbus Application Protocol V1.1b3 (MAP),
 * its flow charts of section 6 and the codes of section 7. Written without our slave, and knowing of a device only what
 * its documentation says.
 */

/** A device as its documentation tells it (docs/devices.md). */
export interface Documented {
  readonly unit: number
  readonly functions: readonly number[]
  /** Whether a register can be read by functions 3 or 4. */
  reads(fc: 3 | 4, address: number): boolean
  /** How a write to these registers ends: 0 done, or an exception code. */
  writes(address: number, values: readonly number[]): number
  /** Objects of its identification, by number. */
  readonly objects: readonly number[]
}

/** `refuse`: with this exception code. `answer`: of this length; undefined where its length is the device's own. */
export type Expected =
  | { readonly is: 'refuse'; readonly code: number }
  | { readonly is: 'answer'; readonly length: number | undefined; readonly echo: boolean }

const refuse = (code: number): Expected => ({ is: 'refuse', code })

/** The answer to one request PDU, which has at least a function code. */
export function expected(d: Documented, pdu: Uint8Array): Expected {
  const fc = pdu[0] ?? 0
  const word = (at: number): number => (pdu[at] ?? 0) * 256 + (pdu[at + 1] ?? 0)
  if (!d.functions.includes(fc)) return refuse(1)
  switch (fc) {
    case 3:
    case 4: {
      // MAP 6.3, 6.4: 1 to 125 registers, checked before the address
      const quantity = word(3)
      if (pdu.length !== 5 || quantity < 1 || quantity > 125) return refuse(3)
      for (let a = word(1); a < word(1) + quantity; a++) if (a > 0xffff || !d.reads(fc, a)) return refuse(2)
      return { is: 'answer', length: 2 + 2 * quantity, echo: false }
    }
    case 6: {
      if (pdu.length !== 5) return refuse(3)
      const code = d.writes(word(1), [word(3)])
      return code === 0 ? { is: 'answer', length: 5, echo: true } : refuse(code)
    }
    case 16: {
      // MAP 6.12: 1 to 123 registers, and a byte count that is twice that
      const quantity = word(3)
      const bytes = pdu[5] ?? 0
      if (pdu.length < 6 || quantity < 1 || quantity > 123 || bytes !== 2 * quantity) return refuse(3)
      if (pdu.length !== 6 + bytes) return refuse(3)
      if (word(1) + quantity > 0x10000) return refuse(2)
      const code = d.writes(
        word(1),
        Array.from({ length: quantity }, (_, i) => word(6 + 2 * i)),
      )
      return code === 0 ? { is: 'answer', length: 5, echo: true } : refuse(code)
    }
    case 43: {
      // MAP 6.19 and 6.21: MEI type, then its own request
      if (pdu[1] !== 14) return refuse(1)
      if (pdu.length !== 4) return refuse(3)
      const [, , code = 0, object = 0] = pdu
      if (code === 4)
        return d.objects.includes(object) ? { is: 'answer', length: undefined, echo: false } : refuse(2)
      return code >= 1 && code <= 3 ? { is: 'answer', length: undefined, echo: false } : refuse(3)
    }
    default:
      throw new Error(`the oracle knows no function ${fc}`)
  }
}

/** Whether an answer PDU is what was expected. */
export function fits(e: Expected, request: Uint8Array, answer: Uint8Array): boolean {
  const fc = request[0] ?? 0
  if (e.is === 'refuse') return answer.length === 2 && answer[0] === (fc | 0x80) && answer[1] === e.code
  if (answer[0] !== fc || (e.length !== undefined && answer.length !== e.length)) return false
  if (e.echo) return answer.every((b, i) => b === request[i])
  return fc === 43 || answer[1] === answer.length - 2
}

/** CRC of Modbus over Serial Line V1.02, 6.2.2: bit by bit, polynomial 0xA001, low byte sent first. */
export function crcOf(bytes: Uint8Array): number {
  let crc = 0xffff
  for (const b of bytes) {
    crc ^= b
    for (let i = 0; i < 8; i++) crc = crc & 1 ? (crc >>> 1) ^ 0xa001 : crc >>> 1
  }
  return crc
}

const span = (from: number, count: number) => (a: number) => a >= from && a < from + count
const busbar = span(0, 14)
const status = span(1000, 7)

/** The feeder monitor, by docs/devices.md. */
export const documentedGridKey: Documented = {
  unit: 1,
  functions: [4, 16, 43],
  reads: (_, a) => busbar(a) || status(a) || [1, 2, 3, 4, 5].some((f) => span(100 * f, 24)(a)),
  // Function 16 sets the clock only, both words at once.
  writes: (address, values) => (address === 1000 && values.length === 2 ? 0 : 2),
  objects: [0, 1, 2],
}

/** The thermocouple module, by docs/devices.md. */
export const documentedTc8: Documented = {
  unit: 10,
  functions: [3, 4, 6, 16],
  reads: (_, a) => a <= 29,
  writes(address, values) {
    if (address !== 29 || values.length !== 1) return 2
    return (values[0] ?? 0) <= 2 ? 0 : 3
  },
  objects: [],
}

/** A circuit breaker, L1 of three, by docs/devices.md; while nothing moves. */
export const documentedAlvin: Documented = {
  unit: 1,
  functions: [3, 4, 6, 16],
  reads: (fc, a) => (fc === 4 ? a <= 13 : a === 0 || (a >= 16 && a <= 23)),
  writes(address, values) {
    const last = address + values.length - 1
    if (address === last && (address === 16 || address === 17))
      return [0xc105, 0x09e4, 0x5e5e].includes(values[0] ?? 0) ? 0 : 3
    if (address < 20 || last > 23) return 2
    // AR_ENABLE, AR_SHOTS, AR_DEAD_TIME, AR_RECLAIM
    const fit = [(v: number) => v <= 1, (v: number) => v <= 3, (v: number) => v > 0, (v: number) => v > 0]
    return values.every((v, i) => fit[address - 20 + i]?.(v) === true) ? 0 : 3
  },
  objects: [],
}
