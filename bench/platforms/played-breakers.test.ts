import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Json } from '../../drivers/faces.ts'
import { flagsOf, playBreakers } from './played-breakers.ts'
import type { PlayedBreakers } from './played-breakers.ts'

const told: { alias: string; topic: string; value: Json; valid: Json; stamp: number }[] = []
let breakers: PlayedBreakers

beforeEach(() => {
  vi.useFakeTimers({ now: 1_515_974_400_700 })
  told.length = 0
  breakers = playBreakers({
    topics: 'spec',
    now: () => Date.now(),
    publish: async (alias, topic, text) => {
      const p = JSON.parse(text) as { Value: Json; Valid: Json; Timestamp: number }
      told.push({ alias, topic, value: p.Value, valid: p.Valid, stamp: p.Timestamp })
    },
  })
})
afterEach(() => {
  breakers.close()
  vi.useRealTimers()
})
const command = (phase: string, text: string): void =>
  breakers.obey(`algorithm/data/eatl_loadsense_01/control/${phase}`, text)
const close = '{"Timestamp":1,"Value":true,"Valid":true}'
const last = (alias: string): Json | undefined => told.findLast((t) => t.alias === alias)?.value

test('the status word has its contacts and flags at the places of the stand-in', () => {
  expect([flagsOf('closed', []), flagsOf('open', []), flagsOf('between', [])]).toEqual([1, 2, 0])
  expect(flagsOf('open', ['lockout', 'local-control'])).toBe(2 + 4 + 256)
})

test('a healthy one does what it is told, and what happens is on record', async () => {
  command('l2', close)
  expect([last('meshing.operation.l2.command'), last('meshing.operation.l2.before')]).toEqual([true, false])
  await vi.advanceTimersByTimeAsync(600)
  expect(breakers.isClosed('l2')).toBe(true)
  expect(breakers.isClosed('l1')).toBe(false)
  expect([last('meshing.operation.l2.after'), last('meshing.operation.l2.result')]).toEqual([true, 0])
  expect(last('alvin.l2.fault_status')).toBe(1)
  expect(last('alvin.l2.cable_voltage')).toBe(241)
})

test.each([
  ['stuck', false, 4],
  ['lies', true, 0],
] as const)('one that is %s does nothing, and its record says %s', async (does, after, result) => {
  breakers.set({ l1: { does } })
  command('l1', close)
  await vi.advanceTimersByTimeAsync(600)
  expect(breakers.isClosed('l1')).toBe(false)
  expect([last('meshing.operation.l1.after'), last('meshing.operation.l1.result')]).toEqual([after, result])
  await breakers.tell()
  expect(last('alvin.l1.fault_status')).toBe(2)
})

test('of a silent one nothing is heard after its command', async () => {
  breakers.set({ all: { does: 'silent' } })
  command('l3', close)
  await vi.advanceTimersByTimeAsync(5000)
  expect(told.map((t) => t.alias)).toEqual(['meshing.operation.l3.command', 'meshing.operation.l3.before'])
})

test('readings are as they are asked for: not valid, old, or none', async () => {
  breakers.set({ l1: { valid: false }, l2: { old: 50 }, l3: { silent: true } })
  await breakers.tell()
  expect(told.filter((t) => t.alias.startsWith('alvin.l1')).every((t) => t.valid === false)).toBe(true)
  expect(told.find((t) => t.alias === 'alvin.l2.fault_status')).toMatchObject({
    stamp: 1_515_974_350,
    topic: 'sensor/data/eatl_lvmeshing_01/L2/MHR_SHADOW_FAULT_STATUS',
  })
  expect(told.some((t) => t.alias.startsWith('alvin.l3'))).toBe(false)
})

test('what is no valid command to a phase moves nothing', async () => {
  for (const text of ['', 'x', 'null', '{}', '{"Value":1,"Valid":true}', '{"Value":true,"Valid":false}'])
    command('l1', text)
  command('l4', close)
  await vi.advanceTimersByTimeAsync(1000)
  expect(told).toEqual([])
  expect(breakers.isClosed('l1')).toBe(false)
})
