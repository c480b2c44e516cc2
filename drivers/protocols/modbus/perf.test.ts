import { expect, test } from 'vitest'
import { cannotMeasure, measureModbus } from './perf.ts'

const reason = cannotMeasure()
const why = reason === undefined ? '' : ` (skipped: ${reason})`

// whether it is fast enough is judged by `npm run perf` on a quiet machine; here only that the measurement works
test.skipIf(reason !== undefined)(
  `the measurement runs: both servers answer every request rightly${why}`,
  async () => {
    const lines: string[] = []
    const r = await measureModbus({ rounds: 1, runMs: 100, warmMs: 50, print: (l) => lines.push(l) })
    if ('skipped' in r) throw new Error(r.skipped)
    expect(r.ours.requestsPerSecond).toBeGreaterThan(0)
    expect(r.peer.requestsPerSecond).toBeGreaterThan(0)
    expect(r.ratio).toBeGreaterThan(0)
    expect(lines.length).toBe(4)
  },
)
