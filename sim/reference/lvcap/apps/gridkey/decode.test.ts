import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Words } from '../../sdk/sensor.ts'
import { readConfig, type GridkeyConfig } from './config.ts'
import { blocks, decode, judge, type Memory, type Reading } from './decode.ts'
import { topicOf, unitOf } from './topics.ts'

const app = {
  apid: 'lucy_gridkeysensor_2.0',
  iid: '96d6f19b-7022-45f2-b753-cb5012626b4d',
  pki: '/pki',
  marketplace: { address: '10.0.0.10', port: 8883 },
  topics: 'spec' as const,
}
const config = (more = {}): GridkeyConfig => readConfig({ address: '10.0.0.20', ...more }, app)
const c = config()

/** Every register of a healthy device: 230.5 V, 12.25 A, and so on. */
function words(change: Readonly<Record<number, number>> = {}): Words {
  const all = new Map<number, number>()
  const put = (at: number, value: number): void => {
    const b = Buffer.alloc(4)
    b.writeFloatBE(value)
    all.set(at, b.readUInt16BE(0)).set(at + 1, b.readUInt16BE(2))
  }
  for (const at of [0, 2, 4]) put(at, 230.5)
  for (const at of [6, 8, 10]) put(at, 399.2)
  put(12, 50.01)
  for (let f = 1; f <= 5; f++) {
    for (const o of [0, 2, 4]) put(100 * f + o, 12.25)
    for (const o of [6, 8, 10]) put(100 * f + o, 0.97)
    for (const o of [12, 14, 16]) put(100 * f + o, -2_739.5)
    for (const o of [18, 20, 22]) put(100 * f + o, 686.5)
  }
  const state = [0x5a5c, 0xc0de, 0, 100, 0x7fff, 0, 60]
  state.forEach((w, i) => all.set(1_000 + i, w))
  for (const [at, w] of Object.entries(change)) all.set(Number(at), w)
  return all
}
const sampled = (r: Reading, memory?: Memory, now = 0, conf = c): Record<string, boolean> =>
  Object.fromEntries(judge(r, memory, now, conf).samples.map((s) => [s.quantity, s.valid]))
const bad = (valid: Record<string, boolean>): string[] => Object.keys(valid).filter((q) => !valid[q])

describe('reading the feeder monitor', () => {
  test('takes its state first, then the busbar and the feeders that are fitted', () => {
    expect(blocks(config({ feeders: [1, 4] })).map((b) => [b.start, b.count])).toEqual([
      [1_000, 7],
      [0, 14],
      [100, 24],
      [400, 24],
    ])
  })

  test('finds each of the 66 measurements of Appendix C, and the frequency where asked', () => {
    const r = decode(words(), c)
    expect(Object.keys(r.values).length).toBe(66)
    expect(r.values).toMatchObject({
      'busbar.l1n.voltage': 230.5,
      'busbar.l3l1.voltage': 399.2,
      'feeder5.l3.current': 12.25,
      'feeder1.l1.power_factor': 0.97,
      'feeder2.l2.real_power': -2_739.5,
      'feeder3.l1.reactive_power': 686.5,
    })
    expect(r).toMatchObject({ sequence: 100, validity: 0x7fff, status: 0 })
    expect(decode(words(), config({ frequency: true })).values['busbar.frequency']).toBe(50.01)
  })

  test('counts samples in two registers', () => {
    expect(decode(words({ 1_002: 2, 1_003: 3 }), c).sequence).toBe(0x20003)
  })

  test('takes any registers, and any lack of them', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 1_010 }), fc.integer({ min: 0, max: 65_535 }))),
        (list) => {
          const all = new Map(list)
          const judged = judge(decode(all, c), undefined, 0, c)
          expect(judged.samples.length).toBe(66)
          for (const s of judged.samples) expect(Number.isFinite(s.value)).toBe(true)
        },
      ),
    )
  })
})

describe('trusting what was read', () => {
  test('a healthy device is trusted in everything', () => {
    expect(bad(sampled(decode(words(), c)))).toEqual([])
  })

  test('nothing is, where nothing or no state was read', () => {
    expect(bad(sampled(decode(new Map(), c))).length).toBe(66)
    const stateless = new Map(words())
    stateless.delete(1_005)
    expect(bad(sampled(decode(stateless, c))).length).toBe(66)
  })

  test('what was not read, is no number or lies out of range is not valid, and the rest is', () => {
    const some = new Map(words({ 100: 0x7fc0, 101: 0, 302: 0x7f80, 303: 0, 2: 0x447a, 3: 0 }))
    some.delete(207)
    expect(bad(sampled(decode(some, c)))).toEqual([
      'busbar.l2n.voltage',
      'feeder1.l1.current',
      'feeder2.l1.power_factor',
      'feeder3.l2.current',
    ])
  })

  test('a booting device, and one in an unknown state, is not trusted at all', () => {
    for (const state of [1, 4, 0xffff])
      expect(bad(sampled(decode(words({ 1_005: state }), c))).length).toBe(66)
  })

  test('with a voltage transformer lost only currents are', () => {
    const lost = bad(sampled(decode(words({ 1_005: 2 }), c)))
    expect(lost.length).toBe(6 + 45)
    expect(lost.some((q) => q.endsWith('.current'))).toBe(false)
  })

  test('a feeder and phase for which the device does not vouch is not', () => {
    expect(bad(sampled(decode(words({ 1_004: 0x7fff & ~(1 << 4), 1_005: 3 }), c)))).toEqual([
      'feeder2.l2.current',
      'feeder2.l2.power_factor',
      'feeder2.l2.real_power',
      'feeder2.l2.reactive_power',
    ])
  })

  test('a negative current is out of range: direction is told by the powers', () => {
    expect(bad(sampled(decode(words({ 100: 0xc144 }), c)))).toEqual(['feeder1.l1.current'])
  })
})

describe('noticing that samples stand still', () => {
  const reading = (sequence: number): Reading =>
    decode(words({ 1_002: sequence >>> 16, 1_003: sequence & 0xffff }), c)
  const stale = (sequence: number, memory: Memory, now: number): boolean =>
    bad(sampled(reading(sequence), memory, now)).length === 66

  test('the count must keep up with time', () => {
    expect(stale(160, { sequence: 100, seenAt: 0 }, 60_000)).toBe(false)
    expect(stale(156, { sequence: 100, seenAt: 0 }, 60_000)).toBe(false)
    expect(stale(113, { sequence: 100, seenAt: 0 }, 60_000)).toBe(true)
    expect(stale(100, { sequence: 100, seenAt: 0 }, 60_000)).toBe(true)
  })

  test('between two samples it may stand still', () => {
    const first = judge(reading(100), undefined, 0, c)
    const second = judge(reading(100), first.memory, 900, c)
    expect(second.samples.every((s) => s.valid)).toBe(true)
    expect(judge(reading(100), second.memory, 5_100, c).samples.some((s) => s.valid)).toBe(false)
  })

  test('a reboot begins the count anew', () => {
    expect(stale(3, { sequence: 100_000, seenAt: 0 }, 60_000)).toBe(false)
  })

  test('the count may wrap', () => {
    expect(stale(20, { sequence: 2 ** 32 - 40, seenAt: 0 }, 60_000)).toBe(false)
  })

  test('a device clock that is 50 ppm off never looks frozen', () => {
    let memory: Memory | undefined
    for (let minute = 0; minute < 3 * 1_440; minute++) {
      const judged = judge(reading(Math.floor(minute * 60 * (1 - 50e-6))), memory, minute * 60_000, c)
      memory = judged.memory
      expect(judged.samples.every((s) => s.valid)).toBe(true)
    }
  })
})

describe('topics', () => {
  test('follow Appendix C, section 4, with the interval in place of 1s', () => {
    const named = (q: string, interval = 60): string => topicOf(q, config({ interval }))
    expect(named('busbar.l1n.voltage')).toBe('Busbar/voltage/60s/L1-N_RMS')
    expect(named('busbar.l3l1.voltage')).toBe('Busbar/voltage/60s/L3-L1_RMS')
    expect(named('feeder1.l1.current', 10)).toBe('Feeder1/current/10s/L1_RMS')
    expect(named('feeder1.l2.power_factor', 1)).toBe('Feeder1/power_factor/1s/L2')
    expect(named('feeder5.l3.reactive_power', 1)).toBe('Feeder5/reactive_power/1s/L3')
  })

  test('or the names fielded in 2018', () => {
    const named = (q: string): string => topicOf(q, config({ topics: 'openlv-2018' }))
    expect(named('busbar.l1n.voltage')).toBe('gridkey-mcu520/60/busbar/l1/voltage-mean')
    expect(named('feeder1.l1.current')).toBe('gridkey-mcu520/60/feeder/1/l1/current-mean')
    expect(named('busbar.l2l3.voltage')).toBe('gridkey-mcu520/60/busbar/l2-l3/voltage-mean')
  })

  test('are all different, in either profile', () => {
    const quantities = Object.keys(decode(words(), config({ frequency: true })).values)
    for (const topics of ['spec', 'openlv-2018']) {
      const conf = config({ topics })
      expect(new Set(quantities.map((q) => topicOf(q, conf))).size).toBe(67)
    }
    expect(new Set(quantities.map(unitOf))).toEqual(new Set(['V', 'A', 'Hz', '1', 'W', 'var']))
  })
})

describe('configuration', () => {
  test('needs the address alone', () => {
    expect(c).toMatchObject({ port: 502, unit: 1, interval: 60, feeders: [1, 2, 3, 4, 5], topics: 'spec' })
  })

  test('is refused with the path of what does not fit', () => {
    expect(() => config({ interval: 0 })).toThrow('interval')
    expect(() => config({ feeders: [6] })).toThrow('feeders.0')
    expect(() => config({ colour: 'red' })).toThrow('colour')
    expect(() => readConfig({}, app)).toThrow('address')
  })
})
