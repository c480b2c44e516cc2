import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { parseYaml } from '../../../drivers/yaml.ts'
import { getFloat32, getUint32 } from '../../../drivers/protocols/modbus/registers.ts'
import type { GridKey } from '../../faces.ts'
import { readPersonality } from '../personality.ts'
import { root } from '../fixtures.ts'
import { askTcp, play } from '../testing.ts'
import type { Client, Played } from '../testing.ts'
import { createGridKey } from './device.ts'
import type { GridKeyOptions } from './device.ts'
import { gridkeySchema } from './personality.ts'

const start = Date.parse('2018-01-15T17:00:00Z')
const personality = readPersonality('gridkey-standin', gridkeySchema)
const wait = (): Promise<unknown> => vi.advanceTimersByTimeAsync(1)

beforeEach(() => {
  vi.useFakeTimers({ now: start })
})
afterEach(() => {
  vi.useRealTimers()
})

const make = (seed = 1, options: GridKeyOptions = {}): Promise<Played<GridKey>> =>
  play(createGridKey(personality, options), seed)

async function registers(c: Client, address: number, quantity: number): Promise<readonly number[]> {
  const r = await askTcp(c, { fc: 4, address, quantity }, wait)
  if (r?.kind !== 'registers') throw new Error(`no registers: ${JSON.stringify(r)}`)
  return r.values
}
const float = async (c: Client, address: number): Promise<number> =>
  getFloat32(await registers(c, address, 2), 0)

interface Status {
  time: number
  sequence: number
  validity: number
  state: number
  averaging: number
}
async function status(c: Client): Promise<Status> {
  const w = await registers(c, 1000, 7)
  return {
    time: getUint32(w, 0),
    sequence: getUint32(w, 2),
    validity: w[4] ?? 0,
    state: w[5] ?? 0,
    averaging: w[6] ?? 0,
  }
}

/** Everything in seven reads, as a client does it. */
async function readAll(c: Client): Promise<void> {
  await registers(c, 0, 14)
  for (let f = 1; f <= 5; f++) await registers(c, 100 * f, 24)
  await registers(c, 1000, 7)
}

type Answers = Record<string, [number | null, number]>
const saidOf = (p: Played<GridKey>): Answers =>
  Object.assign(
    {},
    ...p.events.filter((e) => e.kind === 'said').map((e) => (e.data as { answers: Answers }).answers),
  )

describe('what it answers', () => {
  test('all 67 quantities have names with units, and are said with the truth when they are read', async () => {
    await using p = await make()
    expect(p.device.truth.quantities.length).toBe(67)
    await readAll(p.connect())
    const said = saidOf(p)
    expect(Object.keys(said)).toEqual([...p.device.truth.quantities])
    for (const [q, [answered, truth]] of Object.entries(said)) {
      expect(answered).toBe(Math.fround(answered ?? 0))
      expect(truth).toBe(p.device.truth.at(q, Date.now()))
    }
  })

  test('the value that is said is the one in the registers', async () => {
    await using p = await make()
    const value = await float(p.connect(), 300)
    expect(saidOf(p)['feeder3.l1.current [A]']?.[0]).toBe(value)
  })

  test('every answer lies within the stated accuracy, for any seed, hour and profile', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(),
        fc.integer({ min: 0, max: 86_399 }),
        fc.constantFrom('winter-weekday', 'summer-weekday', 'summer-weekday-solar'),
        async (seed, second, profile) => {
          vi.setSystemTime(start + second * 1000)
          await using p = await make(seed, { profile: { profile } })
          await readAll(p.connect())
          for (const [q, [answered, truth]] of Object.entries(saidOf(p))) {
            const band = p.device.accuracy(q, truth)
            expect(Math.abs((answered ?? Number.NaN) - truth), q).toBeLessThanOrEqual(band)
            expect(band, q).toBeGreaterThan(0)
          }
        },
      ),
      { numRuns: 60 },
    )
  })

  test('the errors are really there: no quantity is answered exactly', async () => {
    await using p = await make()
    await readAll(p.connect())
    for (const [q, [answered, truth]] of Object.entries(saidOf(p))) {
      const off = Math.abs((answered ?? 0) - truth) / p.device.accuracy(q, truth)
      expect(off, q).toBeGreaterThan(1e-5)
    }
  })

  test('the truth is consistent: P, Q, PF, V and I, and line voltages as differences of phasors', async () => {
    await using p = await make(5)
    const { truth } = p.device
    const t = Date.now()
    const at = (q: string): number => truth.at(q, t)
    for (let f = 1; f <= 5; f++)
      for (const l of ['l1', 'l2', 'l3']) {
        const [i, pf, re, im] = [
          'current [A]',
          'power_factor [1]',
          'real_power [W]',
          'reactive_power [var]',
        ].map((m) => at(`feeder${f}.${l}.${m}`)) as [number, number, number, number]
        const apparent = at(`busbar.${l}n.voltage [V]`) * i
        // means of products are not products of means: within a thousandth over a minute
        expect(Math.hypot(re, im) / apparent).toBeCloseTo(1, 3)
        expect(re / Math.hypot(re, im)).toBeCloseTo(pf, 9)
        expect(pf).toBeGreaterThan(0.9)
      }
    const [v1, v2] = [at('busbar.l1n.voltage [V]'), at('busbar.l2n.voltage [V]')]
    const nominal = Math.sqrt(v1 * v1 + v2 * v2 + v1 * v2)
    expect(Math.abs(at('busbar.l1l2.voltage [V]') / nominal - 1)).toBeLessThan(0.01)
    // supply voltage and frequency as ESQCR has them: 216.2..253.0 V, 50 Hz ±1 %
    for (const l of ['l1n', 'l2n', 'l3n']) {
      expect(at(`busbar.${l}.voltage [V]`)).toBeGreaterThan(225)
      expect(at(`busbar.${l}.voltage [V]`)).toBeLessThan(250)
    }
    expect(Math.abs(at('busbar.frequency [Hz]') - 50)).toBeLessThan(0.2)
  })

  test('line voltages that are answered fit the phase voltages that are answered, within 1 %', async () => {
    await using p = await make(9)
    const w = await registers(p.connect(), 0, 14)
    const v = [0, 2, 4].map((a) => getFloat32(w, a))
    for (let i = 0; i < 3; i++) {
      const [a, b] = [v[i] ?? 0, v[(i + 1) % 3] ?? 0]
      expect(Math.abs(getFloat32(w, 6 + 2 * i) / Math.sqrt(a * a + b * b + a * b) - 1)).toBeLessThan(0.01)
    }
  })

  test('it updates once a second: sequence and sample time go on by one, values in between stand', async () => {
    await using p = await make()
    const c = p.connect()
    const before = await status(c)
    expect(before).toMatchObject({
      time: start / 1000,
      sequence: 0,
      validity: 0x7fff,
      state: 0,
      averaging: 60,
    })
    const value = await float(c, 100)
    await vi.advanceTimersByTimeAsync(500)
    expect(await float(c, 100)).toBe(value)
    await vi.advanceTimersByTimeAsync(500)
    expect(await status(c)).toMatchObject({ time: before.time + 1, sequence: 1 })
    expect(await float(c, 100)).not.toBe(value)
  })

  test('what it shows is the mean over the averaging period', async () => {
    await using p = await make()
    p.device.command({ do: 'load', feeder: 2, amps: 300 })
    await vi.advanceTimersByTimeAsync(30_000)
    const half = p.device.truth.at('feeder2.l1.current [A]', Date.now())
    await vi.advanceTimersByTimeAsync(30_000)
    expect(p.device.truth.at('feeder2.l1.current [A]', Date.now())).toBeCloseTo(300, 6)
    const before = p.device.truth.at('feeder2.l1.current [A]', start)
    expect(half).toBeCloseTo((300 + before) / 2, -1)
    expect(half).toBeGreaterThan(before)
    expect(half).toBeLessThan(300)
  })

  test('registers that are not in the map, and functions it does not have', async () => {
    await using p = await make()
    const c = p.connect()
    const no = (code: number) => ({ kind: 'exception', code })
    expect(await askTcp(c, { fc: 4, address: 14, quantity: 1 }, wait)).toEqual(no(2))
    expect(await askTcp(c, { fc: 4, address: 0, quantity: 15 }, wait)).toEqual(no(2))
    expect(await askTcp(c, { fc: 3, address: 0, quantity: 2 }, wait)).toEqual(no(1))
    expect(await askTcp(c, { fc: 16, address: 0, values: [1, 2] }, wait)).toEqual(no(2))
    expect(await askTcp(c, { fc: 4, address: 0, quantity: 2 }, wait, 9)).toEqual(no(11))
    expect(await askTcp(c, { fc: 43, code: 1, object: 0 }, wait)).toMatchObject({ kind: 'identity' })
    expect(p.events.filter((e) => e.kind === 'said')).toEqual([])
  })

  test('its clock drifts by at most 50 ppm until it is set', async () => {
    await using p = await make(3)
    const c = p.connect()
    await vi.advanceTimersByTimeAsync(86_400_000)
    const drifted = (await status(c)).time - Date.now() / 1000
    expect(Math.abs(drifted)).toBeLessThanOrEqual(4.32 + 1)
    const now = Math.floor(Date.now() / 1000)
    expect(await askTcp(c, { fc: 16, address: 1000, values: [now >>> 16, now & 0xffff] }, wait)).toEqual({
      kind: 'written',
    })
    expect(Math.abs((await status(c)).time - Date.now() / 1000)).toBeLessThan(2)
  })
})

describe('truth', () => {
  test('two of a seed are alike in any order of asking, two of different seeds are not', async () => {
    await using a = await make(4)
    await using b = await make(4)
    await using other = await make(5)
    const asked = Array.from({ length: 200 }, (_, i) => start + ((i * 7919) % 100_000) * 1000)
    const of = (p: Played<GridKey>, times: number[]) =>
      times.map((t) => p.device.truth.at('feeder1.l2.real_power [W]', t))
    expect(of(b, asked.toReversed()).toReversed()).toEqual(of(a, asked))
    expect(of(other, asked)).not.toEqual(of(a, asked))
  })

  test('an envelope holds every instant in it', async () => {
    await using p = await make(4)
    const q = 'feeder1.l1.current [A]'
    const { min, max, mean } = p.device.truth.range(q, start, start + 90_000)
    const inside = Array.from({ length: 91 }, (_, s) => p.device.truth.at(q, start + s * 1000))
    expect(min).toBe(Math.min(...inside))
    expect(max).toBe(Math.max(...inside))
    expect(mean).toBeCloseTo(inside.reduce((x, y) => x + y) / 91, 9)
    expect(min).toBeLessThan(max)
  })

  test('in a day of reading everything once a minute each read is said, within the accuracy', async () => {
    vi.useRealTimers()
    let now = start
    await using p = await play(createGridKey(personality), 1, () => now)
    const c = p.connect()
    for (let minute = 0; minute < 1440; minute++) {
      now += 60_000
      for (const address of [0, 100, 200, 300, 400, 500]) {
        const quantity = address === 0 ? 14 : 24
        const r = await askTcp(c, { fc: 4, address, quantity }, async () => undefined)
        expect(r?.kind).toBe('registers')
      }
    }
    const said = p.events.map((e) => (e.data as { answers: Answers }).answers)
    expect(said.length).toBe(6 * 1440)
    for (const answers of said)
      for (const [q, [answered, truth]] of Object.entries(answers))
        if (!(Math.abs((answered ?? Number.NaN) - truth) <= p.device.accuracy(q, truth)))
          throw new Error(`${q}: ${answered} where ${truth} was true`)
  })
})

describe('faults', () => {
  test('it lists its faults, and refuses unknown ones and parameters that do not fit', async () => {
    await using p = await make()
    for (const name of [
      'freeze',
      'rst',
      'half-open',
      'reboot',
      'nan',
      'reversed-ct',
      'vt-fuse',
      'overrange',
      'slow',
      'exception-busy',
      'clock-step',
    ])
      expect(p.device.faults).toContain(name)
    expect(() => p.device.inflict('fire')).toThrow(/no fault 'fire'; there are: .*freeze/)
    expect(() => p.device.inflict('toString')).toThrow(/no fault/)
    expect(() => p.device.inflict('vt-fuse', { phase: 4 })).toThrow(/'vt-fuse' \(phase\)/)
    expect(() => p.device.inflict('nan', { of: 'feeder9' })).toThrow(/no quantity begins so/)
    expect(p.events).toEqual([])
  })

  test('putting on and lifting are logged, and lifting twice is once', async () => {
    await using p = await make()
    const f = p.device.inflict('freeze')
    f.lift()
    f.lift()
    expect(p.events.map((e) => e.data)).toEqual([
      { phase: 'on', id: f.id, name: 'freeze', params: {} },
      { phase: 'lifted', id: f.id, name: 'freeze', params: {} },
    ])
  })

  test('freeze: values, time and sequence stand, and the truth goes on', async () => {
    await using p = await make()
    const c = p.connect()
    const before = { status: await status(c), value: await float(c, 100) }
    const f = p.device.inflict('freeze')
    await vi.advanceTimersByTimeAsync(600_000)
    expect({ status: await status(c), value: await float(c, 100) }).toEqual(before)
    const [answered, truth] = saidOf(p)['feeder1.l1.current [A]'] ?? [0, 0]
    expect(answered).toBe(before.value)
    expect(Math.abs(truth - before.value)).toBeGreaterThan(1)
    f.lift()
    expect((await status(c)).sequence).toBe(600)
  })

  test('rst: the connection is reset on the next request', async () => {
    await using p = await make()
    const f = p.device.inflict('rst')
    const c = p.connect()
    await wait()
    expect(c.ended).toBeUndefined()
    expect(await askTcp(c, { fc: 4, address: 0, quantity: 2 }, wait)).toBeUndefined()
    expect(c.ended).toBe('rst')
    f.lift()
    expect(await float(p.connect(), 0)).toBeGreaterThan(200)
  })

  test('half-open: it accepts and never answers', async () => {
    await using p = await make()
    p.device.inflict('half-open')
    const c = p.connect()
    expect(
      await askTcp(c, { fc: 4, address: 0, quantity: 2 }, () => vi.advanceTimersByTimeAsync(3_600_000)),
    ).toBeUndefined()
    expect(c.ended).toBeUndefined()
  })

  test('reboot: away for 40 to 90 s, then booting, with a sequence from 0 and no memory of connections', async () => {
    await using p = await make()
    const c = p.connect()
    await vi.advanceTimersByTimeAsync(100_000)
    expect((await status(c)).sequence).toBe(100)
    p.device.inflict('reboot')
    await vi.advanceTimersByTimeAsync(39_000)
    expect(await askTcp(c, { fc: 4, address: 0, quantity: 2 }, wait)).toBeUndefined()
    expect(c.ended).toBeUndefined()
    const refused = p.connect()
    await wait()
    expect(refused.ended).toBe('rst')
    await vi.advanceTimersByTimeAsync(52_000)
    expect(await askTcp(c, { fc: 4, address: 0, quantity: 2 }, wait)).toBeUndefined()
    expect(c.ended).toBe('rst')
    expect((await status(p.connect())).sequence).toBeLessThan(60)
  })

  test('reboot of a given length shows state 1 and no validity for its boot time; lifting brings it back at once', async () => {
    await using p = await make()
    p.device.inflict('reboot', { seconds: 60 })
    await vi.advanceTimersByTimeAsync(60_001)
    expect(await status(p.connect())).toMatchObject({ state: 1, validity: 0 })
    await vi.advanceTimersByTimeAsync(5000)
    expect(await status(p.connect())).toMatchObject({ state: 0, validity: 0x7fff })
    p.device.inflict('reboot', { seconds: 80_000 }).lift()
    expect((await status(p.connect())).sequence).toBeLessThan(2)
  })

  test('nan: not a number, and null in what is said', async () => {
    await using p = await make()
    p.device.inflict('nan', { of: 'feeder1.l1.current' })
    const c = p.connect()
    expect(await float(c, 100)).toBeNaN()
    expect(await float(c, 102)).toBeGreaterThan(0)
    expect(saidOf(p)['feeder1.l1.current [A]']?.[0]).toBeNull()
    p.device.inflict('nan')
    expect(await float(c, 12)).toBeNaN()
  })

  test('reversed-ct: P, Q and PF change sign, the current does not, and no status tells', async () => {
    await using p = await make()
    p.device.inflict('reversed-ct', { feeder: 2, phase: 3 })
    const c = p.connect()
    await registers(c, 200, 24)
    const said = saidOf(p)
    for (const m of ['real_power [W]', 'reactive_power [var]', 'power_factor [1]']) {
      expect(said[`feeder2.l3.${m}`]?.[0]).toBeLessThan(0)
      expect(said[`feeder2.l3.${m}`]?.[1]).toBeGreaterThan(0)
      expect(said[`feeder2.l2.${m}`]?.[0]).toBeGreaterThan(0)
    }
    expect(said['feeder2.l3.current [A]']?.[0]).toBeGreaterThan(0)
    expect(await status(c)).toMatchObject({ state: 0, validity: 0x7fff })
  })

  test('vt-fuse: one phase reads next to nothing, its line voltages fall, status 2, validity of that phase', async () => {
    await using p = await make()
    p.device.inflict('vt-fuse', { phase: 2 })
    const c = p.connect()
    const w = await registers(c, 0, 14)
    const [v1, v2, v3, v12, v23, v31] = [0, 2, 4, 6, 8, 10].map((a) => getFloat32(w, a)) as [
      number,
      number,
      number,
      number,
      number,
      number,
    ]
    expect(v2).toBeLessThan(1)
    expect(v12).toBeCloseTo(v1, 3)
    expect(v23).toBeCloseTo(v3, 3)
    expect(v31).toBeGreaterThan(400)
    expect(await status(c)).toMatchObject({ state: 2, validity: 0x7fff & ~0b010_010_010_010_010 })
    expect(await float(c, 114)).toBeLessThan(50)
  })

  test('overrange: full scale and status 3; so it does with a real current past its scale', async () => {
    await using p = await make()
    const c = p.connect()
    const f = p.device.inflict('overrange', { feeder: 1, phase: 1 })
    expect(await float(c, 100)).toBe(2000)
    expect(await status(c)).toMatchObject({ state: 3, validity: 0x7ffe })
    f.lift()
    p.device.command({ do: 'load', feeder: 5, phase: 3, amps: 2600 })
    await vi.advanceTimersByTimeAsync(61_000)
    expect(await float(c, 504)).toBe(2000)
    expect(await status(c)).toMatchObject({ state: 3, validity: 0x3fff })
  })

  test('slow and exception-busy', async () => {
    await using p = await make()
    const c = p.connect()
    const f = p.device.inflict('slow', { ms: 3000 })
    expect(
      await askTcp(c, { fc: 4, address: 0, quantity: 2 }, () => vi.advanceTimersByTimeAsync(2999)),
    ).toBeUndefined()
    await vi.advanceTimersByTimeAsync(1)
    expect(c.take().length).toBe(13)
    f.lift()
    p.device.inflict('exception-busy')
    expect(await askTcp(c, { fc: 4, address: 0, quantity: 2 }, wait)).toEqual({ kind: 'exception', code: 6 })
  })

  test('clock-step: the sample time jumps; the other values do not', async () => {
    await using p = await make()
    const c = p.connect()
    const f = p.device.inflict('clock-step', { seconds: -3600 })
    expect((await status(c)).time).toBe(Math.floor(Date.now() / 1000) - 3600)
    f.lift()
    expect((await status(c)).time).toBe(Math.floor(Date.now() / 1000))
  })

  test('wrong bytes on the wire are not said, but noted', async () => {
    await using p = await make()
    const c = p.connect()
    for (const name of ['wrong-transaction', 'wrong-unit', 'truncated']) {
      const f = p.device.inflict(name)
      await c.conn.send(Buffer.from('000700000006010400000002', 'hex'))
      await wait()
      f.lift()
    }
    expect(p.events.filter((e) => e.kind === 'said')).toEqual([])
    expect(p.events.filter((e) => e.kind === 'note').length).toBe(3)
  })

  test('a share of the requests is drawn from the device’s own stream: the same seed fails the same ones', async () => {
    const pattern = async (seed: number): Promise<string> => {
      await using p = await make(seed)
      p.device.inflict('no-reply', { share: 0.3 })
      const c = p.connect()
      let got = ''
      for (let i = 0; i < 60; i++)
        got += (await askTcp(c, { fc: 4, address: 0, quantity: 2 }, wait)) === undefined ? '.' : 'x'
      return got
    }
    const first = await pattern(1)
    expect(await pattern(1)).toBe(first)
    expect(first).toMatch(/\./)
    expect(first).toMatch(/x/)
    expect(await pattern(2)).not.toBe(first)
  })
})

describe('commands', () => {
  test('load, voltage and power factor are in force from when they are given, and null takes them back', async () => {
    await using p = await make()
    const { truth } = p.device
    const was = truth.at('feeder1.l1.current [A]', Date.now())
    p.device.command({ do: 'load', feeder: 1, amps: -50 })
    p.device.command({ do: 'voltage', volts: 230 })
    p.device.command({ do: 'power-factor', feeder: 1, powerFactor: 0.8 })
    expect(truth.at('feeder1.l1.current [A]', Date.now())).toBe(was)
    await vi.advanceTimersByTimeAsync(60_000)
    const now = Date.now()
    expect(truth.at('feeder1.l1.current [A]', now)).toBeCloseTo(50, 9)
    expect(truth.at('feeder1.l1.power_factor [1]', now)).toBeCloseTo(-0.8, 6)
    expect(truth.at('feeder1.l1.real_power [W]', now)).toBeLessThan(0)
    expect(truth.at('busbar.l1n.voltage [V]', now)).toBeLessThan(230.5)
    p.device.command({ do: 'load', feeder: 1, amps: null })
    await vi.advanceTimersByTimeAsync(60_000)
    expect(truth.at('feeder1.l1.current [A]', Date.now())).toBeGreaterThan(80)
    // what was stays what it was
    expect(truth.at('feeder1.l1.current [A]', now)).toBeCloseTo(50, 9)
    expect(p.events.map((e) => e.kind)).toEqual(['step', 'step', 'step', 'step'])
  })

  test('follow: another profile from now on; before the start: from the start', async () => {
    const device = createGridKey(personality)
    device.follow({ profile: 'summer-weekday', scale: 0.1 })
    await using p = await play(device)
    const q = 'feeder1.l1.current [A]'
    expect(device.truth.at(q, Date.now())).toBeLessThan(20)
    device.follow({ profile: 'winter-weekday' })
    await vi.advanceTimersByTimeAsync(61_000)
    expect(device.truth.at(q, Date.now())).toBeGreaterThan(80)
    expect(() => device.follow({ profile: 'nonsense' })).toThrow(/no 'nonsense'/)
    expect(p.events.length).toBe(1)
  })

  test('what is no command is refused with what was expected, and not logged', async () => {
    await using p = await make()
    for (const c of [
      { do: 'dance' },
      { do: 'load', feeder: 6, amps: 1 },
      { do: 'load', feeder: 1 },
      null,
      'x',
    ])
      expect(() => p.device.command(c)).toThrow(/gridkey: /)
    expect(p.events).toEqual([])
  })

  test('before it is started it has no truth to ask for, and takes no faults', () => {
    const device = createGridKey(personality)
    expect(() => device.truth.at('busbar.frequency [Hz]', 0)).toThrow('has not been started')
    expect(() => device.inflict('freeze')).toThrow('has not been started')
  })

  test('nothing is answered once it is disposed', async () => {
    const p = await make()
    const c = p.connect()
    await wait()
    await p.device[Symbol.asyncDispose]()
    await p.device[Symbol.asyncDispose]()
    await wait()
    expect(c.ended).toBe('fin')
  })
})

describe('personality', () => {
  const text = readFileSync(join(root, 'fixtures/personalities/gridkey-standin.yaml'), 'utf8')
  test.each([
    ['averaging: 60 s', 'averaging: soon', /x.yaml:\d+:\d+ \(averaging\): 'soon' is not a duration/],
    ['frequency: 12', 'frequency: -1', /\(registers.busbar.frequency\): Too small/],
    ['profile: winter-weekday', 'profil: x', /\(profile\)|\(profil\)/],
    [
      '{ share: [1.0, 0.92, 1.06], power_factor: 0.97 }',
      '{ share: [1.0], power_factor: 0.97 }',
      /\(feeders.0.share\)/,
    ],
  ])('%s -> %s is refused with its place', (from, to, message) => {
    expect(text).toContain(from)
    expect(() => parseYaml(text.replace(from, to), 'x.yaml', gridkeySchema)).toThrow(message)
  })

  test('two things in one register are refused', () => {
    const p = parseYaml(text.replace('l2n: 2', 'l2n: 1'), 'x.yaml', gridkeySchema)
    expect(() => createGridKey(p)).toThrow(/register 1 of .* belongs to something else too/)
  })
})
