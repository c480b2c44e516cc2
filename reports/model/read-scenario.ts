/** Reads one scenario's log from the run's folder. */
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Event } from '../../bench/faces.ts'
import type { ScenarioStep } from '../../bench/evidence/schema.ts'
import { type GridproofError, isGridproofError, messageOf, placeText } from '../../drivers/errors.ts'
import type { ScenarioRecord } from '../../bench/verdicts/record.ts'
import { readLog } from '../../bench/evidence/read.ts'
import { count } from '../text/figures.ts'
import { pickLines } from './bytes.ts'
import { ScenarioFold } from './fold.ts'
import { insideRun, pageOf } from './paths.ts'
import { figureOf, isRecord } from './payload.ts'
import { event } from './shapes.ts'
import type { Extract, LogContents, ScenarioView } from './run.ts'

/** Deciding events that are shown for one check; the rest are counted. */
export const decidingShown = 12
/** And for one scenario. */
const decidingInAll = 400

/** Where a scenario's log and page stand, by their paths in the run's folder. */
export interface Place {
  readonly id: string
  readonly page: string
  /** Absent: there is no log of it. */
  readonly log?: string
}

/** `named` is the file that the run's own log named for it. */
export function placeOf(folder: string, id: string, named: string | undefined): Place {
  const file = insideRun(named ?? '') ?? insideRun(`data/${id.replaceAll('/', '.')}.jsonl`)
  const there = file !== undefined && isFile(join(folder, file))
  return { id, page: pageOf(id, file), ...(there ? { log: file } : {}) }
}

/** What the log of a scenario tells. `step` is what the run's own log said of its end. */
export function readScenario(folder: string, place: Place, step?: ScenarioStep): ScenarioView {
  const { id, page, log: file } = place
  const about = { id, page, earlier: [], ...(step === undefined ? {} : { step }) }
  const none: ScenarioRecord = { scenario: id, verifies: [], checks: [] }
  if (file === undefined) return { ...about, record: none, checks: [] }
  const path = join(folder, file)
  const fold = new ScenarioFold()
  const problems: string[] = []
  try {
    foldLog(path, fold, problems)
    // The run's log names the scenario; a header that says otherwise is not believed.
    const told = { ...fold.record(), scenario: id }
    const seqs = told.checks.flatMap((c) => c.result.because.slice(0, decidingShown)).slice(0, decidingInAll)
    const { digest, lines } = pickLines(path, file, seqs)
    const deciding = new Map<number, Extract>()
    for (const [seq, line] of lines)
      if (seq <= fold.events) deciding.set(seq, extract(event.parse(JSON.parse(line))))
    const altered = step?.sha256 !== undefined && step.sha256 !== digest.sha256
    const record = altered ? disbelieved(told) : told
    if (altered) problems.push(alteredWhy)
    if (record.header === undefined) problems.push('the log has no header of a scenario')
    if (fold.unread > 0)
      problems.push(`${count(fold.unread, 'event')} about the scenario or its checks could not be understood`)
    const contents: LogContents = {
      log: digest,
      events: fold.events,
      kinds: fold.kinds(),
      first: fold.first ?? 0,
      last: fold.last ?? 0,
      timeline: fold.timeline,
      momentsLeftOut: fold.momentsLeftOut,
      defects: fold.defects,
      ...(fold.clock === undefined ? {} : { clock: fold.clock }),
      deciding,
      channels: fold.series(),
      truth: fold.truth,
      problems,
    }
    return { ...about, record, checks: fold.checks(record), contents, ...headAndEnd(record) }
  } catch (e) {
    const problem = `the log could not be read: ${messageOf(e)}`
    return { ...about, record: none, checks: [], contents: unread(file, problem) }
  }
}

function headAndEnd(r: ScenarioRecord): Pick<ScenarioView, 'header' | 'end'> {
  return {
    ...(r.header === undefined ? {} : { header: r.header }),
    ...(r.end === undefined ? {} : { end: r.end }),
  }
}

const alteredWhy = 'the log is not the one that the run wrote: its SHA-256 differs'

/** Of a log that was changed afterwards no good verdict counts. */
function disbelieved(r: ScenarioRecord): ScenarioRecord {
  return {
    ...r,
    checks: r.checks.map((c) =>
      c.result.verdict === 'pass' || c.result.verdict === 'marginal'
        ? {
            ...c,
            beforehand: false,
            result: { ...c.result, verdict: 'inconclusive', blame: 'bench', why: alteredWhy },
          }
        : c,
    ),
  }
}

function isFile(path: string): boolean {
  return existsSync(path) && statSync(path).isFile()
}

/** Folds what can be read; what comes after a line that is no event is not evidence. */
function foldLog(path: string, fold: ScenarioFold, problems: string[]): void {
  const log = readLog(path)
  try {
    for (const e of log) fold.see(e)
  } catch (e) {
    if (!isGridproofError(e, 'bad-log')) throw e
    const line = e.place?.line === undefined ? '' : ` from line ${e.place.line}`
    problems.push(`the log cannot be read${line}, and nothing after it counts: ${withoutPlace(e)}`)
    return
  }
  if (log.torn !== undefined) problems.push(`the log ends within line ${log.torn.line}: its writer died`)
  else if (log.cutShort) problems.push('the log has no trailer: it was cut short')
}

/** Without the file's path: the report says the same wherever the folder stands. */
function withoutPlace(e: GridproofError): string {
  const place = e.place === undefined ? '' : `${placeText(e.place)}: `
  return e.message.startsWith(place) ? e.message.slice(place.length) : e.message
}

function unread(file: string, problem: string): LogContents {
  return {
    log: { file, bytes: 0, sha256: '' },
    events: 0,
    kinds: [],
    first: 0,
    last: 0,
    timeline: [],
    momentsLeftOut: 0,
    defects: [],
    deciding: new Map(),
    channels: [],
    truth: new Map(),
    problems: [problem],
  }
}

const extractRoom = 1500

function extract(e: Event): Extract {
  const text = JSON.stringify(e.data)
  const alias = isRecord(e.data) && typeof e.data['alias'] === 'string' ? e.data['alias'] : undefined
  const value = isRecord(e.data) ? figureOf(e.data['payload']) : undefined
  return {
    seq: e.seq,
    at: e.at,
    src: e.src,
    kind: e.kind,
    ...(typeof e.stamp === 'number' ? { stamp: e.stamp } : {}),
    ...(typeof e.cause === 'number' ? { cause: e.cause } : {}),
    ...(alias === undefined ? {} : { alias }),
    ...(value === undefined ? {} : { value }),
    text: text.length > extractRoom ? text.slice(0, extractRoom).toWellFormed() : text,
    cut: text.length > extractRoom,
  }
}
