import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { stream } from '../../drivers/random.ts'
import { checkedPlan, momentsOfABoot, threeInFiveMinutes } from './plan.ts'
import { passed, supplied, usualSupply, voltageBecomes } from './supply.ts'

describe('a power supply', () => {
  test('rides through a dip of one cycle, and through a long one that is shallow', () => {
    const dip = voltageBecomes(supplied, 0, 1000)
    expect(passed(dip, 1019).output).toBe('on')
    expect(voltageBecomes(dip, 1, 1019)).toEqual({ voltage: 1, output: 'on' })
    expect(passed(voltageBecomes(supplied, 0.7, 1000), 9000).output).toBe('on')
  })
  test('gives up when its store is empty, and starts again after a while', () => {
    const dip = voltageBecomes(supplied, 0.4, 1000)
    expect(passed(dip, 1020).output).toBe('off')
    const back = voltageBecomes(dip, 1, 5000)
    expect(passed(back, 5199).output).toBe('off')
    expect(passed(back, 5200).output).toBe('on')
  })
  test('does not begin to count anew when the voltage falls further', () => {
    const dip = voltageBecomes(voltageBecomes(supplied, 0.5, 0), 0, 15)
    expect(dip.due).toBe(20)
  })
  test('refuses what is no voltage', () => {
    for (const v of [-0.1, 2.1, Number.NaN, Infinity])
      expect(() => voltageBecomes(supplied, v, 0)).toThrow(/per unit/)
  })
  test('never changes its output without something due, whatever the mains do', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.double({ min: 0, max: 1.2, noNaN: true }), fc.nat(5000)), { maxLength: 40 }),
        (steps) => {
          let s = supplied
          let now = 0
          for (const [voltage, after] of steps) {
            now += after
            const before = passed(s, now)
            s = voltageBecomes(s, voltage, now)
            expect(s.output).toBe(before.output)
            if (s.due !== undefined) expect(s.due - now).toBeLessThanOrEqual(usualSupply.startMs)
            if (voltage >= usualSupply.undervoltage && s.output === 'on') expect(s.due).toBeUndefined()
          }
        },
      ),
    )
  })
})

describe('plans', () => {
  test('three in five minutes are three, apart from each other, within 300 s', () => {
    for (let seed = 0; seed < 200; seed++) {
      const plan = threeInFiveMinutes(stream(seed, 'plan'))
      expect(checkedPlan(plan)).toEqual(plan)
      expect(plan).toHaveLength(3)
      const last = plan[2]
      expect((last?.at ?? 0) + (last?.for ?? 0) - (plan[0]?.at ?? 0)).toBeLessThanOrEqual(300_000)
    }
  })
  test('moments of a boot lie one in each part of it', () => {
    const at = momentsOfABoot(10, 5000, stream(1, 'boot'))
    at.forEach((t, i) => {
      expect(t).toBeGreaterThanOrEqual(i * 500)
      expect(t).toBeLessThan((i + 1) * 500)
    })
    expect(() => momentsOfABoot(0, 100, () => 0)).toThrow(/moments/)
  })
  test('a plan that cannot be followed is refused', () => {
    expect(() => checkedPlan([{ at: -1, for: 1 }])).toThrow(/0 or more/)
    expect(() =>
      checkedPlan([
        { at: 10, for: 5 },
        { at: 0, for: 11 },
      ]),
    ).toThrow(/before the one before/)
  })
})
