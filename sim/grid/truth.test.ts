import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { sizeOf, subtract } from './complex.ts'
import { readNetwork } from './personality.ts'
import { createGridTruth } from './truth.ts'
import type { GridTruth } from './truth.ts'

const p = readNetwork('lv-pair')
const began = Date.UTC(2026, 0, 15, 16)
const minute = 60_000
const make = (more: { seed?: number; thermalStep?: number } = {}): GridTruth =>
  createGridTruth(p, { seed: 7, began, ...more })
const closeB = (g: GridTruth, at: number, to = true): void => {
  for (const phase of [0, 1, 2]) g.operate(at, 'b', phase, to)
}

test('any instant can be asked in any order, and again, with the same answer', () => {
  const asked = fc.array(fc.integer({ min: 0, max: 3 * 3600 }), { minLength: 2, maxLength: 20 })
  fc.assert(
    fc.property(asked, fc.integer(), (seconds, seed) => {
      const [forth, back] = [make({ seed }), make({ seed })]
      for (const g of [forth, back]) closeB(g, began + 40 * minute + 333)
      const tell = (g: GridTruth, s: number): unknown => {
        const t = began + s * 1000
        return [g.thermal('a', t), g.thermal('b', t), g.at(t), g.ambient(t), g.frequency(t)]
      }
      const told = seconds.map((s) => tell(forth, s))
      expect(
        seconds
          .toReversed()
          .map((s) => tell(back, s))
          .toReversed(),
      ).toEqual(told)
    }),
    { numRuns: 15 },
  )
})

test('a change takes nothing back of what was true before it', () => {
  const [plain, changed] = [make(), make()]
  const at = began + 61 * minute + 17_250
  const before = [at - 1, at - 17_251, began + minute, began - minute]
  for (const t of before) changed.thermal('a', t)
  changed.thermal('a', at + 10 * minute)
  closeB(changed, at)
  for (const t of before) {
    expect(changed.thermal('a', t)).toEqual(plain.thermal('a', t))
    expect(changed.at(t)).toEqual(plain.at(t))
  }
  expect(changed.thermal('a', at + 10 * minute).hotSpot).toBeLessThan(
    plain.thermal('a', at + 10 * minute).hotSpot - 0.5,
  )
})

test('closing the far end relieves the loaded transformer and warms the other; opening brings it back', () => {
  const g = make()
  g.follow(began, 'a', { profile: 'winter-weekday', scale: 5 })
  const at = began + 30 * minute
  const amps = (side: 'a' | 'b', t: number): number => sizeOf(g.at(t)[0][side].transformer)
  const [a, b] = [amps('a', at - 1000), amps('b', at - 1000)]
  closeB(g, at)
  expect(amps('a', at)).toBeLessThan(a - 60)
  expect(amps('b', at)).toBeGreaterThan(b + 60)
  const meshed = at + 120 * minute
  const [hotA, hotB] = [g.thermal('a', meshed).hotSpot, g.thermal('b', meshed).hotSpot]
  closeB(g, at + minute, false)
  expect(g.thermal('a', meshed).hotSpot).toBeGreaterThan(hotA + 5)
  expect(g.thermal('b', meshed).hotSpot).toBeLessThan(hotB - 2)
})

test('longer steps of temperature come to the same within a degree over a day', () => {
  const [fine, coarse] = [make(), make({ thermalStep: 10 * minute })]
  for (let h = 1; h <= 24; h++) {
    const t = began + h * 60 * minute
    expect(Math.abs(fine.thermal('a', t).hotSpot - coarse.thermal('a', t).hotSpot)).toBeLessThan(1)
  }
})

describe('the truth differs from what anybody at the site could know', () => {
  test('by a little, otherwise for each seed, and always alike for one', () => {
    const at = began + 60 * minute
    const hot = [1, 2, 3, 4].map((seed) => make({ seed }).thermal('a', at).hotSpot)
    expect(new Set(hot.map((h) => h.toFixed(3))).size).toBe(4)
    expect(Math.max(...hot) - Math.min(...hot)).toBeLessThan(12)
    expect(make({ seed: 3 }).thermal('a', at)).toEqual(make({ seed: 3 }).thermal('a', at))
  })
})

test('a source that is gone leaves its busbar dead, or fed from the other end through a mesh', () => {
  const g = make()
  g.change(began, (s) => ({ sources: { ...s.sources, a: { gone: true } } }))
  expect(sizeOf(g.at(began)[0].a.busVoltage)).toBe(0)
  closeB(g, began + minute)
  expect(sizeOf(g.at(began + minute)[0].a.busVoltage)).toBeGreaterThan(180)
  expect(sizeOf(g.at(began + minute)[0].a.transformer)).toBe(0)
})

test('one breaker moves one phase, and moving it to where it is changes nothing', () => {
  const g = make()
  let told = 0
  g.watch(() => void told++)
  const at = began + minute
  g.operate(at, 'b', 1, false)
  expect(told).toBe(0)
  g.operate(at, 'b', 1, true)
  expect(told).toBe(1)
  const of = (t: number): number[] => g.at(t).map((s) => sizeOf(s.b.link))
  expect(of(at - 1)).toEqual([0, 0, 0])
  expect(of(at)[1]).toBeGreaterThan(20)
  expect([of(at)[0], of(at)[2]]).toEqual([0, 0])
  expect(sizeOf(subtract(g.at(at)[1].b.busVoltage, g.at(at)[1].b.cableVoltage))).toBe(0)
})
