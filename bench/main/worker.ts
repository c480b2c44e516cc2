/**
 * A worker performs scenarios, one after the other: jobs come as lines on standard input, news go out as lines on
 * descriptor 3. Reading blocks between jobs and nothing is read during one, so that nothing of this conversation
 * enters a run. In virtual time the kernel is installed before anything else is imported.
 */
import { readSync, writeSync } from 'node:fs'
import type { Job, Stop, WorkerLine } from './job.ts'
import type { Outcome } from './perform-job.ts'

const news = 3

// One for the whole life of the worker: Ctrl-C at a terminal reaches it beside the bench's own word, and twice is once.
const stop = Promise.withResolvers<Stop>()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => stop.resolve('operator'))
// The pool's word that the job's time is up; it gives this worker no other job afterwards.
process.on('SIGUSR2', () => stop.resolve('time limit'))

const natives = {
  readSync,
  writeSync,
  exit: process.exit.bind(process),
  hrtime: process.hrtime.bigint.bind(process.hrtime),
  cpu: process.cpuUsage.bind(process),
  now: Date.now.bind(Date),
}

function tell(line: WorkerLine): void {
  try {
    natives.writeSync(news, `${JSON.stringify(line)}\n`)
  } catch {
    // Nobody listens: the bench is gone, and what it started ends with it.
    natives.exit(1)
  }
}

/** The next job, or undefined at the end of the list. */
const rest: string[] = []
let half = ''
function nextJob(): Job | undefined {
  const buffer = Buffer.alloc(65_536)
  while (rest.length === 0) {
    const n = natives.readSync(0, buffer, 0, buffer.length, null)
    if (n === 0) return undefined
    half += buffer.toString('utf8', 0, n)
    const lines = half.split('\n')
    half = lines.pop() ?? ''
    rest.push(...lines)
  }
  return JSON.parse(rest.shift() ?? '') as Job
}

/**
 * What is told of a job that could not begin: a file that has changed meanwhile, a log that cannot be created. Any
 * other error ends the worker, and nothing it does afterwards can be trusted.
 */
function refused(job: Job, e: unknown): Outcome {
  if (!(e instanceof Error) || e.name !== 'GridproofError') throw e
  const trouble = { blame: 'rig', why: e.message } as const
  return { record: { scenario: job.scenario, verifies: [], checks: [], trouble }, reached: [] }
}

const first = nextJob()
if (first !== undefined) {
  const { stage } = await import('./stage.ts')
  const perform = await stage(first, {
    tell,
    wallMs: () => Number(natives.hrtime()) / 1e6,
    cpuMs: () => {
      const c = natives.cpu()
      return (c.user + c.system) / 1000
    },
    wallNow: natives.now,
    stopped: stop.promise,
  })
  tell({ tell: 'ready' })
  for (let job: Job | undefined = first; job !== undefined; job = nextJob()) {
    tell({ tell: 'done', id: job.id, ...(await perform(job).catch((e: unknown) => refused(job, e))) })
  }
}
natives.exit(0)
