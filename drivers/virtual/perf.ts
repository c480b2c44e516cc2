/** How fast virtual time is: the reference load, measured in a process of its own. */
import type { Json } from '../faces.ts'
import { runInChild } from './child.ts'

export interface VirtualSpeed {
  /** Simulated seconds per second of CPU time: the figure to trust on a noisy machine. */
  readonly perCpuSecond: number
  readonly perWallSecond: number
  readonly simulatedSeconds: number
  readonly cpuSeconds: number
  readonly wallSeconds: number
  readonly published: number
  readonly delivered: number
  readonly rows: number
  readonly reads: number
  readonly traceHash: string
  readonly traceEvents: number
  readonly escapes: number
}

/** The bar on a machine with two cores (simulated seconds per CPU second, full trace). */
export const speedBar = 2000

/** Runs the reference load for `hours` simulated hours (24 unless given). */
export async function measureVirtualTime(
  o: {
    readonly hours?: number
    readonly drain?: 'sync' | 'turn'
    readonly seed?: number
    readonly nodeArgs?: readonly string[]
  } = {},
): Promise<VirtualSpeed> {
  const r = await runInChild<Record<string, Json>>({
    module: new URL('perf.load.ts', import.meta.url),
    arg: { hours: o.hours ?? 24 },
    kernel: { seed: o.seed ?? 1, epoch: Date.UTC(2026, 0, 5), drain: o.drain ?? 'sync' },
    within: 600_000,
    ...(o.nodeArgs === undefined ? {} : { nodeArgs: o.nodeArgs }),
  })
  const n = (k: string): number => r[k] as number
  const report = r['report'] as { traceHash: string; traceEvents: number; escapes: unknown[] }
  return {
    perCpuSecond: n('simulatedSeconds') / n('cpuSeconds'),
    perWallSecond: n('simulatedSeconds') / n('wallSeconds'),
    simulatedSeconds: n('simulatedSeconds'),
    cpuSeconds: n('cpuSeconds'),
    wallSeconds: n('wallSeconds'),
    published: n('sent'),
    delivered: n('seen'),
    rows: n('rows'),
    reads: n('reads'),
    traceHash: report.traceHash,
    traceEvents: report.traceEvents,
    escapes: report.escapes.length,
  }
}

if (import.meta.main) {
  const hours = Number(process.argv[2] ?? 24)
  const result = await measureVirtualTime({ hours, drain: process.argv[3] === 'turn' ? 'turn' : 'sync' })
  process.stdout.write(`${JSON.stringify(result, null, 2)}\n`)
  if (hours >= 24 && result.perCpuSecond < speedBar) process.exitCode = 1
}
