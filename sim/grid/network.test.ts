import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readTransformer } from '../devices/transformer/personality.ts'
import { createThermalTruth, loadFactor } from '../devices/transformer/thermal.ts'
import { add, complex, over, polar, sizeOf, subtract, times, zero, type Complex } from './complex.ts'
import { power, sides, solve, type Load, type Network, type PhaseSolution, type Side } from './network.ts'

const none: Load = { amps: [0, 0, 0], powerFactor: 1, exponent: 1 }
const even = (amps: number, more: Partial<Load> = {}): Load => ({
  amps: [amps, amps, amps],
  powerFactor: 0.97,
  exponent: 1,
  ...more,
})
/** 500 kVA, 433 V, 4.75 % with about 1 % of load loss. */
const transformer = complex(0.0038, 0.0174)
/** 185 mm² aluminium, ohms per km. */
const perKm = complex(0.164, 0.074)
const km = (length: number): Complex => complex(perKm.re * length, perKm.im * length)

const shut = [true, true, true] as const
const open = [false, false, false] as const

const pair = (more: Partial<Network> = {}): Network => ({
  nominal: 230,
  a: { source: 245, angle: 0, transformer, load: even(300) },
  b: { source: 245, angle: 0, transformer, load: even(120) },
  feeder: { cable: [km(0.1), km(0.1), km(0.2)], loads: [even(90), even(60)] },
  closed: { a: shut, b: open },
  ...more,
})

const amps = fc.double({ min: -150, max: 400, noNaN: true })
const loads: fc.Arbitrary<Load> = fc.record({
  amps: fc.tuple(amps, amps, amps),
  powerFactor: fc.double({ min: 0.7, max: 1, noNaN: true }),
  exponent: fc.constantFrom(0.5, 1, 1.4, 2),
})
const stations = fc.record({
  source: fc.option(fc.double({ min: 225, max: 255, noNaN: true }), { freq: 8 }),
  angle: fc.double({ min: -3, max: 3, noNaN: true }),
  transformer: fc.record({
    re: fc.double({ min: 0.001, max: 0.01, noNaN: true }),
    im: fc.double({ min: 0.005, max: 0.05, noNaN: true }),
  }),
  load: loads,
})
const switches = fc.tuple(fc.boolean(), fc.boolean(), fc.boolean())
const networks: fc.Arbitrary<Network> = fc
  .record({
    nominal: fc.constant(230),
    a: stations,
    b: stations,
    closed: fc.record({ a: switches, b: switches }),
    points: fc.array(fc.tuple(fc.double({ min: 0, max: 0.3, noNaN: true }), loads), { maxLength: 6 }),
    end: fc.double({ min: 0.01, max: 0.3, noNaN: true }),
    fault: fc.option(fc.double({ min: 0.01, max: 1, noNaN: true }), { freq: 4 }),
  })
  .map(({ points, end, fault, ...rest }): Network => ({
    ...rest,
    feeder: {
      cable: [...points.map(([length]) => km(length + 0.005)), km(end)],
      // a lateral of the feeder carries less than a busbar
      loads: points.map(([, l]) => ({ ...l, amps: l.amps.map((a) => a / 5) as unknown as Load['amps'] })),
    },
    ...(fault === null || points.length === 0
      ? {}
      : { fault: { phase: 1, at: Math.floor(points.length / 2), ohms: fault } }),
  }))

/** Amps; where next to nothing flows, 0.1: what doubles leave of 240 V over a few milliohms is 1e-11 A. */
function largest(s: PhaseSolution): number {
  const all = [...s.cable, ...s.loads, ...s.faults, s.a.transformer, s.b.transformer, s.a.load, s.b.load]
  return Math.max(...all.map(sizeOf), 0.1)
}

const sourceOf = (n: Network, side: Side, phase: number): Complex =>
  polar(n[side].source ?? 0, n[side].angle - 120 * phase)

test("Kirchhoff's laws hold to 1e-9 of the largest current, over random networks", () => {
  fc.assert(
    fc.property(networks, (n) => {
      for (const [phase, s] of solve(n).entries()) {
        const bar = 1e-9 * largest(s)
        const nothing = (c: Complex): void => expect(sizeOf(c)).toBeLessThanOrEqual(bar)
        // currents: at each busbar and each point of load
        for (const side of sides) nothing(subtract(s[side].transformer, add(s[side].load, s[side].link)))
        nothing(subtract(s.a.link, s.cable[0] ?? zero))
        nothing(add(s.b.link, s.cable.at(-1) ?? zero))
        for (const i of n.feeder.loads.keys()) {
          const out = add(add(s.loads[i] ?? zero, s.faults[i] ?? zero), s.cable[i + 1] ?? zero)
          nothing(subtract(s.cable[i] ?? zero, out))
        }
        // voltages, as the current that what is missing would drive: transformers, and cables
        for (const side of sides) {
          const { transformer: current, busVoltage } = s[side]
          if (n[side].source === null) nothing(current)
          else
            nothing(
              subtract(over(subtract(sourceOf(n, side, phase), busVoltage), n[side].transformer), current),
            )
        }
        const along = [s.a.cableVoltage, ...s.voltages, s.b.cableVoltage]
        for (const [i, z] of n.feeder.cable.entries())
          nothing(subtract(over(subtract(along[i] ?? zero, along[i + 1] ?? zero), z), s.cable[i] ?? zero))
        // breakers
        for (const side of sides)
          if (n.closed[side][phase] === true) expect(s[side].cableVoltage).toEqual(s[side].busVoltage)
          else nothing(s[side].link)
      }
    }),
    { numRuns: 150 },
  )
})

/** Node voltages by Gaussian elimination of the whole admittance matrix: another way to the same. */
function byMatrix(n: Network, phase: number, s: PhaseSolution): Complex[] {
  const volts = [s.a.busVoltage, ...s.voltages, s.b.busVoltage]
  const drawn = [s.a.load, ...s.loads.map((l, i) => add(l, s.faults[i] ?? zero)), s.b.load]
  const size = volts.length
  const matrix = volts.map(() => Array.from({ length: size + 1 }, () => zero))
  const put = (r: number, c: number, v: Complex): void => {
    const row = matrix[r]
    if (row !== undefined) row[c] = add(row[c] ?? zero, v)
  }
  for (const i of volts.keys()) {
    // the load as the admittance that it turned out to be; a dead node keeps its own
    const v = volts[i] ?? zero
    put(i, i, sizeOf(v) === 0 ? complex(1) : over(drawn[i] ?? zero, v))
  }
  for (const [i, z] of n.feeder.cable.entries()) {
    const ends = [i === 0 ? n.closed.a[phase] : true, i === size - 2 ? n.closed.b[phase] : true]
    if (ends.includes(false)) continue
    const y = over(complex(1), z)
    put(i, i, y)
    put(i + 1, i + 1, y)
    put(i, i + 1, subtract(zero, y))
    put(i + 1, i, subtract(zero, y))
  }
  for (const [side, at] of [
    ['a', 0],
    ['b', size - 1],
  ] as const) {
    if (n[side].source === null) continue
    const y = over(complex(1), n[side].transformer)
    put(at, at, y)
    put(at, size, times(sourceOf(n, side, phase), y))
  }
  for (let c = 0; c < size; c++) {
    const best = [...matrix.keys()]
      .slice(c)
      .reduce((a, r) => (sizeOf(matrix[r]?.[c] ?? zero) > sizeOf(matrix[a]?.[c] ?? zero) ? r : a))
    const [upper, lower] = [matrix[c] ?? [], matrix[best] ?? []]
    matrix[c] = lower
    matrix[best] = upper
    const pivot = lower[c] ?? zero
    for (const [r, row] of matrix.entries()) {
      if (r === c) continue
      const by = over(row[c] ?? zero, pivot)
      for (let k = c; k <= size; k++) row[k] = subtract(row[k] ?? zero, times(by, lower[k] ?? zero))
    }
  }
  return matrix.map((row, i) => over(row[size] ?? zero, row[i] ?? zero))
}

test('voltages are those of the whole matrix, solved another way', () => {
  fc.assert(
    fc.property(networks, (n) => {
      for (const [phase, s] of solve(n).entries()) {
        const other = byMatrix(n, phase, s)
        for (const [i, v] of [s.a.busVoltage, ...s.voltages, s.b.busVoltage].entries())
          expect(sizeOf(subtract(v, other[i] ?? zero))).toBeLessThan(1e-8)
      }
    }),
    { numRuns: 60 },
  )
})

test('each load takes at its voltage what its exponent asks', () => {
  fc.assert(
    fc.property(networks, (n) => {
      for (const [phase, s] of solve(n).entries())
        for (const [l, v, i] of [
          [n.a.load, s.a.busVoltage, s.a.load] as const,
          ...n.feeder.loads.map((load, k) => [load, s.voltages[k] ?? zero, s.loads[k] ?? zero] as const),
        ]) {
          const share = sizeOf(v) / n.nominal
          if (share < 0.5) continue
          const asked = (l.amps[phase] ?? 0) * n.nominal * share ** l.exponent
          const { p, q } = power(v, i)
          expect(p).toBeCloseTo(asked * l.powerFactor, 3)
          expect(Math.abs(q)).toBeCloseTo(Math.abs(asked) * Math.sqrt(1 - l.powerFactor ** 2), 3)
        }
    }),
    { numRuns: 60 },
  )
})

describe('closing the breaker at the other end', () => {
  const before = solve(pair())
  const after = solve(pair({ closed: { a: shut, b: shut } }))

  test('moves current from the loaded side to the other, and voltages with it', () => {
    for (const phase of [0, 1, 2] as const) {
      const [was, is] = [before[phase], after[phase]]
      expect(sizeOf(was.b.link)).toBe(0)
      expect(power(is.b.busVoltage, is.b.link).p).toBeGreaterThan(5000)
      expect(sizeOf(is.a.transformer)).toBeLessThan(sizeOf(was.a.transformer) - 40)
      expect(sizeOf(is.b.transformer)).toBeGreaterThan(sizeOf(was.b.transformer) + 40)
      expect(sizeOf(is.a.busVoltage)).toBeGreaterThan(sizeOf(was.a.busVoltage))
      expect(sizeOf(is.b.busVoltage)).toBeLessThan(sizeOf(was.b.busVoltage))
    }
  })

  test('moves the temperatures of both transformers', () => {
    const p = readTransformer('transformer-onan')
    const load = (s: typeof before, side: Side): number =>
      loadFactor(
        p,
        s.map((phase) => sizeOf(phase[side].transformer)),
      )
    const moved = sides.map((side) => {
      const truth = createThermalTruth(p, 0, { load: load(before, side), ambient: 10 })
      const then = truth.at(0).hotSpot
      truth.change(0, { load: load(after, side), ambient: 10 })
      return truth.at(4 * 3_600_000).hotSpot - then
    })
    expect(moved[0]).toBeLessThan(-2)
    expect(moved[1]).toBeGreaterThan(2)
  })

  test('of one phase moves that phase alone', () => {
    const one = solve(pair({ closed: { a: shut, b: [true, false, false] } }))
    expect(sizeOf(one[0].b.link)).toBeCloseTo(sizeOf(after[0].b.link), 9)
    expect(sizeOf(one[1].b.link)).toBe(0)
    expect(one[2].a.busVoltage).toEqual(before[2].a.busVoltage)
  })
})

test('between unequal sources a current circulates: 5 V drive 78 A through 0.2 km, 2 degrees 131 A', () => {
  const idle = (source: number, angle: number): Network => {
    const station = { source: 240, angle: 0, transformer, load: none }
    return pair({
      a: { ...station, source, angle },
      b: station,
      feeder: { cable: [km(0.2)], loads: [] },
      closed: { a: shut, b: shut },
    })
  }
  expect(sizeOf(solve(idle(245, 0))[0].a.link)).toBeCloseTo(78, 0)
  expect(sizeOf(solve(idle(240, 2))[0].a.link)).toBeCloseTo(131, 0)
  expect(sizeOf(solve(idle(240, 0))[0].a.link)).toBeCloseTo(0, 9)
})

test('with both breakers open the cable is dead; with one source gone its busbar is fed from the other end', () => {
  const dead = solve(pair({ closed: { a: open, b: open } }))[0]
  expect([dead.a.cableVoltage, dead.b.cableVoltage, ...dead.voltages].map(sizeOf)).toEqual([0, 0, 0, 0])
  expect(sizeOf(dead.a.busVoltage)).toBeGreaterThan(230)

  const fed = solve(
    pair({ a: { source: null, angle: 0, transformer, load: even(30) }, closed: { a: shut, b: shut } }),
  )[0]
  expect(sizeOf(fed.a.busVoltage)).toBeGreaterThan(200)
  expect(power(fed.a.busVoltage, fed.a.link).p).toBeLessThan(-6000)
  expect(sizeOf(fed.a.transformer)).toBe(0)

  const alone = solve(pair({ a: { source: null, angle: 0, transformer, load: even(30) } }))[0]
  expect(sizeOf(alone.a.busVoltage)).toBe(0)
  expect(sizeOf(alone.b.busVoltage)).toBeGreaterThan(230)
})

test('an open end shows the voltage of the cable, also where the feeder has no load', () => {
  const s = solve(pair())[0]
  expect(s.b.cableVoltage).toEqual(s.voltages.at(-1))
  const bare = solve(pair({ feeder: { cable: [km(0.2)], loads: [] } }))[0]
  expect(bare.b.cableVoltage).toEqual(bare.a.busVoltage)
})

test('a fault draws from both ends, and its phase alone sags', () => {
  const closed = { a: shut, b: shut }
  const s = solve(pair({ closed, fault: { phase: 2, at: 0, ohms: 0.05 } }))
  const sound = solve(pair({ closed }))
  expect(sizeOf(s[2].a.link)).toBeGreaterThan(1000)
  expect(sizeOf(s[2].b.link)).toBeGreaterThan(500)
  expect(sizeOf(s[2].voltages[0] ?? zero)).toBeLessThan(185)
  expect(s[0]).toEqual(sound[0])
})

test.each<[string, Partial<Network>]>([
  ['cable that does not fit', { feeder: { cable: [km(1)], loads: [none] } }],
  ['a cable that gives energy', { feeder: { cable: [complex(-1)], loads: [] } }],
  ['a transformer without impedance', { a: { source: 240, angle: 0, transformer: zero, load: none } }],
  ['a source that is no number', { b: { source: Number.NaN, angle: 0, transformer, load: none } }],
  ['a power factor of 2', { a: { source: 240, angle: 0, transformer, load: even(1, { powerFactor: 2 }) } }],
  ['a nominal voltage of 0', { nominal: 0 }],
  ['a fault nowhere', { fault: { phase: 0, at: 9, ohms: 1 } }],
])('%s is refused', (_, more) => {
  expect(() => solve(pair(more))).toThrow(/cannot be solved/)
})

test('loads beyond what it can carry are told, or let go: there is never a voltage that is no number', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 40_000, noNaN: true }), (asked) => {
      const a = { source: 240, angle: 0, transformer, load: even(asked, { exponent: 0 }) }
      let solution
      try {
        solution = solve(pair({ a }))
      } catch (e) {
        expect(String(e)).toMatch(/ask for more than it can carry/)
        return
      }
      expect(solution.every((s) => Number.isFinite(sizeOf(s.a.busVoltage)))).toBe(true)
    }),
    { numRuns: 40 },
  )
})
