/** Energy: what is answered once a minute adds up to what flowed, whichever way and over whatever span. */
import * as fc from 'fast-check'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { GridKey } from '../../faces.ts'
import { play } from '../testing.ts'
import type { Played } from '../testing.ts'
import { createGridKey } from './device.ts'
import { personality, readAll, saidOf, start } from './testing.ts'

beforeEach(() => {
  vi.useFakeTimers({ now: start })
})
afterEach(() => {
  vi.useRealTimers()
})

const power = 'feeder1.l2.real_power [W]'
const profiles = ['winter-weekday', 'summer-weekday', 'summer-weekday-solar'] as const

const make = (seed: number, averaging: number, profile: string): Promise<Played<GridKey>> =>
  play(createGridKey({ ...personality, averaging }, { profile: { profile } }), seed)

/** Watt-seconds from `from` over `minutes`, by means that end every `step` ms. */
function energy(p: Played<GridKey>, from: number, minutes: number, step: number): number {
  let sum = 0
  for (let t = from + step; t <= from + minutes * 60_000; t += step)
    sum += p.device.truth.at(power, t) * (step / 1000)
  return sum
}

test('the means of a minute are the integral of what flowed: second by second gives the same, for any seed and hour', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(),
      fc.nat({ max: 23 }),
      fc.constantFrom(...profiles),
      async (seed, hour, profile) => {
        await using byMinute = await make(seed, 60_000, profile)
        await using bySecond = await make(seed, 1000, profile)
        const from = start + hour * 3_600_000
        const fine = energy(bySecond, from, 20, 1000)
        const scale = Math.max(Math.abs(fine), 1)
        expect(Math.abs(energy(byMinute, from, 20, 60_000) - fine) / scale).toBeLessThan(1e-6)
      },
    ),
    { numRuns: 12 },
  )
})

test('the means of each minute of a whole day add up to the integral of the truth over it, second by second', async () => {
  await using byMinute = await make(5, 60_000, 'winter-weekday')
  await using bySecond = await make(5, 1000, 'winter-weekday')
  const fine = energy(bySecond, start, 1440, 1000)
  expect(fine).toBeGreaterThan(1e6)
  expect(Math.abs(energy(byMinute, start, 1440, 60_000) - fine) / fine).toBeLessThan(1e-6)
})

test.each(profiles)(
  'a day of answers once a minute adds up to the energy of the truth, within the accuracy of power (%s)',
  async (profile) => {
    await using p = await make(11, 60_000, profile)
    const c = p.connect()
    let [answered, true_, throughput] = [0, 0, 0]
    for (let minute = 0; minute < 1440; minute++) {
      await vi.advanceTimersByTimeAsync(60_000 - 7)
      p.events.length = 0
      await readAll(c)
      const [said, truth] = saidOf(p)[power] ?? [null, Number.NaN]
      answered += (said ?? Number.NaN) * 60
      true_ += truth * 60
      throughput += Math.max(Math.abs(truth), 40 * 244) * 60
    }
    expect(Math.abs(answered - true_)).toBeLessThan(personality.accuracy.real_power * throughput)
    expect(Math.abs(true_)).toBeGreaterThan(1e6)
    // Independently of when it was asked: the same day, minute by minute, from the truth alone.
    const alone = energy(p, start, 1440, 60_000)
    expect(Math.abs(alone - true_) / Math.max(Math.abs(alone), 1e6)).toBeLessThan(0.01)
  },
)
