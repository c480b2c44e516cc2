import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { wallTime } from '../../../drivers/protocols/dlms/datetime.ts'
import { createPushAssembler } from '../../../drivers/protocols/han/push.ts'
import { type Reading, readApdu } from '../../../drivers/protocols/han/reading.ts'
import { createHdlcReceiver } from '../../../drivers/protocols/hdlc/receiver.ts'
import { createMbusReceiver } from '../../../drivers/protocols/mbus/link.ts'
import type { Keys } from '../../../drivers/protocols/dlms/ciphering.ts'
import type { Json } from '../../../drivers/faces.ts'
import type { Meter } from '../../faces.ts'
import { readPersonality } from '../personality.ts'
import { play } from '../testing.ts'
import type { Played } from '../testing.ts'
import { createMeter } from './device.ts'
import type { Values } from './values.ts'
import { type MeterPersonality, dialects, meterSchema } from './personality.ts'

const h3e = readPersonality('kaifa-ma304h3e', meterSchema)
const start = Date.parse('2026-01-15T16:59:59.500Z')

beforeEach(() => void vi.useFakeTimers({ now: start }))
afterEach(() => void vi.useRealTimers())

interface Heard {
  readonly readings: { readonly at: number; readonly reading: Reading; readonly bytes: number }[]
  readonly flaws: string[]
  noise: number
}

interface Said {
  readonly answers: Readonly<Record<string, readonly [number, number]>>
  readonly asked: { readonly bytes: number; readonly list?: number }
}

interface Line extends Played<Meter> {
  readonly heard: Heard
}

async function listen(p: MeterPersonality, seed = 1, keys?: ReadonlyMap<string, Keys>): Promise<Line> {
  const played = await play(createMeter(p), seed)
  const heard: Heard = { readings: [], flaws: [], noise: 0 }
  let bytes = 0
  const assembler = createPushAssembler(
    {
      message: (m) => {
        if (m.apdu !== undefined) heard.readings.push({ at: Date.now(), reading: readApdu(m.apdu), bytes })
        bytes = 0
      },
      rejected: (why) => heard.flaws.push(why),
    },
    {
      ...(keys === undefined ? {} : { keys }),
      ...(p.dialect === 'kaifa-ecb' ? { ecbKey: Buffer.from(p.cipher?.encryption_key ?? '', 'hex') } : {}),
    },
  )
  const noise = (n: number): void => {
    heard.noise += n
  }
  const rejected = (why: string): void => void heard.flaws.push(why)
  const hdlc = createHdlcReceiver({ frame: (f) => assembler.hdlc(f), rejected, noise })
  const mbus = createMbusReceiver(
    { frame: (f) => assembler.mbus(f), rejected, noise },
    { lengthOverflow: true },
  )
  played.connect().conn.onBytes((b) => {
    bytes += b.length
    if (p.dialect === 'austria') mbus.push(b)
    else hdlc.push(b)
  })
  return { ...played, heard, [Symbol.asyncDispose]: () => played[Symbol.asyncDispose]() }
}

const pass = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms)
const second = 1000
const hour = 3600 * second

/** The truth beside what was said, of the last list. */
function lastSaid(line: Line): Readonly<Record<string, readonly [number, number]>> {
  const said = line.events.filter((e) => e.kind === 'said').at(-1)?.data as
    | { answers: Record<string, [number, number]> }
    | undefined
  return said?.answers ?? {}
}

describe('MA304H3E', () => {
  test(
    'an hour holds 1,440 List 1, 359 List 2 and 1 List 3, each in its slot',
    { timeout: 20_000 },
    async () => {
      await using line = await listen(h3e)
      await pass(hour + 500)
      const by = (n: number): Heard['readings'] => line.heard.readings.filter((r) => r.reading.list === n)
      expect([by(1).length, by(2).length, by(3).length]).toEqual([1440, 359, 1])
      expect(line.heard.flaws).toEqual([])
      for (const { at, reading, bytes } of line.heard.readings) {
        const slot = Math.floor(at / 2000) * 2000
        const { list } = reading
        expect(list).toBe(slot % hour === 10_000 ? 3 : slot % 10_000 === 0 ? 2 : 1)
        // At its instant, as far as its phase wanders; with the clock of its slot, in Norway's winter time.
        expect(at - slot).toBeGreaterThanOrEqual(5)
        expect(at - slot).toBeLessThanOrEqual(56)
        expect(reading.clock === undefined ? '' : wallTime(reading.clock)).toBe(
          new Date(slot + hour).toISOString().slice(0, 19),
        )
        expect(bytes).toBe(list === 3 ? 157 : list === 2 ? 123 : 41)
      }
    },
  )

  test('List 3 tells the energies of the whole hour, and its clock says ten seconds past it', async () => {
    await using line = await listen(h3e)
    await pass(11 * second)
    const list = line.heard.readings.find((r) => r.reading.list === 3)
    expect(list?.reading.clock === undefined ? '' : wallTime(list.reading.clock)).toBe('2026-01-15T18:00:10')
    const whole = line.device.truth.at('active_energy_import [Wh]', Date.parse('2026-01-15T17:00:00Z'))
    const error = Math.abs((list?.reading.values.activeEnergyImport ?? 0) - whole)
    expect(error).toBeLessThanOrEqual(line.device.accuracy('active_energy_import [Wh]', whole))
  })

  test('what it says is the truth within its accuracy, in the steps of its registers; U2 is 0', async () => {
    await using line = await listen(h3e)
    await pass(5 * 60 * second)
    for (const e of line.events.filter((x) => x.kind === 'said')) {
      const { answers } = e.data as { answers: Record<string, [number, number]> }
      for (const [q, [shown, truth]] of Object.entries(answers)) {
        if (q === 'voltage2 [V]') expect(shown).toBe(0)
        else expect(Math.abs(shown - truth), q).toBeLessThanOrEqual(line.device.accuracy(q, truth))
      }
    }
    const values: Values = line.heard.readings.findLast((r) => r.reading.list === 2)?.reading.values ?? {}
    const said = lastSaid(line)
    expect(Object.keys(values).length).toBe(10)
    expect(values.current2).toBeGreaterThan(0)
    expect(said['active_power_import [W]']?.[0]).toBeGreaterThan(0)
  })

  test('the energies are the integral of the power', async () => {
    await using line = await listen(h3e)
    const t0 = Math.floor(start / 1000) * 1000
    await pass(600 * second)
    let sum = 0
    for (let t = t0 + 1000; t <= t0 + 600_000; t += 1000)
      sum += line.device.truth.at('active_power_import [W]', t) / 3600
    const from = line.device.truth.at('active_energy_import [Wh]', t0)
    const to = line.device.truth.at('active_energy_import [Wh]', t0 + 600_000)
    expect(to - from).toBeCloseTo(sum, 6)
    expect(sum).toBeGreaterThan(10)
  })

  test('generation turns import into export: never both at once, and the other register counts', async () => {
    await using line = await listen(h3e)
    await pass(2 * second)
    line.device.command({ do: 'load', watts: -500 })
    await pass(second)
    const before = line.device.truth.at('active_energy_import [Wh]', Date.now())
    await pass(60 * second)
    const values: Values = line.heard.readings.findLast((r) => r.reading.list === 2)?.reading.values ?? {}
    expect(values.activePowerImport).toBe(0)
    expect(values.activePowerExport).toBeGreaterThan(1400)
    expect(line.device.truth.at('active_energy_import [Wh]', Date.now())).toBe(before)
    expect(line.device.truth.at('active_energy_export [Wh]', Date.now())).toBeGreaterThan(20)
  })

  test('the hour that comes twice in October comes twice on its clock, and nothing tells the two apart', async () => {
    vi.setSystemTime(Date.parse('2026-10-25T00:59:59.500Z'))
    await using line = await listen(h3e)
    await pass(1 * second)
    vi.setSystemTime(Date.parse('2026-10-25T00:59:59.500Z'))
    const clockAt = (t: string): string => {
      const said = line.events.findLast((e) => e.kind === 'said' && e.at <= Date.parse(t))?.data as
        | { asked: { clock: string } }
        | undefined
      return said?.asked.clock ?? ''
    }
    expect(clockAt('2026-10-25T01:00:01Z')).toBe('2026-10-25T02:00:00')
    await pass(1000)
  })
})

test('a triangle of lines: the currents of an IT network are the phasor sums of its loads', async () => {
  await using line = await listen(h3e)
  line.device.command({ do: 'load', watts: 0 })
  line.device.command({ do: 'load', load: 1, watts: 2300 })
  line.device.command({ do: 'power-factor', powerFactor: 1 })
  for (const phase of [1, 2, 3]) line.device.command({ do: 'voltage', phase, volts: 230 })
  const t = Date.now() + 5000
  const amps = [1, 2, 3].map((n) => line.device.truth.at(`current${n} [A]`, t))
  expect(amps[0]).toBeCloseTo(amps[1] ?? 0, 9)
  expect(amps[2]).toBeCloseTo(0, 9)
  line.device.command({ do: 'load', watts: 2300 })
  const even = [1, 2, 3].map((n) => line.device.truth.at(`current${n} [A]`, t))
  const power = line.device.truth.at('active_power_import [W]', t)
  const volts = [1, 2, 3].map((n) => line.device.truth.at(`voltage${n} [V]`, t))
  // Three equal loads in a triangle: P = sqrt(3) U I.
  expect(Math.sqrt(3) * (volts[0] ?? 0) * (even[0] ?? 0)).toBeCloseTo(power, 6)
})

describe('faults', () => {
  const inflicted = async (name: string, params: Json, during: number): Promise<Line> => {
    const line = await listen(h3e)
    await pass(second)
    line.device.inflict(name, params)
    await pass(during)
    return line
  }

  test('each has a name, wrong parameters are refused, and each can be lifted', async () => {
    await using line = await listen(h3e)
    for (const name of line.device.faults) line.device.inflict(name).lift()
    expect(() => line.device.inflict('no-such')).toThrow(/there are/)
    expect(() => line.device.inflict('pause', { ms: 0 })).toThrow(/pause/)
    await pass(2 * second)
  })

  test.each(['off', 'unplugged'])('%s: nothing comes until it is lifted', async (name) => {
    await using line = await listen(h3e)
    await pass(second)
    const fault = line.device.inflict(name)
    const before = line.heard.readings.length
    await pass(20 * second)
    expect(line.heard.readings.length).toBe(before)
    fault.lift()
    await pass(3 * second)
    expect(line.heard.readings.length).toBeGreaterThan(before)
  })

  test.each(['lost-byte', 'repeated-byte', 'truncated', 'wrong-fcs'])(
    '%s in a tenth of the frames: no frame with wrong values is heard, and the others come through',
    async (name) => {
      await using line = await inflicted(name, { share: 0.1 }, 300 * second)
      const said = line.events.filter((e) => e.kind === 'said').length
      expect(said).toBeLessThan(150)
      expect(line.heard.readings.length).toBeGreaterThanOrEqual(said)
      expect(line.heard.flaws.length).toBeGreaterThan(0)
    },
  )

  test('noise between frames and a pause inside one harm no frame', async () => {
    await using noisy = await inflicted('noise', { bytes: 9 }, 20 * second)
    expect(noisy.heard.readings.length).toBe(noisy.events.filter((e) => e.kind === 'said').length)
    expect(noisy.heard.noise).toBeGreaterThan(0)
    await using paused = await inflicted('pause', { after: 10, ms: 700 }, 20 * second)
    await pass(2 * second)
    expect(paused.heard.flaws).toEqual([])
    expect(paused.heard.readings.length).toBeGreaterThanOrEqual(10)
  })

  test('fcs-end: check sequences end in the byte that is asked for, and the frame is sound', async () => {
    const raw: Uint8Array[] = []
    await using line = await listen(h3e)
    line.connect().conn.onBytes((b) => raw.push(b))
    line.device.inflict('fcs-end', { byte: 0x7d })
    await pass(12 * second)
    expect(raw.length).toBeGreaterThan(4)
    for (const b of raw) expect(b.at(-2)).toBe(0x7d)
    expect(line.heard.flaws).toEqual([])
  })

  test('a parity or a speed that is set otherwise is heard as other bytes', async () => {
    await using parity = await inflicted('wrong-line', { parity: 'none' }, 20 * second)
    await using speed = await inflicted('wrong-line', { baud_rate: 9600 }, 20 * second)
    expect(speed.events.filter((e) => e.kind === 'said').length).toBeLessThanOrEqual(1)
    expect(speed.heard.readings.length).toBeLessThanOrEqual(1)
    expect(parity.heard.readings.length).toBeLessThanOrEqual(1)
  })

  test('counter-back, clock-known, clock-unset and stale show in the lists', async () => {
    await using line = await listen(h3e)
    await pass(3 * second)
    line.device.inflict('counter-back', { wh: 1000 })
    line.device.inflict('clock-known', { minutes: -60 })
    await pass(10 * second)
    const list = line.heard.readings.find((r) => r.reading.list === 3)?.reading
    const whole = line.device.truth.at('active_energy_import [Wh]', Date.parse('2026-01-15T17:00:00Z'))
    expect(list?.values.activeEnergyImport).toBeLessThan(whole * 1.006 - 999)
    expect(list?.clock?.deviation).toBe(-60)
    line.device.inflict('clock-unset')
    line.device.inflict('stale')
    line.device.command({ do: 'load', watts: 5000 })
    await pass(12 * second)
    const late = line.heard.readings.findLast((r) => r.reading.list === 2)?.reading
    expect(late?.clock).toMatchObject({ year: 2000, status: 3 })
    expect(late?.values.activePowerImport).toBeLessThan(10_000)
  })

  test('a reader that draws too much trips the port: silent for a minute', async () => {
    await using line = await listen(h3e)
    await pass(3 * second)
    line.device.command({ do: 'draw', milliamps: 29 })
    await pass(4 * second)
    const before = line.heard.readings.length
    line.device.command({ do: 'draw', milliamps: 31 })
    await pass(59 * second)
    expect(line.heard.readings.length).toBe(before)
    await pass(4 * second)
    expect(line.heard.readings.length).toBeGreaterThan(before)
  })
})

describe('every meter of the fixtures', () => {
  const folder = join(import.meta.dirname, '../../../fixtures/personalities')
  const names = readdirSync(folder)
    .filter((f) => /^(kaifa|aidon|kamstrup)-/.test(f))
    .map((f) => f.slice(0, -5))

  test('there is one for each dialect', () => {
    const there = new Set(names.map((n) => readPersonality(n, meterSchema).dialect))
    expect([...there].toSorted()).toEqual([...dialects].toSorted())
  })

  test.each(names)('%s: its lists are heard, and say what it said', async (name) => {
    const p = readPersonality(name, meterSchema)
    const c = p.cipher
    const keys =
      c === undefined
        ? undefined
        : new Map([
            [
              c.system_title.toLowerCase(),
              {
                encryption: Buffer.from(c.encryption_key, 'hex'),
                ...(c.authentication_key === undefined
                  ? {}
                  : { authentication: Buffer.from(c.authentication_key, 'hex') }),
              },
            ],
          ])
    await using line = await listen(p, 3, keys)
    await pass(70 * second)
    const said = line.events.filter((e) => e.kind === 'said').map((e) => e.data as unknown as Said)
    expect(line.heard.flaws).toEqual([])
    expect(line.heard.readings.length).toBe(said.length)
    expect(said.length).toBeGreaterThanOrEqual(6)
    const energyStep = p.energy_step
    for (const [i, { reading }] of line.heard.readings.entries()) {
      const { answers, asked } = said[i] ?? { answers: {}, asked: { bytes: 0 } }
      for (const [q, [shown]] of Object.entries(answers)) {
        const key =
          /^[a-z0-9_]+/.exec(q)?.[0].replaceAll(/_([a-z])/g, (_, c: string) => c.toUpperCase()) ?? ''
        const heard = (reading.values as Record<string, number | undefined>)[key]
        // Kamstrup's step of ten is the reader's usual one; a Swedish meter's is told to the reader.
        expect(heard, `${name} ${q}`).toBeCloseTo(
          p.dialect === 'kamstrup' && energyStep === 1 && q.includes('energy') ? shown * 10 : shown,
          6,
        )
      }
      expect(Object.keys(answers).length, name).toBeGreaterThan(0)
      expect(line.heard.readings[i]?.bytes, `${name} list ${asked.list ?? ''}`).toBe(asked.bytes)
    }
  })

  test('a ciphered meter never uses a counter twice, nor after it was made anew', async () => {
    const p = readPersonality('kaifa-ma309m', meterSchema)
    const counters: number[] = []
    for (let life = 0; life < 3; life++) {
      await using played = await play(createMeter(p), 5)
      const assembler = createPushAssembler({
        message: (m) => counters.push(m.ciphered?.invocationCounter ?? -1),
      })
      const mbus = createMbusReceiver({ frame: (f) => assembler.mbus(f) })
      played.connect().conn.onBytes((b) => mbus.push(b))
      await pass(31 * second)
    }
    expect(counters.length).toBeGreaterThan(15)
    expect(new Set(counters).size).toBe(counters.length)
    expect(counters.toSorted((a, b) => a - b)).toEqual(counters)
  })
})
