/** `gridproof run`: scenarios in workers, the run's own log, the reports. */
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { GridproofError, messageOf } from '../../drivers/errors.ts'
import type { Json } from '../../drivers/faces.ts'
import type { ProfileSpec } from '../../sim/faces.ts'
import { logWriter } from '../evidence/log.ts'
import type { LogWriter } from '../evidence/log.ts'
import type { RunEnd, RunHeader, ScenarioStep } from '../evidence/schema.ts'
import { revisionOf } from '../requirements/revision.ts'
import { redactorFor } from '../rigs/secrets.ts'
import { virtualEpoch } from './job.ts'
import type { Job } from './job.ts'
import { makeFolders } from './folder.ts'
import { lengthOf } from './plan.ts'
import type { Plan } from './plan.ts'
import { startPool } from './pool.ts'
import type { Done, Pool } from './pool.ts'

export interface RunOptions {
  readonly plan: Plan
  readonly seed: number
  /** How many seeds, from `seed` on. */
  readonly seeds: number
  readonly length: 'full' | 'short' | 'prove'
  readonly workers: number
  /** Folder in which the run's own folder is made. */
  readonly out: string
  readonly pki: string
  readonly disks: string
  readonly load?: ProfileSpec
  readonly drain?: 'sync' | 'turn'
  onBegin?(job: Job): void
  onProgress?(job: Job, passedMs: number): void
  onDone?(done: Done): void
  onTrouble?(job: Job | undefined, text: string): void
}

export interface Run {
  readonly id: string
  /** Absolute path. */
  readonly folder: string
  readonly jobs: readonly Job[]
  readonly finished: Promise<readonly Done[]>
  stop(): void
  /** Writes the trailer; call once, after `finished`. */
  close(exitCode: number): void
}

/** Makes the run's folder and starts the workers. */
export function startRun(o: RunOptions): Run {
  const { plan } = o
  const known = redactorFor(plan.rig, plan.rigFile, o.pki)
  const began = Date.now()
  const id = runId(began, plan.rig.name)
  const folder = freshFolder(o.out, id)
  mkdirSync(join(folder, 'data'), { recursive: true })
  const jobs = jobsOf(o, folder)
  const header: RunHeader = {
    format: 'gridproof-run/1',
    id: basename(folder),
    rig: plan.rig.name,
    seed: o.seed,
    short: o.length === 'short',
    commit: plan.commit,
    node: process.version,
    bench: plan.version,
    started: new Date(began).toISOString(),
    scenarios: jobs.map((j) => j.id),
    verifies: Object.fromEntries(jobs.map((j) => [j.id, verifiedBy(plan, j)])),
    subject: plan.subject,
    ...identityOf(plan),
    revisions: revisionsOf(plan),
  }
  const log = logWriter(join(folder, 'log.jsonl'), { redactor: known })
  append(log, 'run', header as unknown as Json)
  pointLatest(o.out, folder)

  let aborted = false
  let wallMs: number | undefined
  const pool: Pool = startPool({
    jobs,
    workers: o.workers,
    onBegin(job) {
      append(log, 'step', step('scenario begins', { scenario: job.id, file: fileIn(job) }))
      o.onBegin?.(job)
    },
    onProgress: (job, ms) => o.onProgress?.(job, ms),
    onDone(done) {
      const { job, record } = done
      append(
        log,
        'step',
        step('scenario ended', {
          scenario: job.id,
          file: fileIn(job),
          ...digestOf(job.log),
          outcome: record.end?.outcome ?? 'broke',
          ...record.trouble,
        }),
      )
      o.onDone?.(done)
    },
    onTrouble(job, text) {
      append(log, 'note', {
        what: 'trouble in a worker',
        ...(job === undefined ? {} : { scenario: job.id }),
        text,
      })
      o.onTrouble?.(job, text)
    },
  })
  return {
    id: basename(folder),
    folder,
    jobs,
    finished: pool.finished.then((done) => {
      wallMs = Date.now() - began
      return done
    }),
    stop() {
      aborted = true
      pool.stop()
    },
    close(exitCode) {
      const end: RunEnd = {
        outcome: aborted ? 'aborted' : 'finished',
        wallMs: wallMs ?? Date.now() - began,
        exitCode,
      }
      append(log, 'end', end as unknown as Json)
      log.close()
    },
  }
}

/** The longest first, so that no worker is left alone with a long one at the end. */
function jobsOf(o: RunOptions, folder: string): Job[] {
  const { plan } = o
  const jobs: Job[] = []
  for (const s of plan.scenarios)
    for (let i = 0; i < o.seeds; i++) {
      const seed = o.seed + i
      const id = o.seeds === 1 ? s.id : `${s.id}@${seed}`
      jobs.push({
        id,
        scenario: s.id,
        file: s.file,
        rigFile: plan.rigFile,
        rigSha256: plan.rigSha256,
        seed,
        horizonMs: lengthOf(s, o.length),
        fullHorizonMs: lengthOf(s, 'full'),
        log: join(folder, 'data', `${id.replaceAll('/', '.')}.jsonl`),
        pki: o.pki,
        disks: o.disks,
        defects: [],
        drain: o.drain ?? 'sync',
        epoch: virtualEpoch,
        commit: plan.commit,
        subject: plan.subject,
        ...identityOf(plan),
        material: plan.material,
        ...(o.load === undefined ? {} : { load: o.load }),
      })
    }
  return jobs.sort((a, b) => b.horizonMs - a.horizonMs)
}

function identityOf(plan: Plan): { identity?: NonNullable<Plan['identity']> } {
  return plan.identity === undefined ? {} : { identity: plan.identity }
}

function verifiedBy(plan: Plan, job: Job): readonly string[] {
  const s = plan.scenarios.find((x) => x.id === job.scenario)
  return (s?.scenario.verifies ?? []).flatMap((v) => plan.catalogue.clausesOf(v))
}

/** What each requirement said that the scenarios of the run name, as a digest. */
function revisionsOf(plan: Plan): Readonly<Record<string, string>> {
  const ids = plan.scenarios.flatMap((s) => s.scenario.verifies.map((v) => v.split('/')[0] ?? v))
  return Object.fromEntries([...new Set(ids)].sort().map((id) => [id, revisionOf(plan.catalogue.get(id))]))
}

function append(log: LogWriter, kind: 'run' | 'step' | 'note' | 'end', data: Json): void {
  log.append({ at: Date.now(), src: 'bench', kind, data })
}

function step(what: string, detail: ScenarioStep): Json {
  return { what, detail: detail as unknown as Json }
}

function fileIn(job: Job): string {
  return `data/${basename(job.log)}`
}

function digestOf(file: string): { sha256?: string } {
  try {
    return { sha256: createHash('sha256').update(readFileSync(file)).digest('hex') }
  } catch {
    return {}
  }
}

/** `2026-11-21T07-20-00Z-virtual`: sorts by time, and is a legal file name everywhere. */
function runId(at: number, rig: string): string {
  return `${new Date(at).toISOString().slice(0, 19).replaceAll(':', '-')}Z-${rig}`
}

/** A new folder in `out`, of that name or one with a number behind it. Throws `usage` where there can be none. */
export function freshFolder(out: string, id: string): string {
  const refuse = (e: unknown): never => {
    throw new GridproofError('usage', `no run can be kept in '${out}': ${messageOf(e)}; give another --out`, {
      cause: e,
    })
  }
  try {
    makeFolders(out)
  } catch (e) {
    refuse(e)
  }
  for (let n = 1; ; n++) {
    const folder = resolve(out, n === 1 ? id : `${id}-${n}`)
    try {
      mkdirSync(folder)
      return folder
    } catch (e) {
      if (!(e instanceof Error) || (e as NodeJS.ErrnoException).code !== 'EEXIST') refuse(e)
    }
  }
}

/** `runs/latest` points to the newest run, where the file system has links. */
export function pointLatest(out: string, folder: string): void {
  try {
    rmSync(join(out, 'latest'), { force: true })
    symlinkSync(basename(folder), join(out, 'latest'))
  } catch {
    // Comfort only.
  }
}
