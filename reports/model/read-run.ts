/** Reads a run's folder: its log, then the log of each scenario. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Json } from '../../drivers/faces.ts'
import { isGridproofError, messageOf } from '../../drivers/errors.ts'
import { readLog } from '../../bench/evidence/read.ts'
import type { RunEnd, RunHeader, ScenarioStep } from '../../bench/evidence/schema.ts'
import { pickLines } from './bytes.ts'
import { isRecord } from './payload.ts'
import { readScenario } from './read-scenario.ts'
import { runEnd, runHeader, scenarioStep } from './shapes.ts'
import type { FileDigest, ScenarioView } from './run.ts'

/** What the logs tell, before requirements are joined to it. */
export interface Evidence {
  readonly header?: RunHeader
  readonly end?: RunEnd
  readonly scenarios: readonly ScenarioView[]
  readonly problems: readonly string[]
  readonly log: FileDigest
}

/** The most scenarios that are read; a real run has far fewer. */
const mostScenarios = 5000

/** Never throws for what stands in a log: that becomes a problem of the evidence, and is reported. */
export function readRun(folder: string): Evidence {
  const file = 'log.jsonl'
  const path = join(folder, file)
  const problems: string[] = []
  let header: RunHeader | undefined
  let end: RunEnd | undefined
  const steps = new Map<string, ScenarioStep>()
  if (existsSync(path)) {
    const log = readLog(path)
    try {
      for (const e of log) {
        if (e.kind === 'run') header ??= runHeader.safeParse(e.data).data
        if (e.kind === 'end') end = runEnd.safeParse(e.data).data
        if (e.kind === 'step') addStep(steps, e.data)
      }
      if (log.torn !== undefined)
        problems.push(`the run's log ends within line ${log.torn.line}: its writer died`)
      else if (log.cutShort) problems.push(`the run's log has no trailer: the run was cut short`)
    } catch (e) {
      const line = isGridproofError(e) && e.place?.line !== undefined ? ` from line ${e.place.line}` : ''
      problems.push(`the run's log cannot be read${line}: ${messageOf(e).replaceAll(path, file)}`)
    }
  } else problems.push('the run has no log')
  if (header === undefined && problems.length === 0)
    problems.push('the header of the run cannot be understood')
  const ids = [...new Set([...(header?.scenarios ?? []), ...steps.keys()])]
  if (ids.length > mostScenarios) problems.push(`only the first ${mostScenarios} scenarios were read`)
  return {
    ...(header === undefined ? {} : { header }),
    ...(end === undefined ? {} : { end }),
    scenarios: ids.slice(0, mostScenarios).map((id) => readScenario(folder, id, steps.get(id))),
    problems,
    log: existsSync(path) ? pickLines(path, file, []).digest : { file, bytes: 0, sha256: '' },
  }
}

/** The last step of a scenario counts: `scenario begins` first, then `scenario ended`. */
function addStep(steps: Map<string, ScenarioStep>, data: Json): void {
  if (!isRecord(data) || (data['what'] !== 'scenario begins' && data['what'] !== 'scenario ended')) return
  const step = scenarioStep.safeParse(data['detail']).data
  if (step !== undefined) steps.set(step.scenario, step)
}
