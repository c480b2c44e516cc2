import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeResponse, encodeRequest } from './client.ts'
import type { Request } from './client.ts'
import { exceptions, memoryModel } from './model.ts'
import type { DataModel } from './model.ts'
import { createResponder, maxPdu } from './respond.ts'

const hex = (b: Uint8Array): string => Buffer.from(b).toString('hex')
const bytes = (text: string): Uint8Array => Buffer.from(text.replaceAll(' ', ''), 'hex')

/** Answers one PDU through a buffer with room on both sides, so that a write outside shows. */
function answer(model: DataModel, pdu: Uint8Array): Uint8Array {
  const out = new Uint8Array(maxPdu + 20).fill(0xa5)
  const within = new Uint8Array([9, 9, 9, ...pdu, 9, 9])
  const length = createResponder()(model, within, 3, 3 + pdu.length, out, 10)
  expect(length).toBeLessThanOrEqual(maxPdu)
  expect(out.subarray(0, 10)).toEqual(new Uint8Array(10).fill(0xa5))
  expect(out.subarray(10 + maxPdu)).toEqual(new Uint8Array(10).fill(0xa5))
  return out.slice(10, 10 + length)
}

function full(
  size = 0x10000,
): Record<'coils' | 'discrete-inputs' | 'input-registers' | 'holding-registers', Uint16Array> {
  return {
    coils: new Uint16Array(size),
    'discrete-inputs': new Uint16Array(size),
    'input-registers': new Uint16Array(size),
    'holding-registers': new Uint16Array(size),
  }
}

describe('examples of the Modbus Application Protocol V1.1b3, section 6', () => {
  const bitsOf = (list: number[]): number[] =>
    list.flatMap((b) => Array.from({ length: 8 }, (_, i) => (b >> i) & 1))
  test.each([
    ['6.1 read coils', 'coils', 0x13, bitsOf([0xcd, 0x6b, 0x05]), '01 0013 0013', '01 03 cd6b05'],
    [
      '6.2 read discrete inputs',
      'discrete-inputs',
      0xc4,
      bitsOf([0xac, 0xdb, 0x35]),
      '02 00c4 0016',
      '02 03 acdb35',
    ],
    [
      '6.3 read holding registers',
      'holding-registers',
      0x6b,
      [0x022b, 0, 0x64],
      '03 006b 0003',
      '03 06 022b00000064',
    ],
    ['6.4 read input registers', 'input-registers', 8, [0x0a], '04 0008 0001', '04 02 000a'],
    ['6.5 write single coil', 'coils', 0xac, [0], '05 00ac ff00', '05 00ac ff00'],
    ['6.6 write single register', 'holding-registers', 1, [0], '06 0001 0003', '06 0001 0003'],
    ['6.11 write coils', 'coils', 0x13, [0], '0f 0013 000a 02 cd01', '0f 0013 000a'],
    ['6.12 write registers', 'holding-registers', 1, [0], '10 0001 0002 04 000a 0102', '10 0001 0002'],
    ['6.16 mask write', 'holding-registers', 4, [0x12], '16 0004 00f2 0025', '16 0004 00f2 0025'],
    [
      '6.17 read and write registers',
      'holding-registers',
      3,
      [0xfe, 0x0acd, 1, 3, 0x0d, 0xff],
      '17 0003 0006 000e 0003 06 00ff 00ff 00ff',
      '17 0c 00fe 0acd 0001 0003 000d 00ff',
    ],
  ] as const)('%s', (_, table, at, values, request, response) => {
    const data = full()
    data[table].set(values, at)
    expect(hex(answer(memoryModel(data), bytes(request)))).toBe(response.replaceAll(' ', ''))
  })

  test('6.16 leaves 0x17 in the register, 6.17 writes before it reads, 6.11 and 6.12 store what they were given', () => {
    const data = full()
    data['holding-registers'][4] = 0x12
    answer(memoryModel(data), bytes('16 0004 00f2 0025'))
    expect(data['holding-registers'][4]).toBe(0x17)
    const both = answer(memoryModel(data), bytes('17 0004 0001 0004 0001 02 beef'))
    expect(hex(both)).toBe('1702beef')
    answer(memoryModel(data), bytes('0f 0013 000a 02 cd01'))
    expect([...data.coils.subarray(0x13, 0x1d)]).toEqual([1, 0, 1, 1, 0, 0, 1, 1, 1, 0])
    answer(memoryModel(data), bytes('10 0001 0002 04 000a 0102'))
    expect([...data['holding-registers'].subarray(1, 3)]).toEqual([0x0a, 0x0102])
  })

  test('6.21 device identification', () => {
    const identity = new Map([
      [0, 'Company identification'],
      [1, 'Product code XX'],
      [2, 'V2.11'],
    ])
    const model = memoryModel({}, { identity })
    const r = answer(model, bytes('2b 0e 01 00'))
    // 0x81: basic, single objects too
    expect(hex(r.subarray(0, 7))).toBe('2b0e0181000003')
    const parsed = decodeResponse({ fc: 43, code: 1, object: 0 }, r)
    expect(parsed).toEqual({ kind: 'identity', objects: identity, next: undefined })
    expect(decodeResponse({ fc: 43, code: 4, object: 2 }, answer(model, bytes('2b 0e 04 02')))).toEqual({
      kind: 'identity',
      objects: new Map([[2, 'V2.11']]),
      next: undefined,
    })
    expect(hex(answer(model, bytes('2b 0e 04 77')))).toBe('ab02')
    expect(hex(answer(model, bytes('2b 0e 05 00')))).toBe('ab03')
    expect(hex(answer(model, bytes('2b 0d 01 00')))).toBe('ab01')
    expect(hex(answer(memoryModel({}), bytes('2b 0e 01 00')))).toBe('ab01')
  })

  test('a long identification comes in several answers, each within a PDU', () => {
    const identity = new Map(Array.from({ length: 6 }, (_, id) => [id, `${id}`.repeat(90)] as const))
    const model = memoryModel({}, { identity })
    const got = new Map<number, string>()
    let object: number | undefined = 0
    for (let n = 0; object !== undefined && n < 10; n++) {
      const ask: Request = { fc: 43, code: 2, object }
      const r = decodeResponse(ask, answer(model, encodeRequest(ask)))
      if (r.kind !== 'identity') throw new Error(JSON.stringify(r))
      for (const [id, text] of r.objects) got.set(id, text)
      object = r.next
    }
    expect(got).toEqual(identity)
  })
})

describe('the order of checks', () => {
  const model = memoryModel(full(100), { functions: [1, 3, 5, 6, 15, 16, 22, 23] })
  test.each([
    ['an unsupported function comes first, whatever else is wrong', '04 ffff 0000', 1],
    ['function 8 where it is not supported', '08 0000 1234', 1],
    ['function 0', '00', 1],
    ['quantity before address', '03 ffff 0000', 3],
    ['quantity 126', '03 0000 007e', 3],
    ['quantity 0', '03 0000 0000', 3],
    ['2001 coils', '01 0000 07d1', 3],
    ['an address past the map', '03 0064 0001', 2],
    ['a span that ends past the map', '03 0000 0065', 2],
    ['a span past 65535', '03 ffff 0002', 2],
    ['a coil value that is neither on nor off, before its address', '05 ffff 1234', 3],
    ['byte count against quantity', '10 0000 0002 02 0000', 3],
    ['a write of 124 registers', `10 0000 007c f8 ${'00'.repeat(248)}`, 3],
    ['fewer bytes than the count says', '10 0000 0002 04 0000', 3],
    ['bytes left over', '03 0000 0001 00', 3],
    ['function 23 checks both quantities before both addresses', '17 ffff 0001 ffff 0000 00', 3],
    ['function 23 with a write span past the map', '17 0000 0001 0064 0001 02 0000', 2],
    ['a truncated request', '03', 3],
  ])('%s', (_, request, code) => {
    const pdu = bytes(request)
    expect([...answer(model, pdu)]).toEqual([(pdu[0] ?? 0) | 0x80, code])
  })

  test('the model may answer any exception: 4, 6', () => {
    for (const code of [exceptions.deviceFailure, exceptions.busy]) {
      const failing: DataModel = { ...model, read: () => code, write: () => code }
      expect([...answer(failing, bytes('03 0000 0001'))]).toEqual([0x83, code])
      expect([...answer(failing, bytes('06 0000 0001'))]).toEqual([0x86, code])
      expect([...answer(failing, bytes('16 0000 0001 0001'))]).toEqual([0x96, code])
      expect([...answer(failing, bytes('17 0000 0001 0000 0001 02 0000'))]).toEqual([0x97, code])
    }
  })

  test('a unit that takes no writes has no address to write to', () => {
    const readOnly: DataModel = { functions: model.functions, has: () => true, read: () => 0 }
    expect([...answer(readOnly, bytes('06 0000 0001'))]).toEqual([0x86, 2])
  })
})

const u16 = fc.integer({ min: 0, max: 0xffff })
const requests: fc.Arbitrary<Request> = fc.oneof(
  fc.record({
    fc: fc.constantFrom(1 as const, 2 as const),
    address: u16,
    quantity: fc.integer({ min: 1, max: 2000 }),
  }),
  fc.record({
    fc: fc.constantFrom(3 as const, 4 as const),
    address: u16,
    quantity: fc.integer({ min: 1, max: 125 }),
  }),
  fc.record({ fc: fc.constant(5 as const), address: u16, on: fc.boolean() }),
  fc.record({ fc: fc.constant(6 as const), address: u16, value: u16 }),
  fc.record({
    fc: fc.constant(15 as const),
    address: u16,
    bits: fc.array(fc.boolean(), { minLength: 1, maxLength: 1968 }),
  }),
  fc.record({
    fc: fc.constant(16 as const),
    address: u16,
    values: fc.array(u16, { minLength: 1, maxLength: 123 }),
  }),
  fc.record({ fc: fc.constant(22 as const), address: u16, and: u16, or: u16 }),
  fc.record({
    fc: fc.constant(23 as const),
    address: u16,
    quantity: fc.integer({ min: 1, max: 125 }),
    writeAddress: u16,
    values: fc.array(u16, { minLength: 1, maxLength: 121 }),
  }),
)

/** What a request means to plain tables, written apart from the core. */
function expected(r: Request, data: ReturnType<typeof full>): unknown {
  if (r.fc === 43) throw new Error('not here')
  const over = (at: number, n: number): boolean => at + n > 0x10000
  const no = { kind: 'exception', code: 2 }
  const h = data['holding-registers']
  switch (r.fc) {
    case 1:
    case 2: {
      if (over(r.address, r.quantity)) return no
      const t = r.fc === 1 ? data.coils : data['discrete-inputs']
      return {
        kind: 'bits',
        values: Array.from(t.subarray(r.address, r.address + r.quantity)).map((v) => v === 1),
      }
    }
    case 3:
    case 4: {
      if (over(r.address, r.quantity)) return no
      const t = r.fc === 3 ? h : data['input-registers']
      return { kind: 'registers', values: Array.from(t.subarray(r.address, r.address + r.quantity)) }
    }
    case 5:
      data.coils[r.address] = r.on ? 1 : 0
      return { kind: 'written' }
    case 6:
      h[r.address] = r.value
      return { kind: 'written' }
    case 15:
      if (over(r.address, r.bits.length)) return no
      r.bits.forEach((on, i) => (data.coils[r.address + i] = on ? 1 : 0))
      return { kind: 'written' }
    case 16:
      if (over(r.address, r.values.length)) return no
      h.set(r.values, r.address)
      return { kind: 'written' }
    case 22:
      h[r.address] = ((h[r.address] ?? 0) & r.and) | (r.or & ~r.and)
      return { kind: 'written' }
    case 23:
      if (over(r.address, r.quantity) || over(r.writeAddress, r.values.length)) return no
      h.set(r.values, r.writeAddress)
      return { kind: 'registers', values: Array.from(h.subarray(r.address, r.address + r.quantity)) }
  }
  throw new Error('not here')
}

test('every legal request is carried out, and its answer decodes to what was stored', () => {
  const data = full()
  for (let i = 0; i < 0x10000; i++) {
    data.coils[i] = (i * 7919) & 1
    data['discrete-inputs'][i] = (i >> 3) & 1
    data['input-registers'][i] = i ^ 0x5555
    data['holding-registers'][i] = i
  }
  const model = memoryModel(data)
  const shadow = structuredClone(data)
  fc.assert(
    fc.property(requests, (r) => {
      expect(decodeResponse(r, answer(model, encodeRequest(r)))).toEqual(expected(r, shadow))
    }),
    { numRuns: 300 },
  )
  // every write went where it should, and nowhere else
  expect(data).toEqual(shadow)
})

test('random bytes get an answer of their own function code, and never a throw', () => {
  const model = memoryModel(full(300), { identity: new Map([[0, 'x']]) })
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: maxPdu }),
      fc.integer({ min: 0, max: 50 }),
      (pdu, code) => {
        if (code <= 43) pdu[0] = code
        const r = answer(model, pdu)
        expect((r[0] ?? 0) | 0x80).toBe((pdu[0] ?? 0) | 0x80)
        expect(r.length).toBeGreaterThan(1)
      },
    ),
    { numRuns: 2000 },
  )
})

test('random bytes as an answer are parsed or called broken, and never throw', () => {
  const withIdentity = fc.oneof(
    requests,
    fc.record({
      fc: fc.constant(43 as const),
      code: fc.integer({ min: 0, max: 5 }),
      object: fc.integer({ min: 0, max: 255 }),
    }),
  )
  fc.assert(
    fc.property(withIdentity, fc.uint8Array({ maxLength: 260 }), fc.boolean(), (r, pdu, own) => {
      if (own && pdu.length > 0) pdu[0] = r.fc
      expect(['registers', 'bits', 'written', 'identity', 'exception', 'broken']).toContain(
        decodeResponse(r, pdu).kind,
      )
    }),
    { numRuns: 1000 },
  )
})
