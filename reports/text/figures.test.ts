import { expect, test } from 'vitest'
import { clock, figure, grouped, observedPairs, observedText, utc } from './figures.ts'

test('figures are short, with a true minus sign and groups of three', () => {
  expect(figure(60.2)).toBe('60.2')
  expect(figure(1234567)).toBe('1,234,567')
  expect(figure(-0.123456789)).toBe('−0.123457')
  expect(figure(1.5e-7)).toBe('1.5×10^−7')
  expect(figure(NaN)).toBe('not a number')
  expect(grouped(-1234.5)).toBe('−1,234.5')
})

test('times are UTC, spans as a clock shows them, and what is no time does not throw', () => {
  expect(utc(Date.UTC(2026, 0, 14, 6, 12))).toBe('2026-01-14 06:12:00 UTC')
  expect(utc(Date.UTC(2026, 0, 14, 6, 12) + 5)).toBe('2026-01-14 06:12:00.005 UTC')
  expect(utc(1e300)).toBe('1e+300')
  expect(clock(90_061_000)).toBe('1 d 01:01:01')
  expect(clock(-5)).toBe('00:00:00')
})

test('observed figures carry the unit of their name, and anything else is shown as JSON', () => {
  expect(observedText({ 'longest gap [s]': 180, 'messages [1]': 70_560, lost: 1 })).toBe(
    'longest gap 180 s, messages 70,560, lost 1',
  )
  expect(observedPairs([1, 'a'])).toEqual([['observed', '[1,"a"]']])
  expect(observedPairs(null)).toEqual([])
  expect(observedPairs({ a: { b: true } })).toEqual([['a', '{"b":true}']])
})
