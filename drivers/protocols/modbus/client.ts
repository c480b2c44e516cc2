/**
 * The client's side of the codec: build a request PDU, parse a response PDU, wrap either for a transport.
 * Source: Modbus Application Protocol V1.1b3, section 6; MBAP: Messaging on TCP/IP Implementation Guide V1.0b, 3.1.3.
 */
import { putCrc } from './crc.ts'
import { functions } from './model.ts'

export type Request =
  | { readonly fc: 1 | 2 | 3 | 4; readonly address: number; readonly quantity: number }
  | { readonly fc: 5; readonly address: number; readonly on: boolean }
  | { readonly fc: 6; readonly address: number; readonly value: number }
  | { readonly fc: 15; readonly address: number; readonly bits: readonly boolean[] }
  | { readonly fc: 16; readonly address: number; readonly values: readonly number[] }
  | { readonly fc: 22; readonly address: number; readonly and: number; readonly or: number }
  | {
      readonly fc: 23
      readonly address: number
      readonly quantity: number
      readonly writeAddress: number
      readonly values: readonly number[]
    }
  | { readonly fc: 43; readonly code: number; readonly object: number }

/** What came back. `broken`: the bytes do not form a response to that request; `why` says where. */
export type Response =
  | { readonly kind: 'registers'; readonly values: readonly number[] }
  | { readonly kind: 'bits'; readonly values: readonly boolean[] }
  | { readonly kind: 'written' }
  | {
      readonly kind: 'identity'
      readonly objects: ReadonlyMap<number, string>
      readonly next: number | undefined
    }
  | { readonly kind: 'exception'; readonly code: number }
  | { readonly kind: 'broken'; readonly why: string }

const word = (v: number): [number, number] => [(v >>> 8) & 0xff, v & 0xff]

function packBits(bits: readonly boolean[]): number[] {
  const bytes = Array.from({ length: (bits.length + 7) >> 3 }, () => 0)
  bits.forEach((on, i) => {
    if (on) bytes[i >> 3] = (bytes[i >> 3] ?? 0) | (1 << (i & 7))
  })
  return bytes
}

/** The PDU of a request. Values are taken as they are: a caller may build an illegal request on purpose. */
export function encodeRequest(r: Request): Uint8Array {
  switch (r.fc) {
    case 1:
    case 2:
    case 3:
    case 4:
      return Uint8Array.from([r.fc, ...word(r.address), ...word(r.quantity)])
    case 5:
      return Uint8Array.from([5, ...word(r.address), r.on ? 0xff : 0, 0])
    case 6:
      return Uint8Array.from([6, ...word(r.address), ...word(r.value)])
    case 15: {
      const bytes = packBits(r.bits)
      return Uint8Array.from([15, ...word(r.address), ...word(r.bits.length), bytes.length, ...bytes])
    }
    case 16: {
      const { length } = r.values
      return Uint8Array.from([16, ...word(r.address), ...word(length), length * 2, ...r.values.flatMap(word)])
    }
    case 22:
      return Uint8Array.from([22, ...word(r.address), ...word(r.and), ...word(r.or)])
    case 23: {
      const { length } = r.values
      const head = [...word(r.address), ...word(r.quantity), ...word(r.writeAddress), ...word(length)]
      return Uint8Array.from([23, ...head, length * 2, ...r.values.flatMap(word)])
    }
    case 43:
      break
  }
  return Uint8Array.from([r.fc, 14, r.code, r.object])
}

/** Parses the PDU that answered `r`. Never throws. */
export function decodeResponse(r: Request, pdu: Uint8Array): Response {
  const broken = (why: string): Response => ({ kind: 'broken', why })
  const fc = pdu[0]
  if (fc === (r.fc | 0x80)) {
    const code = pdu[1]
    if (pdu.length !== 2 || code === undefined) return broken(`exception of ${pdu.length} bytes, expected 2`)
    return { kind: 'exception', code }
  }
  if (fc !== r.fc) return broken(`function code ${fc ?? 'missing'}, expected ${r.fc}`)
  switch (r.fc) {
    case 1:
    case 2: {
      const count = (r.quantity + 7) >> 3
      if (pdu[1] !== count || pdu.length !== 2 + count)
        return broken(`${pdu.length} bytes with count ${pdu[1] ?? 'missing'}, expected ${count}`)
      const bit = (i: number) => (((pdu[2 + (i >> 3)] ?? 0) >> (i & 7)) & 1) === 1
      return { kind: 'bits', values: Array.from({ length: r.quantity }, (_, i) => bit(i)) }
    }
    case 3:
    case 4:
    case 23: {
      const count = r.quantity * 2
      if (pdu[1] !== count || pdu.length !== 2 + count)
        return broken(`${pdu.length} bytes with count ${pdu[1] ?? 'missing'}, expected ${count}`)
      const at = (i: number) => ((pdu[2 + 2 * i] ?? 0) << 8) | (pdu[3 + 2 * i] ?? 0)
      return { kind: 'registers', values: Array.from({ length: r.quantity }, (_, i) => at(i)) }
    }
    case 5:
    case 6:
    case 15:
    case 16:
    case 22: {
      const expected = encodeRequest(r).subarray(0, r.fc === functions.maskWriteRegister ? 7 : 5)
      return Buffer.compare(pdu, expected) === 0
        ? { kind: 'written' }
        : broken('answer echoes another request')
    }
    case 43:
      break
  }
  return decodeIdentity(pdu) ?? broken('objects of the identification do not fill the PDU')
}

function decodeIdentity(pdu: Uint8Array): Response | undefined {
  const objects = new Map<number, string>()
  let at = 7
  for (let n = pdu[6] ?? 0; n > 0; n--) {
    const id = pdu[at]
    const length = pdu[at + 1]
    if (id === undefined || length === undefined || at + 2 + length > pdu.length) return undefined
    objects.set(id, Buffer.from(pdu.subarray(at + 2, at + 2 + length)).toString())
    at += 2 + length
  }
  if (pdu.length < 7 || at !== pdu.length) return undefined
  return { kind: 'identity', objects, next: pdu[4] === 0xff ? pdu[5] : undefined }
}

/** An MBAP header and the PDU: one ADU for TCP. */
export function tcpAdu(transaction: number, unit: number, pdu: Uint8Array): Uint8Array {
  const adu = new Uint8Array(7 + pdu.length)
  adu.set([...word(transaction), 0, 0, ...word(pdu.length + 1), unit])
  adu.set(pdu, 7)
  return adu
}

/** Unit, PDU and CRC: one frame for a serial line. */
export function rtuFrame(unit: number, pdu: Uint8Array): Uint8Array {
  const frame = new Uint8Array(pdu.length + 3)
  frame[0] = unit
  frame.set(pdu, 1)
  putCrc(frame, 0, pdu.length + 1)
  return frame
}
