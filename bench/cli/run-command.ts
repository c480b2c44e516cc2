/** `gridproof run` */
import { mkdirSync, writeSync } from 'node:fs'
import { basename, join } from 'node:path'
import { GridproofError } from '../../drivers/errors.ts'
import { duration, durationText } from '../../drivers/units.ts'
import { Progress } from '../../reports/progress.ts'
import { consoleReport } from '../../reports/console.ts'
import { terminalOf } from '../../reports/text/terminal.ts'
import { writeReports } from '../../reports/write.ts'
import { isLab } from '../rigs/schema.ts'
import { exitCodeFor, exitCodes } from '../verdicts/exit-code.ts'
import { dryRun, evidenceOf } from '../main/dry-run.ts'
import type { IdentityOptions } from '../main/identity.ts'
import { readMaterial } from '../main/material.ts'
import type { MaterialOptions } from '../main/material.ts'
import { makePlan, readLoad, usualWorkers } from '../main/plan.ts'
import type { Plan } from '../main/plan.ts'
import { pointLatest, startRun } from '../main/run.ts'
import type { Run, RunOptions } from '../main/run.ts'
import type { Job } from '../main/job.ts'
import { readShard } from '../main/shard.ts'
import { tooLittleRoom } from '../main/room.ts'
import { startPool } from '../main/pool.ts'
import type { Done } from '../main/pool.ts'
import { makeScratch } from '../main/scratch.ts'
import type { Scratch } from '../main/scratch.ts'
import { onStop } from './on-stop.ts'
import { pathText, readFormats } from './formats.ts'

export interface RunCommandOptions extends MaterialOptions, IdentityOptions {
  readonly rig: string
  readonly seed: number
  readonly seeds: number
  readonly short?: boolean
  readonly twice?: boolean
  readonly load?: string
  readonly jobs?: number
  readonly out: string
  readonly drain: 'sync' | 'turn'
  readonly all?: boolean
  readonly shard?: string
  readonly timeout?: string
  readonly retries: number
  readonly junitFaults: 'error' | 'skipped'
  readonly gitlab?: string
  readonly dryRun?: boolean
  readonly arm?: boolean
  readonly resume?: string
}

/** Performs the command and returns its exit code. */
export async function runCommand(scenarios: readonly string[], o: RunCommandOptions): Promise<number> {
  const load = o.load === undefined ? undefined : readLoad(o.load)
  const formats = readFormats(o)
  const shard = o.shard === undefined ? undefined : readShard(o.shard)
  const timeoutMs = o.timeout === undefined ? undefined : readTimeout(o.timeout)
  const material = readMaterial(o)
  const plan = await makePlan({
    scenarios,
    rig: o.rig,
    material,
    identity: o,
    ...(load === undefined ? {} : { load }),
  })
  if (o.twice === true && plan.rig.time !== 'virtual')
    throw new GridproofError(
      'usage',
      `--twice compares trace hashes, which only virtual time has; the rig is '${o.rig}'`,
    )
  const length = o.short === true ? 'short' : 'full'
  const workers = workersFor(plan, o)
  if (o.dryRun === true) {
    for (const line of dryRun(plan, {
      length,
      seeds: o.seeds,
      workers,
      armed: o.arm === true,
    }))
      process.stdout.write(`${line}\n`)
    return exitCodes.ok
  }
  const bytes = evidenceOf(plan, { length, seeds: o.seeds }) * (o.twice === true ? 2 : 1)
  const tight = tooLittleRoom(o.out, bytes)
  if (tight !== undefined) process.stderr.write(`${tight}\n`)
  using scratch = makeScratch(plan.rig)
  tellCleared(scratch)
  const options: RunOptions = {
    plan,
    seed: o.seed,
    seeds: o.seeds,
    length,
    workers,
    out: o.out,
    pki: scratch.pki,
    disks: scratch.disks,
    drain: o.drain,
    retries: o.retries,
    ...(shard === undefined ? {} : { shard }),
    ...(o.arm === true ? { armed: true } : {}),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(load === undefined ? {} : { load }),
  }
  const first = await watchRun(options)
  // With other certificates: what a key happens to hold must not show in a trace.
  const again =
    o.twice === true && !first.stopped ? await watchRun({ ...options, pki: scratch.otherPki() }) : undefined

  let code: number = exitCodeFor(
    first.done.map((d) => d.record),
    { aborted: first.stopped || again?.stopped === true },
  )
  const different =
    again === undefined || again.stopped
      ? []
      : await diverged(first.done, again.done, join(scratch.disks, 'again'))
  if (different.length > 0) code = exitCodes.benchFault
  again?.run.close(code)
  first.run.close(code)
  pointLatest(o.out, first.run.folder)
  const { run } = writeReports(first.run.folder, { catalogueFolder: material.requirements, ...formats })
  process.stdout.write(
    consoleReport(run, {
      terminal: terminalOf(process.stdout, process.env),
      show: o.all === true ? 'all' : 'judged',
    }),
  )
  const untraced = first.done.filter((d) => d.record.end?.world.untraced !== undefined).length
  if (again !== undefined && !again.stopped)
    process.stdout.write(
      different.length === 0
        ? `Run twice: ${first.done.length - untraced} trace hashes, each equal both times${untraced === 0 ? '' : `; ${untraced} without one, for a reason that the evidence gives`}.\n`
        : `Run twice: NOT REPEATABLE\n${different.join('\n')}\n`,
    )
  process.stdout.write(`Report: ${pathText(join(first.run.folder, 'index.html'))}\n`)
  return code
}

/** Scenarios at a time. Throws `usage` where a lab, which has one platform, is asked for several. */
function workersFor(plan: Plan, o: RunCommandOptions): number {
  const usual = usualWorkers(plan.rig, plan.scenarios.length * o.seeds)
  if (isLab(plan.rig) && (o.jobs ?? 1) > 1)
    throw new GridproofError('usage', `the rig '${o.rig}' has one platform: scenarios go one after the other`)
  return o.jobs ?? usual
}

/** The longest time that a timer can hold, ms: 24 days. */
const mostTimeout = 2 ** 31 - 1

/** `--timeout` of the command line, in ms. Throws `usage`. */
export function readTimeout(text: string): number {
  const ms = duration(text)
  if (ms >= 1 && ms <= mostTimeout) return ms
  throw new GridproofError(
    'usage',
    `--timeout '${text}': give a time from 1 ms to ${durationText(mostTimeout)}`,
  )
}

/** Says what an earlier bench had left behind. */
export function tellCleared(scratch: Scratch): void {
  if (scratch.cleared.length > 0)
    process.stderr.write(
      `Undone what a killed bench left behind: ${scratch.cleared.map((c) => c.what).join(', ')}\n`,
    )
}

interface Watched {
  readonly run: Run
  readonly done: readonly Done[]
  readonly stopped: boolean
}

/** Starts a run and shows its progress until it is finished; the first Ctrl-C stops it, the second leaves at once. */
export async function watchRun(o: RunOptions): Promise<Watched> {
  const t = terminalOf(process.stderr, process.env)
  const show = new Progress({ terminal: t, write: writeAtOnce })
  const running = new Map<string, { job: Job; began: number; passed: number }>()
  let ended = 0
  let stopped = false
  const troubles = new Set<string>()
  const draw = (): void => {
    const now = performance.now()
    show.show(
      {
        running: [...running.values()].map((r) => ({
          scenario: r.job.id,
          simulatedMs: r.passed,
          horizonMs: r.job.horizonMs,
          wallMs: now - r.began,
        })),
        ended,
        all: run.jobs.length,
      },
      now,
    )
  }
  const run = startRun({
    ...o,
    onBegin(job) {
      running.set(job.id, { job, began: performance.now(), passed: 0 })
    },
    onProgress(job, passed) {
      const r = running.get(job.id)
      if (r !== undefined) r.passed = passed
      draw()
    },
    onDone({ job, record }, again) {
      running.delete(job.id)
      if (!again) ended++
      const once = again ? '; tried again' : ''
      if (record.trouble !== undefined)
        troubles.add(`${job.id}: ${record.trouble.why} (${record.trouble.blame})${once}`)
      draw()
    },
    onTrouble(job, text) {
      troubles.add(`${job?.id ?? 'a worker'}: ${text}`)
    },
  })
  const onSignal = (): void => {
    if (stopped) process.exit(exitCodes.aborted)
    stopped = true
    show.say('Stopping; what was seen so far is kept. (Ctrl-C again leaves at once.)')
    run.stop()
  }
  const forget = onStop(onSignal)
  try {
    const done = await run.finished
    show.close()
    for (const text of troubles) process.stderr.write(`${text}\n`)
    return { run, done, stopped }
  } finally {
    forget()
  }
}

/** Shows something now, also while the loop is busy. A terminal that is slow or gone must not end a run. */
export function writeAtOnce(text: string): void {
  try {
    writeSync(2, text)
  } catch {
    // Comfort only.
  }
}

/** Jobs whose trace hash differs between two runs, each with the place where its runs part. */
async function diverged(a: readonly Done[], b: readonly Done[], folder: string): Promise<string[]> {
  const second = new Map(b.map((d) => [d.job.id, d.record.end?.world.traceHash]))
  const apart = a.filter((d) => {
    const x = d.record.end?.world.traceHash
    if (d.record.end?.world.untraced !== undefined) return false
    return x === undefined || x !== second.get(d.job.id)
  })
  if (apart.length === 0) return []
  mkdirSync(folder, { recursive: true })
  const jobs = apart.map(({ job }) => ({
    ...job,
    findDivergence: true,
    log: join(folder, basename(job.log)),
  }))
  const found = await startPool({ jobs, workers: 1 }).finished
  return apart.flatMap((d) => {
    const x = d.record.end?.world.traceHash ?? 'no hash'
    const lines = found.find((f) => f.job.id === d.job.id)?.divergence ?? []
    const where = lines.length === 0 ? ['(two more runs did not differ)'] : ['first difference:', ...lines]
    return [`  ${d.job.id}: ${x} and ${second.get(d.job.id) ?? 'no hash'}`, ...where.map((l) => `    ${l}`)]
  })
}
