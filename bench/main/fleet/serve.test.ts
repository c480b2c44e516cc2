import { once } from 'node:events'
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { expect, onTestFinished, test, vi } from 'vitest'
import { benchNow } from '../../../drivers/real/clock.ts'
import { createFleet } from '../../../sim/devices/meter/fleet.ts'
import { meterSchema } from '../../../sim/devices/meter/personality.ts'
import { readPersonality } from '../../../sim/devices/personality.ts'
import { createDecoder } from '../listen/decode.ts'
import { createLateness } from './lateness.ts'
import { serveFleet } from './serve.ts'
import type { Serving } from './serve.ts'

async function serve(count: number, portEach = false): Promise<Serving> {
  const fleet = createFleet({
    personalities: [readPersonality('kamstrup-6841', meterSchema)],
    count,
    seed: 1,
    spreadMs: 0,
    start: benchNow(),
  })
  // Every list is as if it were due at once.
  const soon = { ...fleet, next: (m: number, t: number) => ({ ...fleet.next(m, t), due: t + 5 }) }
  const serving = await serveFleet({ fleet: soon, host: '127.0.0.1', port: 0, portEach })
  onTestFinished(() => serving[Symbol.asyncDispose]())
  return serving
}

/** The number of the meter at the other end. */
async function meterAt(port: number): Promise<{ socket: Socket; meter: string | undefined }> {
  const socket = connect({ host: '127.0.0.1', port })
  const found = Promise.withResolvers<string | undefined>()
  const d = createDecoder({}, (h) => {
    if (h.what === 'list') found.resolve(h.reading.meterId)
  })
  socket.on('data', (b: Buffer) => d.push(b, 0))
  socket.on('error', found.reject)
  socket.on('close', () => found.resolve(undefined))
  return { socket, meter: await found.promise }
}

test('each connection gets a meter, in order; the last ones none; one that left is given again', async () => {
  const s = await serve(2)
  const a = await meterAt(s.port)
  const b = await meterAt(s.port)
  expect([a.meter, b.meter]).toEqual(['5706567200000001', '5706567200000002'])
  expect((await meterAt(s.port)).meter).toBe(undefined)
  expect(s.figures).toMatchObject({ connected: 2, refused: 1 })
  a.socket.end()
  await once(a.socket, 'close')
  const again = await meterAt(s.port)
  expect(again.meter).toBe('5706567200000001')
  expect(s.figures.lists).toBeGreaterThanOrEqual(3)
  expect(s.figures.lateness.count).toBeGreaterThanOrEqual(3)
  s.restart()
  expect(s.figures.lateness.count).toBe(0)
})

test('on ports of their own a meter is heard by all who come', async () => {
  const s = await serve(1, true)
  const all = await Promise.all([meterAt(s.port), meterAt(s.port)])
  expect(all.map((x) => x.meter)).toEqual(['5706567200000001', '5706567200000001'])
})

test('registers count on while nobody listens, and no longer than it serves', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  onTestFinished(() => void vi.useRealTimers())
  const told: number[] = []
  const fleet = createFleet({
    personalities: [readPersonality('kamstrup-6841', meterSchema)],
    count: 1,
    seed: 1,
    spreadMs: 0,
    start: benchNow(),
  })
  const serving = await serveFleet({
    fleet: { ...fleet, countOn: (now) => void told.push(now) },
    host: '127.0.0.1',
    port: 0,
    portEach: false,
  })
  vi.advanceTimersByTime(3000)
  await serving[Symbol.asyncDispose]()
  vi.advanceTimersByTime(3000)
  expect(told).toHaveLength(3)
})

test('lateness is told to a tenth of a millisecond', () => {
  const l = createLateness()
  expect(l.value).toEqual({ count: 0, p50: 0, p99: 0, most: 0 })
  for (let i = 0; i < 1000; i++) l.add(i < 985 ? 1.05 : 7.33)
  l.add(9000)
  expect(l.value.p50).toBeCloseTo(1.1, 5)
  expect(l.value.p99).toBeCloseTo(7.4, 5)
  expect(l.value.most).toBe(9000)
})
