/** Plays a scenario with many seeds, a few at a time, finds those at which it did not pass, and adds up what was seen. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Json } from '../../drivers/faces.ts'
import type { Event } from '../faces.ts'
import type { Spent, Totals } from './totals.ts'

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
  /** Where the logs of seeds are kept that failed. */
  readonly keep?: string
  /** Scenarios at a time. */
  readonly jobs?: number
  /** Before the scenario's name on the command line. */
  readonly options?: readonly string[]
  /** Ends it, for the reason of a signal's name: of the call in progress those seeds count that had finished. */
  readonly stop?: AbortSignal
  /** What the checks of all seeds observed is added up there. */
  readonly totals?: Totals
  progress?(done: number): void
}

export interface FailedSeed {
  readonly seed: number
  readonly why: string
}

interface Report {
  readonly scenarios: readonly Played[]
}

interface Played {
  readonly id: string
  readonly ended: string
  readonly why: string | null
  /** In the run's folder. */
  readonly log: string | null
  readonly checks: readonly {
    readonly id: string
    readonly verdict: string
    readonly why: string | null
    readonly observed: Json
  }[]
}

/** Seeds at which a check did not pass, or the run broke; each as soon as it is known. */
export async function* seedsThatFail(o: SeedsOptions): AsyncGenerator<FailedSeed> {
  const stopped = (): boolean => o.stop?.aborted === true
  for (let done = 0; done < o.count && !stopped(); done += atOnce) {
    const count = Math.min(atOnce, o.count - done)
    const first = o.from + done
    const args = ['--seeds', String(count), '--seed', String(first), '--out', o.out]
    const jobs = o.jobs === undefined ? [] : ['--jobs', String(o.jobs)]
    const child = spawn(
      process.execPath,
      [command, 'run', o.scenario, ...args, ...jobs, ...(o.options ?? []), ...(o.short ? ['--short'] : [])],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    )
    let said = ''
    child.stderr.on('data', (b: Buffer) => (said += b.toString('utf8')))
    // Of Ctrl-C at the terminal it hears itself, and a second one would make it leave at once.
    const end = (): void => {
      if (o.stop?.reason !== 'SIGINT') child.kill('SIGINT')
    }
    o.stop?.addEventListener('abort', end, { once: true })
    const [code] = (await once(child, 'close')) as [number | null]
    o.stop?.removeEventListener('abort', end)
    const folder = join(o.out, 'latest')
    const report = readReport(join(folder, 'requirements.json'))
    if (report === undefined && !stopped()) {
      const why = `the run ended with ${String(code)}: ${said.trim().split('\n').at(-1) ?? ''}`
      for (let i = 0; i < count; i++) yield { seed: first + i, why }
    }
    let played = 0
    for (const s of report?.scenarios ?? []) {
      if (stopped() && s.ended !== 'finished') continue
      played++
      o.totals?.take(s.checks)
      if (s.log !== null) o.totals?.passed(spent(join(folder, s.log)))
      const why = whyFailed(s)
      if (why === undefined) continue
      if (o.keep !== undefined && s.log !== null) {
        mkdirSync(o.keep, { recursive: true })
        cpSync(join(folder, s.log), join(o.keep, s.log.replace(/^.*\//, '')))
      }
      yield { seed: seedOf(s, first), why }
    }
    rmSync(o.out, { recursive: true, force: true })
    o.progress?.(done + played)
  }
}

function readReport(file: string): Report | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Report
  } catch {
    return undefined
  }
}

/** How long a scenario took, as its log tells in its first and last event, ms. */
function spent(log: string): Spent {
  const lines = readFileSync(log, 'utf8').trimEnd().split('\n')
  const first = JSON.parse(lines[0] ?? '{}') as Partial<Event>
  const last = JSON.parse(lines.at(-1) ?? '{}') as Partial<Event>
  if (first.at === undefined || last.at === undefined || last.kind !== 'end') return { benchMs: 0, cpuMs: 0 }
  const { cpuMs } = last.data as unknown as { readonly cpuMs?: number }
  return { benchMs: last.at - first.at, cpuMs: cpuMs ?? 0 }
}

function seedOf(s: Played, first: number): number {
  const at = /@(\d+)$/.exec(s.id)
  return at?.[1] === undefined ? first : Number(at[1])
}

function whyFailed(s: Played): string | undefined {
  if (s.ended !== 'finished') return s.why ?? `it ${s.ended}`
  const bad = s.checks.find((c) => c.verdict !== 'pass' && c.verdict !== 'marginal')
  return bad === undefined ? undefined : `${bad.id}: ${bad.why ?? bad.verdict}`
}
