/** `gridproof run --resume`: goes on with a run whose bench was killed, under the conditions that it began under. */
import { dirname, join } from 'node:path'
import { GridproofError } from '../../drivers/errors.ts'
import type { ProfileSpec } from '../../sim/faces.ts'
import { consoleReport } from '../../reports/console.ts'
import { terminalOf } from '../../reports/text/terminal.ts'
import { writeReports } from '../../reports/write.ts'
import { exitCodeFor } from '../verdicts/exit-code.ts'
import { readMaterial } from '../main/material.ts'
import { makePlan, usualWorkers } from '../main/plan.ts'
import { readInterrupted, sameAsThen, settled } from '../main/resume.ts'
import { makeScratch } from '../main/scratch.ts'
import { pathText, readFormats } from './formats.ts'
import { readTimeout, tellCleared, watchRun } from './run-command.ts'
import type { RunCommandOptions } from './run-command.ts'

/** Options that say how to go on; all others stand in the run. */
const free: ReadonlySet<string> = new Set([
  'resume',
  'rig',
  'seed',
  'jobs',
  'drain',
  'timeout',
  'arm',
  'retries',
  'all',
  'junitFaults',
  'gitlab',
  'scenarios',
  'requirements',
  'personalities',
  'rigs',
])

/** Performs the command and returns its exit code. `given`: the options that stand on the command line. */
export async function resumeCommand(
  path: string,
  scenarios: readonly string[],
  o: RunCommandOptions,
  given: readonly string[],
): Promise<number> {
  const refuse = (why: string): never => {
    throw new GridproofError('usage', why)
  }
  const more = given
    .filter((g) => !free.has(g))
    .map((g) => `--${g.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}`)
  if (scenarios.length > 0) more.unshift(...scenarios)
  if (more.length > 0) refuse(`--resume goes on with a run as it was started: leave away ${more.join(', ')}`)
  const run = readInterrupted(path)
  const { header } = run
  if (given.includes('seed') && o.seed !== header.seed)
    refuse(`'${path}' cannot be resumed with seed ${o.seed}: its seed is ${header.seed}`)
  const formats = readFormats(o)
  const timeoutMs = o.timeout === undefined ? undefined : readTimeout(o.timeout)
  const material = readMaterial(o)
  const ids = [...(header.shard?.all ?? header.scenarios)]
  const load = header.load as ProfileSpec | undefined
  const now = await makePlan({
    scenarios: [...new Set(ids.map((id) => id.replace(/@\d+$/, '')))],
    rig: given.includes('rig') ? o.rig : header.rig,
    material,
    ...(load === undefined ? {} : { load }),
  })
  sameAsThen(run, now)
  // Patterns take what stands below an ID too: only what the run began with is gone on with.
  const wanted = new Set(ids.map((id) => id.replace(/@\d+$/, '')))
  const plan = {
    ...now,
    scenarios: now.scenarios.filter((s) => wanted.has(s.id)),
    subject: header.subject,
    ...(header.identity === undefined ? {} : { identity: header.identity }),
  }
  const seeds = Math.max(1, ids.length / Math.max(1, plan.scenarios.length))
  await settled(run)
  using scratch = makeScratch(plan.rig)
  tellCleared(scratch)
  process.stderr.write(`Going on with ${header.id}.\n`)
  const watched = await watchRun({
    plan,
    resume: run,
    seed: header.seed,
    seeds,
    length: header.short ? 'short' : 'full',
    workers: o.jobs ?? usualWorkers(plan.rig, ids.length),
    out: dirname(run.folder),
    pki: scratch.pki,
    disks: scratch.disks,
    drain: o.drain,
    retries: o.retries,
    ...(o.arm === true ? { armed: true } : {}),
    ...(header.shard === undefined ? {} : { shard: { index: header.shard.index, of: header.shard.of } }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(load === undefined ? {} : { load }),
  })
  const code = exitCodeFor(
    watched.done.map((d) => d.record),
    { aborted: watched.stopped },
  )
  watched.run.close(code)
  const { run: view } = writeReports(run.folder, { catalogueFolder: material.requirements, ...formats })
  process.stdout.write(
    consoleReport(view, {
      terminal: terminalOf(process.stdout, process.env),
      show: o.all === true ? 'all' : 'judged',
    }),
  )
  process.stdout.write(`Report: ${pathText(join(run.folder, 'index.html'))}\n`)
  return code
}
