import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { parseYaml } from '../../../drivers/yaml.ts'
import { tcpAdu } from '../../../drivers/protocols/modbus/client.ts'
import type { Json } from '../../../drivers/faces.ts'
import { getFloat32 } from '../../../drivers/protocols/modbus/registers.ts'
import type { GridKey } from '../../faces.ts'
import { root } from '../fixtures.ts'
import { askTcp, play } from '../testing.ts'
import type { Played } from '../testing.ts'
import { createGridKey } from './device.ts'
import { gridkeySchema } from './personality.ts'
import { float, make, personality, readAll, registers, saidOf, start, status, wait } from './testing.ts'
import type { Answers } from './testing.ts'

beforeEach(() => {
  vi.useFakeTimers({ now: start })
})
afterEach(() => {
  vi.useRealTimers()
})

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

  test('several clients are served side by side, and one that goes takes no other with it', async () => {
    await using p = await make()
    const [a, b] = [p.connect(), p.connect()]
    expect(await float(a, 100)).toBe(await float(b, 100))
    a.conn.end('rst')
    await wait()
    expect(await float(b, 0)).toBeGreaterThan(200)
  })

  test('any PDU at all is answered or refused, under any fault, and serving goes on', async () => {
    await using p = await make()
    const legal = p.device.faults.filter(
      (f) => !['dead', 'rst', 'half-open', 'reboot', 'slow', 'split'].includes(f),
    )
    const params: Record<string, Json> = {
      'reversed-ct': { feeder: 1 },
      'vt-fuse': { phase: 1 },
      overrange: { feeder: 1 },
      'clock-step': { seconds: 5 },
    }
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ minLength: 1, maxLength: 253 }),
        fc.constantFrom(4, 16, 43, undefined),
        fc.constantFrom(...legal),
        async (pdu, code, name) => {
          if (code !== undefined) pdu[0] = code
          const c = p.connect()
          const fault = p.device.inflict(name, params[name] ?? {})
          await c.conn.send(tcpAdu(1, 1, pdu))
          await wait()
          fault.lift()
          expect((await status(c)).averaging).toBe(60)
        },
      ),
      { numRuns: 300 },
    )
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
    const said = p.events
      .filter((e) => e.kind === 'said')
      .map((e) => (e.data as { answers: Answers }).answers)
    expect(said.length).toBe(6 * 1440)
    for (const answers of said)
      for (const [q, [answered, truth]] of Object.entries(answers))
        if (!(Math.abs((answered ?? Number.NaN) - truth) <= p.device.accuracy(q, truth)))
          throw new Error(`${q}: ${answered} where ${truth} was true`)
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
