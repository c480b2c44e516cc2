import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { evidenceBytes, freeAt, tooLittleRoom } from './room.ts'

const hour = 3_600_000

describe('the room for the evidence of a run', () => {
  test('grows with the number of scenarios and with their length', () => {
    expect(evidenceBytes([])).toBe(0)
    expect(evidenceBytes([24 * hour])).toBe(245_000_000)
    expect(evidenceBytes([hour, hour])).toBe(2 * evidenceBytes([hour]))
  })

  test('is looked at where the folder will be, also before it is there', () => {
    const there = freeAt(tmpdir())
    expect(there).toBeGreaterThan(0)
    expect(freeAt(join(tmpdir(), 'not', 'yet', 'there'))).toBeGreaterThan(0)
  })

  test('that is too small is told, with figures and what to do', () => {
    expect(tooLittleRoom('runs', 2.5e9, 34.2e6)).toContain(
      "may take 2.5 GB, and 35 MB are free at 'runs': make room, give another --out",
    )
    expect(tooLittleRoom('runs', 2.5e9, 2.5e9)).toBeUndefined()
  })

  test('is told of a run of more than any disk holds', () => {
    const bytes = evidenceBytes(Array.from({ length: 1000 }, () => 1e9 * hour))
    expect(tooLittleRoom(tmpdir(), bytes)).toContain('make room')
  })
})
