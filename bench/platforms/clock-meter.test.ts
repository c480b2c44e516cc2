import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Json } from '../../drivers/faces.ts'
import { clockMeter } from './clock-meter.ts'

interface Told {
  readonly offsetMs: number
  readonly uncertaintyMs: number
}

/** What is told of a platform whose clock is ahead by `offset`, and whose messages take these times (ms) to arrive. */
function measure(
  offset: number,
  delays: readonly number[],
  stated?: Parameters<typeof clockMeter>[0],
): Told[] {
  const told: Told[] = []
  const meter = clockMeter(stated, (_, data: Json) => told.push(data as unknown as Told))
  delays.forEach((delay, i) => {
    const made = 1_516_060_800_000 + i * 10_007
    meter.before(made + delay, Math.floor((made + offset) / 1000) * 1000)
  })
  return told
}

describe("the platform's clock, measured from time stamps", () => {
  test('is found within its uncertainty, for any offset and any delays of which the least is short', () => {
    const delays = fc.array(fc.integer({ min: 0, max: 5000 }), { minLength: 1, maxLength: 30 })
    fc.assert(
      fc.property(
        fc.integer({ min: -1e9, max: 1e9 }),
        fc.integer({ min: 0, max: 250 }),
        delays,
        (offset, least, more) => {
          const last = measure(offset, [least, ...more]).at(-1)
          expect(Math.abs((last?.offsetMs ?? 0) - offset)).toBeLessThanOrEqual(last?.uncertaintyMs ?? 0)
        },
      ),
    )
  })

  test('is told before each burst of messages, and within one only where it is better known', () => {
    expect(
      measure(
        0,
        Array.from({ length: 5 }, () => 10),
      ).length,
    ).toBe(5)
    const told: Json[] = []
    const meter = clockMeter(undefined, (_, data) => told.push(data))
    for (let ms = 0; ms < 50; ms++) meter.before(1000 + ms, 1000)
    expect(told.length).toBe(1)
  })

  test('is not told where no message has a time stamp', () => {
    const told: Json[] = []
    const meter = clockMeter(undefined, (_, data) => told.push(data))
    meter.before(1000, undefined)
    expect(told).toEqual([])
  })

  test('is what the rig file states, where it does', () => {
    const stated = { offsetMs: -20, uncertaintyMs: 5, method: 'a common NTP server' }
    expect(measure(9000, [10, 10], stated)).toMatchObject([stated, stated])
  })

  test('forgets what was seen long ago: clocks drift', () => {
    const told: Told[] = []
    const meter = clockMeter(undefined, (_, data: Json) => told.push(data as unknown as Told))
    meter.before(0, 5000)
    for (let t = 700_000; t < 2_100_000; t += 60_000) meter.before(t, t)
    expect(told.at(-1)?.offsetMs).toBe(625)
  })
})
