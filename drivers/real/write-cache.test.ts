import fc from 'fast-check'
import { expect, test } from 'vitest'
import { writeCache } from './write-cache.ts'
import type { Medium } from './write-cache.ts'
import { sectorBytes } from './write-log.ts'

const sectors = 16

function memory(): Medium & { readonly bytes: Buffer } {
  const bytes = Buffer.alloc(sectors * sectorBytes)
  return {
    bytes,
    read: (at, length) => Buffer.from(bytes.subarray(at, at + length)),
    write: (at, b) => bytes.set(b, at),
  }
}

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ at: fc.nat(sectors - 1), n: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 1, arbitrary: fc.constant('flush' as const) },
)

test('after a loss each sector holds what was flushed last, or one of those written since; without one, the last', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), fc.nat(), (steps, seed) => {
      const medium = memory()
      const cache = writeCache({ medium, seed })
      /** Of each sector: what it may hold, the last one as it reads with power. */
      const may = Array.from({ length: sectors }, () => [0])
      let value = 0
      for (const s of steps) {
        if (s === 'flush') {
          cache.flush()
          for (const [i, m] of may.entries()) may[i] = m.slice(-1)
        } else
          for (let i = s.at; i < Math.min(sectors, s.at + s.n); i++) {
            value = (value + 1) % 251
            cache.write(i * sectorBytes, new Uint8Array(sectorBytes).fill(value))
            may[i]?.push(value)
          }
        for (const [i, m] of may.entries()) expect(cache.read(i * sectorBytes, 1)[0]).toBe(m.at(-1))
      }
      cache.lose()
      const before = cache.read(0, sectors * sectorBytes)
      cache.write(0, new Uint8Array(sectorBytes).fill(252))
      cache.flush()
      // Whoever is still at work sees its own writes, and no other change.
      expect(cache.read(0, 1)[0]).toBe(252)
      expect(cache.read(sectorBytes, before.length - sectorBytes)).toEqual(before.subarray(sectorBytes))
      cache.restore()
      let [kept, lost] = [0, 0]
      for (const [i, m] of may.entries()) {
        const found = cache.read(i * sectorBytes, sectorBytes)
        expect(m).toContain(found[0])
        expect(new Set(found).size).toBe(1)
        if (m.length > 1) {
          if (m.slice(1).includes(found[0] ?? -1)) kept++
          else lost++
        }
      }
      expect(cache.figures).toMatchObject({ kept, lost })
    }),
  )
})

test('what is lost follows from the seed and the order of writing, and not from the places', () => {
  const left = (seed: number, places: readonly number[]): Buffer => {
    const medium = memory()
    const cache = writeCache({ medium, seed })
    for (const p of places) cache.write(p * sectorBytes, new Uint8Array(sectorBytes).fill(p + 1))
    cache.lose()
    cache.restore()
    return medium.bytes
  }
  const places = Array.from({ length: sectors }, (_, i) => i)
  const outcomes = new Set<string>()
  for (let seed = 0; seed < 20; seed++) {
    const there = (order: readonly number[]): boolean[] => {
      const found = left(seed, order)
      return order.map((p) => found[p * sectorBytes] !== 0)
    }
    expect(there(places)).toEqual(there(places.toReversed()))
    outcomes.add(left(seed, places).toString('hex'))
  }
  expect(outcomes.size).toBeGreaterThan(5)
})

test('part of a sector leaves the rest of it as it was', () => {
  const cache = writeCache({ medium: memory(), seed: 1 })
  cache.write(0, new Uint8Array(2 * sectorBytes).fill(1))
  cache.write(500, new Uint8Array(20).fill(2))
  expect([...cache.read(499, 22)]).toEqual([1, ...Array.from({ length: 20 }, () => 2), 1])
})

test('a cache that is full lets what has waited longest go to the medium', () => {
  const medium = memory()
  const cache = writeCache({ medium, seed: 1, sectors: 4 })
  for (let i = 0; i < 6; i++) cache.write(i * sectorBytes, new Uint8Array(sectorBytes).fill(i + 1))
  expect([0, 1, 2, 3, 4, 5].map((i) => medium.bytes[i * sectorBytes])).toEqual([1, 2, 0, 0, 0, 0])
  expect(cache.read(0, 6 * sectorBytes).filter((_, i) => i % sectorBytes === 0)).toEqual(
    Buffer.from([1, 2, 3, 4, 5, 6]),
  )
})

test('power goes at the flush that it is to go at, and that flush is not done', () => {
  const medium = memory()
  const cache = writeCache({ medium, seed: 0 })
  cache.loseAtFlush(2)
  cache.write(0, new Uint8Array(sectorBytes).fill(1))
  cache.flush()
  expect(cache.powered).toBe(true)
  cache.write(0, new Uint8Array(sectorBytes).fill(2))
  cache.flush()
  expect(cache.powered).toBe(false)
  expect(medium.bytes[0]).toBe(1)
  cache.restore()
  expect([1, 2]).toContain(medium.bytes[0])
  cache.loseAtFlush(1)
  cache.loseAtFlush(0)
  cache.flush()
  expect(cache.powered).toBe(true)
})
