import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { placeOf } from '../../sdk/modbus.ts'
import { inputs, readConfig, type TemperatureConfig } from './config.ts'
import { blocks, decode, judge } from './decode.ts'
import { topicOf } from './topics.ts'

const app = {
  apid: 'eatl_modbusrtusensor_1.3',
  iid: 'eatl_modbusrtusensor_01',
  pki: '/pki',
  marketplace: { address: '10.0.0.10', port: 8883 },
  topics: 'spec' as const,
}
const config = (more = {}): TemperatureConfig => readConfig({ serial: { path: '/dev/ttyS1' }, ...more }, app)
const c = config()

function words(change: Readonly<Record<number, number>> = {}): Map<number, number> {
  const all = new Map<number, number>()
  for (let at = 0; at <= 20; at++) all.set(at, 0)
  // -5.3, 14.2 and 55.5 degrees; five inputs without a thermocouple.
  const given = { 0: 0x10000 - 53, 1: 142, 2: 555, 16: 161, 17: 0xf8, ...change }
  for (const [at, w] of Object.entries(given)) all.set(Number(at), w)
  return all
}
const valid = (w: Map<number, number>, conf = c): string[] =>
  judge(decode(w, conf), null, 0, conf)
    .samples.filter((s) => s.valid)
    .map((s) => s.quantity)
const all = ['ambient.temperature', 'indoor.temperature', 'top_oil.temperature']

describe('reading the thermocouple module', () => {
  test('takes values and flags in one request', () => {
    expect(blocks(c)).toEqual([{ table: 'input', start: 0, count: 21 }])
  })

  test('finds each temperature, below zero too, in whole tenths', () => {
    expect(judge(decode(words(), c), null, 0, c).samples.map((s) => s.value)).toEqual([-5.3, 14.2, 55.5])
    expect(decode(words(), c).coldJunction).toBe(16.1)
    expect(valid(words())).toEqual(all)
  })

  test('reads other inputs where it is told to', () => {
    const other = config({ inputs: { top_oil: { channel: 7, range: [-40, 160] } } })
    expect(decode(words({ 7: 700, 17: 0 }), other).channels.top_oil?.celsius).toBe(70)
  })

  test('takes any registers, and any lack of them', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 25 }), fc.integer({ min: 0, max: 65_535 }))),
        (list) => {
          const judged = judge(decode(new Map(list), c), null, 0, c)
          expect(judged.samples.map((s) => s.quantity)).toEqual(all)
          for (const s of judged.samples) expect(Number.isFinite(s.value)).toBe(true)
        },
      ),
    )
  })
})

describe('trusting what was read', () => {
  test('an open input is never valid, whatever number it shows', () => {
    for (const shown of [0x7fff, 555, 13_720, 0])
      expect(valid(words({ 2: shown, 17: 0xfc }))).toEqual(['ambient.temperature', 'indoor.temperature'])
  })

  test('for no value at all, if its open bit is set', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 65_535 }), fc.integer({ min: 0, max: 2 }), (raw, channel) => {
        const input = inputs[channel] ?? 'ambient'
        expect(valid(words({ [channel]: raw, 17: 1 << channel }))).not.toContain(`${input}.temperature`)
      }),
    )
  })

  test('over and under range are not valid', () => {
    expect(valid(words({ 18: 1 }))).toEqual(all.slice(1))
    expect(valid(words({ 19: 2 }))).toEqual(['ambient.temperature', 'top_oil.temperature'])
  })

  test('nothing is, while the cold junction is not known', () => {
    expect(valid(words({ 20: 1 }))).toEqual([])
  })

  test('the module’s own words for no value, and what no substation can have, are not valid', () => {
    expect(valid(words({ 0: 0x7fff }))).toEqual(all.slice(1))
    expect(valid(words({ 0: 0x8000 }))).toEqual(all.slice(1))
    expect(valid(words({ 0: 700 }))).toEqual(all.slice(1))
    expect(valid(words({ 0: 0x10000 - 500 }))).toEqual(all.slice(1))
  })

  test('a value without its flags is not', () => {
    const some = words()
    some.delete(17)
    expect(valid(some)).toEqual([])
    expect(valid(new Map())).toEqual([])
  })
})

describe('reading a module that shows counts', () => {
  const counts = config({
    unit: 1,
    map: {
      shows: 'counts',
      table: 'holding',
      counts: 0,
      types: 200,
      burnout: 0,
      ranges: { 14: [0, 760], 15: [0, 1370], 16: [-100, 400] },
    },
  })
  const read = (change: Readonly<Record<number, number>> = {}): Map<number, number> => {
    const all = new Map<number, number>()
    for (let n = 0; n < 8; n++) {
      all.set(n, 0xffff)
      all.set(200 + n, 0)
      all.set(placeOf('coils', n), 1)
    }
    // Two of type T, one of type K: -5, 14.2 and 26.43 °C.
    const given = { 0: 12_452, 1: 14_968, 2: 1264, 200: 16, 201: 16, 202: 15 }
    for (const [at, w] of Object.entries({ ...given, ...change })) all.set(Number(at), w)
    for (let n = 0; n < 3; n++) if (change[placeOf('coils', n)] === undefined) all.set(placeOf('coils', n), 0)
    return all
  }

  test('takes types, counts, and coils after them', () => {
    expect(blocks(counts)).toEqual([
      { table: 'holding', start: 200, count: 8 },
      { table: 'holding', start: 0, count: 8 },
      { table: 'coils', start: 0, count: 8 },
    ])
  })

  test('finds degrees by the range of the type that the module names', () => {
    const [ambient, indoor, oil] = judge(decode(read(), counts), null, 0, counts).samples
    expect(ambient?.value).toBeCloseTo(-5, 2)
    expect(indoor?.value).toBeCloseTo(14.2, 2)
    expect(oil?.value).toBeCloseTo(26.43, 1)
    expect(valid(read(), counts)).toEqual(all)
    // The published example of type J: 26.43 °C is 2279.
    const j = judge(decode(read({ 2: 2279, 202: 14 }), counts), null, 0, counts)
    expect(j.samples[2]?.value).toBeCloseTo(26.43, 2)
  })

  test('a coil, an end of the range and a type without a range are not valid; half of the counts is a value', () => {
    for (let n = 0; n < 3; n++)
      expect(valid(read({ [placeOf('coils', n)]: 1 }), counts)).not.toContain(all[n])
    expect(valid(read({ 0: 0xffff, 1: 0 }), counts)).toEqual(['top_oil.temperature'])
    expect(valid(read({ 202: 3 }), counts)).toEqual(all.slice(0, 2))
    const wide = config({ ...counts, inputs: { ambient: { channel: 0, range: [-100, 400] } } })
    expect(valid(read({ 0: 0x7fff }), wide)).toContain('ambient.temperature')
  })

  test('without its coils no value is trusted', () => {
    const some = read()
    some.delete(placeOf('coils', 1))
    expect(valid(some, counts)).toEqual(['ambient.temperature', 'top_oil.temperature'])
  })

  test('a map that does not fit is refused', () => {
    expect(() => config({ map: { shows: 'counts', table: 'holding' } })).toThrow(/map/)
    expect(() => config({ map: { ...counts.map, ranges: { 15: [1370, 0] } } })).toThrow(/map/)
  })
})

describe('topics', () => {
  test('follow section 4.4 of the API, or the fielded name', () => {
    expect(inputs.map((i) => topicOf(`${i}.temperature`, c))).toEqual([
      'Ambient/temperature/60s/C',
      'Indoor/temperature/60s/C',
      'TopOil/temperature/60s/C',
    ])
    expect(inputs.map((i) => topicOf(`${i}.temperature`, config({ topics: 'openlv-2018' })))).toEqual([
      'outside_temperature',
      'indoor_temperature',
      'top_oil_temperature',
    ])
  })
})
