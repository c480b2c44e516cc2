import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { documentedAlvin, expected, fits } from '../../../bench/fuzz/modbus-oracle.ts'
import { rtuFrame } from '../../../drivers/protocols/modbus/client.ts'
import { getInt16 } from '../../../drivers/protocols/modbus/registers.ts'
import type { Json } from '../../../drivers/faces.ts'
import type { Alvin, AlvinReading, AlvinSource, Phase } from '../../faces.ts'
import { readPersonality } from '../personality.ts'
import { askRtu, play } from '../testing.ts'
import type { Client, Played } from '../testing.ts'
import { createAlvin } from './device.ts'
import type { AlvinOptions } from './device.ts'
import { bits } from './map.ts'
import { alvinSchema } from './personality.ts'

const start = Date.parse('2018-01-15T15:00:00Z')
const personality = readPersonality('alvin-reclose', alvinSchema)
const wait = (): Promise<unknown> => vi.advanceTimersByTimeAsync(50)
const pass = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms)

beforeEach(() => {
  vi.useFakeTimers({ now: start })
})
afterEach(() => {
  vi.useRealTimers()
})

const make = (options: AlvinOptions = {}, seed = 1): Promise<Played<Alvin>> =>
  play(createAlvin(personality, options), seed)

const [close, open, reset] = [0xc105, 0x09e4, 0x5e5e]

async function read(c: Client, unit: number, fc: 3 | 4, address: number, quantity: number) {
  const r = await askRtu(c, { fc, address, quantity }, wait, unit)
  if (r?.kind !== 'registers') throw new Error(`no registers: ${JSON.stringify(r)}`)
  return r.values
}
const write = (c: Client, unit: number, address: number, value: number) =>
  askRtu(c, { fc: 6, address, value }, wait, unit)
/** Selects, then operates. */
async function order(c: Client, unit: number, code: number): Promise<void> {
  await write(c, unit, 17, code)
  await write(c, unit, 16, code)
}
interface Noted {
  readonly [k: string]: Json
}
const notes = (p: Played<Alvin>, about: string): Noted[] =>
  p.events
    .filter((e) => e.kind === 'note')
    .map((e) => e.data as Noted)
    .filter((d) => d['alias'] === `alvin.${about}`)
const operations = (p: Played<Alvin>): string[] =>
  notes(p, 'operated').map((d) => ['phase', 'to', 'by'].map((k) => d[k] as string).join(' '))

test('twelve values of each of three units, said with the truth when they are read', async () => {
  await using p = await make({ closed: true })
  expect(p.device.truth.quantities).toHaveLength(36)
  const c = p.connect()
  for (const unit of [1, 2, 3]) {
    const w = await read(c, unit, 4, 0, 14)
    expect(w[0]).toBeGreaterThan(2380)
    expect(w[2]).toBeGreaterThan(590)
    expect(getInt16(w, 3) * 10).toBeGreaterThan(13_000)
    await read(c, unit, 3, 0, 1)
  }
  const said = p.events.filter((e) => e.kind === 'said')
  expect(said).toHaveLength(6)
  const names: string[] = []
  for (const e of said)
    for (const [q, [told, truth]] of Object.entries(
      (e.data as { answers: Record<string, [number, number]> }).answers,
    )) {
      names.push(q)
      expect(Math.abs(told - truth), q).toBeLessThanOrEqual(p.device.accuracy(q, truth))
    }
  expect(names.toSorted()).toEqual([...p.device.truth.quantities].toSorted())
})

test('a command closes what was selected before, within 100 ms, and shows within 2 s', async () => {
  await using p = await make()
  const c = p.connect()
  await order(c, 1, close)
  expect(await read(c, 1, 3, 18, 2)).toEqual([1, 1])
  await pass(100)
  expect(operations(p)).toEqual(['l1 closed command'])
  expect(p.device.closed('l1')).toBe(true)
  expect(p.device.closed('l2')).toBe(false)
  expect(await read(c, 1, 3, 18, 2)).toEqual([2, 1])
  await pass(2000)
  expect(((await read(c, 1, 3, 0, 1))[0] ?? 0) & 3).toBe(bits.closed)
  expect(await read(c, 1, 4, 5, 2)).toEqual([0, 1])
  expect(notes(p, 'control').map((d) => [d['phase'], d['register'], d['order']])).toEqual([
    ['l1', 'MHR_COMMAND_TOKEN', 'close'],
    ['l1', 'MHR_COMMAND', 'close'],
  ])
  await order(c, 1, open)
  await pass(100)
  expect(operations(p)).toEqual(['l1 closed command', 'l1 open command'])
})

test('the map: what is read only, what is written alone, and what no command is', async () => {
  await using p = await make()
  const c = p.connect()
  expect(await read(c, 2, 3, 16, 8)).toEqual([0, 0, 0, 0, 1, 3, 50, 180])
  const exception = async (address: number, value: number): Promise<number | undefined> => {
    const r = await write(c, 2, address, value)
    return r?.kind === 'exception' ? r.code : undefined
  }
  expect(await exception(16, 0x1234)).toBe(3)
  expect(await exception(17, 0)).toBe(3)
  expect(await exception(0, 1)).toBe(2)
  expect(await exception(18, 1)).toBe(2)
  expect(await exception(19, 1)).toBe(2)
  expect(await exception(24, 1)).toBe(2)
  expect(await exception(20, 2)).toBe(3)
  expect(await exception(21, 4)).toBe(3)
  const pair = await askRtu(c, { fc: 16, address: 16, values: [close, close] }, wait, 2)
  expect(pair).toMatchObject({ kind: 'exception', code: 2 })
  await askRtu(c, { fc: 16, address: 20, values: [0, 1, 70, 60] }, wait, 2)
  expect(await read(c, 2, 3, 20, 4)).toEqual([0, 1, 70, 60])
  expect(await read(c, 2, 4, 12, 2)).toEqual([4, 0])
  expect(await askRtu(c, { fc: 4, address: 14, quantity: 1 }, wait, 2)).toMatchObject({ code: 2 })
  expect(await askRtu(c, { fc: 1, address: 0, quantity: 1 }, wait, 2)).toMatchObject({ code: 1 })
  // A unit that is not there does not answer.
  expect(await askRtu(c, { fc: 4, address: 0, quantity: 1 }, wait, 4)).toBeUndefined()
})

test('while a contact moves another command is answered as busy, and changes nothing', async () => {
  const slow = {
    ...personality,
    mechanism: { ...personality.mechanism, close: [400, 400] as [number, number] },
  }
  await using p = await play(createAlvin(slow))
  const c = p.connect()
  await order(c, 2, close)
  expect(await write(c, 2, 17, open)).toMatchObject({ kind: 'written' })
  expect(await write(c, 2, 16, open)).toMatchObject({ kind: 'exception', code: 6 })
  await pass(400)
  expect(operations(p)).toEqual(['l2 closed command'])
  expect(notes(p, 'control').at(-1)).toMatchObject({ order: 'open', exception: 6 })
})

test('a refused command moves and counts nothing, and says so', async () => {
  await using p = await make()
  const c = p.connect()
  await write(c, 1, 16, close)
  expect(await read(c, 1, 3, 18, 2)).toEqual([3, 1])
  p.device.command({ do: 'local', phase: 'l1', on: true })
  await order(c, 1, close)
  await pass(500)
  expect(await read(c, 1, 3, 18, 2)).toEqual([3, 2])
  expect(operations(p)).toEqual([])
  expect(await read(c, 1, 4, 5, 2)).toEqual([0, 0])
  expect(notes(p, 'refused').map((d) => d['why'])).toEqual(['not selected', 'local control'])
})

test('isolated, nothing gets through, hands may work, and a lock holds it so', async () => {
  await using p = await make()
  const c = p.connect()
  p.device.command({ do: 'operate', to: 'closed' })
  expect(notes(p, 'refused')).toHaveLength(3)
  p.device.command({ do: 'isolate', engaged: true, locked: true })
  expect(await askRtu(c, { fc: 4, address: 0, quantity: 1 }, wait, 1)).toBeUndefined()
  await order(c, 1, close)
  // Nor a broadcast.
  await order(c, 0, close)
  await pass(500)
  expect(operations(p)).toEqual([])
  expect(notes(p, 'control')).toEqual([])
  expect(notes(p, 'isolator').filter((d) => d['what'] === 'stopped by the isolator')).toHaveLength(4)
  p.device.command({ do: 'operate', phase: 'l2', to: 'closed', by: 'hand' })
  await pass(200)
  expect(operations(p)).toEqual(['l2 closed local'])
  p.device.command({ do: 'isolate', engaged: false })
  expect(notes(p, 'isolator').at(-1)).toMatchObject({
    what: 'isolator is locked',
    engaged: true,
    locked: true,
  })
  expect(await askRtu(c, { fc: 4, address: 0, quantity: 1 }, wait, 1)).toBeUndefined()
  p.device.command({ do: 'isolate', locked: false })
  p.device.command({ do: 'isolate', engaged: false })
  expect(await read(c, 2, 4, 6, 1)).toEqual([1])
})

test('a fault in the network: it trips, recloses and locks out, each told by its cause, and one pole alone is told too', async () => {
  await using p = await make({ closed: true })
  p.device.command({ do: 'supply', phase: 'l3', amps: 4000 })
  await pass(200_000)
  expect(operations(p).slice(0, 3)).toEqual(['l3 open trip', 'l3 closed reclose', 'l3 open trip'])
  expect(operations(p)).toHaveLength(7)
  expect(notes(p, 'poles')[0]).toMatchObject({ what: 'poles differ', l1: 'closed', l3: 'open' })
  const c = p.connect()
  const [word = 0] = await read(c, 3, 3, 0, 1)
  expect(word & bits.lockout).toBe(bits.lockout)
  expect(await read(c, 3, 4, 12, 2)).toEqual([3, 3])
  expect(await read(c, 1, 4, 12, 2)).toEqual([0, 0])
  p.device.command({ do: 'supply', phase: 'l3', amps: 60 })
  await order(c, 3, close)
  await order(c, 3, reset)
  await order(c, 3, close)
  await pass(200)
  expect(operations(p).at(-1)).toBe('l3 closed command')
  expect(notes(p, 'poles').at(-1)).toMatchObject({ what: 'poles agree' })
})

test('an event of an order has the order as its cause', async () => {
  const causes: (number | undefined)[] = []
  const device = createAlvin(personality)
  let seq = 0
  const control: number[] = []
  const line = await import('../../../drivers/wires/memory.ts').then((m) => m.memoryWire({ now: Date.now }))
  await device.start(line.wire, {
    now: Date.now,
    random: () => 0.5,
    emit(_, data, more) {
      seq++
      const about = (data as Noted)['alias']
      if (about === 'alvin.control') control.push(seq)
      if (about === 'alvin.operated') causes.push(more?.cause)
      return seq
    },
  })
  const conn = line.connect()
  await conn.send(rtuFrame(1, Uint8Array.of(6, 0, 17, 0xc1, 0x05)))
  await wait()
  await conn.send(rtuFrame(1, Uint8Array.of(6, 0, 16, 0xc1, 0x05)))
  await pass(300)
  device.inflict('pole-discrepancy', { phase: 'l1' })
  await pass(300)
  expect(causes).toEqual([control[1], undefined])
  await device[Symbol.asyncDispose]()
})

describe('faults', () => {
  test('of the line, on one unit alone or on all', async () => {
    await using p = await make()
    const c = p.connect()
    const answers = async (unit: number): Promise<boolean> =>
      (await askRtu(c, { fc: 4, address: 0, quantity: 1 }, wait, unit)) !== undefined
    const one = p.device.inflict('no-reply', { phase: 'l2' })
    expect([await answers(1), await answers(2), await answers(3)]).toEqual([true, false, true])
    one.lift()
    const all = p.device.inflict('unplugged')
    expect([await answers(1), await answers(2), await answers(3)]).toEqual([false, false, false])
    all.lift()
    const busy = p.device.inflict('busy', { phase: 'l1', share: 1 })
    expect(await write(c, 1, 17, close)).toMatchObject({ kind: 'exception', code: 6 })
    expect(notes(p, 'control')).toEqual([])
    busy.lift()
    for (const bad of [{ phase: 'l4' }, { share: 0 }, { nonsense: 1 }])
      expect(() => p.device.inflict('no-reply', bad)).toThrow(/parameters of alvin fault 'no-reply'/)
  })

  test('a command whose answer is lost has been obeyed', async () => {
    await using p = await make()
    const c = p.connect()
    await write(c, 1, 17, close)
    p.device.inflict('no-reply')
    expect(await write(c, 1, 16, close)).toBeUndefined()
    await pass(200)
    expect(operations(p)).toEqual(['l1 closed command'])
  })

  test('it lies: the command is done, the new state shows, and the contact is where it was', async () => {
    await using p = await make()
    const c = p.connect()
    p.device.inflict('lying', { phase: 'l1' })
    await order(c, 1, close)
    await order(c, 2, close)
    await pass(3000)
    expect(((await read(c, 1, 3, 0, 1))[0] ?? 0) & 3).toBe(bits.closed)
    expect(await read(c, 1, 3, 18, 1)).toEqual([2])
    expect([p.device.closed('l1'), p.device.closed('l2')]).toEqual([false, true])
    // What it cannot invent is current.
    expect(await read(c, 1, 4, 2, 1)).toEqual([0])
  })

  test('the uptime is torn at its carry, and whole again later', async () => {
    await using p = await make()
    const c = p.connect()
    p.device.command({ do: 'preset', uptime: 65_530, open_operations: 65_535, watchdog_faults: 9 })
    const torn = p.device.inflict('uptime-tear', { phase: 'l1', seconds: 4 })
    await pass(7000)
    const uptime = async (unit: number): Promise<number> => {
      const [high = 0, low = 0] = await read(c, unit, 4, 10, 2)
      return high * 65_536 + low
    }
    expect(await uptime(1)).toBeLessThan(100)
    expect(await uptime(2)).toBeGreaterThanOrEqual(65_537)
    await pass(4000)
    expect(await uptime(1)).toBeGreaterThanOrEqual(65_541)
    torn.lift()
    expect(await read(c, 1, 4, 5, 3)).toEqual([65_535, 0, 9])
  })

  test('after a reboot its uptime begins anew, and its status is stale until it is copied again', async () => {
    await using p = await make({ closed: true })
    const c = p.connect()
    await pass(60_000)
    p.device.inflict('reboot', { phase: 'l1', seconds: 3, watchdog: true })
    expect(await askRtu(c, { fc: 4, address: 0, quantity: 1 }, wait, 1)).toBeUndefined()
    await read(c, 2, 4, 0, 1)
    await pass(2900)
    expect(await read(c, 1, 3, 0, 1)).toEqual([bits.stale])
    await pass(2000)
    expect(((await read(c, 1, 3, 0, 1))[0] ?? 0) & (bits.stale | 3)).toBe(bits.closed)
    const [high, low] = await read(c, 1, 4, 10, 2)
    expect(high).toBe(0)
    expect(low).toBeLessThan(5)
    expect(await read(c, 1, 4, 7, 1)).toEqual([1])
    expect(p.device.truth.at('l1.uptime [s]', start + 30_000)).toBe(30)
  })

  test('without a fresh copy the old state stays, and after 10 s the register says so', async () => {
    await using p = await make()
    const c = p.connect()
    await read(c, 1, 3, 0, 1)
    const f = p.device.inflict('shadow-stale', { phase: 'l1' })
    await order(c, 1, close)
    await pass(5000)
    expect(((await read(c, 1, 3, 0, 1))[0] ?? 0) & (bits.stale | 3)).toBe(bits.open)
    await pass(6000)
    expect(((await read(c, 1, 3, 0, 1))[0] ?? 0) & (bits.stale | 3)).toBe(bits.stale | bits.open)
    f.lift()
    await pass(2000)
    expect(((await read(c, 1, 3, 0, 1))[0] ?? 0) & (bits.stale | 3)).toBe(bits.closed)
  })

  test('each shows what it is', async () => {
    await using p = await make()
    const c = p.connect()
    const after = async (ms: number): Promise<number> => {
      await pass(ms)
      return (await read(c, 1, 3, 0, 1))[0] ?? 0
    }
    const shown = async (name: string, params: Json, bit: number, ms = 2500): Promise<void> => {
      const f = p.device.inflict(name, params)
      expect((await after(ms)) & bit, name).toBe(bit)
      f.lift()
    }
    await shown('indeterminate', { shows: 'both' }, bits.open | bits.closed)
    await shown('no-energy', {}, bits.lowEnergy)
    await shown('self-test', { phase: 'l1' }, bits.selfTest)
    await shown('hot', { kelvin: 200 }, bits.hot, 3_600_000)
    const none = p.device.inflict('indeterminate')
    expect((await after(2500)) & 3).toBe(0)
    none.lift()
    p.device.command({ do: 'supply', cableVolts: 0 })
    expect((await after(2500)) & (bits.cableDead | bits.blocked)).toBe(bits.cableDead | bits.blocked)
    p.device.command({ do: 'supply', busVolts: 10, cableVolts: 240 })
    expect((await after(2500)) & bits.busDead).toBe(bits.busDead)
  })
})

test("in a network: what flows is the network's, and it hears at once of each contact that moves", async () => {
  const moved: string[] = []
  const closed = new Map<Phase, boolean>()
  let changed: (() => void) | undefined
  let amps = 100
  const source: AlvinSource = {
    at: (phase): AlvinReading =>
      closed.get(phase) === true
        ? { busVolts: 241, cableVolts: 241, amps, watts: -23_000, vars: 4000 }
        : { busVolts: 242, cableVolts: 236, amps: 0, watts: 0, vars: 0 },
    onOperate(phase, to, t) {
      closed.set(phase, to)
      moved.push(`${phase} ${String(to)} ${t - start}`)
    },
    watch: (f) => (changed = f),
  }
  const device = createAlvin(personality, { closed: true })
  device.feed(source)
  await using p = await play(device)
  expect(moved).toEqual(['l1 true 0', 'l2 true 0', 'l3 true 0'])
  expect(() => device.feed(source)).toThrow(/before its start/)
  expect(() => device.command({ do: 'supply', amps: 1 })).toThrow(/the network's/)
  const c = p.connect()
  const w = await read(c, 1, 4, 0, 5)
  expect(getInt16(w, 3) * 10).toBeLessThan(-22_000)
  amps = 5000
  changed?.()
  await pass(200)
  expect(operations(p)).toHaveLength(3)
  expect(moved).toHaveLength(6)
  for (const m of moved.slice(3)) expect(Number(m.split(' ')[2])).toBeLessThanOrEqual(200)
})

test('every answer lies within the stated accuracy, for any seed, voltage, current and power factor', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(),
      fc.double({ min: 0, max: 290, noNaN: true }),
      fc.double({ min: 0, max: 550, noNaN: true }),
      fc.double({ min: -1, max: 1, noNaN: true }),
      async (seed, busVolts, amps, powerFactor) => {
        await using p = await make({ closed: true }, seed)
        p.device.command({ do: 'supply', busVolts, amps, powerFactor })
        await read(p.connect(), 1, 4, 0, 14)
        const said = p.events.findLast((e) => e.kind === 'said')
        const answers =
          (said?.data as { answers?: Record<string, [number, number]> } | undefined)?.answers ?? {}
        expect(Object.keys(answers)).toHaveLength(11)
        for (const [q, [told, truth]] of Object.entries(answers))
          expect(Math.abs(told - truth), q).toBeLessThanOrEqual(p.device.accuracy(q, truth))
      },
    ),
    { numRuns: 60 },
  )
})

test('nothing that arrives on the line ends it, or moves a contact without a select and an operate', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.oneof(
          fc.uint8Array({ maxLength: 40 }),
          fc
            .tuple(fc.constantFrom(0, 1, 2, 3, 4), fc.uint8Array({ minLength: 1, maxLength: 12 }))
            .map(([unit, pdu]) => rtuFrame(unit, pdu)),
          fc
            .tuple(fc.constantFrom(0, 1, 3), fc.constantFrom(16, 18, 20, 22), fc.constantFrom(close, open, 1))
            .map(([unit, at, v]) => rtuFrame(unit, Uint8Array.of(6, 0, at, v >> 8, v & 0xff))),
        ),
        { maxLength: 12 },
      ),
      async (frames) => {
        await using p = await make({ closed: true })
        const c = p.connect()
        for (const f of frames) {
          await c.conn.send(f)
          await wait()
        }
        await pass(200)
        expect(operations(p)).toEqual([])
        c.take()
        expect(await read(c, 1, 4, 0, 1)).toHaveLength(1)
      },
    ),
    { numRuns: 100 },
  )
})

test('a request of any kind is answered as the standard and the documented map have it', async () => {
  const address = fc.oneof(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: 0xffff }))
  const value = fc.oneof(
    fc.constantFrom(0, 1, 2, 3, 4, 0x5e5e, 0x09e4, 0xc105),
    fc.integer({ min: 0, max: 0xffff }),
  )
  const two = (n: number): number[] => [n >> 8, n & 0xff]
  const pdu = fc.oneof(
    fc
      .tuple(fc.constantFrom(3, 4), address, fc.integer({ min: 0, max: 16 }))
      .map(([f, a, n]) => [f, ...two(a), ...two(n)]),
    fc.tuple(address, value).map(([a, v]) => [6, ...two(a), ...two(v)]),
    fc
      .tuple(address, fc.array(value, { minLength: 1, maxLength: 6 }))
      .map(([a, v]) => [16, ...two(a), ...two(v.length), 2 * v.length, ...v.flatMap(two)]),
    fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 1, maxLength: 12 }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(pdu, { minLength: 1, maxLength: 8 }), async (pdus) => {
      await using p = await make({ closed: true })
      const c = p.connect()
      for (const request of pdus.map((b) => Uint8Array.from(b))) {
        await c.conn.send(rtuFrame(1, request))
        await wait()
        const frame = c.take()
        const wanted = expected(documentedAlvin, request)
        const told = Buffer.from(request).toString('hex')
        expect(frame.length, told).toBeGreaterThan(4)
        expect(
          fits(wanted, request, frame.subarray(1, -2)),
          `${told}: ${Buffer.from(frame).toString('hex')}`,
        ).toBe(true)
        // Should it have been an order, it is over.
        await pass(100)
      }
    }),
    { numRuns: 150 },
  )
})

test('commands that do not fit are refused before anything is changed', async () => {
  await using p = await make()
  for (const bad of [
    {},
    { do: 'operate' },
    { do: 'isolate', engaged: 1 },
    { do: 'preset', uptime: -1 },
    null,
  ])
    expect(() => p.device.command(bad as Json)).toThrow(/alvin: /)
  expect(p.events).toEqual([])
  expect(() => p.device.truth.at('l4.bus_voltage [V]', start)).toThrow(/no quantity/)
})
