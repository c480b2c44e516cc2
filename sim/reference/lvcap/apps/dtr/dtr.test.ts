import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { seriesObject } from '../../objects.ts'
import { readConfig, type Transformer } from './config.ts'
import {
  forecastOf,
  seriesOf,
  startHeat,
  type Measured,
  type Outcome,
  type ThermalForecast,
} from './forecast.ts'
import { after, endOf, hotSpotOf, peakOf, ratingOver, through, type Heat, type Piece } from './model.ts'

const config = readConfig({ transformer: { ratedCurrent: 666.7 } })
const onan = config.transformer
/** IEC 60076-7, annex: 250 MVA, ONAF. */
const large = readConfig({
  transformer: {
    ratedCurrent: 1,
    topOilRise: 38.3,
    hotSpotRise: 20.3,
    oilTime: 150,
    windingTime: 7,
    lossRatio: 1000,
    windingExponent: 1.3,
    k11: 0.5,
    k21: 2,
    k22: 2,
  },
}).transformer

describe('the worked example of the standard', () => {
  test.each([
    { minutes: 190, oil: 61.9, hot: 83.8, within: 0.1 },
    { minutes: 365, oil: 44.4, hot: 54.0, within: 0.1 },
    { minutes: 500, oil: 89.2, hot: 127.0, within: 1.5 },
    { minutes: 705, oil: 35.0, hot: 37.5, within: 0.1 },
    { minutes: 730, oil: 67.9, hot: 138.6, within: 0.1 },
    { minutes: 745, oil: 60.3, hot: 75.3, within: 0.1 },
  ])('at $minutes min', ({ minutes, oil, hot, within }) => {
    const loads: [until: number, load: number][] = [
      [190, 1],
      [365, 0.6],
      [500, 1.5],
      [705, 0.3],
      [730, 2.1],
      [745, 0],
    ]
    const pieces: Piece[] = []
    let from = 0
    for (const [until, load] of loads) {
      if (until <= minutes) pieces.push({ seconds: (until - from) * 60, load, air: 25.6 })
      from = until
    }
    const { heat } = through(large, { oil: 38.3, up: 0, down: 0 }, pieces)
    expect(Math.abs(heat.oil - oil)).toBeLessThanOrEqual(within)
    expect(Math.abs(hotSpotOf(heat) - hot)).toBeLessThanOrEqual(within)
  })
})

test('rated load at 20 °C ends at 75.0 and 98.0 °C', () => {
  const heat = after(onan, endOf(onan, 0.1, -10), { seconds: 1e7, load: 1, air: 20 })
  expect(heat.oil).toBeCloseTo(75, 9)
  expect(hotSpotOf(heat)).toBeCloseTo(98, 9)
})

const load = fc.double({ min: 0, max: 2.2, noNaN: true })
const air = fc.double({ min: -20, max: 40, noNaN: true })
const piece = fc.record({ seconds: fc.integer({ min: 60, max: 5400 }), load, air })
const pieces = fc.array(piece, { minLength: 1, maxLength: 5 })
const either = fc.constantFrom(onan, large)
const start = fc.record({
  oil: fc.double({ min: -10, max: 110, noNaN: true }),
  up: fc.double({ min: 0, max: 70, noNaN: true }),
  down: fc.double({ min: 0, max: 30, noNaN: true }),
})

/** The same equations in small steps by the trapezoidal rule: where it ends, and the hottest on the way. */
function inSmallSteps(t: Transformer, from: Heat, list: readonly Piece[]): { heat: Heat; hotSpot: number } {
  let { oil, up, down } = from
  let hottest = oil + up - down
  for (const p of list) {
    const oilEnd =
      p.air +
      t.enclosure +
      t.topOilRise * ((1 + t.lossRatio * p.load * p.load) / (1 + t.lossRatio)) ** t.oilExponent
    const gradient = t.hotSpotRise * p.load ** t.windingExponent
    const n = Math.ceil(p.seconds / 5)
    const h = p.seconds / n / 60
    const move = (v: number, end: number, minutes: number): number =>
      (v * (1 - h / 2 / minutes) + (end * h) / minutes) / (1 + h / 2 / minutes)
    for (let i = 0; i < n; i++) {
      oil = move(oil, oilEnd, t.k11 * t.oilTime)
      up = move(up, t.k21 * gradient, t.k22 * t.windingTime)
      down = move(down, (t.k21 - 1) * gradient, t.oilTime / t.k22)
      hottest = Math.max(hottest, oil + up - down)
    }
  }
  return { heat: { oil, up, down }, hotSpot: hottest }
}

test('over random series of load it is what small steps give, and so is the hottest on the way', () => {
  fc.assert(
    fc.property(either, start, pieces, (t, from, list) => {
      const exact = through(t, from, list)
      const small = inSmallSteps(t, from, list)
      expect(exact.heat.oil).toBeCloseTo(small.heat.oil, 3)
      expect(hotSpotOf(exact.heat)).toBeCloseTo(hotSpotOf(small.heat), 3)
      expect(exact.hotSpot).toBeGreaterThan(small.hotSpot - 1e-3)
      expect(exact.hotSpot).toBeLessThan(small.hotSpot + 0.01)
    }),
    { numRuns: 60 },
  )
})

test('hot oil that cools under a new load: the hot spot is highest on the way, and that peak is seen', () => {
  for (const t of [onan, large]) {
    const p = { seconds: 6 * 3600, load: 0.8, air: 20 }
    const from = { oil: 90, up: 0, down: 0 }
    const peak = peakOf(t, from, p)
    expect(peak.hotSpot).toBeGreaterThan(hotSpotOf(after(t, from, p)) + 5)
    expect(peak.hotSpot).toBeGreaterThan(hotSpotOf(from) + 5)
    expect(peak.hotSpot).toBeCloseTo(inSmallSteps(t, from, [p]).hotSpot, 3)
  }
})

test('the top oil of a piece is highest at one of its ends', () => {
  const from = { oil: 70, up: 5, down: 0 }
  const cooling = { seconds: 3600, load: 0.1, air: 0 }
  expect(peakOf(onan, from, cooling).topOil).toBe(70)
  const heating = { seconds: 3600, load: 1.5, air: 30 }
  expect(peakOf(onan, from, heating).topOil).toBe(after(onan, from, heating).oil)
})

test('an enclosure warms all by what its air is warmer', () => {
  const inside = { ...onan, enclosure: 10 }
  expect(hotSpotOf(endOf(inside, 0.7, 11))).toBeCloseTo(hotSpotOf(endOf(onan, 0.7, 11)) + 10, 9)
})

test.each([
  [-5, 1.382],
  [0, 1.345],
  [10, 1.268],
  [20, 1.189],
  [30, 1.105],
  [40, 1.018],
])('held for ever at %s °C, the rating is %s of the rated load', (degrees, k) => {
  const held = [{ seconds: 1e7, load: 0, air: degrees }]
  expect(ratingOver(onan, endOf(onan, 0, degrees), held, config.limits)).toBeCloseTo(k, 3)
})

test('at a limit of 98 °C and 20 °C of air, it is the rated load', () => {
  const held = [{ seconds: 1e7, load: 0, air: 20 }]
  const limits = { ...config.limits, hotSpot: 98 }
  expect(ratingOver(onan, endOf(onan, 0, 20), held, limits)).toBeCloseTo(1, 6)
})

test('a rating keeps the limits, and a little more does not', () => {
  fc.assert(
    fc.property(either, start, fc.array(piece, { minLength: 1, maxLength: 2 }), (t, from, list) => {
      const limits = config.limits
      const k = ratingOver(t, from, list, limits)
      const at = (by: number): { hotSpot: number; topOil: number } =>
        through(
          t,
          from,
          list.map((p) => ({ ...p, load: by })),
        )
      const within = (by: number): boolean =>
        at(by).hotSpot <= limits.hotSpot && at(by).topOil <= limits.topOil
      expect(k).toBeLessThanOrEqual(limits.load)
      if (k > 0) expect(within(k)).toBe(true)
      if (k < limits.load) expect(within(k + 1e-6)).toBe(false)
    }),
    { numRuns: 100 },
  )
})

const began = 1_510_000_200 // a half-hour
const halfHours = (values: number[]) => ({ start: began, interval: 1800, values })
const day = (amps: number): number[] => Array.from({ length: 48 }, () => amps)
const measured = (more: Partial<Measured> = {}): Measured => ({
  at: began + 5,
  topOil: 52,
  ambient: 12,
  load: [{ at: began - 1800, amps: 300 }],
  ...more,
})
function told(o: Outcome): ThermalForecast {
  if (!o.ok) throw new Error(o.why)
  return o.forecast
}

describe('the forecast', () => {
  test('has an hour for each two half-hours of load, from the same instant on', () => {
    const f = told(forecastOf(config, measured(), halfHours(day(300))))
    expect([f.start, f.interval, f.topOil.length, f.hotSpot.length, f.rating.length]).toEqual([
      began,
      3600,
      24,
      24,
      24,
    ])
    for (const r of f.rating) expect(r).toBeLessThanOrEqual(1.5 * 666.7 + 1e-6)
  })

  test('begins with the measured top oil, not with what the model would think', () => {
    const f = told(forecastOf(config, measured({ topOil: 80 }), halfHours(day(0))))
    expect(f.topOil[0]).toBeCloseTo(80, 6)
    expect(f.topOil[23]).toBeLessThan(50)
  })

  test('tells the worst of each hour, also where that is in its first half', () => {
    const values = day(200)
    values[10] = 900
    const f = told(forecastOf(config, measured(), halfHours(values)))
    const calm = told(forecastOf(config, measured(), halfHours(day(200))))
    expect(f.hotSpot[5]).toBeGreaterThan((calm.hotSpot[5] ?? 0) + 30)
    expect(f.hotSpot[4]).toBeCloseTo(calm.hotSpot[4] ?? 0, 9)
    const swapped = [...values]
    swapped[10] = 200
    swapped[11] = 900
    const late = told(forecastOf(config, measured(), halfHours(swapped))).hotSpot[5] ?? 0
    expect(Math.abs(late - (f.hotSpot[5] ?? 0))).toBeLessThan(1)
  })

  test('rates each hour from where the forecast load leaves it: after a heavy hour less is left', () => {
    const values = day(200)
    values[10] = values[11] = 1100
    const f = told(forecastOf(config, measured({ ambient: 30 }), halfHours(values)))
    const calm = told(forecastOf(config, measured({ ambient: 30 }), halfHours(day(200))))
    expect(f.rating[5]).toBeCloseTo(calm.rating[5] ?? 0, 6)
    expect(f.rating[6]).toBeLessThan((calm.rating[6] ?? 0) - 1)
  })

  test('follows a forecast of the air where there is one', () => {
    const warm = { start: began, interval: 3600, values: [12, 12, 12, 35] }
    const f = told(forecastOf(config, measured(), halfHours(day(300)), warm))
    const same = told(forecastOf(config, measured(), halfHours(day(300))))
    expect(f.topOil[2]).toBeCloseTo(same.topOil[2] ?? 0, 9)
    expect((f.topOil[23] ?? 0) - (same.topOil[23] ?? 0)).toBeGreaterThan(20)
  })

  test('gradients come from the last hour of load alone', () => {
    const heavy = { at: began - 600, amps: 900 }
    const old = { at: began - 90_000, amps: 2000 }
    const h = startHeat(config, measured({ load: [old, { at: began - 3000, amps: 100 }, heavy] }), 0)
    const sameWithoutOld = startHeat(config, measured({ load: [{ at: began - 3000, amps: 100 }, heavy] }), 0)
    expect(h).toEqual(sameWithoutOld)
    expect(h.oil).toBe(52)
    const end = endOf(onan, 900 / 666.7, 12).up
    expect(h.up).toBeGreaterThan(0.6 * end)
    expect(h.up).toBeLessThan(end)
  })

  test('the rating of the hour that begins now is that of the whole hour', () => {
    const hot = measured({ at: began + 1500, topOil: 88 })
    const f = told(forecastOf(config, hot, halfHours(day(300))))
    const hour = [{ seconds: 3600, load: 0, air: 12 }]
    const from = startHeat(config, hot, 300)
    expect(f.ratingNow).toBeLessThan(1.45 * 666.7)
    expect(f.ratingNow).toBeCloseTo(ratingOver(onan, from, hour, config.limits) * 666.7, 6)
  })

  test('a transformer that is too hot already has no rating', () => {
    const f = told(forecastOf(config, measured({ topOil: 118 }), halfHours(day(100))))
    expect(f.rating[0]).toBe(0)
    expect(f.rating[23]).toBeGreaterThan(600)
  })

  test.each<[string, Partial<Measured>, number[], RegExp]>([
    ['no top oil', { topOil: Number.NaN }, day(1), /not plausible/],
    ['a top oil of a broken sensor', { topOil: 3276.7 }, day(1), /not plausible/],
    ['no air', { ambient: Number.NaN }, day(1), /ambient/],
    ['a gap', {}, [...day(1).slice(1), Number.NaN], /gaps/],
    ['no load', {}, [], /gaps/],
    ['half an hour', {}, [1], /an hour/],
    ['a forecast of yesterday', { at: began + 86_400 }, day(1), /out of date/],
    ['readings of yesterday', { at: began - 86_400 }, day(1), /out of date/],
    ['a measured load that is no number', { load: [{ at: began, amps: Number.NaN }] }, day(1), /no number/],
  ])('with %s it says so, and its Series is not valid', (_, more, values, why) => {
    const o = forecastOf(config, measured(more), halfHours(values))
    expect(o).toMatchObject({ ok: false, why: expect.stringMatching(why) as string })
    const s = seriesOf(o, 'rating', began + 5, began)
    expect(s).toMatchObject({ Valid: false, Value: [], StartPoint: began })
    expect(seriesObject.safeParse(s).success).toBe(true)
  })

  test('is published as Series of 24 hourly values', () => {
    const o = forecastOf(config, measured(), halfHours(day(300)))
    for (const which of ['topOil', 'hotSpot', 'rating'] as const) {
      const s = seriesOf(o, which, began + 5.7, began)
      expect(seriesObject.parse(s)).toMatchObject({
        Timestamp: began + 5,
        StartPoint: began,
        Interval: 3600,
        Valid: true,
      })
      expect(s.Value).toHaveLength(24)
    }
  })
})

test('a configuration without the rated current, or with a winding slower than its oil, is refused', () => {
  expect(() => readConfig({ transformer: {} })).toThrow(/ratedCurrent/)
  expect(() => readConfig({ transformer: { ratedCurrent: 1, k21: 2, windingTime: 400 } })).toThrow(
    /faster than the oil/,
  )
})
