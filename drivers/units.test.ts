import fc from 'fast-check'
import { expect, test } from 'vitest'
import { duration, durationText, ratio, tolerance } from './units.ts'

test('durations, tolerances and ratios are read with their units', () => {
  expect(duration('250 ms')).toBe(250)
  expect(duration('60 s')).toBe(60_000)
  expect(duration('1.5 h')).toBe(5_400_000)
  expect(duration('7 d')).toBe(604_800_000)
  expect(tolerance('±6 s')).toBe(6000)
  expect(tolerance('+-250 ms')).toBe(250)
  expect(ratio('0.1 %')).toBeCloseTo(0.001, 12)
  expect(ratio('50 ppm')).toBeCloseTo(0.00005, 12)
})

test.each(['', '60', 's', '-1 s', '60 sec', '1e3 s', '6 0 s', 'NaN s'])(
  "'%s' is refused as a duration",
  (text) => {
    expect(() => duration(text)).toThrow(/is not a duration/)
  },
)

test('a text that is none of them is refused', () => {
  expect(() => tolerance('6 s')).toThrow(/is not a tolerance/)
  expect(() => ratio('6')).toThrow(/is not a ratio/)
})

test('a whole number of any unit is read exactly, and written so that a person can read it', () => {
  fc.assert(
    fc.property(
      fc.nat(10_000),
      fc.constantFrom(
        ...([
          ['ms', 1],
          ['s', 1000],
          ['min', 60_000],
          ['h', 3_600_000],
        ] as const),
      ),
      (n, [u, f]) => {
        expect(duration(`${n} ${u}`)).toBe(n * f)
        expect(durationText(n * f)).toMatch(/^(\d+(\.\d+)? (ms|s|min|h|d))( \d+ (s|min|h))?$/)
      },
    ),
  )
  expect(durationText(90_000)).toBe('90 s')
  expect(durationText(5_400_000)).toBe('1 h 30 min')
})
