/** Plays a scenario with many seeds, a few at a time, and finds those at which it did not pass. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'

const command = join(import.meta.dirname, '../cli/gridproof.mjs')
/** Seeds of one call: what a call takes to begin is little beside them, and their evidence is not much. Ours. */
const atOnce = 20

export interface SeedsOptions {
  readonly scenario: string
  readonly from: number
  readonly count: number
  readonly short: boolean
  /** Evidence is made here, and taken away again. */
  readonly out: string
  /** Before the scenario's name on the command line. */
  readonly options?: readonly string[]
  progress?(done: number): void
}

export interface FailedSeed {
  readonly seed: number
  readonly why: string
}

interface Report {
  readonly scenarios: readonly {
    readonly id: string
    readonly ended: string
    readonly why: string | null
    readonly checks: readonly { readonly id: string; readonly verdict: string; readonly why: string | null }[]
  }[]
}

/** Seeds at which a check did not pass, or the run broke; each as soon as it is known. */
export async function* seedsThatFail(o: SeedsOptions): AsyncGenerator<FailedSeed> {
  for (let done = 0; done < o.count; done += atOnce) {
    const count = Math.min(atOnce, o.count - done)
    const first = o.from + done
    const args = ['--seeds', String(count), '--seed', String(first), '--out', o.out]
    const child = spawn(
      process.execPath,
      [command, 'run', o.scenario, ...args, ...(o.options ?? []), ...(o.short ? ['--short'] : [])],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    )
    let said = ''
    child.stderr.on('data', (b: Buffer) => (said += b.toString('utf8')))
    const [code] = (await once(child, 'close')) as [number | null]
    yield* failedIn(join(o.out, 'latest', 'requirements.json'), first, count, code, said)
    rmSync(o.out, { recursive: true, force: true })
    o.progress?.(done + count)
  }
}

function failedIn(
  file: string,
  first: number,
  count: number,
  code: number | null,
  said: string,
): FailedSeed[] {
  if (code === 0) return []
  const all = (why: string): FailedSeed[] =>
    Array.from({ length: count }, (_, i) => ({ seed: first + i, why }))
  let report: Report
  try {
    report = JSON.parse(readFileSync(file, 'utf8')) as Report
  } catch {
    return all(`the run ended with ${String(code)}: ${said.trim().split('\n').at(-1) ?? ''}`)
  }
  return report.scenarios.flatMap((s) => {
    const at = /@(\d+)$/.exec(s.id)
    const seed = at?.[1] === undefined ? first : Number(at[1])
    if (s.ended !== 'finished') return [{ seed, why: s.why ?? `it ${s.ended}` }]
    const bad = s.checks.find((c) => c.verdict !== 'pass' && c.verdict !== 'marginal')
    return bad === undefined ? [] : [{ seed, why: `${bad.id}: ${bad.why ?? bad.verdict}` }]
  })
}
