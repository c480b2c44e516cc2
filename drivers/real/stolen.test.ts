import { describe, expect, test } from 'vitest'
import { spin } from './stolen-spin.ts'
import { startStolenProbe } from './stolen.ts'

/** A clock that goes on by given steps, again and again. */
function clockOf(steps: readonly number[]): () => number {
  let t = 0
  let i = 0
  return () => {
    t += steps[i++ % steps.length] ?? 0
    return t
  }
}

describe('a spin', () => {
  test('on a machine that gives all its time loses none', () => {
    expect(spin({ spinMs: 10, jumpMs: 0.1 }, clockOf([0.05])).stolen).toBe(0)
  })

  test('counts a jump of the clock as stolen, whole', () => {
    const { spun, stolen } = spin({ spinMs: 10, jumpMs: 0.1 }, clockOf([0.0625, 0.0625, 3]))
    expect(stolen).toBe(12)
    expect(spun).toBe(12 + 7 * 0.0625)
  })

  test('that is lost altogether has spun for as long as it was gone', () => {
    expect(spin({ spinMs: 10, jumpMs: 0.1 }, clockOf([0.01, 500]))).toEqual({
      spun: 500,
      stolen: 500,
    })
  })
})

test('the probe tells a share once it has spun, and ends', async () => {
  const probe = startStolenProbe({ spinMs: 0.5, everyMs: 1 })
  while (probe.share() === undefined)
    await new Promise((done) => {
      setImmediate(done)
    })
  expect(probe.share()).toBeGreaterThanOrEqual(0)
  expect(probe.share()).toBeLessThanOrEqual(1)
  await probe[Symbol.asyncDispose]()
  await probe[Symbol.asyncDispose]()
  expect(probe.share()).toBeLessThanOrEqual(1)
})
