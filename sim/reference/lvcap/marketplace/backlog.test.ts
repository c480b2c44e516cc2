import { Duplex } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { unhurried } from './backlog.ts'

/** A connection whose other side takes what it is let. */
function connection(): { readonly stream: Duplex; readonly take: () => void } {
  const waiting: (() => void)[] = []
  const stream = new Duplex({
    read() {},
    write(_chunk, _encoding, done) {
      waiting.push(done)
    },
  })
  return { stream, take: () => waiting.shift()?.() }
}

const limits = { seconds: 5, bytes: 1_000_000 }
const much = Buffer.alloc(100_000)

describe('a connection that nobody waits for', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  test('always takes the next message', () => {
    const { stream } = connection()
    unhurried(stream, limits, () => {})
    for (let n = 0; n < 5; n++) expect(stream.write(much)).toBe(true)
    expect(stream.writableLength).toBe(500_000)
    stream.destroy()
  })

  test('is dropped once when it has taken nothing for so long, and not before', () => {
    const { stream } = connection()
    const dropped: string[] = []
    unhurried(stream, limits, (why) => dropped.push(why))
    stream.write(much)
    stream.write(much)
    vi.advanceTimersByTime(4_900)
    expect(dropped).toEqual([])
    vi.advanceTimersByTime(10_000)
    expect(dropped).toEqual(['it has taken nothing for 5 s, and 200000 B wait for it'])
  })

  test('is kept as long as it takes something, however slowly, and left alone when nothing waits', async () => {
    const { stream, take } = connection()
    const dropped: string[] = []
    unhurried(stream, limits, (why) => dropped.push(why))
    for (let n = 0; n < 8; n++) stream.write(much)
    for (let n = 0; n < 8; n++) {
      await vi.advanceTimersByTimeAsync(4_000)
      take()
    }
    await vi.advanceTimersByTimeAsync(60_000)
    expect(dropped).toEqual([])
    expect(vi.getTimerCount()).toBe(0)
    stream.write('a message that is taken late')
    stream.destroy()
  })

  test('is dropped at once where more waits for it than may', () => {
    const { stream } = connection()
    const dropped: string[] = []
    unhurried(stream, limits, (why) => dropped.push(why))
    for (let n = 0; n < 11; n++) stream.write(much)
    expect(dropped).toEqual(['1100000 B wait for it'])
    stream.destroy()
    expect(vi.getTimerCount()).toBe(0)
  })
})
