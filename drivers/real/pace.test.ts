import { assert, asyncProperty, double, float, integer, array, property } from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createAddresses } from './addresses.ts'
import { atOrAfter, benchNow } from './clock.ts'
import { characterMs, createDirection, createDue } from './pace.ts'

describe('the time of a character', () => {
  test('counts start, data, parity and stop bits', () => {
    // MODBUS over Serial Line V1.02, 2.5.1: RTU characters have 11 bits, with parity or a second stop bit in its place.
    expect(characterMs({ baudRate: 9600, dataBits: 8, parity: 'even', stopBits: 1 })).toBeCloseTo(11 / 9.6, 9)
    expect(characterMs({ baudRate: 9600, dataBits: 8, parity: 'none', stopBits: 2 })).toBeCloseTo(11 / 9.6, 9)
    expect(characterMs({ baudRate: 2400, dataBits: 8, parity: 'odd', stopBits: 1 })).toBeCloseTo(4.583, 3)
    expect(characterMs({ baudRate: 300, dataBits: 7, parity: 'even', stopBits: 1 })).toBeCloseTo(100 / 3, 9)
  })
})

describe('one direction of a line', () => {
  test('carries runs one after another, none before it was asked for', () => {
    assert(
      property(
        array(
          integer({ min: 0, max: 300 }).chain((n) =>
            float({ min: 0, max: 1000, noNaN: true }).map((gap) => ({ n, gap })),
          ),
        ),
        (runs) => {
          const direction = createDirection(1.5)
          let at = 0
          let free = 0
          for (const { n, gap } of runs) {
            at += gap
            const slot = direction(n, at)
            expect(slot.start).toBe(Math.max(at, free))
            expect(slot.end).toBeCloseTo(slot.start + n * 1.5, 6)
            free = slot.end
          }
        },
      ),
    )
  })
})

describe('what waits for its instant', () => {
  test('never comes early', async () => {
    await assert(
      asyncProperty(double({ min: 0, max: 4, noNaN: true }), async (ms) => {
        const due = benchNow() + ms
        await new Promise<void>((done) => {
          atOrAfter(due, benchNow, done)
        })
        expect(benchNow()).toBeGreaterThanOrEqual(due)
      }),
      { numRuns: 40 },
    )
  })

  test('comes in the order in which it was asked for, and not at all once cleared', async () => {
    const due = createDue(benchNow)
    const came: number[] = []
    const t = benchNow()
    await new Promise<void>((done) => {
      due.when(t + 2, () => came.push(1))
      due.when(t + 1, () => came.push(2))
      due.when(t + 3, () => {
        came.push(3)
        due.when(t, () => came.push(4))
        due.when(t, () => {
          done()
          due.clear()
        })
        due.when(t, () => came.push(5))
      })
    })
    await new Promise((done) => {
      setImmediate(done)
    })
    expect(came).toEqual([1, 2, 3, 4])
  })
})

describe('addresses', () => {
  test('are loopback ones, the same for the same name, and apart for benches apart', () => {
    const one = createAddresses(1234)
    const two = createAddresses(1235)
    expect(one('10.0.0.1')).toBe(one('10.0.0.1'))
    expect(one('10.0.0.1')).not.toBe(one('10.0.0.2'))
    expect(one('10.0.0.1')).not.toBe(two('10.0.0.1'))
    expect(one('127.0.0.5')).toBe('127.0.0.5')
    assert(
      property(integer({ min: 1, max: 4_194_304 }), (pid) => {
        const octets = createAddresses(pid)('a').split('.').map(Number)
        expect(octets.length).toBe(4)
        expect(octets[0]).toBe(127)
        expect(octets[1]).toBeGreaterThan(0)
        for (const o of octets) expect(o).toBeLessThanOrEqual(255)
      }),
    )
  })

  test('run out by name, not by a wrong one', () => {
    const one = createAddresses(1)
    for (let i = 0; i < 253; i++) one(`host ${i}`)
    expect(() => one('one more')).toThrow('no address left')
  })
})
