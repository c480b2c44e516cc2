import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decode, encode, frameReader, type Frame } from './frames.ts'

const most = 10_000
const bytesOf = (f: Frame): Buffer => encode(f, most) ?? Buffer.alloc(0)
const headed = (body: Buffer): Buffer => {
  const head = Buffer.alloc(4)
  head.writeUInt32BE(body.length)
  return Buffer.concat([head, body])
}

const frames: fc.Arbitrary<Frame> = fc.oneof(
  fc.record({
    t: fc.constant('hello' as const),
    v: fc.integer({ min: 1, max: 9 }),
    run: fc.stringMatching(/^[0-9a-f]{16}$/),
  }),
  fc.constant({ t: 'ask' as const }),
  fc.constant({ t: 'beat' as const }),
  fc.record({ t: fc.constant('took' as const), n: fc.maxSafeNat() }),
  fc.record({
    t: fc.constant('value' as const),
    name: fc.constantFrom('hot_spot', 'voltage/l1', 'rating/forecast'),
    n: fc.maxSafeNat(),
    text: fc.string({ unit: 'binary', maxLength: 200 }),
  }),
)

describe('frames of the peer protocol', () => {
  test('come out as they went in, however the bytes were cut', () => {
    fc.assert(
      fc.property(fc.array(frames, { maxLength: 8 }), fc.infiniteStream(fc.nat(40)), (list, cuts) => {
        const bytes = Buffer.concat(list.map(bytesOf))
        const reader = frameReader(most)
        const out: Frame[] = []
        for (let i = 0; i < bytes.length;) {
          const n = 1 + (cuts.next().value ?? 0)
          out.push(...reader.push(bytes.subarray(i, i + n)))
          i += n
        }
        expect(out).toEqual(list)
        expect(reader.held()).toBe(0)
      }),
      { numRuns: 200 },
    )
  })

  test('of any bytes whatever give frames or a typed error, and hold no more than they must', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 8 }), (chunks) => {
        const reader = frameReader(100)
        try {
          for (const c of chunks) reader.push(c)
        } catch (e) {
          expect(e).toMatchObject({ name: 'LvcapError', code: 'protocol' })
          expect(reader.push(Buffer.from([0, 0, 0, 2, 0x7b, 0x7d]))).toEqual([])
        }
        expect(reader.held()).toBeLessThanOrEqual(104)
      }),
      { numRuns: 300 },
    )
  })

  test('refuse an announced length above the bound before any of it is held', () => {
    const reader = frameReader(most)
    expect(() => reader.push(Buffer.from([0xff, 0xff, 0xff, 0xff]))).toThrow(
      /4294967295 bytes; at most 10000/,
    )
    expect(reader.held()).toBe(0)
  })

  for (const [what, body] of [
    ['no JSON', 'hello'],
    ['another kind', '{"t":"give"}'],
    ['no object', '[]'],
    ['a name with a way out', '{"t":"value","name":"../../x","n":1,"text":"{}"}'],
    ['a name of a wildcard', '{"t":"value","name":"a/#","n":1,"text":"{}"}'],
    ['a number below zero', '{"t":"took","n":-1}'],
    ['a run of another form', '{"t":"hello","v":1,"run":"x"}'],
  ] as const)
    test(`refuse ${what}`, () => {
      expect(() => decode(Buffer.from(body))).toThrow(expect.objectContaining({ code: 'protocol' }))
    })

  test('refuse what is no UTF-8', () => {
    expect(() => decode(Buffer.from([0x22, 0xff, 0x22]))).toThrow(/no JSON in UTF-8/)
  })

  test('are not made longer than the bound', () => {
    const value = { t: 'value', name: 'x', n: 1, text: 'y'.repeat(most) } as const
    expect(encode(value, most)).toBeUndefined()
    expect(frameReader(most).push(headed(Buffer.from('{"t":"beat"}')))).toEqual([{ t: 'beat' }])
  })
})
