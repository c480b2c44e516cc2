/**
 * Shows that a seed gives one trace: the reference scenario many times, under load, with both ways of draining, cold
 * and as the fifth run of a warm process. `node drivers/virtual/determinism.ts [runs] [minutes] [burners]`; ends with
 * 1 where any trace differs, and prints the first difference.
 */
import { spawn } from 'node:child_process'
import type { Json } from '../faces.ts'
import { makeTestPki, type TestPki } from './cases/certificates.ts'
import { runInChild } from './child.ts'

export interface DeterminismOptions {
  readonly runs: number
  /** Simulated minutes of each run. */
  readonly minutes: number
  /** Processes that keep the CPUs busy meanwhile. */
  readonly burners: number
  readonly seed?: number
}

export interface DeterminismResult {
  /** How each run was made, and its hash. */
  readonly runs: readonly { readonly how: string; readonly hash: string; readonly events: number }[]
  readonly hashes: number
  readonly escapes: number
  /** Hash of another seed: it must be another. */
  readonly other: string
  readonly same: boolean
}

interface Outcome {
  [k: string]: Json
  hash: string
  events: number
  escapes: Json[]
}

/** Runs it, and says whether all hashes are one and another seed's is not. */
export async function checkDeterminism(o: DeterminismOptions): Promise<DeterminismResult> {
  const pki = makeTestPki()
  const seed = o.seed ?? 42
  const burners = Array.from({ length: o.burners }, () =>
    spawn(
      process.execPath,
      [
        '-e',
        'setTimeout(() => process.exit(), 600_000); for (;;) { if (process.ppid === 1) process.exit() }',
      ],
      {
        stdio: 'ignore',
      },
    ),
  )
  const stop = (): void => {
    for (const b of burners) b.kill('SIGKILL')
  }
  process.once('exit', stop)
  try {
    const made: { how: string; outcome: Outcome }[] = []
    for (let i = 0; i < o.runs; i++) {
      const drain = i % 2 === 0 ? 'sync' : 'turn'
      const times = i % 4 < 2 ? 1 : 5
      const outcome = await once(pki, o.minutes, times, seed, drain)
      made.push({ how: `${drain}, ${times === 1 ? 'cold' : 'fifth in a warm process'}`, outcome })
    }
    const other = await once(pki, o.minutes, 1, seed + 1, 'sync')
    const texts = new Set(made.map((m) => JSON.stringify(m.outcome)))
    return {
      runs: made.map((m) => ({ how: m.how, hash: m.outcome.hash, events: m.outcome.events })),
      hashes: texts.size,
      escapes: made.reduce((n, m) => n + m.outcome.escapes.length, 0),
      other: other.hash,
      same: texts.size === 1 && other.hash !== made[0]?.outcome.hash,
    }
  } finally {
    stop()
    process.off('exit', stop)
  }
}

function once(
  pki: TestPki,
  minutes: number,
  times: number,
  seed: number,
  drain: 'sync' | 'turn',
): Promise<Outcome> {
  return runInChild<Outcome>({
    module: new URL('cases/reference.case.ts', import.meta.url),
    arg: { pki: pki as never, minutes, times },
    kernel: { seed, epoch: Date.UTC(2018, 0, 15), drain, shuffle: true },
    within: 600_000,
  })
}

if (import.meta.main) {
  const [runs = '20', minutes = '30', burners = '4'] = process.argv.slice(2)
  const r = await checkDeterminism({ runs: Number(runs), minutes: Number(minutes), burners: Number(burners) })
  for (const x of r.runs) process.stdout.write(`${x.hash} ${x.events} events (${x.how})\n`)
  process.stdout.write(`${r.other} another seed\n${r.hashes} different outcome(s), ${r.escapes} escapes\n`)
  if (!r.same || r.escapes > 0) process.exitCode = 1
}
