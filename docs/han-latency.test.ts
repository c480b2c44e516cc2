/** The figures of docs/han-latency.md are those of bytes on a line; the scenario's check holds measured ones to them. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { framesOf } from '../sim/devices/meter/frames.ts'
import { meterSchema } from '../sim/devices/meter/personality.ts'
import { readPersonality } from '../sim/devices/personality.ts'

const page = readFileSync(join(import.meta.dirname, 'han-latency.md'), 'utf8')
const rows = page
  .split('\n')
  .filter((l) => /^\| \d/.test(l))
  .map((l) =>
    l
      .split('|')
      .slice(1, -1)
      .map((c) => c.trim()),
  )

function bytesOf(list: 2 | 3): number {
  const p = readPersonality('kaifa-ma304h3e', meterSchema)
  const clock = { year: 2018, month: 5, day: 16, dayOfWeek: 3, hour: 13, minute: 0, second: 10 }
  const state = {
    meterId: p.id,
    meterType: p.model,
    values: {},
    clock: { ...clock, hundredths: 255, deviation: undefined, status: 0 },
  }
  const frames = framesOf(p, list, state, { invocationCounter: 1, lengthOverflow: false })
  return frames.reduce((n, f) => n + f.length, 0)
}

test('ours are the bits of 157 bytes at each rate, and fit 2 s where the page says so', () => {
  const bytes = bytesOf(3)
  expect(bytes).toBe(157)
  expect(rows.map((r) => Number(r[0]))).toEqual([300, 1200, 2400, 4800, 9600, 19200])
  for (const [rate, , , plain, even, fits] of rows) {
    const seconds = (bits: number): number => (bytes * bits) / Number(rate)
    expect(plain, `${rate} 8N1`).toBe(seconds(10).toFixed(2))
    expect(even, `${rate} 8E1`).toBe(seconds(11).toFixed(2))
    expect(fits, rate).toBe(seconds(11) < 2 ? 'yes' : 'no')
  }
})

test("the thesis's are 156 bytes of 8 bits, but for the first", () => {
  for (const [rate, thesis] of rows.slice(1)) expect(thesis, rate).toBe(((156 * 8) / Number(rate)).toFixed(2))
  expect(((156 * 8) / 300).toFixed(2)).toBe('4.16')
})

test('a List 2 at 300 baud is longer than its slot', () => {
  const bytes = bytesOf(2)
  expect(bytes).toBe(123)
  expect([(bytes * 10) / 300, (bytes * 11) / 300].map((s) => s.toFixed(1))).toEqual(['4.1', '4.5'])
})
