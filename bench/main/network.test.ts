import { isIPv4 } from 'node:net'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addressOf } from '../rigs/address.ts'
import { networkOf } from './network.ts'

/** Linux on 64 bits: process numbers end below this (proc(5), pid_max). */
const pids = fc.integer({ min: 1, max: 4_194_303 })
const own = { network: 'own' }

describe('the network of a rig', () => {
  test('is the one that the rig names', () => {
    expect(networkOf({ network: '10.77.0' }, 4711)).toBe('10.77.0')
  })

  test('of its own is legal, and on loopback, for every process and place', () => {
    fc.assert(
      fc.property(pids, fc.integer({ min: 2, max: 250 }), (pid, at) => {
        const address = addressOf(networkOf(own, pid), at)
        expect(isIPv4(address)).toBe(true)
        // Between what the system uses (127.0, 127.1) and what the world in real time gives to other addresses' owners.
        expect(address).toMatch(/^127\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.\d+\.\d+$/)
      }),
    )
  })

  test('of its own is never that of another bench, where fewer than 16,384 processes were born between them', () => {
    const near = fc.tuple(pids, fc.integer({ min: 1, max: 16_383 }))
    fc.assert(
      fc.property(near, ([pid, apart]) => {
        expect(networkOf(own, pid + apart)).not.toBe(networkOf(own, pid))
      }),
      { numRuns: 2000 },
    )
    const all = new Set(Array.from({ length: 16_384 }, (_, i) => networkOf(own, 100_000 + i)))
    expect(all.size).toBe(16_384)
  })

  test('of its own is that of this process unless another is named', () => {
    expect(networkOf(own)).toBe(networkOf(own, process.pid))
  })
})
