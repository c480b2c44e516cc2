import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { stream } from '../random.ts'
import { crashState, decodeLog, encodeEntry, sectorBytes, type LogEntry } from './write-log.ts'

const write = (at: number, sectors: number, fill: number): LogEntry => ({
  kind: 'write',
  at,
  bytes: Buffer.alloc(sectors * sectorBytes, fill),
})
const log: readonly LogEntry[] = [
  write(0, 2, 1),
  { kind: 'flush' },
  write(4096, 8, 2),
  write(8192, 8, 3),
  { kind: 'mark', name: 'promised-0' },
  { kind: 'flush' },
  write(0, 1, 4),
]

describe('a log of writes', () => {
  test('is the same after it was coded and decoded', () => {
    const entry = fc.oneof(
      fc.record({
        kind: fc.constant('write' as const),
        at: fc.nat(),
        bytes: fc.uint8Array({ maxLength: 600 }),
      }),
      fc.record({ kind: fc.constant('flush' as const) }),
      fc.record({ kind: fc.constant('mark' as const), name: fc.string({ unit: 'grapheme' }) }),
    )
    fc.assert(
      fc.property(fc.array(entry), (entries) => {
        const back = decodeLog(Buffer.concat(entries.map(encodeEntry)))
        expect(back.map((e) => JSON.stringify(e.kind === 'write' ? [e.at, [...e.bytes]] : e))).toEqual(
          entries.map((e) => JSON.stringify(e.kind === 'write' ? [e.at, [...e.bytes]] : e)),
        )
      }),
    )
  })
  test('that is damaged is refused, whatever its bytes', () => {
    expect(() => decodeLog(Buffer.from([9, 0, 0]))).toThrow(/damaged at byte 0/)
    expect(() => decodeLog(encodeEntry(write(0, 1, 1)).subarray(0, 100))).toThrow(/damaged/)
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        try {
          decodeLog(bytes)
        } catch (e) {
          expect(e).toMatchObject({ code: 'bad-frame' })
        }
      }),
    )
  })
})

describe('a crash state', () => {
  test('misses nothing that was flushed before it, and keeps no sector from after it', () => {
    const random = stream(1, 'states')
    for (let n = 0; n < 500; n++) {
      const s = crashState(log, random)
      expect(s.index).toBeLessThanOrEqual(log.length)
      const flushes = log.slice(0, s.index).flatMap((e, i) => (e.kind === 'flush' ? [i] : []))
      expect(s.durable).toBe(flushes.at(-1) ?? 0)
      const pending = log.slice(s.durable, s.index).flatMap((e) => (e.kind === 'write' ? [e] : []))
      const sectors = pending.reduce((sum, w) => sum + w.bytes.length / sectorBytes, 0)
      expect(s.kept.length + s.lost).toBe(sectors)
      for (const k of s.kept) {
        expect(k.bytes).toHaveLength(sectorBytes)
        expect(pending.some((w) => w.at <= k.at && k.at < w.at + w.bytes.length)).toBe(true)
      }
      expect(s.marks.length > 0).toBe(s.index > 4)
    }
  })
  test('covers all, nothing, and something in between of what was not flushed', () => {
    const random = stream(2, 'states')
    const seen = Array.from({ length: 300 }, () => crashState(log, random)).filter((s) => s.index === 5)
    expect(seen.some((s) => s.lost === 0)).toBe(true)
    expect(seen.some((s) => s.kept.length === 0)).toBe(true)
    expect(seen.some((s) => s.lost > 0 && s.kept.length > 0)).toBe(true)
  })
  test('is the same for the same seed', () => {
    const some = (): string => {
      const random = stream(7, 'states')
      return JSON.stringify(Array.from({ length: 20 }, () => crashState(log, random, 2)))
    }
    expect(some()).toBe(some())
  })
})
