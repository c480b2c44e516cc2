import { assert, array, integer, property } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createHdlcReceiver } from '../../../drivers/protocols/hdlc/receiver.ts'
import { createPushAssembler } from '../../../drivers/protocols/han/push.ts'
import { type Reading, readApdu } from '../../../drivers/protocols/han/reading.ts'
import { createMbusReceiver } from '../../../drivers/protocols/mbus/link.ts'
import { readPersonality } from '../personality.ts'
import { type Fleet, createFleet } from './fleet.ts'
import { type MeterPersonality, meterSchema } from './personality.ts'
import { createRegisters } from './registers.ts'
import { createWheel } from './wheel.ts'

const start = Date.UTC(2026, 0, 15, 8, 0, 0)

function fleetOf(names: readonly string[], count: number, spreadMs = 2000): Fleet {
  const [first, ...rest] = names.map((n) => readPersonality(n, meterSchema))
  return createFleet({
    personalities: [first as MeterPersonality, ...rest],
    count,
    seed: 1,
    spreadMs,
    start,
  })
}

function read(bytes: Uint8Array, key?: string): { reading: Reading; title: string | undefined } {
  let found: { reading: Reading; title: string | undefined } | undefined
  const assembler = createPushAssembler(
    {
      message(m) {
        if (m.apdu === undefined) throw new Error('ciphered')
        const title = m.ciphered && Buffer.from(m.ciphered.systemTitle).toString('hex')
        found = { reading: readApdu(m.apdu), title }
      },
    },
    key === undefined ? {} : { keys: new Map([['any', { encryption: Buffer.from(key, 'hex') }]]) },
  )
  createHdlcReceiver({ frame: (f) => assembler.hdlc(f) }).push(bytes)
  createMbusReceiver({ frame: (f) => assembler.mbus(f) }).push(bytes)
  if (found === undefined) throw new Error('not read')
  return found
}

describe('a fleet of meters', () => {
  test('gives each a number, a load and a phase of its own, and lists that a reader takes', () => {
    const f = fleetOf(['kaifa-ma304h3e', 'aidon-6525', 'kamstrup-6841'], 300)
    const numbers = new Set<string>()
    const powers = new Set<number>()
    const phases = new Set<number>()
    for (let m = 0; m < f.count; m++) {
      const { slot, due } = f.next(m, start + 5000)
      expect(due).toBeGreaterThan(start + 5000)
      phases.add(due - slot.at)
      const { reading } = read(f.list(m, { list: 3, at: start + 10_000 }))
      numbers.add(reading.meterId ?? '')
      powers.add(reading.values.activePowerImport ?? 0)
      expect(reading.meterId).toBe(f.numberOf(m))
    }
    expect([numbers.size, phases.size]).toEqual([300, 300])
    expect(powers.size).toBeGreaterThan(200)
    expect(Math.max(...phases) - Math.min(...phases)).toBeGreaterThan(1800)
  })

  test('keeps the cadence of each meter: an hour has 1,440 List 1, 359 List 2 and 1 List 3', () => {
    const f = fleetOf(['kaifa-ma304h3e'], 3)
    const counts = { 1: 0, 2: 0, 3: 0 }
    let { slot, due } = f.next(2, start)
    const end = due + 3_600_000
    while (due < end) {
      counts[slot.list]++
      ;({ slot, due } = f.next(2, due))
    }
    expect(counts).toEqual({ 1: 1440, 2: 359, 3: 1 })
  })

  test('shows powers, currents and voltages that fit together, whatever the size of the home', () => {
    const f = fleetOf(['kaifa-ma304h4'], 40)
    for (let m = 0; m < f.count; m++) {
      const { values: v } = read(f.list(m, { list: 2, at: start + 600_000 })).reading
      const apparent = [1, 2, 3].reduce(
        (s, n) => s + (v[`voltage${n as 1}`] ?? 0) * (v[`current${n as 1}`] ?? 0),
        0,
      )
      const power = Math.hypot(v.activePowerImport ?? 0, v.reactivePowerImport ?? 0)
      expect(power / apparent).toBeGreaterThan(0.97)
      expect(power / apparent).toBeLessThan(1.03)
    }
  })

  test('registers count on, each from its own', () => {
    const f = fleetOf(['kaifa-ma304h3e'], 2)
    const energy = (m: number, hours: number): number =>
      read(f.list(m, { list: 3, at: start + hours * 3_600_000 + 10_000 })).reading.values
        .activeEnergyImport ?? 0
    const [a1, b1, a2, b2] = [energy(0, 0), energy(1, 0), energy(0, 1), energy(1, 1)]
    expect([a2 > a1, b2 > b1, a1 === b1]).toEqual([true, true, false])
  })

  test('whose registers were made to count on show the same as one in which lists make them count', () => {
    const [kept, left] = [fleetOf(['kaifa-ma304h3e'], 2), fleetOf(['kaifa-ma304h3e'], 2)]
    const end = start + 900_000
    for (let t = start; t <= end + 20_000; t += 10_000) kept.countOn(t)
    for (const at of [end, end + 10_000, end + 300_000])
      for (const m of [0, 1]) expect(kept.list(m, { list: 3, at })).toEqual(left.list(m, { list: 3, at }))
  })

  test('no two ciphered meters share a title, so no nonce comes twice', () => {
    const f = fleetOf(['kaifa-ma309m'], 50)
    const key = readPersonality('kaifa-ma309m', meterSchema).cipher?.encryption_key
    const titles = Array.from({ length: 50 }, (_, m) => read(f.list(m, f.next(m, start).slot), key).title)
    expect(new Set(titles).size).toBe(50)
  })
})

test('registers that count on as time goes have only the last seconds to count when they are asked', () => {
  let counted = 0
  const r = createRegisters(start, [0, 0, 0, 0], () => {
    counted++
    return { activePower: 3600, reactivePower: 0 }
  })
  const end = start + 6 * 3_600_000
  for (let t = start; t < end; t += 1000) r.countOn(t)
  // What is counted is not counted again.
  r.countOn(start)
  expect(counted).toBe(6 * 3600 - 1)
  expect(r.at(end)).toEqual([6 * 3600, 0, 0, 0])
  expect(counted).toBe(6 * 3600)
})

test('a wheel turns out each once, never early, at the turn after its time', () => {
  assert(
    property(
      array(integer({ min: -100, max: 50_000 }), { minLength: 1, maxLength: 40 }),
      integer({ min: 1, max: 20_000 }),
      (dues, every) => {
        const w = createWheel(dues.length, 0)
        for (const [id, due] of dues.entries()) w.add(id, due + 0.5)
        const seen = new Set<number>()
        for (let now = every; now < 50_001 + 2 * every; now += every)
          w.turn(now, (id, due) => {
            expect(due).toBe((dues[id] ?? 0) + 0.5)
            expect(due).toBeLessThanOrEqual(now)
            expect(due <= 0 || due > now - every - 1).toBe(true)
            expect(seen.has(id)).toBe(false)
            seen.add(id)
          })
        expect(seen.size).toBe(dues.length)
      },
    ),
    { numRuns: 60 },
  )
})
