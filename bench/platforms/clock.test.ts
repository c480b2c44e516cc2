import { expect, test } from 'vitest'
import type { Host, Json } from '../../drivers/faces.ts'
import { playClock } from './clock.ts'

function bench(can: boolean) {
  let now = 1_500_000_000_000
  const set: { stepMs?: number; ppm?: number }[] = []
  const events: [kind: string, data: Json][] = []
  const host = {
    name: 'platform',
    can: new Set(can ? ['skew'] : []),
    clock: (c: { stepMs?: number; ppm?: number }) => void set.push(c),
  } as unknown as Host
  const clock = playClock(
    host,
    () => now,
    (kind, data) => {
      events.push([kind, data])
      return events.length
    },
  )
  return { clock, set, events, pass: (ms: number) => void (now += ms) }
}

test('a step is put on and taken off again, once', () => {
  const b = bench(true)
  const f = b.clock.inflict('stepped', { seconds: -30 })
  expect(b.clock.offset()).toBe(-30_000)
  f.lift()
  f.lift()
  expect(b.set).toEqual([
    { stepMs: -30_000, ppm: 0 },
    { stepMs: 30_000, ppm: 0 },
  ])
  expect(b.clock.offset()).toBe(0)
  expect(b.events.filter(([k]) => k === 'fault').map(([, d]) => (d as { phase: string }).phase)).toEqual([
    'on',
    'lifted',
  ])
})

test('a drift adds up, and lifting takes off what it came to', () => {
  const b = bench(true)
  const f = b.clock.inflict('lying', { ppm: 1000 })
  b.pass(60_000)
  expect(b.clock.offset()).toBe(60)
  f.lift()
  expect(b.set.at(-1)).toEqual({ stepMs: -60, ppm: 0 })
  b.pass(60_000)
  expect(b.clock.offset()).toBe(0)
})

test('unset begins with 1970, and a second fault puts the first aside', () => {
  const b = bench(true)
  const first = b.clock.inflict('unset')
  expect(b.clock.offset()).toBe(-1_500_000_000_000)
  const second = b.clock.inflict('stepped', { seconds: 3600 })
  expect(b.clock.offset()).toBe(3_600_000)
  first.lift()
  expect(b.clock.offset()).toBe(3_600_000)
  second.lift()
  expect(b.clock.offset()).toBe(0)
})

test('a host whose clock cannot be set is left alone, and it says so', () => {
  const b = bench(false)
  b.clock.inflict('stepped', { seconds: 1 }).lift()
  expect([b.clock.can, b.set.length, b.clock.offset()]).toEqual([false, 0, 0])
  expect(b.events).toEqual([['note', expect.objectContaining({ fault: 'stepped' })]])
})

test('unknown faults and parameters that do not fit are refused', () => {
  const b = bench(true)
  expect(() => b.clock.inflict('gone')).toThrow(
    /no fault 'gone'; there are: absent, stepped, drifting, lying, unset/,
  )
  expect(() => b.clock.inflict('toString')).toThrow(/no fault/)
  expect(() => b.clock.inflict('stepped', { seconds: 'x' })).toThrow(/parameters of clock fault 'stepped'/)
  expect(b.events).toEqual([])
})
