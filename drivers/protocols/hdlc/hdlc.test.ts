import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { crcX25, crcX25Fits } from './crc.ts'
import { type HdlcFlaw, type HdlcFrame, decodeFrame, encodeFrame, maxLength } from './frame.ts'
import { createHdlcReceiver } from './receiver.ts'

const bytes = (text: string): Uint8Array => Buffer.from(text.replaceAll(' ', ''), 'hex')
const hex = (b: Uint8Array): string => Buffer.from(b).toString('hex')

const address = fc
  .tuple(fc.constantFrom(1, 2, 4), fc.uint8Array({ minLength: 4, maxLength: 4 }))
  .map(([n, b]) => b.slice(0, n).map((x, i) => (i === n - 1 ? x | 1 : x & 0xfe)))

/** Flags and escapes in odd places on purpose. */
const information = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.array(fc.constantFrom(0x7e, 0x7d, 0xa0, 0x10, 0x00), { maxLength: 80 }).map((a) => Uint8Array.from(a)),
)

const frame: fc.Arbitrary<HdlcFrame> = fc.record({
  segmented: fc.boolean(),
  destination: address,
  source: address,
  control: fc.integer({ min: 0, max: 255 }),
  information,
})

interface Heard {
  readonly frames: HdlcFrame[]
  readonly rejected: HdlcFlaw[]
  noise: number
}

function hear(chunks: Iterable<Uint8Array>): Heard {
  const heard: Heard = { frames: [], rejected: [], noise: 0 }
  const r = createHdlcReceiver({
    frame: (f) => heard.frames.push(f),
    rejected: (why) => heard.rejected.push(why),
    noise: (n) => {
      heard.noise += n
    },
  })
  for (const c of chunks) r.push(c)
  r.flush()
  return heard
}

test('the check sequence of 03 3F is 5B EC on the wire (DLMS UA 1000-2 Ed. 9, 8.5.1)', () => {
  expect(crcX25(bytes('033f'))).toBe(0xec5b)
  expect(crcX25Fits(bytes('033f 5bec'), 0, 2)).toBe(true)
  expect(crcX25Fits(bytes('033f 5bed'), 0, 2)).toBe(false)
})

describe('one frame', () => {
  test('a UA frame without information has no HCS, only the FCS', () => {
    const f = decodeFrame(bytes('7ea00721037301407e'))
    expect(f).toMatchObject({ control: 0x73, segmented: false })
    expect((f as HdlcFrame).information).toHaveLength(0)
  })

  test('what is encoded decodes to itself', () => {
    fc.assert(
      fc.property(frame, (f) => {
        expect(decodeFrame(encodeFrame(f))).toEqual(f)
      }),
    )
  })

  test('one changed bit between the flags is never taken for a sound frame', () => {
    fc.assert(
      fc.property(frame, fc.nat(), (f, at) => {
        const b = encodeFrame(f)
        const bit = 8 + (at % ((b.length - 2) * 8))
        const i = bit >>> 3
        b[i] = (b[i] ?? 0) ^ (1 << (bit & 7))
        expect(typeof decodeFrame(b)).toBe('string')
      }),
    )
  })

  test('says what is wrong with it', () => {
    const good = encodeFrame({
      segmented: false,
      destination: bytes('01'),
      source: bytes('0201'),
      control: 0x10,
      information: bytes('e6e7000f'),
    })
    const broken = (at: number): Uint8Array => good.map((x, i) => (i === at ? x ^ 0xff : x))
    expect(decodeFrame(good.subarray(0, 5))).toBe('cut short')
    expect(decodeFrame(good.subarray(0, -1))).toBe('cut short')
    expect(decodeFrame(Uint8Array.from([...good, 0x7e]))).toBe('length out of range')
    expect(decodeFrame(broken(0))).toBe('not type 3')
    expect(decodeFrame(broken(7))).toBe('HCS wrong')
    expect(decodeFrame(broken(good.length - 4))).toBe('FCS wrong')
    expect(decodeFrame(broken(good.length - 1))).toBe('closing flag missing')
    expect(decodeFrame(bytes('7ea0030101107e'))).toBe('length out of range')
    expect(decodeFrame(bytes('7ea0200202020202'))).toBe('malformed address')
  })

  test('what cannot be written is refused: addresses without an end, more bytes than eleven bits can count', () => {
    const f = { segmented: false, destination: bytes('01'), source: bytes('01'), control: 0x13 }
    expect(() => encodeFrame({ ...f, source: bytes('0202'), information: bytes('') })).toThrow(/lowest bit/)
    expect(() => encodeFrame({ ...f, source: bytes('030303'), information: bytes('') })).toThrow(/1, 2 or 4/)
    expect(() => encodeFrame({ ...f, information: new Uint8Array(maxLength) })).toThrow(/2047/)
    const most = encodeFrame({ ...f, information: new Uint8Array(maxLength - 9) })
    expect(most).toHaveLength(maxLength + 2)
    expect(typeof decodeFrame(most)).toBe('object')
  })
})

describe('a stream', () => {
  test('frames come out whole wherever the stream is cut, with flags of their own or shared', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(frame, fc.boolean()), { minLength: 1, maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 20 }),
        (list, sizes) => {
          const stream: number[] = []
          for (const [f, shared] of list) {
            const b = encodeFrame(f)
            stream.push(...(shared && stream.length > 0 ? b.subarray(1) : b))
          }
          const chunks: Uint8Array[] = []
          for (let at = 0, i = 0; at < stream.length; i++) {
            const n = sizes[i % sizes.length] ?? 1
            chunks.push(Uint8Array.from(stream.slice(at, at + n)))
            at += n
          }
          const heard = hear(chunks)
          expect(heard.frames.map((f) => hex(encodeFrame(f)))).toEqual(list.map(([f]) => hex(encodeFrame(f))))
          expect(heard.rejected).toEqual([])
          expect(heard.noise).toBe(0)
        },
      ),
    )
  })

  /** Frames as meters send them: with information, so that their header has its own check. */
  const informed = frame.filter((f) => f.information.length > 0)

  test('after one lost, added or changed byte at most the frame that it hit is missing', () => {
    fc.assert(
      fc.property(
        fc.array(informed, { minLength: 3, maxLength: 6 }),
        fc.nat(),
        fc.constantFrom('lost', 'added', 'changed'),
        fc.integer({ min: 0, max: 255 }),
        (list, place, how, byte) => {
          const encoded = list.map(encodeFrame)
          const whole = Buffer.concat(encoded)
          const at = place % whole.length
          const stream =
            how === 'lost'
              ? Buffer.concat([whole.subarray(0, at), whole.subarray(at + 1)])
              : Buffer.concat([
                  whole.subarray(0, at),
                  Buffer.of(byte),
                  whole.subarray(how === 'added' ? at : at + 1),
                ])
          let hit = 0
          for (let end = 0; hit < encoded.length; hit++) {
            end += encoded[hit]?.length ?? 0
            if (at < end) break
          }
          const got = hear([stream]).frames.map((f) => hex(encodeFrame(f)))
          const others = encoded.map(hex).filter((_, i) => i !== hit)
          // The others are there, in order; the one that was hit may be there too (a flag lost that its neighbour gives).
          expect(got.length === others.length ? got : got.filter((_, i) => i !== hit)).toEqual(others)
        },
      ),
      { numRuns: 400 },
    )
  })

  test('any bytes at all: no throw, nothing held beyond one frame, and the next good frame is heard', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 700 }), { maxLength: 8 }), informed, (junk, f) => {
        const heard: HdlcFrame[] = []
        const r = createHdlcReceiver({ frame: (x) => heard.push(x) })
        for (const j of junk) {
          r.push(j)
          expect(r.held).toBeLessThanOrEqual(maxLength + 2)
        }
        r.flush()
        expect(r.held).toBe(0)
        r.push(encodeFrame(f))
        expect(heard.at(-1)).toEqual(f)
      }),
    )
  })

  test('what was rejected is said once, with its reason, and noise is counted', () => {
    const good = encodeFrame({
      segmented: false,
      destination: bytes('01'),
      source: bytes('0201'),
      control: 0x10,
      information: bytes('e6e7000f7e7e7ea0'),
    })
    const bad = good.map((x, i) => (i === 12 ? x ^ 1 : x))
    const heard = hear([bytes('0102'), bad, good, bytes('7e7e'), good.subarray(0, 10)])
    expect(heard.frames).toHaveLength(1)
    expect(heard.rejected).toEqual(['FCS wrong', 'cut short'])
    expect(heard.noise).toBe(2)
  })
})
