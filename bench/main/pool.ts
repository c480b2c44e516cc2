/** Runs jobs in worker processes, several at a time; a worker that dies takes only its own job with it. */
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { messageOf } from '../../drivers/errors.ts'
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
  onBegin?(job: Job): void
  onProgress?(job: Job, passedMs: number): void
  onDone?(done: Done): void
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
    const d = { job, ...of }
    done.push(d)
    o.onDone?.(d)
  }

  function next(): Job | undefined {
    if (stopping) return undefined
    for (let job = waiting.shift(); job !== undefined; job = waiting.shift())
      if (o.skip?.(job) !== true) return job
    return undefined
  }

  function give(w: Worker): void {
    const job = next()
    if (job === undefined) {
      w.child.stdin?.end()
      return
    }
    w.job = job
    o.onBegin?.(job)
    w.child.stdin?.write(`${JSON.stringify(job)}\n`)
  }

  function hear(w: Worker, text: string): void {
    const line = lineOf(text)
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
    const w: Worker = { child, job: undefined, errors: '' }
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
          end(w, { record: diedIn(job, signal ?? code ?? 'unknown', w.errors, stopping), reached: [] })
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
      late = setTimeout(kill, patience)
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
function diedIn(job: Job, how: number | string, errors: string, stopped: boolean): ScenarioRecord {
  const last = tellingLine(errors)
  const why = `the worker of '${job.id}' died (${how})${last === '' ? '' : `: ${last}`}`
  return {
    scenario: job.scenario,
    verifies: [],
    checks: [],
    trouble: stopped ? { blame: 'operator', why: 'stopped by the operator' } : { blame: 'bench', why },
  }
}
