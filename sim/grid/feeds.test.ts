import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Json } from '../../drivers/faces.ts'
import { createAlvin } from '../devices/alvin/device.ts'
import { alvinSchema } from '../devices/alvin/personality.ts'
import { createGridKey } from '../devices/gridkey/device.ts'
import { gridkeySchema } from '../devices/gridkey/personality.ts'
import { readPersonality } from '../devices/personality.ts'
import { askRtu, askTcp, play } from '../devices/testing.ts'
import type { Played } from '../devices/testing.ts'
import { createThermocouple } from '../devices/thermocouple/device.ts'
import { tc8Schema } from '../devices/thermocouple/personality.ts'
import type { Alvin, Device } from '../faces.ts'
import { sizeOf } from './complex.ts'
import { playFeeders } from './feeders.ts'
import { feedDevice } from './feeds.ts'
import { power } from './network.ts'
import { readNetwork } from './personality.ts'
import { makeNetwork } from './index.ts'

const start = Date.parse('2026-01-15T17:00:00Z')
const lvPair = readNetwork('lv-pair')
const pass = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms)

beforeEach(() => {
  vi.useFakeTimers({ now: start })
})
afterEach(() => {
  vi.useRealTimers()
})

interface Told {
  readonly kind: string
  readonly data: { readonly [k: string]: Json }
}

function playNetwork() {
  const events: Told[] = []
  const feeders = playFeeders(lvPair, {
    now: Date.now,
    random: () => 0.37,
    emit: (kind, data) => events.push({ kind, data: data as Told['data'] }),
  })
  return { feeders, grid: feeders.grid, events }
}
type Pair = ReturnType<typeof playNetwork>

async function inNetwork<D extends Device>(n: Pair, device: D): Promise<Played<D>> {
  feedDevice(n.grid, device, (f) => f())
  return play(device)
}
const breakers = (n: Pair, role: 'alvin' | 'alvin2'): Promise<Played<Alvin>> =>
  inNetwork(n, createAlvin(readPersonality('alvin-reclose', alvinSchema), { role, closed: role === 'alvin' }))
const gridkey = (n: Pair, role: 'gridkey' | 'gridkey2') =>
  inNetwork(n, createGridKey(readPersonality('gridkey-standin', gridkeySchema), { role }))

/** As a person does it at the units: in local control. */
const closeByHand = (p: Played<Alvin>): void => {
  p.device.command({ do: 'local', on: true })
  p.device.command({ do: 'operate', to: 'closed' })
}

type Answers = Record<string, readonly [number | null, number]>
const saidOf = (p: Played<Device>): Answers =>
  Object.assign(
    {},
    ...p.events.filter((e) => e.kind === 'said').map((e) => (e.data as { answers: Answers }).answers),
  ) as Answers

describe.each(['apart', 'meshed'])('with both substations %s', (how) => {
  test("each device's answers are the network's figures, within its stated accuracy", async () => {
    const n = playNetwork()
    await using _ = n.feeders
    await using far = await breakers(n, 'alvin2')
    await using near = await breakers(n, 'alvin')
    if (how === 'meshed') closeByHand(far)
    await pass(61_000)
    const truth = (q: string): number => n.feeders.truth.at(q, Date.now())
    expect(truth('b.l1.closed [1]')).toBe(how === 'meshed' ? 1 : 0)

    for (const [role, side] of [
      ['gridkey', 'a'],
      ['gridkey2', 'b'],
    ] as const) {
      await using g = await gridkey(n, role)
      await askTcp(g.connect(), { fc: 4, address: 0, quantity: 14 }, () => pass(1))
      const c = g.connect()
      for (const f of [1, 2]) await askTcp(c, { fc: 4, address: 100 * f, quantity: 24 }, () => pass(1))
      // What the unit shows is a mean over the minute before, by phasors of the network second by second.
      const seconds = Array.from(
        { length: 60 },
        (_x, i) => Math.floor(start / 1000 + 61 - 60 + i) * 1000 + 500,
      )
      const mean = (of: (t: number) => number): number => seconds.reduce((sum, t) => sum + of(t), 0) / 60
      const said = saidOf(g)
      const shown = (q: string, of: (t: number) => number): void => {
        const is = mean(of)
        expect(Math.abs((said[q]?.[0] ?? Number.NaN) - is), `${role} ${q}`).toBeLessThanOrEqual(
          g.device.accuracy(q, is),
        )
      }
      for (const i of [0, 1, 2] as const) {
        const end = (t: number) => n.grid.at(t)[i][side]
        shown(`busbar.l${i + 1}n.voltage [V]`, (t) => sizeOf(end(t).busVoltage))
        shown(`feeder1.l${i + 1}.current [A]`, (t) => sizeOf(end(t).transformer))
        shown(`feeder2.l${i + 1}.current [A]`, (t) => sizeOf(end(t).link))
        shown(`feeder1.l${i + 1}.real_power [W]`, (t) => power(end(t).busVoltage, end(t).transformer).p)
        shown(`feeder2.l${i + 1}.real_power [W]`, (t) => power(end(t).busVoltage, end(t).link).p)
        shown(`feeder2.l${i + 1}.reactive_power [var]`, (t) => power(end(t).busVoltage, end(t).link).q)
      }
      await pass(0)
    }

    for (const [p, side] of [
      [near, 'a'],
      [far, 'b'],
    ] as const) {
      const c = p.connect()
      for (const unit of [1, 2, 3]) {
        const t = Date.now()
        await askRtu(c, { fc: 4, address: 0, quantity: 5 }, () => pass(60), unit)
        const end = n.grid.at(t)[(unit - 1) as 0 | 1 | 2][side]
        const said = saidOf(p)
        const shown = (q: string, is: number): void => {
          const [told, then] = said[q] ?? [Number.NaN, Number.NaN]
          // The next second may have begun meanwhile.
          expect(Math.abs(then - is), `${side} ${q}`).toBeLessThanOrEqual(0.01 * Math.abs(is))
          expect(Math.abs((told ?? Number.NaN) - then), `${side} ${q}`).toBeLessThanOrEqual(
            p.device.accuracy(q, then),
          )
        }
        shown(`l${unit}.bus_voltage [V]`, sizeOf(end.busVoltage))
        shown(`l${unit}.cable_voltage [V]`, sizeOf(end.cableVoltage))
        shown(`l${unit}.link_current [A]`, sizeOf(end.link))
        shown(`l${unit}.active_power [W]`, power(end.busVoltage, end.link).p)
      }
    }

    for (const [role, side] of [
      ['thermocouple', 'a'],
      ['thermocouple2', 'b'],
    ] as const) {
      const module = createThermocouple(readPersonality('tc8', tc8Schema), { role })
      await using t = await inNetwork(n, module)
      await askRtu(t.connect(), { fc: 4, address: 0, quantity: 8 }, () => pass(50))
      const q = 'top_oil.temperature [°C]'
      const [told, said] = saidOf(t)[q] ?? []
      expect(said).toBeCloseTo(truth(`${side}.top_oil [°C]`), 1)
      expect(Math.abs((told ?? 0) - truth(`${side}.top_oil [°C]`))).toBeLessThanOrEqual(
        t.device.accuracy(q, 40) + 0.05,
      )
      expect(saidOf(t)['ambient.temperature [°C]']?.[1]).toBeCloseTo(truth('ambient [°C]'), 1)
    }
  })
})

test('a fault in the cable has the breaker on its side trip, and the network feels it; the far one saw it when meshed', async () => {
  const n = playNetwork()
  await using _ = n.feeders
  await using far = await breakers(n, 'alvin2')
  await using near = await breakers(n, 'alvin')
  closeByHand(far)
  await pass(1000)
  far.device.command({ do: 'local', on: false })
  const amps = (q: string): number => n.feeders.truth.at(`${q} [A]`, Date.now())
  expect(amps('b.l2.link_current')).toBeGreaterThan(10)
  const fault = n.feeders.inflict('short-circuit', { phase: 2, point: 2 })
  expect(amps('a.l2.link_current')).toBeGreaterThan(1600)
  expect(amps('b.l2.link_current')).toBeGreaterThan(1600)
  await pass(200)
  expect([near.device.closed('l2'), far.device.closed('l2')]).toEqual([false, false])
  expect([near.device.closed('l1'), far.device.closed('l1')]).toEqual([true, true])
  expect(amps('a.l2.link_current')).toBe(0)
  const moved = n.events
    .filter((e) => e.kind === 'seen')
    .map((e) => JSON.stringify([e.data['alias'], e.data['payload']]))
  expect(moved).toContain('["network.breaker.a.l2",{"closed":false}]')
  expect(moved).toContain('["network.breaker.b.l2",{"closed":false}]')
  fault.lift()
  // it recloses by itself
  await pass(6000)
  expect(near.device.closed('l2')).toBe(true)
})

test('a feeder monitor in the network takes no loads of its own', async () => {
  const n = playNetwork()
  await using _ = n.feeders
  await using g = await gridkey(n, 'gridkey')
  expect(() => g.device.follow({ profile: 'summer-weekday' })).toThrow(/stands in the network/)
  expect(() => feedDevice(n.grid, g.device, (f) => f())).toThrow(/before it is started/)
})

test('options that do not fit, profiles and faults that are not there, are refused', async () => {
  const env = { now: Date.now, random: () => 0.5, emit: () => 0 }
  expect(() => makeNetwork({ loads: { c: {} } }, env)).toThrow(/options of network/)
  expect(() => makeNetwork({ personality: 'none' }, env)).toThrow(/has no 'none'/)
  const n = playNetwork()
  await using _ = n.feeders
  expect(() => n.feeders.follow('a', { profile: 'none' })).toThrow(/has no 'none'/)
  expect(() => n.feeders.inflict('short-circuit', { phase: 4 })).toThrow(/phase/)
  expect(() => n.feeders.inflict('flood')).toThrow(/there are: outage, source, short-circuit/)
  expect(() => n.feeders.truth.at('c.hot_spot [°C]', 0)).toThrow(/no quantity/)
  expect(n.events).toEqual([])
})

test('once a minute it tells of both sides, with what would have been had no breaker moved', async () => {
  const n = playNetwork()
  await using _ = n.feeders
  n.feeders.follow('a', { profile: 'winter-weekday', scale: 6 })
  for (const phase of [0, 1, 2]) n.grid.operate(Date.now(), 'b', phase, false)
  await pass(60_000)
  for (const phase of [0, 1, 2]) n.grid.operate(Date.now(), 'b', phase, true)
  await pass(3_600_000)
  const of = (alias: string): Told['data'][] =>
    n.events
      .filter((e) => e.kind === 'seen' && e.data['alias'] === alias)
      .map((e) => e.data['payload'] as Told['data'])
  expect(of('network.a')).toHaveLength(61)
  const last = of('network.a').at(-1)
  expect(Number(last?.['hot_spot_apart']) - Number(last?.['hot_spot'])).toBeGreaterThan(5)
  expect(Number(of('network.b').at(-1)?.['hot_spot'])).toBeGreaterThan(
    Number(of('network.b').at(-1)?.['hot_spot_apart']) + 2,
  )
  const first = n.feeders.truth.range('a.hot_spot_apart [°C]', start, Date.now())
  expect(first.max).toBeGreaterThan(n.feeders.truth.range('a.hot_spot [°C]', start, Date.now()).max)
})

test('a source that comes back is as it was', async () => {
  const n = playNetwork()
  await using _ = n.feeders
  const volts = (): number => n.feeders.truth.at('a.l1.voltage [V]', Date.now())
  const was = volts()
  const high = n.feeders.inflict('source', { side: 'a', volts: 260 })
  expect(volts()).toBeGreaterThan(was + 8)
  const gone = n.feeders.inflict('outage', { side: 'a' })
  expect(volts()).toBe(0)
  gone.lift()
  expect(volts()).toBeGreaterThan(was + 8)
  high.lift()
  expect(volts()).toBeCloseTo(was, 9)
})
