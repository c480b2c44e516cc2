import { describe, expect, test } from 'vitest'
import { readConfig } from './config.ts'
import { commandsFor, progressOf } from './sequence.ts'
import { halfHours, valueAt, type Breaker, type Steps } from './situation.ts'

const config = readConfig({})
const start = 1_510_000_200
const now = start + 5

const halves = (values: readonly number[]): Steps => ({ start, interval: 1800, values })
const three = (more: Partial<Breaker>): [Breaker, Breaker, Breaker] => {
  const one: Breaker = {
    at: now - 5,
    state: 'open',
    bus: 240,
    cable: 238,
    fault: false,
    lockout: false,
    reclosing: false,
    localControl: false,
    unready: false,
    ...more,
  }
  return [one, one, one]
}

describe('the three commands', () => {
  const commands = commandsFor(true, now, config)
  const later = (seconds: number, more: Partial<Breaker> = {}): [Breaker, Breaker, Breaker] =>
    three({ at: now + seconds, state: 'closed', ...more })

  test('go to one phase each, at most a second apart', () => {
    expect(commands.map((k) => [k.phase, k.close])).toEqual([
      ['l1', true],
      ['l2', true],
      ['l3', true],
    ])
    for (const [i, k] of commands.entries()) expect(k.at - now).toBeCloseTo(0.5 * i, 9)
    expect(() => readConfig({ sequence: { between: 1.5 } })).toThrow(/between/)
  })

  test('are done once all three are read back closed, by readings from after them', () => {
    expect(progressOf(commands, later(2), now + 2, config)).toEqual({ is: 'done' })
    expect(progressOf(commands, later(0.7), now + 1, config)).toEqual({ is: 'waiting' })
    expect(progressOf(commands, three({ state: 'closed' }), now + 2, config)).toEqual({ is: 'waiting' })
  })

  test('are a discrepancy when one has not followed after 5 s', () => {
    const [a, b, d] = later(5)
    const stuck = [a, { ...b, state: 'open' as const }, d] as const
    expect(progressOf(commands, [...stuck], now + 6, config)).toEqual({ is: 'waiting' })
    expect(progressOf(commands, [...stuck], now + 6.1, config)).toEqual({
      is: 'discrepancy',
      phases: ['l2'],
    })
    const unsure = [a, { ...b, state: 'between' as const }, d] as const
    expect(progressOf(commands, [...unsure], now + 6.1, config)).toMatchObject({ is: 'discrepancy' })
  })
})

test('a value holds for its interval; before the first and after the last there is none', () => {
  const s = halves([1, 2])
  expect([start - 1, start, start + 1799, start + 1800, start + 3600].map((t) => valueAt(s, t))).toEqual([
    undefined,
    1,
    1,
    2,
    undefined,
  ])
  expect(valueAt(halves([Number.NaN]), start)).toBeUndefined()
  expect(halfHours(now, 3600)).toEqual([now, start + 1800, start + 3600])
})

test('a configuration of no sense is refused', () => {
  expect(() => readConfig({ voltage: { least: 260 } })).toThrow(/least/)
  expect(() => readConfig({ nonsense: 1 })).toThrow(/nonsense/)
})
