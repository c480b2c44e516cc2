/** What a run left whose bench was killed, and how it goes on. */
import {
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  readFileSync,
  readSync,
  realpathSync,
  rmSync,
  statSync,
} from 'node:fs'
import { createHash } from 'node:crypto'
import { basename, join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { GridproofError, messageOf } from '../../drivers/errors.ts'
import type { Instant } from '../../drivers/faces.ts'
import { processPlace, processStamp } from '../../drivers/real/process.ts'
import { durationText } from '../../drivers/units.ts'
import { gapOf } from '../evidence/gap.ts'
import { readLog } from '../evidence/read.ts'
import type { BenchProcess, RunHeader, ScenarioHeader, ScenarioStep } from '../evidence/schema.ts'
import type { Event } from '../faces.ts'
import { recordFold, runRecordOf } from '../verdicts/record.ts'
import type { RunRecord, ScenarioRecord } from '../verdicts/record.ts'
import type { Job, Resume } from './job.ts'
import type { Plan } from './plan.ts'

/** Of a run that was interrupted. */
export interface Interrupted {
  /** Absolute path. */
  readonly folder: string
  readonly header: RunHeader
  readonly record: RunRecord
  /** Where its own log goes on. */
  readonly log: Omit<Resume, 'horizons'>
}

/** Reads the folder of a run. Throws `usage` where there is nothing to go on with. */
export function readInterrupted(path: string): Interrupted {
  const refuse = (why: string): never => {
    throw new GridproofError('usage', `'${path}' cannot be resumed: ${why}`)
  }
  if (!existsSync(join(path, 'log.jsonl'))) refuse('it is no folder of a run, since it has no log.jsonl')
  const folder = realpathSync(path)
  const file = join(folder, 'log.jsonl')
  const events: Event[] = []
  const log = scan(file, (e) => void events.push(e))
  const record = runRecordOf(events)
  const { header } = record
  if (header === undefined || events[0]?.kind !== 'run')
    return refuse('its log has no header: nothing is known of how it was started')
  if (header.merged !== undefined) refuse('it was merged of several runs')
  if (record.end?.outcome === 'finished') refuse('it came to its end')
  if (record.end !== undefined)
    refuse('the operator stopped it, and its verdicts stand; what is open needs a new run')
  const writer = lastWriter(events, header)
  if (writer !== undefined && alive(writer))
    refuse(`its bench still goes on (process ${writer.pid}); only what was interrupted can be resumed`)
  return { folder, header, record, log }
}

/** Throws `usage` where the bench, the rig or the platform is not that of the run. */
export function sameAsThen(i: Interrupted, plan: Plan): void {
  const { header } = i
  const refuse = (what: string, then: string, now: string): never => {
    throw new GridproofError(
      'usage',
      `'${i.folder}' cannot be resumed: its ${what} was ${then}, and is ${now} now; what two kinds of bench saw makes no one run: start a new one`,
    )
  }
  if (header.commit !== plan.commit) refuse('bench', `of commit ${header.commit}`, plan.commit)
  if (header.rig !== plan.rig.name) refuse('rig', `'${header.rig}'`, `'${plan.rig.name}'`)
  if (header.rigSha256 !== plan.rigSha256)
    refuse(
      'rig file',
      `another (SHA-256 ${(header.rigSha256 ?? 'unknown').slice(0, 12)}…)`,
      `${plan.rigSha256.slice(0, 12)}…`,
    )
  if (plan.subject.kind === 'reference' && header.subject.digest !== plan.subject.digest)
    refuse('platform', String(header.subject.digest).slice(0, 20), String(plan.subject.digest).slice(0, 20))
}

/** What becomes of each scenario of an interrupted run. */
export interface GoingOn {
  /** Those that came to their end. */
  readonly kept: readonly { readonly job: Job; readonly record: ScenarioRecord }[]
  /** Those that are still to run: not begun, to be continued, or once more from their beginning. */
  readonly jobs: readonly Job[]
  /** Time of the last event in any log of the run. */
  readonly from: Instant
  /** Ends that the run's own log does not tell. */
  readonly steps: readonly ScenarioStep[]
}

/** The reason why an interrupted scenario is run again whole. */
const interrupted = 'the bench was interrupted; it was run again from its beginning'

/**
 * `log`: the file of a scenario's n-th try. Throws `usage` where a scenario has changed since, or its log cannot be read.
 */
export function goingOn(
  i: Interrupted,
  jobs: readonly Job[],
  o: {
    readonly log: (id: string, attempt: number) => string
    scenarioSha256(job: Job): string | undefined
    /** The least length of what is left of a scenario that can go on, ms; nothing of another one. */
    leastOf(job: Job): number | undefined
  },
): GoingOn {
  const kept: { job: Job; record: ScenarioRecord }[] = []
  const more: Job[] = []
  const steps: ScenarioStep[] = []
  let { from } = i.log
  const left = (file: string): Left => {
    const l = leftOf(file)
    from = Math.max(from, l.end.from)
    return l
  }
  for (const first of jobs) {
    const ended = i.record.ended.get(first.id)
    if (ended !== undefined && ended.again === undefined) {
      const job = tryOf(first, ended.attempt ?? 1, o.log)
      kept.push({ job, record: left(job.log).record })
      continue
    }
    const attempt = ended === undefined ? 1 : (ended.attempt ?? 1) + 1
    const job = tryOf(first, attempt, o.log)
    if (!existsSync(job.log)) {
      more.push(job)
      continue
    }
    const { header, record, watchedMs, horizons, end } = left(job.log)
    if (header === undefined) {
      // Nothing was written yet.
      rmSync(job.log)
      more.push(job)
      continue
    }
    const about = { scenario: job.id, file: `data/${basename(job.log)}`, ...attemptOf(job) }
    const sha256 = createHash('sha256').update(readFileSync(job.log)).digest('hex')
    if (record.end !== undefined) {
      kept.push({ job, record })
      steps.push({ ...about, sha256, outcome: record.end.outcome, ...record.trouble })
      continue
    }
    if (header.sha256 !== o.scenarioSha256(job))
      throw new GridproofError(
        'usage',
        `'${i.folder}' cannot be resumed: the scenario '${job.id}' has changed since; start a new run`,
      )
    const least = header.time === 'real' ? o.leastOf(job) : undefined
    if (least !== undefined && watchedMs !== undefined) {
      const rest = Math.max(job.horizonMs - watchedMs, Math.min(least, job.horizonMs))
      more.push({ ...job, horizonMs: rest, resume: { ...end, horizons } })
      continue
    }
    steps.push({ ...about, sha256, outcome: 'broke', blame: 'bench', why: interrupted, again: interrupted })
    more.push(tryOf(first, attempt + 1, o.log))
  }
  return { kept, jobs: more, from, steps }
}

function tryOf(job: Job, attempt: number, log: (id: string, attempt: number) => string): Job {
  return { ...job, log: log(job.id, attempt), ...(attempt === 1 ? {} : { attempt }) }
}

function attemptOf(job: Job): { attempt?: number } {
  return job.attempt === undefined ? {} : { attempt: job.attempt }
}

/** What a scenario's log holds. */
interface Left {
  readonly header: ScenarioHeader | undefined
  readonly record: ScenarioRecord
  /** How long it watched, in all its stretches; nothing where it never came to watch. */
  readonly watchedMs: number | undefined
  /** How long each stretch was to be, ms. */
  readonly horizons: readonly number[]
  readonly end: Omit<Resume, 'horizons'>
}

function leftOf(file: string): Left {
  const record = recordFold()
  const horizons: number[] = []
  let header: ScenarioHeader | undefined
  let watchedMs: number | undefined
  let begin: Instant | undefined
  let last: Instant = 0
  const close = (): void => {
    if (begin !== undefined) watchedMs = (watchedMs ?? 0) + last - begin
    begin = undefined
  }
  const end = scan(file, (e) => {
    record.see(e)
    const gap = gapOf(e)
    if (e.seq === 1) {
      header = e.data as unknown as ScenarioHeader
      horizons.push(header.horizonMs)
    } else if (gap !== undefined) {
      close()
      horizons.push(gap.horizonMs)
    } else if (e.kind === 'check' && e.src === 'bench') begin ??= e.at
    last = e.at
  })
  close()
  return { header, record: record.record(), watchedMs, horizons, end }
}

/** Reads a log to its end, and tells where it goes on. A torn last line is left out. */
function scan(file: string, see: (e: Event) => void): Omit<Resume, 'horizons'> {
  const log = readLog(file)
  let last: Event | undefined
  try {
    for (const e of log) {
      see(e)
      last = e
    }
  } catch (e) {
    throw new GridproofError('usage', `its evidence cannot be read, and not resumed: ${messageOf(e)}`, {
      cause: e,
    })
  }
  const from = last?.at ?? 0
  if (from > Date.now())
    throw new GridproofError(
      'usage',
      `this machine's clock is ${durationText(from - Date.now())} behind the last event of '${file}': set it right first`,
    )
  const { torn } = log
  const { size, whole } = lineFeeds(file)
  return {
    seq: last?.seq ?? 0,
    bytes: torn === undefined ? size : whole,
    from,
    ...(torn === undefined && whole < size ? { unended: true } : {}),
    ...(torn === undefined ? {} : { torn: torn.text }),
  }
}

/** Length of a file, and how much of it stands up to its last line feed, that included. */
function lineFeeds(file: string): { readonly size: number; readonly whole: number } {
  const fd = openSync(file, 'r')
  try {
    const { size } = fstatSync(fd)
    const part = Buffer.alloc(65_536)
    for (let to = size; to > 0;) {
      const from = Math.max(0, to - part.length)
      const n = readSync(fd, part, 0, to - from, from)
      const at = part.subarray(0, n).lastIndexOf(10)
      if (at >= 0) return { size, whole: from + at + 1 }
      to = from
    }
    return { size, whole: 0 }
  } finally {
    closeSync(fd)
  }
}

/** The process that wrote last: of the run's header, or of the last bench that went on with it. */
function lastWriter(events: readonly Event[], header: RunHeader): BenchProcess | undefined {
  let writer = header.process
  for (const e of events) {
    const d = e.data as { readonly process?: BenchProcess } | null
    if (gapOf(e) !== undefined && d?.process !== undefined) writer = d.process
  }
  return writer
}

function alive(p: BenchProcess): boolean {
  return p.place === processPlace() && processStamp(p.pid) === p.stamp
}

/** This process, as a log names it. */
export function thisBench(): { readonly process?: BenchProcess } {
  const stamp = processStamp(process.pid)
  return stamp === undefined ? {} : { process: { pid: process.pid, stamp, place: processPlace() } }
}

/** Whether a worker of the bench that was killed may still write: its log grows within this time, ms. Ours. */
const settling = 1500

/** Resolves when the logs of a run rest; throws `usage` where they do not. */
export async function settled(i: Interrupted): Promise<void> {
  const sizes = (): readonly number[] =>
    i.header.scenarios.map((id) => {
      const step = i.record.begun.has(id) ? join(i.folder, 'data', `${id.replaceAll('/', '.')}.jsonl`) : ''
      return existsSync(step) ? statSync(step).size : 0
    })
  for (let n = 0; n < 4; n++) {
    const before = sizes()
    await new Promise((done) => {
      setTimeout(done, settling)
    })
    if (isDeepStrictEqual(before, sizes())) return
  }
  throw new GridproofError(
    'usage',
    `'${i.folder}' cannot be resumed: its logs still grow, so that its bench seems to go on`,
  )
}
