/** `gridproof run`: scenarios in workers, the run's own log, the reports. */
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { GridproofError, messageOf } from '../../drivers/errors.ts'
import type { Json } from '../../drivers/faces.ts'
import { makeFolders } from '../../drivers/folders.ts'
import type { ProfileSpec } from '../../sim/faces.ts'
import { gapEvent } from '../evidence/gap.ts'
import { logWriter } from '../evidence/log.ts'
import type { LogWriter } from '../evidence/log.ts'
import type { RunEnd, RunHeader, ScenarioStep } from '../evidence/schema.ts'
import { revisionOf } from '../requirements/revision.ts'
import { redactorFor } from '../rigs/secrets.ts'
import type { LoadedScenario } from '../scenario/load.ts'
import { virtualEpoch } from './job.ts'
import type { Job } from './job.ts'
import { lengthOf } from './plan.ts'
import type { Plan } from './plan.ts'
import { startPool } from './pool.ts'
import type { Done, Pool } from './pool.ts'
import { goingOn, thisBench } from './resume.ts'
import type { GoingOn, Interrupted } from './resume.ts'
import { rigCause } from './retry.ts'
import { dealtTo } from './shard.ts'
import type { Shard } from './shard.ts'

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
  /** Only this part of the run. */
  readonly shard?: Shard
  /** What is played may lead to operations of real breakers. */
  readonly armed?: boolean
  /** Wall time that each scenario may take, ms. */
  readonly timeoutMs?: number
  /** Goes on with a run that was interrupted. */
  readonly resume?: Interrupted
  /** How often a scenario is tried again for a reason of the rig. */
  readonly retries?: number
  onBegin?(job: Job): void
  onProgress?(job: Job, passedMs: number): void
  /** `again`: it is tried once more. */
  onDone?(done: Done, again: boolean): void
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
  const began = o.resume === undefined ? Date.now() : Date.parse(o.resume.header.started)
  const folder = o.resume?.folder ?? freshFolder(o.out, runId(began, plan.rig.name))
  mkdirSync(join(folder, 'data'), { recursive: true })
  const all = jobsOf(o, folder)
  const dealt = o.shard === undefined ? all : dealtTo(o.shard, all)
  const before = o.resume === undefined ? undefined : whatIsLeft(o.resume, dealt, plan)
  const jobs = before?.jobs ?? dealt
  const log = logWriter(join(folder, 'log.jsonl'), {
    redactor: known,
    ...(o.resume === undefined ? {} : { after: o.resume.log }),
  })
  if (o.resume === undefined) append(log, 'run', headerOf(o, folder, began, all, jobs) as unknown as Json)
  else {
    const { torn } = o.resume.log
    const from = before?.from ?? o.resume.log.from
    const gap = { from, to: Date.now(), horizonMs: 0, ...(torn === undefined ? {} : { torn }) }
    append(log, 'step', { ...(gapEvent(gap) as object), ...thisBench() } as unknown as Json)
    for (const s of before?.steps ?? []) append(log, 'step', step('scenario ended', s))
  }
  pointLatest(dirname(folder), folder)

  let aborted = false
  let wallMs: number | undefined
  const pool: Pool = startPool({
    jobs,
    workers: o.workers,
    onBegin(job) {
      append(log, 'step', step('scenario begins', { scenario: job.id, file: fileIn(job), ...attemptOf(job) }))
      o.onBegin?.(job)
    },
    onProgress: (job, ms) => o.onProgress?.(job, ms),
    again: ({ job, record }) => {
      const tried = job.attempt ?? 1
      if (tried > (o.retries ?? 0) || rigCause(record) === undefined) return undefined
      // What was resumed is tried again whole.
      const whole = dealt.find((j) => j.id === job.id) ?? job
      return { ...whole, attempt: tried + 1, log: attemptLog(folder, job.id, tried + 1) }
    },
    onDone(done, again) {
      const { job, record } = done
      const cause = again ? rigCause(record) : undefined
      append(
        log,
        'step',
        step('scenario ended', {
          scenario: job.id,
          file: fileIn(job),
          ...digestOf(job.log),
          outcome: record.end?.outcome ?? 'broke',
          ...record.trouble,
          ...attemptOf(job),
          ...(cause === undefined ? {} : { again: cause }),
        }),
      )
      o.onDone?.(done, again)
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
      const kept = (before?.kept ?? []).map((k): Done => ({ ...k, reached: [] }))
      return [...kept, ...done]
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

/** What is known of a run before it begins. */
function headerOf(
  o: RunOptions,
  folder: string,
  began: number,
  all: readonly Job[],
  jobs: readonly Job[],
): RunHeader {
  const { plan } = o
  return {
    format: 'gridproof-run/1',
    id: basename(folder),
    rig: plan.rig.name,
    seed: o.seed,
    short: o.length === 'short',
    commit: plan.commit,
    node: process.version,
    bench: plan.version,
    started: new Date(began).toISOString(),
    ...thisBench(),
    scenarios: jobs.map((j) => j.id),
    verifies: Object.fromEntries(jobs.map((j) => [j.id, verifiedBy(plan, j)])),
    subject: plan.subject,
    ...identityOf(plan),
    rigSha256: plan.rigSha256,
    ...(o.load === undefined ? {} : { load: { ...o.load } }),
    ...(o.shard === undefined ? {} : { shard: { ...o.shard, all: all.map((j) => j.id) } }),
    revisions: revisionsOf(plan),
  }
}

/** What an interrupted run has still to do. */
function whatIsLeft(i: Interrupted, jobs: readonly Job[], plan: Plan): GoingOn {
  const scenarioOf = (job: Job): LoadedScenario | undefined =>
    plan.scenarios.find((s) => s.id === job.scenario)
  return goingOn(i, jobs, {
    log: (id, attempt) => attemptLog(i.folder, id, attempt),
    scenarioSha256: (job) => scenarioOf(job)?.sha256,
    leastOf(job) {
      const s = scenarioOf(job)
      return s?.scenario.resumable === true ? lengthOf(s, 'short') : undefined
    },
  })
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
        log: attemptLog(folder, id, 1),
        ...(o.timeoutMs === undefined ? {} : { timeoutMs: o.timeoutMs }),
        ...(o.armed === true ? { armed: true } : {}),
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

/** Each try has a log of its own. */
function attemptLog(folder: string, id: string, attempt: number): string {
  const more = attempt === 1 ? '' : `.attempt-${attempt}`
  return join(folder, 'data', `${id.replaceAll('/', '.')}${more}.jsonl`)
}

function attemptOf(job: Job): { attempt?: number } {
  return job.attempt === undefined ? {} : { attempt: job.attempt }
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
