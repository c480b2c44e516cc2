import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { type MbusFlaw, type MbusFrame, createMbusReceiver, encodeMbus, lookAtMbus } from './link.ts'
import { segmentOf, segmentsOf } from './transport.ts'

const bytes = (text: string): Uint8Array => Buffer.from(text.replaceAll(' ', ''), 'hex')
const hex = (b: Uint8Array): string => Buffer.from(b).toString('hex')

const byte = fc.integer({ min: 0, max: 255 })
const long: fc.Arbitrary<MbusFrame> = fc.record({
  kind: fc.constant('long' as const),
  control: byte,
  address: byte,
  ci: byte,
  data: fc.uint8Array({ maxLength: 252 }),
})
const frame: fc.Arbitrary<MbusFrame> = fc.oneof(
  fc.constant<MbusFrame>({ kind: 'acknowledge' }),
  fc.record({ kind: fc.constant('short' as const), control: byte, address: byte }),
  long,
)

function hear(
  chunks: Iterable<Uint8Array>,
  overflow = false,
): { frames: MbusFrame[]; rejected: MbusFlaw[]; noise: number } {
  const heard = { frames: [] as MbusFrame[], rejected: [] as MbusFlaw[], noise: 0 }
  const r = createMbusReceiver(
    {
      frame: (f) => heard.frames.push(f),
      rejected: (why) => heard.rejected.push(why),
      noise: (n) => {
        heard.noise += n
      },
    },
    { lengthOverflow: overflow },
  )
  for (const c of chunks) r.push(c)
  r.flush()
  return heard
}

test('the four formats as the standard draws them (EN 13757-2, 5)', () => {
  expect(hex(encodeMbus({ kind: 'acknowledge' }))).toBe('e5')
  expect(hex(encodeMbus({ kind: 'short', control: 0x40, address: 1 }))).toBe('1040014116')
  expect(hex(encodeMbus({ kind: 'long', control: 0x53, address: 0xfe, ci: 0x51, data: bytes('') }))).toBe(
    '6803036853fe51a216',
  )
})

test('frames come out of a stream as they went in, wherever it is cut', () => {
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 8 }), fc.integer({ min: 1, max: 64 }), (list, size) => {
      const stream = Buffer.concat(list.map((f) => encodeMbus(f)))
      const chunks: Uint8Array[] = []
      for (let at = 0; at < stream.length; at += size) chunks.push(stream.subarray(at, at + size))
      expect(hear(chunks)).toEqual({ frames: list, rejected: [], noise: 0 })
    }),
  )
})

test('after a lost byte at most one long frame is missing', () => {
  // Data without start bytes: what stands inside a damaged frame could be a short frame by chance.
  const plain = long.map(
    (f) => ({ ...f, data: ('data' in f ? f.data : bytes('')).map((b) => b & 0x0f) }) as MbusFrame,
  )
  fc.assert(
    fc.property(fc.array(plain, { minLength: 3, maxLength: 5 }), fc.nat(), (list, place) => {
      const encoded = list.map((f) => encodeMbus(f))
      const whole = Buffer.concat(encoded)
      const at = place % whole.length
      let hit = 0
      for (let end = 0; hit < encoded.length; hit++) {
        end += encoded[hit]?.length ?? 0
        if (at < end) break
      }
      const got = hear([whole.subarray(0, at), whole.subarray(at + 1)]).frames.filter(
        (f) => f.kind === 'long',
      )
      const others = list.filter((_, i) => i !== hit)
      expect(got.slice(0, hit)).toEqual(others.slice(0, hit))
      if (got.length === others.length) expect(got).toEqual(others)
      else expect(got.slice(-(others.length - hit))).toEqual(others.slice(hit))
    }),
  )
})

test('says why: lengths that differ, checksum, stop byte, a second start byte', () => {
  const good = encodeMbus({ kind: 'long', control: 0x53, address: 0xff, ci: 0, data: bytes('0167aabb') })
  const broken = (at: number): Uint8Array => good.map((x, i) => (i === at ? x ^ 1 : x))
  expect(lookAtMbus(broken(2), 0, good.length)).toBe('lengths differ')
  expect(lookAtMbus(broken(3), 0, good.length)).toBe('second start byte missing')
  expect(lookAtMbus(broken(8), 0, good.length)).toBe('checksum wrong')
  expect(lookAtMbus(broken(good.length - 1), 0, good.length)).toBe('stop byte missing')
  expect(lookAtMbus(good, 0, 5)).toBe('more')
  expect(lookAtMbus(bytes('68010168530f'), 0, 6)).toBe('length out of range')
})

test('a length that overflowed is read only where it is allowed', () => {
  const data = new Uint8Array(254).fill(7)
  const b = encodeMbus({ kind: 'long', control: 0x53, address: 0xff, ci: 0, data }, { lengthOverflow: true })
  expect(b[1]).toBe(1)
  expect(hear([b], true).frames).toEqual([{ kind: 'long', control: 0x53, address: 0xff, ci: 0, data }])
  expect(hear([b]).frames.filter((f) => f.kind === 'long')).toEqual([])
  expect(() => encodeMbus({ kind: 'long', control: 0, address: 0, ci: 0, data })).toThrow(/252/)
})

test('any bytes: no throw, and nothing is held beyond one frame', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 6 }),
      fc.boolean(),
      (chunks, lengthOverflow) => {
        const r = createMbusReceiver({ frame: () => undefined }, { lengthOverflow })
        for (const c of chunks) {
          r.push(c)
          expect(r.held).toBeLessThan(265)
        }
      },
    ),
  )
})

test('an APDU in segments: 245 bytes in the first, the last one marked', () => {
  const apdu = Uint8Array.from({ length: 260 }, (_, i) => i)
  const frames = segmentsOf(apdu)
  expect(frames.map((f) => f.kind === 'long' && f.ci)).toEqual([0x00, 0x11])
  expect(encodeMbus(frames[0] ?? { kind: 'acknowledge' })[1]).toBe(0xfa)
  expect(Buffer.concat(frames.map((f) => segmentOf(f)?.data ?? bytes(''))).equals(apdu)).toBe(true)
  expect(segmentsOf(apdu.subarray(0, 77)).map((f) => f.kind === 'long' && f.ci)).toEqual([0x10])
  expect(() => segmentsOf(new Uint8Array(5000))).toThrow(/16/)
})
