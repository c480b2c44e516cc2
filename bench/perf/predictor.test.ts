import { describe, expect, test } from 'vitest'
import type { Series } from '../../sim/devices/profile-csv.ts'
import { realSeries, scorePredictor } from './predictor.ts'

/** Ten weeks whose days and weeks repeat, and grow by 2 % each week. */
function grown(): Series {
  const means = Float64Array.from({ length: 70 * 48 }, (_, i) => {
    const shape = 3 + Math.sin((2 * Math.PI * i) / 48) + 0.5 * Math.sin((2 * Math.PI * i) / 336)
    return shape * 1.02 ** (i / 336)
  })
  return { name: 'grown', begins: Date.parse('2018-01-01T00:00Z'), means }
}

test('on a load that grows by 2 % a week, last week is off by 2 %, and the last day makes up for that', () => {
  const s = scorePredictor(grown(), 37)
  expect(s.judged).toBeGreaterThan(70)
  expect([s.zeros, s.notValid]).toEqual([0, 0])
  expect(s.lastWeek.mape).toBeCloseTo(1 - 1 / 1.02, 6)
  expect(s.lastWeek.ofSum).toBeCloseTo(1 - 1 / 1.02, 6)
  expect(s.predictor.mape).toBeLessThan(s.lastWeek.mape)
})

test('days with an actual of zero are left out, and counted', () => {
  const series = grown()
  series.means[40 * 48 + 10] = 0
  const s = scorePredictor(series, 48)
  expect(s.zeros).toBe(1)
  expect(Number.isFinite(s.predictor.mape)).toBe(true)
})

const real = realSeries()
describe.skipIf(typeof real === 'string')(
  `on the real series${typeof real === 'string' ? ` (skipped: ${real})` : ''}`,
  () => {
    test('the predictor is no worse than last week, and than yesterday', () => {
      if (typeof real === 'string') return
      const s = scorePredictor(real, 48)
      expect(s.judged).toBeGreaterThan(200)
      expect(s.predictor.mape).toBeLessThanOrEqual(s.lastWeek.mape)
      expect(s.predictor.ofSum).toBeLessThanOrEqual(s.lastWeek.ofSum)
      expect(s.predictor.ofSum).toBeLessThanOrEqual(s.yesterday.ofSum)
    })
  },
)
