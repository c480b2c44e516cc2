import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { rtuFrame, tcpAdu } from './client.ts'
import { crc16, crcFits } from './crc.ts'
import { createMbapDecoder } from './mbap.ts'
import { getFloat32, getInt16, getUint32, putFloat32, putInt16, putUint32 } from './registers.ts'
import { createRtuReceiver, rtuTiming } from './rtu.ts'

const hex = (b: Uint8Array): string => Buffer.from(b).toString('hex')
const bytes = (text: string): Uint8Array => Buffer.from(text.replaceAll(' ', ''), 'hex')

/** Splits bytes at random places. */
function split(all: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const at = [...new Set(cuts.map((c) => c % (all.length + 1)))].sort((a, b) => a - b)
  return [0, ...at].map((from, i) => all.subarray(from, at[i] ?? all.length)).filter((p) => p.length > 0)
}

test('CRC: the examples of Modbus over Serial Line V1.02 (0x1241 for 02 07) and of common use', () => {
  expect(crc16(bytes('0207'))).toBe(0x1241)
  expect(crcFits(bytes('0103 0000 000a c5cd'))).toBe(true)
  expect(crcFits(bytes('0103 0000 000a c5cc'))).toBe(false)
})

describe('MBAP', () => {
  const decodeAll = (chunks: Iterable<Uint8Array>): { got: Uint8Array[]; framed: boolean } => {
    const decoder = createMbapDecoder()
    const got: Uint8Array[] = []
    let framed = true
    for (const c of chunks) framed = decoder.push(c, (b, start, end) => got.push(b.slice(start, end)))
    return { got, framed }
  }
  const adus = fc.array(
    fc
      .tuple(
        fc.integer({ min: 0, max: 0xffff }),
        fc.integer({ min: 0, max: 255 }),
        fc.uint8Array({ minLength: 1, maxLength: 253 }),
      )
      .map(([t, u, pdu]) => tcpAdu(t, u, pdu)),
    { maxLength: 12 },
  )

  test('what was framed comes out whole and in order, however the stream is cut', () => {
    fc.assert(
      fc.property(adus, fc.array(fc.nat()), (list, cuts) => {
        const { got, framed } = decodeAll(split(Buffer.concat(list), cuts))
        expect(framed).toBe(true)
        expect(got.map(hex)).toEqual(list.map(hex))
      }),
    )
  })

  test('another protocol ID is discarded, and what follows is served', () => {
    const odd = tcpAdu(1, 1, bytes('03 0000 0001'))
    odd[3] = 7
    const good = tcpAdu(2, 1, bytes('03 0000 0001'))
    for (const cuts of [[], [5], [3, 7, 14]])
      expect(decodeAll(split(Buffer.concat([odd, good]), cuts)).got.map(hex)).toEqual([hex(good)])
  })

  test.each([0, 1, 255, 300, 0xffff])('length %i breaks the framing for good', (length) => {
    const bad = tcpAdu(1, 1, bytes('03 0000 0001'))
    bad[4] = length >> 8
    bad[5] = length & 0xff
    for (const cuts of [[], [1, 2, 3, 4, 5, 6]]) {
      const { got, framed } = decodeAll([...split(bad, cuts), tcpAdu(2, 1, bytes('03 0000 0001'))])
      expect(got).toEqual([])
      expect(framed).toBe(false)
    }
  })

  test('random bytes never throw, and never make an ADU out of bounds', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 })), (chunks) => {
        for (const adu of decodeAll(chunks).got) expect(adu.length).toBeLessThanOrEqual(260)
      }),
      { numRuns: 500 },
    )
  })
})

describe('RTU', () => {
  const line = rtuTiming(9600, 10)
  const receive = (parts: readonly { at: number; chunk: Uint8Array }[]): string[] => {
    const receiver = createRtuReceiver(line)
    const got: string[] = []
    const take = (f: Uint8Array): void => {
      got.push(Buffer.from(f).toString('hex'))
    }
    for (const { at, chunk } of parts) receiver.push(chunk, at, take)
    receiver.silence(take)
    return got
  }
  const read = rtuFrame(10, bytes('03 0000 0010'))

  test('timing: 3.5 characters up to 19 200 baud, 1.75 ms above', () => {
    expect(line.charMs).toBeCloseTo(1.0417, 3)
    expect(line.silenceMs).toBeCloseTo(3.646, 2)
    expect(rtuTiming(19_200, 11).silenceMs).toBeCloseTo(2.005, 3)
    expect(rtuTiming(115_200, 11).silenceMs).toBe(1.75)
  })

  test('a request is known to be whole by its length, before any silence', () => {
    const receiver = createRtuReceiver(line)
    const got: string[] = []
    receiver.push(read, 0, (f) => got.push(hex(f)))
    expect(got).toEqual([hex(read)])
    expect(receiver.waiting).toBe(false)
  })

  test('an unknown function is whole after the silence', () => {
    const odd = rtuFrame(10, bytes('65 01 02 03 04'))
    expect(receive([{ at: 0, chunk: odd }])).toEqual([hex(odd)])
  })

  test('a frame in pieces, each stamped as a paced line delivers it, is one frame', () => {
    expect(
      receive([
        { at: 100, chunk: read.subarray(0, 3) },
        { at: 100 + 5 * line.charMs, chunk: read.subarray(3) },
      ]),
    ).toEqual([hex(read)])
  })

  test('a frame with a silence inside is none', () => {
    expect(
      receive([
        { at: 100, chunk: read.subarray(0, 3) },
        { at: 120, chunk: read.subarray(3) },
      ]),
    ).toEqual([])
  })

  test('a wrong CRC never comes out', () => {
    fc.assert(
      fc.property(fc.nat({ max: read.length * 8 - 1 }), (bit) => {
        const bad = Uint8Array.from(read)
        bad[bit >> 3] = (bad[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        expect(receive([{ at: 0, chunk: bad }])).toEqual([])
      }),
    )
  })

  test('a frame that is too long for its function comes out after the silence, for exception 3', () => {
    const long = rtuFrame(10, bytes('03 0000 0001 00'))
    expect(receive([{ at: 0, chunk: long }])).toEqual([hex(long)])
  })

  test('after any garbage and a silence the next good frame comes out, in one burst or paced', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 700 }),
        fc.array(fc.nat()),
        fc.boolean(),
        (garbage, cuts, burst) => {
          const parts = split(garbage, cuts).map((chunk, i) => ({ at: i * 0.5, chunk }))
          const end = (parts.at(-1)?.at ?? 0) + line.silenceMs + 0.01
          // a burst may come at once; a line that paces delivers at the frame's end
          const at = burst ? end + 20 : end + read.length * line.charMs
          expect(receive([...parts, { at, chunk: read }]).at(-1)).toBe(hex(read))
        },
      ),
      { numRuns: 1000 },
    )
  })

  test('any request survives any cutting without silence', () => {
    const pdus = fc.oneof(
      fc
        .tuple(fc.constantFrom(1, 2, 3, 4, 5, 6), fc.uint8Array({ minLength: 4, maxLength: 4 }))
        .map(([f, b]) => [f, ...b]),
      fc.uint8Array({ minLength: 1, maxLength: 246 }).map((b) => [16, 0, 0, 0, 1, b.length, ...b]),
      fc
        .uint8Array({ minLength: 1, maxLength: 242 })
        .map((b) => [23, 0, 0, 0, 1, 0, 0, 0, 1, b.length, ...b]),
    )
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 247 }), pdus, fc.array(fc.nat()), (unit, pdu, cuts) => {
        const frame = rtuFrame(unit, Uint8Array.from(pdu))
        let at = 0
        const parts = split(frame, cuts).map((chunk) => ({ at: (at += chunk.length * line.charMs), chunk }))
        expect(receive(parts)).toEqual([hex(frame)])
      }),
      { numRuns: 500 },
    )
  })
})

test('numbers in registers: what is put is got', () => {
  const words = new Uint16Array(4)
  fc.assert(
    fc.property(
      fc.float(),
      fc.integer({ min: 0, max: 0xffffffff }),
      fc.integer({ min: -32768, max: 32767 }),
      (f, u, i) => {
        putFloat32(words, 1, f)
        expect(getFloat32(words, 1)).toBe(f)
        putUint32(words, 1, u)
        expect(getUint32(words, 1)).toBe(u)
        putInt16(words, 1, i)
        expect(getInt16(words, 1)).toBe(i)
      },
    ),
  )
  putFloat32(words, 0, 230)
  expect([...words.subarray(0, 2)]).toEqual([0x4366, 0]) // IEEE 754: 0x43660000, big word first
  putInt16(words, 0, 1e9)
  expect(words[0]).toBe(0x7fff)
})
