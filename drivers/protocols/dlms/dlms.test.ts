import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Data, type Description, DlmsError, decodeData, encodeData } from './axdr.ts'
import { decodeBlock, encodeBlock, splitIntoBlocks } from './blocks.ts'
import { cipher, decipher, ecbCipher, ecbDecipher, readCiphered } from './ciphering.ts'
import { decodeDateTime, encodeDateTime, instantOf, wallTime } from './datetime.ts'
import { decodeNotification, encodeNotification } from './notification.ts'
import { obisBytes, obisText } from './obis.ts'

const bytes = (text: string): Uint8Array => Buffer.from(text.replaceAll(' ', ''), 'hex')
const hex = (b: Uint8Array): string => Buffer.from(b).toString('hex')

const simple: fc.Arbitrary<Data> = fc.oneof(
  fc.constantFrom<Data>({ type: 'null-data' }, { type: 'dont-care' }),
  fc.boolean().map((value): Data => ({ type: 'boolean', value })),
  fc.integer().map((value): Data => ({ type: 'double-long', value })),
  fc.integer({ min: 0, max: 0xffffffff }).map((value): Data => ({ type: 'double-long-unsigned', value })),
  fc.integer({ min: -128, max: 127 }).map((value): Data => ({ type: 'integer', value })),
  fc.integer({ min: -32768, max: 32767 }).map((value): Data => ({ type: 'long', value })),
  fc.integer({ min: 0, max: 255 }).map((value): Data => ({ type: 'unsigned', value })),
  fc.integer({ min: 0, max: 65535 }).map((value): Data => ({ type: 'long-unsigned', value })),
  fc.integer({ min: 0, max: 255 }).map((value): Data => ({ type: 'enum', value })),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((value): Data => ({ type: 'long64', value })),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((value): Data => ({ type: 'long64-unsigned', value })),
  fc.float({ noNaN: true }).map((value): Data => ({ type: 'float32', value })),
  fc.double({ noNaN: true }).map((value): Data => ({ type: 'float64', value })),
  fc.uint8Array({ maxLength: 300 }).map((value): Data => ({ type: 'octet-string', value })),
  fc.uint8Array({ maxLength: 20 }).map((value): Data => ({ type: 'visible-string', value })),
  fc.uint8Array({ minLength: 12, maxLength: 12 }).map((value): Data => ({ type: 'date-time', value })),
  fc
    .tuple(fc.integer({ min: 0, max: 70 }), fc.uint8Array({ minLength: 9, maxLength: 9 }))
    .map(([bits, b]): Data => ({ type: 'bit-string', bits, value: b.slice(0, Math.ceil(bits / 8)) })),
)

const data: fc.Arbitrary<Data> = fc.letrec<{ data: Data }>((tie) => ({
  data: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    simple,
    fc
      .tuple(fc.constantFrom('array' as const, 'structure' as const), fc.array(tie('data'), { maxLength: 6 }))
      .map(([type, value]): Data => ({ type, value })),
  ),
})).data

describe('A-XDR', () => {
  test('decoded, what is encoded is what it was', () => {
    fc.assert(
      fc.property(data, (d) => {
        expect(decodeData(encodeData(d))).toEqual(d)
      }),
    )
  })

  test('a compact array writes its element type once', () => {
    const of: Description = {
      type: 'structure',
      of: [{ type: 'unsigned' }, { type: 'array', count: 2, of: { type: 'long' } }],
    }
    const element = (a: number, b: number, c: number): Data => ({
      type: 'structure',
      value: [
        { type: 'unsigned', value: a },
        {
          type: 'array',
          value: [
            { type: 'long', value: b },
            { type: 'long', value: c },
          ],
        },
      ],
    })
    const d: Data = { type: 'compact-array', of, value: [element(1, -2, 3), element(4, 5, -6)] }
    expect(hex(encodeData(d))).toBe('13020211010002100a01fffe0003040005fffa')
    expect(decodeData(encodeData(d))).toEqual(d)
  })

  test('any bytes give data or a DlmsError, in time that their length bounds', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 200 }),
          data.map((d) => encodeData(d).slice(0, -1)),
        ),
        (b) => {
          try {
            decodeData(b)
          } catch (e) {
            expect(e).toBeInstanceOf(DlmsError)
          }
        },
      ),
    )
  })

  test('lengths and nests that few bytes could claim are refused', () => {
    expect(() => decodeData(bytes('0184ffffffff'))).toThrow(/elements/)
    expect(() => decodeData(bytes('0985ffffffffff'))).toThrow(/length of 5 bytes/)
    expect(() => decodeData(bytes('0201'.repeat(40) + '00'))).toThrow(/deeper/)
    // A compact array of arrays of 65,535 arrays of nothing.
    expect(() => decodeData(bytes('13 01ffff 01ffff 00 01 00'))).toThrow(DlmsError)
    expect(() => decodeData(bytes('1300 01 00'))).toThrow(/no size/)
    expect(() => decodeData(bytes('0000'))).toThrow(/too many/)
    expect(() => decodeData(bytes('63'))).toThrow(/tag 99/)
  })

  test('a value that its type cannot hold is not written', () => {
    expect(() => encodeData({ type: 'unsigned', value: 256 })).toThrow(/0 to 255/)
    expect(() => encodeData({ type: 'long', value: -32769 })).toThrow(/-32768/)
    expect(() => encodeData({ type: 'double-long-unsigned', value: 1.5 })).toThrow(RangeError)
    expect(() => encodeData({ type: 'date', value: bytes('0102') })).toThrow(/5 bytes/)
  })
})

test('OBIS codes are read in the ways people write them', () => {
  expect(hex(obisBytes('1-0:1.7.0*255'))).toBe('0100010700ff')
  expect(hex(obisBytes('1.1.0.2.129'))).toBe('0101000281ff')
  expect(obisText(obisBytes('0.0.96.1.0.255'))).toBe('0.0.96.1.0.255')
  for (const nonsense of ['', '1.7.0', '1-0:1.7.0.300', '1-0:1.7.a', '1.2.3.4.5.6.7'])
    expect(() => obisBytes(nonsense)).toThrow(/OBIS/)
})

describe('date-time', () => {
  test('a Norwegian clock: local time, no deviation, no instant', () => {
    const t = decodeDateTime(bytes('07e1090c0217122eff800000'))
    expect(wallTime(t)).toBe('2017-09-12T23:18:46')
    expect(t.deviation).toBeUndefined()
    expect(instantOf(t)).toBeUndefined()
  })

  test('an Austrian clock in summer names an instant: local time and deviation', () => {
    const t = decodeDateTime(bytes('07e7040e0511380500ff8880'))
    expect(t).toMatchObject({ deviation: -120, status: 0x80 })
    expect(instantOf(t)).toBe(Date.UTC(2023, 3, 14, 15, 56, 5))
  })

  test('any twelve bytes come back as they were', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 12, maxLength: 12 }), (b) => {
        const t = decodeDateTime(b)
        expect(hex(encodeDateTime(t))).toBe(hex(b))
        wallTime(t)
        instantOf(t)
      }),
    )
  })

  test('dates that no calendar has are told from those it has', () => {
    const at = (b: string): string | undefined => wallTime(decodeDateTime(bytes(b)))
    expect(at('07e1021d ff 000000 ff800000')).toBeUndefined()
    expect(at('07e8021d ff 000000 ff800000')).toBe('2024-02-29T00:00:00')
    expect(at('07e1010101 180000 ff800000')).toBeUndefined()
    expect(at('ffffffffffffffffffff8000')).toBeUndefined()
  })
})

describe('data-notification', () => {
  test('every form of the date-time comes back as it was', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 0xffffffff }),
        fc.constantFrom('plain' as const, 'tagged' as const, 'absent' as const),
        fc.uint8Array({ minLength: 12, maxLength: 12 }),
        data,
        (invoke, dateTimeForm, t, body) => {
          const dateTime = dateTimeForm === 'absent' ? undefined : t
          const got = decodeNotification(encodeNotification({ invoke, dateTimeForm, dateTime, body }))
          expect(got).toEqual({ invoke, dateTimeForm, dateTime, body, trailing: new Uint8Array() })
        },
      ),
    )
  })

  test('zeros behind the body are told, not refused: old Kaifa firmware fills its cipher blocks', () => {
    expect(decodeNotification(bytes('0f4000000000 0600000001 000000')).trailing).toHaveLength(3)
  })
})

describe('ciphering', () => {
  const keys = {
    encryption: bytes('000102030405060708090a0b0c0d0e0f'),
    authentication: bytes('d0d1d2d3d4d5d6d7d8d9dadbdcdddedf'),
  }
  const systemTitle = bytes('4d4d4d0000bc614e')

  test('what is ciphered can be deciphered with the same keys, and its header read without', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 400 }),
        fc.constantFrom(0x00, 0x10, 0x20, 0x21, 0x30),
        fc.integer({ min: 0, max: 0xffffffff }),
        (apdu, control, invocationCounter) => {
          const c = readCiphered(cipher(apdu, { systemTitle, control, invocationCounter }, keys))
          expect(c).toMatchObject({ control, invocationCounter })
          expect(hex(c.systemTitle)).toBe(hex(systemTitle))
          expect(hex(decipher(c, keys))).toBe(hex(apdu))
        },
      ),
    )
  })

  test('an authenticated message that was altered, or ciphered with another key, is refused', () => {
    const c = cipher(bytes('0f40000000'), { systemTitle, control: 0x30, invocationCounter: 7 }, keys)
    fc.assert(
      fc.property(fc.integer({ min: 11, max: c.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, x) => {
        const b = c.map((v, i) => (i === at ? v ^ x : v))
        expect(() => {
          const read = readCiphered(b)
          if (read.control === 0x30) decipher(read, keys)
          else throw new DlmsError('control changed', 0)
        }).toThrow(DlmsError)
      }),
    )
    expect(() => decipher(readCiphered(c), { ...keys, encryption: bytes('ff'.repeat(16)) })).toThrow(/tag/)
    expect(() => decipher(readCiphered(c), { encryption: keys.encryption })).toThrow(/authentication key/)
    expect(() => decipher(readCiphered(c), { encryption: bytes('00') })).toThrow(/16/)
  })

  test('ECB of 2017: whole blocks, zeros at the end', () => {
    const key = bytes('00112233445566778899aabbccddeeff')
    const apdu = bytes('0f4000000000')
    expect(hex(ecbDecipher(ecbCipher(apdu, key), key))).toBe(`${hex(apdu)}${'00'.repeat(10)}`)
    expect(() => ecbDecipher(bytes('0102'), key)).toThrow(DlmsError)
  })

  const file = join(import.meta.dirname, '../../../../shared/frames/dlms-vectors.json')
  interface Vector {
    name: string
    ek: string
    ak: string
    system_title: string
    ic: string
    security_control: string
    plaintext: string
    ciphertext: string | null
    tag: string | null
  }
  test.skipIf(!existsSync(file))(
    'the vectors of the Green Book come out (skipped where ../shared is absent)',
    () => {
      const all = (JSON.parse(readFileSync(file, 'utf8')) as { aes_gcm: Vector[] }).aes_gcm
      const usable = all.filter((v) => v.system_title !== undefined && v.ciphertext !== null)
      expect(usable.length).toBeGreaterThanOrEqual(3)
      for (const v of usable) {
        const c = cipher(
          bytes(v.plaintext),
          {
            systemTitle: bytes(v.system_title),
            control: Number.parseInt(v.security_control, 16),
            invocationCounter: Number.parseInt(v.ic, 16),
          },
          { encryption: bytes(v.ek), authentication: bytes(v.ak) },
        )
        expect(hex(readCiphered(c).payload), v.name).toBe(`${v.ciphertext}${v.tag ?? ''}`)
      }
    },
  )

  test.skipIf(!existsSync(file))(
    'pushes captured over the wrapper are deciphered (skipped where ../shared is absent)',
    () => {
      const all = JSON.parse(readFileSync(file, 'utf8')) as {
        wrapper_push: { hex: string; ek: string; ak: string; plaintext: string }[]
      }
      expect(all.wrapper_push.length).toBeGreaterThan(0)
      for (const v of all.wrapper_push) {
        const c = readCiphered(bytes(v.hex).subarray(8))
        expect(hex(decipher(c, { encryption: bytes(v.ek), authentication: bytes(v.ak) }))).toBe(v.plaintext)
      }
    },
  )
})

test('blocks: numbered from 1, the last one marked, joined they are the APDU', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 900 }), fc.integer({ min: 1, max: 200 }), (apdu, size) => {
      const blocks = splitIntoBlocks(apdu, size).map((b) => decodeBlock(encodeBlock(b)))
      expect(blocks.map((b) => b.number)).toEqual(blocks.map((_, i) => i + 1))
      expect(blocks.filter((b) => b.last)).toHaveLength(1)
      expect(hex(Buffer.concat(blocks.map((b) => b.data)))).toBe(hex(apdu))
    }),
  )
  expect(() => decodeBlock(bytes('e0c0000100000501'))).toThrow(DlmsError)
})
