/** Runs jobs in worker processes, several at a time; a worker that dies takes only its own job with it. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { messageOf } from '../../drivers/errors.ts'
import { durationText } from '../../drivers/units.ts'
import type { ScenarioRecord } from '../verdicts/record.ts'
import type { Job, WorkerLine } from './job.ts'

/** What came of a job. */
export interface Done {
  readonly job: Job
  readonly record: ScenarioRecord
  /** Defects that came to bear. */
  readonly reached: readonly string[]
  /** What mutations changed, by their ID. */
  readonly changes?: Readonly<Record<string, string>>
  readonly divergence?: readonly string[]
}

export interface PoolOptions {
  readonly jobs: readonly Job[]
  /** Workers at a time. */
  readonly workers: number
  /** Asked of each job right before it would begin; where it says true, the job is not run at all. */
  skip?(job: Job): boolean
  /** How long a worker may take to end a job when it is asked to, ms; 20 s unless given. */
  readonly patience?: number
  /** Asked when a job has ended: the same once more, where it is to be tried again. Only the last try is in `finished`. */
  again?(done: Done): Job | undefined
  onBegin?(job: Job): void
  onProgress?(job: Job, passedMs: number): void
  /** `again`: it is tried once more. */
  onDone?(done: Done, again: boolean): void
  /** Lines that a worker wrote on its own standard error; they belong to the bench's faults. */
  onTrouble?(job: Job | undefined, text: string): void
}

export interface Pool {
  /** Every job in the order in which it ended; those never begun after a stop are left out. */
  readonly finished: Promise<readonly Done[]>
  /** No more jobs; those that run are asked to end, and their workers are ended where they do not in 20 s. */
  stop(): void
}

interface Worker {
  readonly child: ChildProcess
  job: Job | undefined
  errors: string
  /** Ends the job when its time is up. */
  limit?: NodeJS.Timeout
  /** It has begun to perform jobs: only then can it be told that time is up. */
  ready: boolean
  /** Its job's time was up: it was told so, and gets no other job. */
  late: boolean
}

const entry = fileURLToPath(new URL('worker.ts', import.meta.url))
/** Most of a worker's standard error that is kept, in characters. */
const mostErrors = 4000
/** How long a worker may take to end its job when it is stopped, in ms: four times what a platform may. Ours. */
const patience = 20_000

/** Starts the workers. */
export function startPool(o: PoolOptions): Pool {
  const waiting = [...o.jobs]
  const done: Done[] = []
  const live = new Set<Worker>()
  const finished = Promise.withResolvers<readonly Done[]>()
  let stopping = false

  // However the bench ends, no worker outlives it.
  const kill = (): void => {
    for (const w of live) w.child.kill('SIGKILL')
  }
  process.prependListener('exit', kill)
  let late: NodeJS.Timeout | undefined

  function settle(): void {
    if (live.size > 0 || !(stopping || waiting.length === 0)) return
    clearTimeout(late)
    process.off('exit', kill)
    finished.resolve(done)
  }

  function end(w: Worker, of: Omit<Done, 'job'>): void {
    const job = w.job
    if (job === undefined) return
    w.job = undefined
    clearTimeout(w.limit)
    const d = { job, ...of }
    const more = stopping ? undefined : o.again?.(d)
    if (more === undefined) done.push(d)
    else waiting.unshift(more)
    o.onDone?.(d, more !== undefined)
  }

  function next(): Job | undefined {
    if (stopping) return undefined
    for (let job = waiting.shift(); job !== undefined; job = waiting.shift())
      if (o.skip?.(job) !== true) return job
    return undefined
  }

  function give(w: Worker): void {
    const job = w.late ? undefined : next()
    if (job === undefined) {
      w.child.stdin?.end()
      return
    }
    w.job = job
    o.onBegin?.(job)
    w.child.stdin?.write(`${JSON.stringify(job)}\n`)
    if (w.ready) limitTime(w)
  }

  function limitTime(w: Worker): void {
    if (w.job?.timeoutMs !== undefined) w.limit = setTimeout(() => timeUp(w), w.job.timeoutMs)
  }

  /** Asks a job to end, its verdicts told; a worker that cannot even hear it is killed, and its log breaks off. */
  function timeUp(w: Worker): void {
    w.late = true
    w.child.kill('SIGUSR2')
    w.limit = setTimeout(() => w.child.kill('SIGKILL'), o.patience ?? patience)
  }

  function hear(w: Worker, text: string): void {
    const line = lineOf(text)
    if (line?.tell === 'ready') {
      w.ready = true
      limitTime(w)
    }
    if (line?.tell === 'progress' && w.job !== undefined) o.onProgress?.(w.job, line.passedMs)
    if (line?.tell === 'done') {
      if (line.trouble !== undefined) o.onTrouble?.(w.job, line.trouble)
      const { record, reached, changes, divergence } = line
      end(w, {
        record,
        reached,
        ...(changes === undefined ? {} : { changes }),
        ...(divergence === undefined ? {} : { divergence }),
      })
      give(w)
    }
  }

  function start(): void {
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', '--expose-gc', entry], {
      stdio: ['pipe', 'ignore', 'pipe', 'pipe'],
    })
    const w: Worker = { child, job: undefined, errors: '', ready: false, late: false }
    live.add(w)
    child.stdin?.on('error', () => undefined)
    const news = child.stdio[3] as Readable
    const lines = createInterface({ input: news, crlfDelay: Infinity })
    lines.on('line', (text) => hear(w, text))
    child.stderr?.setEncoding('utf8')
    child.stderr?.on('data', (text: string) => {
      w.errors = (w.errors + text).slice(-mostErrors)
    })
    const linesEnded = new Promise<void>((resolve) => {
      lines.on('close', resolve)
    })
    child.on('error', (e) => {
      w.errors += messageOf(e)
    })
    child.on('close', (code, signal) => {
      void linesEnded.then(() => {
        live.delete(w)
        const job = w.job
        if (w.errors.trim() !== '') o.onTrouble?.(job, w.errors.trim())
        if (job !== undefined)
          end(w, { record: diedIn(job, signal ?? code ?? 'unknown', w, stopping), reached: [] })
        if (!stopping && waiting.length > 0) start()
        settle()
      })
    })
    give(w)
  }

  const n = Math.max(1, Math.min(o.workers, waiting.length))
  for (let i = 0; i < n; i++) if (waiting.length > 0) start()
  settle()
  return {
    finished: finished.promise,
    stop() {
      if (stopping) return
      stopping = true
      for (const w of live) if (w.job === undefined) w.child.stdin?.end()
      for (const w of live) if (w.job !== undefined) w.child.kill('SIGINT')
      late = setTimeout(kill, o.patience ?? patience)
      settle()
    },
  }
}

/** What a worker tells; nothing where it died in the middle of the line. */
function lineOf(text: string): WorkerLine | undefined {
  try {
    return JSON.parse(text) as WorkerLine
  } catch {
    return undefined
  }
}

/** The line of a standard error that tells most: the error itself, not the stack below it. */
function tellingLine(errors: string): string {
  const lines = errors.split('\n').filter((l) => l.trim() !== '' && !/^(\s+at |Node\.js v)/.test(l))
  return (lines.findLast((l) => /Error\b.*: /.test(l)) ?? lines.at(-1) ?? '').trim()
}

/** What is known of a job whose worker died under it: a fault of the bench, unless the operator stopped it. */
function diedIn(job: Job, how: number | string, w: Worker, stopped: boolean): ScenarioRecord {
  const last = tellingLine(w.errors)
  const limit = `over its limit of ${durationText(job.timeoutMs ?? 0)} of wall time it did not stop when it was asked to, and `
  const why = `${w.late ? limit : ''}the worker of '${job.id}' died (${how})${last === '' ? '' : `: ${last}`}`
  return {
    scenario: job.scenario,
    verifies: [],
    checks: [],
    trouble: stopped ? { blame: 'operator', why: 'stopped by the operator' } : { blame: 'bench', why },
  }
}
