import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { seriesObject } from '../../objects.ts'
import { readConfig } from './config.ts'
import { createHistory } from './history.ts'
import { count, halfHour, predict, reachOf, seriesOf, type History } from './predict.ts'

const config = readConfig({})
const week = 7 * 86_400
/** 8 March 2017, 14:30:05 UTC: when the API's figure 10 was made. */
const now = 1_488_983_405
const start = 1_488_983_400

const wave: History = (t) =>
  100 + 40 * Math.sin((2 * Math.PI * t) / 86_400) + 10 * Math.sin((2 * Math.PI * t) / week)

describe('the forecast of figure 10', () => {
  const f = predict(wave, now, config)
  const s = seriesOf(f, now)

  test('is a Series of 48 half-hours from the half-hour in which it is made', () => {
    expect(seriesObject.safeParse(s).success).toBe(true)
    expect(s).toMatchObject({ Timestamp: now, StartPoint: start, Interval: 1800, Valid: true })
    expect(s.Value).toHaveLength(48)
    expect(s.Confidence).toEqual(Array.from({ length: 48 }, () => 1))
  })

  test('tells the span of the data behind any of its values', () => {
    const plain = readConfig({ follow: 0 })
    const t = seriesOf(predict(wave, now, plain), now)
    // the oldest: 8 February, 14:30; the newest ends at 14:30, 2 March: a week before the last value ends
    expect(t.TimestampStart).toBe(1_486_564_200)
    expect(t.TimestampEnd).toBe(start + count * halfHour - week)
    expect(s.TimestampStart).toBe(start - reachOf(config))
    expect(s.TimestampEnd).toBe(start)
  })

  test('repeats what repeats', () => {
    for (const [i, v] of f.values.entries()) expect(v).toBeCloseTo(wave(start + i * halfHour) ?? 0, 6)
  })
})

test('it asks for nothing of now or later, and nothing older than four weeks and a day', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1_400_000_000, max: 1_700_000_000 }), (at) => {
      const first = Math.floor(at / halfHour) * halfHour
      const asked: number[] = []
      predict(
        (t) => {
          asked.push(t)
          return 1
        },
        at,
        config,
      )
      expect(Math.max(...asked)).toBe(first - halfHour)
      expect(Math.min(...asked)).toBe(first - reachOf(config))
      expect(asked.every((t) => t % halfHour === 0)).toBe(true)
      expect(reachOf(config)).toBe(4 * week + 86_400)
    }),
    { numRuns: 20 },
  )
})

test('a colder day lifts the forecast, by no more than it may', () => {
  const by =
    (factor: number): History =>
    (t) =>
      (wave(t) ?? 0) * (t >= start - 86_400 ? factor : 1)
  const usual = predict(wave, now, config).values[5] ?? 0
  expect((predict(by(1.2), now, config).values[5] ?? 0) / usual).toBeCloseTo(1.2 ** 0.7, 6)
  expect((predict(by(50), now, config).values[5] ?? 0) / usual).toBeCloseTo(2 ** 0.7, 6)
  expect((predict(by(0.01), now, config).values[5] ?? 0) / usual).toBeCloseTo(0.5 ** 0.7, 6)
  expect(predict(by(1.2), now, readConfig({ follow: 0 })).values[5]).toBeCloseTo(usual, 9)
})

test('an outage is not learnt from, and costs confidence; a feeder without any load is foretold to have none', () => {
  const dark: History = (t) => (t >= start - 2 * week && t < start - 2 * week + 7200 ? 0 : wave(t))
  const f = predict(dark, now, config)
  for (const [i, v] of f.values.entries()) expect(v).toBeCloseTo(wave(start + i * halfHour) ?? 0, 6)
  expect(f.confidence.slice(0, 5)).toEqual([0.75, 0.75, 0.75, 0.75, 1])
  expect(f.valid).toBe(true)

  const none = predict(() => 0, now, config)
  expect(none).toMatchObject({ valid: true, values: Array.from({ length: 48 }, () => 0) })
})

test('a load that flows both ways is not scaled by a ratio that means nothing', () => {
  for (const base of [0, 0.2, -0.2]) {
    const both: History = (t) => (t >= start - 86_400 ? 3 : 1) * (base + Math.sin((2 * Math.PI * t) / 86_400))
    const f = predict(both, now, config)
    const plain = predict(both, now, readConfig({ follow: 0 }))
    for (const [i, v] of f.values.entries()) expect(v).toBeCloseTo(plain.values[i] ?? 0, 9)
  }
})

test('an outage of the last day does not lower the forecast', () => {
  const dark: History = (t) => (t >= start - 43_200 ? 0 : wave(t))
  const f = predict(dark, now, config)
  for (const [i, v] of f.values.entries()) expect(v).toBeCloseTo(wave(start + i * halfHour) ?? 0, 6)
})

test('with less than two weeks of history it says that it is not valid', () => {
  const since =
    (from: number): History =>
    (t) =>
      t >= from ? wave(t) : undefined
  expect(predict(since(start - 2 * week), now, config).valid).toBe(true)
  const young = predict(since(start - 2 * week + halfHour), now, config)
  expect(young.valid).toBe(false)
  expect(young.confidence.slice(0, 2)).toEqual([0.25, 0.5])
  const s = seriesOf(
    predict(() => undefined, now, config),
    now,
  )
  expect(s).toMatchObject({ Valid: false, StartPoint: start })
  expect(s.TimestampStart).toBeUndefined()
  expect(seriesObject.safeParse(s).success).toBe(true)
})

test('whatever the history, there are 48 numbers', () => {
  const cell = fc.option(fc.double(), { nil: undefined })
  fc.assert(
    fc.property(fc.array(cell, { minLength: 1, maxLength: 400 }), (cells) => {
      const f = predict((t) => cells[(t / halfHour) % cells.length], now, config)
      expect(f.values).toHaveLength(48)
      if (cells.every((v) => v === undefined || !(Math.abs(v) > 1e300)))
        expect(f.values.every(Number.isFinite)).toBe(true)
      expect(f.confidence.every((x) => x >= 0 && x <= 1)).toBe(true)
    }),
    { numRuns: 50 },
  )
})

describe('the history', () => {
  test('is the mean of the valid samples of each half-hour that has enough of them', () => {
    const h = createHistory(config)
    for (let i = 0; i < 30; i++) h.add(start + 60 * i, i % 2 === 1 ? 1000 : i < 10 ? 5 : 9, i % 2 === 0)
    for (let i = 0; i < 14; i++) h.add(start + halfHour + 60 * i, 5, true)
    expect(h.mean(start)).toBeCloseTo((5 * 5 + 10 * 9) / 15, 9)
    expect(h.mean(start + halfHour)).toBeUndefined()
    h.add(start + halfHour + 1700, 5, true)
    expect(h.mean(start + halfHour)).toBe(5)
    expect(h.mean(start - halfHour)).toBeUndefined()
  })

  test('takes a sample that is delivered again once, and what is no number never', () => {
    const h = createHistory(readConfig({ sampleEvery: 900 }))
    h.add(start, 1, true)
    h.add(start, 1, true)
    h.add(start + 900, 4, true)
    h.add(start + 901, Number.NaN, true)
    h.add(Number.NaN, 4, true)
    expect(h.mean(start)).toBe(2.5)
  })

  test('keeps four weeks and a day however long it runs, and answers all that a forecast asks for', () => {
    const h = createHistory(readConfig({ sampleEvery: 1800 }))
    const end = start + 10 * week
    for (let t = start; t < end; t += halfHour) h.add(t, wave(t) ?? 0, true)
    expect(h.size()).toBeLessThanOrEqual(29 * 48 + 2)
    const f = predict(h.mean, end + 5, config)
    expect(f.confidence.every((x) => x === 1)).toBe(true)
    expect(f.oldest).toBe(end - reachOf(config))
  })
})

test('a configuration that asks for more weeks than it has is refused', () => {
  expect(() => readConfig({ weeks: 1 })).toThrow(/leastWeeks/)
  expect(() => readConfig({ weeks: 52 })).toThrow(/weeks/)
})

describe('a history whose clock goes wrong', () => {
  const full = (): ReturnType<typeof createHistory> => {
    const h = createHistory(config)
    for (let t = start - reachOf(config); t < start; t += halfHour) h.put(t, 7)
    return h
  }

  test('loses half-hours of the wrong time first, once the clock is right again', () => {
    const h = full()
    const ahead = start + 20 * 365 * 86_400
    for (let i = 0; i < 120; i++) h.add(ahead + 60 * i, 9, true)
    expect(h.size()).toBeLessThanOrEqual(29 * 48 + 2)
    for (let i = 0; i < 300; i++) h.add(start + 60 * i, 8, true)
    expect(h.mean(ahead)).toBeUndefined()
    expect(h.mean(start)).toBe(8)
    const f = predict(h.mean, start + 10 * halfHour, config)
    expect(f.confidence.every((c) => c === 1)).toBe(true)
  })

  test('does not lose what it knows to a clock that was never set', () => {
    const h = full()
    for (let i = 0; i < 10_000; i++) h.add(60 * i, 9, true)
    expect(h.mean(start - reachOf(config))).toBe(7)
  })

  test('what was measured goes before what is brought along; what was hardly measured does not', () => {
    const h = createHistory(config)
    for (let i = 0; i < 30; i++) h.add(start + 60 * i, 5, true)
    h.add(start + halfHour, 5, true)
    for (const t of [start, start + halfHour, start + 1]) h.put(t, 9)
    expect(h.mean(start)).toBe(5)
    expect(h.mean(start + halfHour)).toBe(9)
    const again = createHistory(config)
    again.restore(h.kept())
    expect(again.kept()).toEqual(h.kept())
  })
})
