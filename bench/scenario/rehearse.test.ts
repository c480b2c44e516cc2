import { expect, test, vi } from 'vitest'
import type { Check, Scenario } from '../faces.ts'
import { rehearse } from './rehearse.ts'

const check = (id: string): Check => ({
  id,
  verifies: ['M:0024/one-hour'],
  limit: 'none',
  needs: [],
  see: () => undefined,
  result: () => ({ verdict: 'pass', observed: {}, because: [] }),
})
const scenario = (run: Scenario['run'], needs: Scenario['needs'] = ['platform']): Scenario => ({
  title: 'A scenario that is only rehearsed',
  verifies: ['M:0024/one-hour'],
  needs,
  catches: {},
  horizon: '1 h',
  run,
})
const makeDevice = (): never => {
  throw new Error('no device was asked for')
}

test('a rehearsal tells the checks in the order of their declaration, and the loads that were named', async () => {
  const loads: string[] = []
  const checks = await rehearse({
    scenario: scenario(async (s) => {
      s.check(check('b'))
      s.load('winter-weekday')
      await s.platform.ask('config', { app: 'gridkey' })
      s.check(check('a'))
    }),
    horizonMs: 60_000,
    onLoad: (name) => void loads.push(name),
    makeDevice,
  })
  expect(checks.map((c) => c.id)).toEqual(['b', 'a'])
  expect(loads).toEqual(['winter-weekday'])
})

test('a rehearsal is of the length that it is given', async () => {
  let horizon = 0
  await rehearse({
    scenario: scenario(async ({ time }) => {
      horizon = time.horizon
    }),
    horizonMs: 1234,
    makeDevice,
  })
  expect(horizon).toBe(1234)
})

test('a scenario that waits by the clock for a later hour comes to its end', async () => {
  let turns = 0
  await rehearse({
    scenario: scenario(async ({ time }) => {
      const begin = time.now()
      while (time.now() - begin < 3_600_000) {
        turns++
        await time.pass(turns % 2 === 0 ? '10 min' : 600_000)
      }
    }),
    horizonMs: 60_000,
    makeDevice,
  })
  expect(turns).toBe(6)
})

test('what the scenario throws is thrown', async () => {
  const rehearsal = rehearse({
    scenario: scenario(() => Promise.reject(new Error('woe'))),
    horizonMs: 1,
    makeDevice,
  })
  await expect(rehearsal).rejects.toThrow('woe')
})

test('a run that never ends on paper is given up, whether it loops or waits', async () => {
  const wait = scenario(() => new Promise<void>(() => undefined))
  const loops = [
    scenario(async ({ platform }) => {
      while ((await platform.ask('csv', {})) !== 'done') continue
    }),
    scenario(async ({ time }) => {
      for (;;)
        try {
          await time.pass(1000)
        } catch {
          // Whatever it does with errors.
        }
    }),
  ]
  for (const s of loops)
    await expect(rehearse({ scenario: s, horizonMs: 1, makeDevice })).rejects.toMatchObject({
      code: 'bad-value',
      message: expect.stringContaining('does not come to an end'),
    })
  vi.useFakeTimers()
  try {
    const given = expect(rehearse({ scenario: wait, horizonMs: 1, makeDevice })).rejects.toMatchObject({
      code: 'bad-value',
    })
    await vi.runAllTimersAsync()
    await given
  } finally {
    vi.useRealTimers()
  }
})
