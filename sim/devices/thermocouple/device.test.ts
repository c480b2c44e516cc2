import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { parseYaml } from '../../../drivers/yaml.ts'
import { rtuFrame } from '../../../drivers/protocols/modbus/client.ts'
import { crcFits } from '../../../drivers/protocols/modbus/crc.ts'
import { getInt16 } from '../../../drivers/protocols/modbus/registers.ts'
import type { Thermocouple } from '../../faces.ts'
import { root } from '../fixtures.ts'
import { readPersonality } from '../personality.ts'
import { askRtu, play } from '../testing.ts'
import type { Client, Played } from '../testing.ts'
import { createThermocouple } from './device.ts'
import type { ThermocoupleOptions } from './device.ts'
import { emf } from './its90.ts'
import { tc8Schema } from './personality.ts'

const start = Date.parse('2018-01-15T15:00:00Z')
const personality = readPersonality('tc8', tc8Schema)
const wait = (): Promise<unknown> => vi.advanceTimersByTimeAsync(50)

beforeEach(() => {
  vi.useFakeTimers({ now: start })
})
afterEach(() => {
  vi.useRealTimers()
})

const make = (seed = 1, options: ThermocoupleOptions = {}): Promise<Played<Thermocouple>> =>
  play(createThermocouple(personality, options), seed)

async function words(
  c: Client,
  address: number,
  quantity: number,
  fc: 3 | 4 = 4,
): Promise<readonly number[]> {
  const r = await askRtu(c, { fc, address, quantity }, wait)
  if (r?.kind !== 'registers') throw new Error(`no registers: ${JSON.stringify(r)}`)
  return r.values
}
const celsius = async (c: Client, channel: number): Promise<number> =>
  getInt16(await words(c, channel, 1), 0) / 10

type Answers = Record<string, [number | null, number]>
const lastSaid = (p: Played<Thermocouple>): Answers =>
  (p.events.findLast((e) => e.kind === 'said')?.data as { answers: Answers } | undefined)?.answers ?? {}

test('three inputs by name, said with the truth when they are read', async () => {
  await using p = await make()
  expect(p.device.truth.quantities).toEqual([
    'ambient.temperature [°C]',
    'indoor.temperature [°C]',
    'top_oil.temperature [°C]',
  ])
  const w = await words(p.connect(), 0, 8)
  const said = lastSaid(p)
  expect(Object.keys(said)).toEqual([...p.device.truth.quantities])
  expect(said['top_oil.temperature [°C]']?.[0]).toBe(getInt16(w, 2) / 10)
  // 15:00 is the warmest hour: mean and swing of the personality
  expect(said['top_oil.temperature [°C]']?.[1]).toBeCloseTo(57, 4)
})

test('every answer lies within the stated accuracy, for any seed, temperature and junction', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(),
      fc.double({ min: -40, max: 150, noNaN: true }),
      fc.double({ min: -20, max: 60, noNaN: true }),
      async (seed, t, junction) => {
        await using p = await make(seed)
        for (const input of ['ambient', 'indoor', 'top_oil', 'junction'])
          p.device.set(input, { constant: input === 'junction' ? junction : t })
        await words(p.connect(), 0, 8)
        for (const [q, [answered, truth]] of Object.entries(lastSaid(p))) {
          expect(truth).toBe(t)
          expect(Math.abs((answered ?? 0) - truth), q).toBeLessThanOrEqual(p.device.accuracy(q, truth))
        }
      },
    ),
    { numRuns: 200 },
  )
})

test('the registers: microvolts, junction, types, unused channels open; functions 3 and 4 alike', async () => {
  await using p = await make()
  p.device.set('top_oil', { constant: 75 })
  p.device.set('junction', { constant: 25 })
  const c = p.connect()
  const w = await words(c, 0, 30)
  expect(await words(c, 0, 30, 3)).toEqual(w)
  expect(Math.abs(getInt16(w, 10) - 2059)).toBeLessThanOrEqual(7)
  expect(Math.abs(getInt16(w, 16) - 250)).toBeLessThanOrEqual(2)
  expect(w.slice(17, 21)).toEqual([0b1111_1000, 0, 0, 0])
  expect(w.slice(21, 30)).toEqual([2, 2, 1, 0, 0, 0, 0, 0, 0])
  expect(w.slice(3, 8)).toEqual(Array.from({ length: 5 }, () => 0x7fff))
})

test('courses: a constant, a ramp that stays at its end, a daily curve', async () => {
  await using p = await make()
  const { truth } = p.device
  p.device.set('top_oil', { from: 50, to: 80, over: '30 min' })
  const at = (minutes: number): number => truth.at('top_oil.temperature [°C]', start + minutes * 60_000)
  expect([at(0), at(15), at(30), at(300)]).toEqual([50, 65, 80, 80])
  p.device.set('ambient', { mean: 6, swing: 4, period: '24 h' })
  const ambient = (h: number): number => truth.at('ambient.temperature [°C]', start + h * 3_600_000)
  expect(ambient(0)).toBeCloseTo(10, 9)
  expect(ambient(12)).toBeCloseTo(2, 9)
  const day = truth.range('ambient.temperature [°C]', start, start + 86_400_000)
  expect(day.min).toBeCloseTo(2, 3)
  expect(day.max).toBeCloseTo(10, 3)
  expect(day.mean).toBeCloseTo(6, 1)
  expect(p.events.map((e) => e.kind)).toEqual(['step', 'step'])
})

test('a ramp that is given before the start begins with the start', async () => {
  await using p = await make(1, { courses: { top_oil: { from: 20, to: 40, over: '10 min' } } })
  expect(p.device.truth.at('top_oil.temperature [°C]', start + 300_000)).toBe(30)
  const device = createThermocouple(personality)
  device.set('indoor', { from: 0, to: 10, over: '10 s' })
  await using q = await play(device)
  expect(q.device.truth.at('indoor.temperature [°C]', start + 5000)).toBe(5)
})

test('the truth of earlier stays what it was when a course changes', async () => {
  await using p = await make()
  p.device.set('indoor', { constant: 10 })
  await vi.advanceTimersByTimeAsync(60_000)
  p.device.set('indoor', { constant: 30 })
  expect(p.device.truth.at('indoor.temperature [°C]', start + 1000)).toBe(10)
  expect(p.device.truth.at('indoor.temperature [°C]', Date.now())).toBe(30)
})

describe('faults', () => {
  test('it lists them, and refuses what it does not have', async () => {
    await using p = await make()
    for (const name of [
      'open',
      'reversed',
      'cj-fault',
      'no-reply',
      'crc-error',
      'wrong-unit',
      'busy',
      'frozen',
    ])
      expect(p.device.faults).toContain(name)
    expect(() => p.device.inflict('open', { input: 'attic' })).toThrow(
      /expected one of ambient, indoor, top_oil/,
    )
    expect(() => p.device.inflict('open')).toThrow(/\(input\)/)
    expect(() => p.device.set('attic', { constant: 1 })).toThrow(/no input 'attic'/)
  })

  test('open in mode substitute: 0x7FFF and the open bit', async () => {
    await using p = await make()
    const c = p.connect()
    const f = p.device.inflict('open', { input: 'top_oil' })
    expect(await words(c, 2, 1)).toEqual([0x7fff])
    expect((await words(c, 17, 1))[0]).toBe(0b1111_1100)
    f.lift()
    expect((await words(c, 17, 1))[0]).toBe(0b1111_1000)
    expect(await celsius(c, 2)).toBeLessThan(100)
  })

  test('open in mode freeze: the last value stays, plausible, and only the open bit tells', async () => {
    await using p = await make()
    const c = p.connect()
    expect(await askRtu(c, { fc: 6, address: 29, value: 1 }, wait)).toEqual({ kind: 'written' })
    p.device.set('top_oil', { from: 50, to: 90, over: '1 h' })
    await vi.advanceTimersByTimeAsync(1_800_000)
    p.device.inflict('open', { input: 'top_oil' })
    const held = await celsius(c, 2)
    expect(held).toBeCloseTo(70, -0.5)
    await vi.advanceTimersByTimeAsync(1_800_000)
    expect(await celsius(c, 2)).toBe(held)
    expect((await words(c, 17, 1))[0]).toBe(0b1111_1100)
    expect(lastSaid(p)).toEqual({})
  })

  test('open in mode full scale: the end of the type’s range', async () => {
    await using p = await make()
    const c = p.connect()
    await askRtu(c, { fc: 16, address: 29, values: [2] }, wait)
    p.device.inflict('open', { input: 'top_oil' })
    p.device.inflict('open', { input: 'ambient' })
    expect(await celsius(c, 2)).toBe(1372)
    expect(await celsius(c, 0)).toBe(400)
    expect((await words(c, 29, 1))[0]).toBe(2)
  })

  test('open may be told its mode, and the personality tc8-freeze has it from the start', async () => {
    await using p = await make()
    const c = p.connect()
    const before = await celsius(c, 0)
    const f = p.device.inflict('open', { input: 'ambient', mode: 'freeze' })
    p.device.set('ambient', { constant: 30 })
    expect([await celsius(c, 0), (await words(c, 17, 1))[0]! & 1]).toEqual([before, 1])
    f.lift()
    expect(await celsius(c, 0)).toBeCloseTo(30, 0)
    await using q = await play(createThermocouple(readPersonality('tc8-freeze', tc8Schema)), 1)
    expect((await words(q.connect(), 29, 1))[0]).toBe(1)
  })

  test('over and under: the flag, and the end of the range', async () => {
    await using p = await make()
    const c = p.connect()
    const over = p.device.inflict('over', { input: 'ambient' })
    const under = p.device.inflict('under', { input: 'top_oil' })
    expect(await words(c, 17, 3)).toEqual([0xf8, 1, 4])
    expect([await celsius(c, 0), await celsius(c, 2)]).toEqual([400, -200])
    over.lift()
    under.lift()
    expect(await words(c, 17, 3)).toEqual([0xf8, 0, 0])
  })

  test('unplugged: nothing comes back until it is plugged in again', async () => {
    await using p = await make()
    const c = p.connect()
    const f = p.device.inflict('unplugged')
    expect(await askRtu(c, { fc: 4, address: 0, quantity: 1 }, wait)).toBeUndefined()
    f.lift()
    expect(await words(c, 0, 1)).toHaveLength(1)
  })

  test('the fault mode takes 0 to 2, and nothing else is writable', async () => {
    await using p = await make()
    const c = p.connect()
    expect(await askRtu(c, { fc: 6, address: 29, value: 3 }, wait)).toEqual({ kind: 'exception', code: 3 })
    expect(await askRtu(c, { fc: 6, address: 0, value: 3 }, wait)).toEqual({ kind: 'exception', code: 2 })
    expect(await askRtu(c, { fc: 16, address: 28, values: [1, 1] }, wait)).toEqual({
      kind: 'exception',
      code: 2,
    })
    expect(await askRtu(c, { fc: 4, address: 29, quantity: 2 }, wait)).toEqual({ kind: 'exception', code: 2 })
  })

  test('reversed: the reading mirrors about the junction', async () => {
    await using p = await make()
    p.device.set('junction', { constant: 20 })
    p.device.set('top_oil', { constant: 60 })
    p.device.inflict('reversed', { input: 'top_oil' })
    // E(20) - (E(60) - E(20)) = -0.84 mV, which is -21.6 °C: the mirror image of 60 about 20, nearly
    expect(2 * emf('K', 20) - emf('K', 60)).toBeLessThan(-0.8)
    expect(await celsius(p.connect(), 2)).toBeCloseTo(-21, -0.5)
  })

  test('cj-fault: the flag, and the value reckoned with a fixed junction', async () => {
    await using p = await make()
    p.device.set('junction', { constant: 5 })
    p.device.set('top_oil', { constant: 60 })
    p.device.inflict('cj-fault')
    const w = await words(p.connect(), 0, 30)
    expect(w[20]).toBe(1)
    expect(getInt16(w, 16)).toBe(250)
    expect(getInt16(w, 2) / 10).toBeGreaterThan(78)
  })

  test('frozen: one input or all stand, and no flag tells', async () => {
    await using p = await make()
    const c = p.connect()
    p.device.set('top_oil', { constant: 60 })
    await vi.advanceTimersByTimeAsync(1000)
    const before = await words(c, 0, 21)
    p.device.inflict('frozen')
    p.device.set('top_oil', { constant: 90 })
    p.device.set('ambient', { constant: -9 })
    await vi.advanceTimersByTimeAsync(60_000)
    const after = await words(c, 0, 21)
    expect(after.slice(0, 8)).toEqual(before.slice(0, 8))
    expect(after.slice(17)).toEqual(before.slice(17))
    expect(lastSaid(p)['top_oil.temperature [°C]']).toEqual([getInt16(before, 2) / 10, 90])
  })

  test('no-reply, busy, wrong-unit and crc-error on the wire; what left wrong is noted, not said', async () => {
    await using p = await make()
    const c = p.connect()
    const frame = rtuFrame(10, Buffer.from('0400000001', 'hex'))
    const under = async (name: string): Promise<Uint8Array> => {
      const f = p.device.inflict(name)
      c.take()
      await c.conn.send(frame)
      await wait()
      f.lift()
      return c.take()
    }
    expect((await under('no-reply')).length).toBe(0)
    expect(Buffer.from((await under('busy')).subarray(0, 3)).toString('hex')).toBe('0a8406')
    const odd = await under('wrong-unit')
    expect(odd[0]).toBe(99)
    expect(crcFits(odd)).toBe(true)
    const bad = await under('crc-error')
    expect(bad.length).toBe(7)
    expect(crcFits(bad)).toBe(false)
    expect(p.events.filter((e) => e.kind === 'said')).toEqual([])
    expect(p.events.filter((e) => e.kind === 'note').length).toBe(2)
  })
})

test('any PDU at all is answered or refused, and serving goes on', async () => {
  await using p = await make()
  const c = p.connect()
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ minLength: 1, maxLength: 253 }),
      fc.constantFrom(3, 4, 6, 16, undefined),
      async (pdu, code) => {
        if (code !== undefined) pdu[0] = code
        await c.conn.send(rtuFrame(10, pdu))
        await wait()
        expect((await words(c, 0, 30)).length).toBe(30)
      },
    ),
    { numRuns: 300 },
  )
})

describe('personality', () => {
  const text = readFileSync(join(root, 'fixtures/personalities/tc8.yaml'), 'utf8')
  test.each([
    ['type: K', 'type: J', /\(channels.2\)|\(channels.2.type\)/],
    ['input: indoor', 'input: ambient', /no name twice/],
    ['baud_rate: 9600', 'baud_rate: fast', /\(line.baud_rate\)/],
    ['open: 17', 'open: 16', /two things share a register/],
    ['update: 250 ms', 'update: 250', /\(update\)/],
  ])('%s -> %s is refused with its place', (from, to, message) => {
    expect(text).toContain(from)
    expect(() => parseYaml(text.replace(from, to), 'x.yaml', tc8Schema)).toThrow(message)
  })
})
