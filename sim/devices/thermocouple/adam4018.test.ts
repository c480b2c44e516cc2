import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Thermocouple } from '../../faces.ts'
import { devices } from '../index.ts'
import { askRtu, play } from '../testing.ts'
import type { Client, Played } from '../testing.ts'

const wait = (): Promise<unknown> => vi.advanceTimersByTimeAsync(80)

beforeEach(() => {
  vi.useFakeTimers({ now: Date.parse('2018-01-15T15:00:00Z') })
})
afterEach(() => {
  vi.useRealTimers()
})

const make = (seed = 1): Promise<Played<Thermocouple>> => play(devices['thermocouple-adam4018'].make(), seed)

async function words(c: Client, address: number, quantity: number): Promise<readonly number[]> {
  const r = await askRtu(c, { fc: 3, address, quantity }, wait, 1)
  if (r?.kind !== 'registers') throw new Error(`no registers: ${JSON.stringify(r)}`)
  return r.values
}
async function burnt(c: Client): Promise<readonly number[]> {
  const r = await askRtu(c, { fc: 1, address: 0, quantity: 8 }, wait, 1)
  if (r?.kind !== 'bits') throw new Error(`no coils: ${JSON.stringify(r)}`)
  return r.values.map(Number)
}

describe('a module of the ADAM-4018 kind', () => {
  test('maps the range of a type onto 65,536 counts: 26.43 °C is 1264 of type K', async () => {
    await using p = await make()
    for (const input of ['top_oil', 'junction']) p.device.set(input, { constant: 26.43 })
    const [, , oil] = await words(p.connect(), 0, 8)
    // As one count is 0.0209 °C, its errors of up to 0.35 °C are 17 counts.
    expect(Math.abs((oil ?? 0) - 1264)).toBeLessThanOrEqual(17)
    p.device.set('ambient', { constant: 0 })
    const [ambient] = await words(p.connect(), 0, 1)
    // 0 °C of -100 to 400: a fifth of the way.
    expect(Math.abs((ambient ?? 0) - 13_107)).toBeLessThanOrEqual(50)
  })

  test('has type codes and its name in holding registers, and nothing between', async () => {
    await using p = await make()
    const c = p.connect()
    expect(await words(c, 200, 8)).toEqual([0x10, 0x10, 0x0f, 0, 0, 0, 0, 0])
    expect(await words(c, 210, 1)).toEqual([0x4018])
    for (const [fcode, address, quantity] of [
      [3, 8, 1],
      [3, 207, 2],
      [3, 209, 1],
      [1, 1, 8],
    ] as const)
      expect(await askRtu(c, { fc: fcode, address, quantity }, wait, 1)).toMatchObject({
        kind: 'exception',
        code: 2,
      })
    expect(await askRtu(c, { fc: 4, address: 0, quantity: 1 }, wait, 1)).toMatchObject({ code: 1 })
  })

  test('under range reads 0000 and over range FFFF, and no coil tells', async () => {
    await using p = await make()
    const c = p.connect()
    p.device.set('top_oil', { constant: -5 })
    p.device.inflict('over', { input: 'ambient' })
    p.device.inflict('under', { input: 'indoor' })
    expect((await words(c, 0, 3)).slice(0, 3)).toEqual([0xffff, 0, 0])
    expect(await burnt(c)).toEqual([0, 0, 0, 1, 1, 1, 1, 1])
    // Frost is beyond type K: the stated accuracy says so.
    expect(p.device.accuracy('top_oil.temperature [°C]', -5)).toBeCloseTo(5.6, 9)
  })

  test.each([
    ['full_scale', 0xffff],
    ['substitute', 0],
  ] as const)('a burnt-out input sets its coil, in mode %s', async (mode, count) => {
    await using p = await make()
    const c = p.connect()
    const f = p.device.inflict('open', { input: 'indoor', mode })
    expect((await words(c, 0, 2))[1]).toBe(count)
    expect(await burnt(c)).toEqual([0, 1, 0, 1, 1, 1, 1, 1])
    f.lift()
    expect((await burnt(c))[1]).toBe(0)
  })

  test('frozen by its mode, a burnt-out input shows what it showed last, and its coil alone tells', async () => {
    await using p = await make()
    const c = p.connect()
    p.device.set('indoor', { constant: 14 })
    const [, before] = await words(c, 0, 2)
    p.device.inflict('open', { input: 'indoor', mode: 'freeze' })
    p.device.set('indoor', { constant: 60 })
    await vi.advanceTimersByTimeAsync(1000)
    expect((await words(c, 0, 2))[1]).toBe(before)
    expect((await burnt(c))[1]).toBe(1)
  })

  test('a broken junction sensor shifts every reading, and nothing tells', async () => {
    await using p = await make()
    const c = p.connect()
    p.device.set('junction', { constant: 5 })
    const healthy = await words(c, 0, 3)
    p.device.inflict('cj-untold')
    const broken = await words(c, 0, 3)
    // It reckons with 25 °C where 5 °C are: about 20 °C too much, 40 counts to the degree of type T's.
    expect((broken[1] ?? 0) - (healthy[1] ?? 0)).toBeGreaterThan(1500)
    expect(await burnt(c)).toEqual([0, 0, 0, 1, 1, 1, 1, 1])
  })

  test('every answer lies within the stated accuracy, for any seed, temperature and junction', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(),
        fc.double({ min: -60, max: 150, noNaN: true }),
        fc.double({ min: -20, max: 60, noNaN: true }),
        async (seed, t, junction) => {
          await using p = await make(seed)
          for (const input of ['ambient', 'indoor', 'top_oil', 'junction'])
            p.device.set(input, { constant: input === 'junction' ? junction : t })
          await words(p.connect(), 0, 8)
          const said = p.events.findLast((e) => e.kind === 'said')?.data as {
            answers: Record<string, [number, number]>
          }
          expect(Object.keys(said.answers)).toEqual([...p.device.truth.quantities])
          for (const [q, [answered, truth]] of Object.entries(said.answers))
            expect(Math.abs(answered - truth), q).toBeLessThanOrEqual(p.device.accuracy(q, truth))
        },
      ),
      { numRuns: 60 },
    )
  })
})
