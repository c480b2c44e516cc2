import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { digestOf, fileOf } from './file-to-read.ts'

test('a file made from a seed has the same bytes wherever its reading begins', () => {
  const file = fileOf(70_000, 0.25)
  const whole = Buffer.from(file.read(0, file.size))
  expect(whole).toHaveLength(70_000)
  fc.assert(
    fc.property(fc.nat(70_000), fc.nat(70_000), (a, b) => {
      const [from, to] = a < b ? [a, b] : [b, a]
      expect(whole.subarray(from, to).equals(file.read(from, to))).toBe(true)
    }),
  )
})

test('no packing makes it small, and another seed has other bytes', () => {
  const bytes = fileOf(100_000, 0.5).read(0, 100_000)
  expect(gzipSync(bytes).length).toBeGreaterThan(100_000)
  expect(Buffer.from(fileOf(100_000, 0.75).read(0, 100_000)).equals(bytes)).toBe(false)
})

test('the digest of a file that is read in parts is that of all its bytes', () => {
  for (const size of [0, 1, 1_048_576, 2_500_001]) {
    const file = fileOf(size, 0.125)
    expect(digestOf(file)).toBe(createHash('sha256').update(file.read(0, size)).digest('hex'))
  }
})
