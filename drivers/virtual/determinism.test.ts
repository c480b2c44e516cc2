import { expect, test } from 'vitest'
import { checkDeterminism } from './determinism.ts'

/** Runs to compare; 4 unless GRIDPROOF_RUNS says otherwise (the script beside this file makes 20 under load). */
const runs = Number(process.env['GRIDPROOF_RUNS'] ?? 4)

test(`${runs} runs of one seed give one trace: both drains, cold and as the fifth of a process; another seed differs`, async () => {
  const r = await checkDeterminism({ runs, minutes: 5, burners: 0 })
  expect(r.escapes).toBe(0)
  expect(r.hashes).toBe(1)
  expect(new Set(r.runs.map((x) => x.how)).size).toBe(Math.min(runs, 4))
  expect(r.other).not.toBe(r.runs[0]?.hash)
  expect(r.runs[0]?.events).toBeGreaterThan(1000)
})
