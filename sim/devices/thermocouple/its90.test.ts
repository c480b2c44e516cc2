import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compensated, emf, rangeOf, temperature } from './its90.ts'

describe('EMF: the NIST tables, to a microvolt', () => {
  test.each([
    [25, 1.0],
    [75, 3.059],
    [250, 10.153],
    [555, 22.99],
    [600, 24.905],
    [665, 27.658],
    [770, 32.041],
    [776, 32.289],
    [910, 37.725],
    [1200, 48.838],
    [1372, 54.886],
    [-110, -3.852],
  ])('type K at %f °C: %f mV', (t, mv) => {
    expect(Math.abs(emf('K', t) - mv)).toBeLessThan(0.001)
    expect(Number(emf('K', t).toFixed(3))).toBeCloseTo(mv, 9)
  })

  test.each([
    [-270, -6.258],
    [-200, -5.603],
    [-100, -3.379],
    [-50, -1.819],
    [25, 0.992],
    [50, 2.036],
    [100, 4.279],
    [150, 6.704],
    [200, 9.288],
    [300, 14.862],
    [400, 20.872],
  ])('type T at %f °C: %f mV', (t, mv) => {
    expect(Math.abs(emf('T', t) - mv)).toBeLessThan(0.001)
  })

  test('zero is zero, where the pieces meet there is no step, and outside the range is not a number', () => {
    for (const type of ['K', 'T'] as const) {
      expect(emf(type, 0)).toBeCloseTo(0, 12)
      expect(Math.abs(emf(type, 1e-9) - emf(type, -1e-9))).toBeLessThan(1e-4)
      expect(emf(type, -271)).toBeNaN()
      expect(emf(type, rangeOf(type).to + 0.01)).toBeNaN()
    }
  })
})

describe('and back', () => {
  // NIST's error bounds of the inverse polynomials, by range
  test.each([
    ['K', -200, 0, -0.02, 0.04],
    ['K', 0, 500, -0.05, 0.04],
    ['K', 500, 1372, -0.05, 0.06],
    ['T', -200, 0, -0.02, 0.04],
    ['T', 0, 400, -0.03, 0.03],
  ] as const)('type %s from %f to %f °C: error within %f..%f', (type, from, to, low, high) => {
    let [least, most] = [0, 0]
    for (let t = from; t <= to; t += 0.25) {
      const error = temperature(type, emf(type, t)) - t
      least = Math.min(least, error)
      most = Math.max(most, error)
    }
    // bounds are stated with two figures
    expect(least).toBeGreaterThanOrEqual(low - 0.005)
    expect(most).toBeLessThanOrEqual(high + 0.005)
  })

  test.each([
    ['K', 25, 75, 2.0587, 74.99],
    ['T', 25, 75, 2.1403, 74.99],
    ['T', 40, 98, 2.5733, 98.0],
    ['K', 10, -5, -0.5935, -4.99],
  ] as const)('type %s, junction %f, tip %f °C: %f mV gives %f', (type, junction, tip, mv, t) => {
    const across = emf(type, tip) - emf(type, junction)
    expect(Math.abs(across - mv)).toBeLessThan(0.0001)
    expect(Math.abs(compensated(type, across, junction) - t)).toBeLessThan(0.006)
  })

  test('adding temperatures instead of EMFs would be wrong by degrees', () => {
    const across = emf('T', 98) - emf('T', 40)
    expect(temperature('T', across) + 40).toBeCloseTo(102.39, 1)
  })

  test('whatever tip and junction: what goes in comes out, within the bounds', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('K' as const, 'T' as const),
        fc.double({ min: -100, max: 390, noNaN: true }),
        fc.double({ min: -40, max: 85, noNaN: true }),
        (type, tip, junction) => {
          const error = compensated(type, emf(type, tip) - emf(type, junction), junction) - tip
          // NIST's bounds of the inverse at the tip's own temperature: nothing is added by the junction.
          const [low, high] = tip < 0 ? [-0.02, 0.04] : type === 'K' ? [-0.05, 0.04] : [-0.03, 0.03]
          expect(error).toBeGreaterThanOrEqual(low - 0.005)
          expect(error).toBeLessThanOrEqual(high + 0.005)
        },
      ),
      { numRuns: 2000 },
    )
  })
})
