import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { onSchedule, within, type Schedule } from './schedule.ts'

beforeEach(() => {
  vi.useFakeTimers({ now: 0 })
})
afterEach(() => {
  vi.useRealTimers()
})

interface Seen {
  readonly outputs: { readonly k: number; readonly at: number; readonly tray: string[] }[]
  readonly prepared: { readonly k: number; readonly at: number; readonly ms: number }[]
  readonly missed: [number, number][]
}

function follow(
  schedule: Partial<Schedule> = {},
  prepare: (k: number, tray: string[]) => Promise<void> = () => Promise.resolve(),
): { readonly seen: Seen; readonly start: number; stop(): Promise<void> } {
  const seen: Seen = { outputs: [], prepared: [], missed: [] }
  const start = performance.now()
  const stop = onSchedule<string[]>(
    { interval: 60_000, ahead: 900, due: (k, interval) => k * interval, ...schedule },
    {
      tray: () => [],
      prepare: (k, ms, tray) => {
        seen.prepared.push({ k, at: performance.now() - start, ms })
        return prepare(k, tray)
      },
      perform: (k, tray) => seen.outputs.push({ k, at: performance.now() - start, tray: [...tray] }),
      missed: (from, to) => seen.missed.push([from, to]),
    },
  )
  return { seen, start, stop }
}

describe('work on a schedule', () => {
  test('begins one interval after the configuration, and prepares shortly before', async () => {
    const f = follow()
    await vi.advanceTimersByTimeAsync(180_000)
    expect(f.seen.outputs.map((o) => o.at)).toEqual([60_000, 120_000, 180_000])
    expect(f.seen.prepared).toEqual([
      { k: 1, at: 59_100, ms: 900 },
      { k: 2, at: 119_100, ms: 900 },
      { k: 3, at: 179_100, ms: 900 },
    ])
    await f.stop()
  })

  test('does not drift in a day', async () => {
    const f = follow()
    await vi.advanceTimersByTimeAsync(24 * 3_600_000)
    expect(f.seen.outputs.length).toBe(1_440)
    expect(f.seen.outputs.every((o) => o.at === o.k * 60_000)).toBe(true)
    await f.stop()
  })

  test('is on time although preparation never ends, and takes what is there', async () => {
    const f = follow({}, async (_k, tray) => {
      tray.push('half')
      await new Promise(() => {})
    })
    await vi.advanceTimersByTimeAsync(120_000)
    expect(f.seen.outputs).toEqual([
      { k: 1, at: 60_000, tray: ['half'] },
      { k: 2, at: 120_000, tray: ['half'] },
    ])
  })

  test('prepares at most half an interval ahead', async () => {
    const f = follow({ interval: 1_000, ahead: 5_000 })
    await vi.advanceTimersByTimeAsync(1_000)
    expect(f.seen.prepared[0]).toEqual({ k: 1, at: 500, ms: 500 })
    await f.stop()
  })

  test('is not moved by the clock being set', async () => {
    const f = follow()
    await vi.advanceTimersByTimeAsync(60_000)
    vi.setSystemTime(Date.now() - 3_600_000)
    await vi.advanceTimersByTimeAsync(60_000)
    vi.setSystemTime(Date.now() + 7_200_000)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(f.seen.outputs.map((o) => o.at)).toEqual([60_000, 120_000, 180_000])
    await f.stop()
  })

  test('tells what it missed, and does not make up for it in a burst', async () => {
    const clock = vi.spyOn(performance, 'now')
    const real = 0
    let now = real
    clock.mockImplementation(() => now)
    const f = follow()
    now = 59_100
    await vi.advanceTimersByTimeAsync(59_100)
    // The machine slept for three minutes and a half.
    now = 270_000
    await vi.advanceTimersByTimeAsync(900)
    expect(f.seen.outputs.map((o) => o.k)).toEqual([1])
    expect(f.seen.missed).toEqual([[2, 4]])
    await f.stop()
    clock.mockRestore()
  })

  test('does nothing any more once it is stopped', async () => {
    const f = follow()
    await vi.advanceTimersByTimeAsync(59_500)
    await f.stop()
    await vi.advanceTimersByTimeAsync(600_000)
    expect(f.seen.outputs).toEqual([])
    expect(vi.getTimerCount()).toBe(0)
  })

  test('keeps any interval', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 2, max: 600_000 }),
        fc.integer({ min: 1, max: 5_000 }),
        async (interval, ahead) => {
          const f = follow({ interval, ahead })
          await vi.advanceTimersByTimeAsync(5 * interval + 1)
          await f.stop()
          expect(f.seen.outputs.map((o) => o.k)).toEqual([1, 2, 3, 4, 5])
          for (const o of f.seen.outputs) expect(Math.abs(o.at - o.k * interval)).toBeLessThanOrEqual(1)
        },
      ),
      { numRuns: 50 },
    )
  })
})

describe('a deadline', () => {
  test('passes a value or an error on, and cuts waiting short', async () => {
    expect(await within(10, Promise.resolve(7), () => new Error('late'))).toBe(7)
    await expect(within(10, Promise.reject(new Error('x')), () => new Error('late'))).rejects.toThrow('x')
    const late = within(10, new Promise(() => {}), () => new Error('late'))
    const told = expect(late).rejects.toThrow('late')
    await vi.advanceTimersByTimeAsync(10)
    await told
    expect(vi.getTimerCount()).toBe(0)
  })
})
