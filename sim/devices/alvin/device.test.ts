import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { getInt16 } from '../../../drivers/protocols/modbus/registers.ts'
import type { Json } from '../../../drivers/faces.ts'
import type { Alvin } from '../../faces.ts'
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

const [close, open] = [0xc105, 0x09e4]

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
