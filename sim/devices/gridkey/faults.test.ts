import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { getFloat32 } from '../../../drivers/protocols/modbus/registers.ts'
import { askTcp } from '../testing.ts'
import { float, make, registers, saidOf, start, status, wait } from './testing.ts'

beforeEach(() => {
  vi.useFakeTimers({ now: start })
})
afterEach(() => {
  vi.useRealTimers()
})

test('it lists its faults, and refuses unknown ones and parameters that do not fit', async () => {
  await using p = await make()
  for (const name of [
    'freeze',
    'dead',
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

test('reboot: it may be told how long it says that it is booting', async () => {
  await using p = await make()
  p.device.inflict('reboot', { seconds: 20, boot_seconds: 60 })
  await vi.advanceTimersByTimeAsync(21_000)
  const c = p.connect()
  expect(await status(c)).toMatchObject({ state: 1, validity: 0 })
  await vi.advanceTimersByTimeAsync(58_000)
  expect((await status(c)).state).toBe(1)
  await vi.advanceTimersByTimeAsync(2000)
  expect(await status(c)).toMatchObject({ state: 0, validity: 0x7fff })
})
