/** Reads one scenario's log from the run's folder. */
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Event } from '../../bench/faces.ts'
import type { ScenarioStep } from '../../bench/evidence/schema.ts'
import { type GridproofError, isGridproofError, messageOf, placeText } from '../../drivers/errors.ts'
import { readLog } from '../../bench/evidence/read.ts'
import { count } from '../text/figures.ts'
import { pickLines } from './bytes.ts'
import { ScenarioFold } from './fold.ts'
import { insideRun, pageOf } from './paths.ts'
import { figureOf, isRecord } from './payload.ts'
import { event } from './shapes.ts'
import type { CheckView, Extract, ScenarioRecord, ScenarioView } from './run.ts'

/** Deciding events that are shown for one check; the rest are counted. */
export const decidingShown = 12
/** And for one scenario. */
const decidingInAll = 400

/** What the log of `id` tells. `step` is what the run's own log said of it. */
export function readScenario(folder: string, id: string, step?: ScenarioStep): ScenarioView {
  const page = pageOf(id)
  const about = step === undefined ? {} : { step }
  const file = insideRun(step?.file ?? '') ?? insideRun(`data/${id}.jsonl`)
  const path = file === undefined ? undefined : join(folder, file)
  if (file === undefined || path === undefined || !isFile(path)) return { id, page, ...about, checks: [] }
  const fold = new ScenarioFold()
  const problems: string[] = []
  try {
    foldLog(path, fold, problems)
    const checks = fold.checks()
    const wanted = checks
      .flatMap((c) => c.result?.because.slice(0, decidingShown) ?? [])
      .slice(0, decidingInAll)
    const { digest, lines } = pickLines(path, file, wanted)
    const deciding = new Map<number, Extract>()
    for (const [seq, line] of lines)
      if (seq <= fold.events) deciding.set(seq, extract(event.parse(JSON.parse(line))))
    const record: ScenarioRecord = {
      log: digest,
      events: fold.events,
      kinds: fold.kinds(),
      first: fold.first ?? 0,
      last: fold.last ?? 0,
      timeline: fold.timeline,
      momentsLeftOut: fold.momentsLeftOut,
      defects: fold.defects,
      deciding,
      channels: fold.series(),
      truth: fold.truth,
      problems: [...problems, ...problemsOf(digest.sha256, fold, checks, step)],
    }
    return {
      id,
      page,
      ...about,
      ...(fold.header === undefined ? {} : { header: fold.header }),
      ...(fold.end === undefined ? {} : { end: fold.end }),
      checks,
      record,
    }
  } catch (e) {
    const problem = `the log could not be read: ${messageOf(e)}`
    return { id, page, ...about, checks: [], record: unread(file, problem) }
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

function problemsOf(
  sha256: string,
  fold: ScenarioFold,
  checks: readonly CheckView[],
  step: ScenarioStep | undefined,
): string[] {
  const out: string[] = []
  if (fold.header === undefined) out.push('the log has no header of a scenario')
  if (fold.unread > 0) out.push(`${count(fold.unread, 'check event')} could not be understood`)
  const open = checks.filter((c) => c.result === undefined).length
  if (open > 0) out.push(`${count(open, 'check was', 'checks were')} declared and never judged`)
  if (step?.sha256 !== undefined && step.sha256 !== sha256)
    out.push('the log is not the one that the run wrote: its SHA-256 differs')
  return out
}

function unread(file: string, problem: string): ScenarioRecord {
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
