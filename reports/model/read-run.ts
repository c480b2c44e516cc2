/** Reads a run's folder: its log, then the log of each scenario; joins them with the catalogue. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Json } from '../../drivers/faces.ts'
import { isGridproofError, messageOf } from '../../drivers/errors.ts'
import { gapOf } from '../../bench/evidence/gap.ts'
import { readLog } from '../../bench/evidence/read.ts'
import type { Event } from '../../bench/faces.ts'
import type { Catalogue } from '../../bench/requirements/load.ts'
import { runRecordOf, withNotRun } from '../../bench/verdicts/record.ts'
import { rollUp } from '../../bench/verdicts/rollup.ts'
import { pickLines } from './bytes.ts'
import { isRecord } from './payload.ts'
import { placeOf, type Place, readScenario } from './read-scenario.ts'
import type { RequirementView, RunView, ScenarioView } from './run.ts'
import { runEnd, runHeader, scenarioStep } from './shapes.ts'

/** The most scenarios that are read; a real run has far fewer. */
const mostScenarios = 5000

/** Earlier tries of one scenario that are read. */
const mostTries = 20

/** And troubles of workers that are told. */
const mostTroubles = 50

const file = 'log.jsonl'

/** The scenarios before and after one, of those that have a log. */
export interface Neighbours {
  readonly before?: Place
  readonly next?: Place
}

/**
 * Never throws for what stands in a log: that becomes a problem of the evidence, and is reported. `onScenario` is given
 * each scenario with all that was kept of its log, one after the other; what is returned has no series and no texts of
 * events any more, so that a run of a thousand scenarios fits in memory.
 */
export function readRun(
  folder: string,
  catalogue: Catalogue,
  onScenario?: (s: ScenarioView, near: Neighbours) => void,
): RunView {
  const path = join(folder, file)
  const problems: string[] = []
  const files = new Map<string, string>()
  const run = runRecordOf(existsSync(path) ? believable(path, problems, files) : [])
  if (!existsSync(path)) problems.push('the run has no log')
  else if (run.header === undefined && problems.length === 0)
    problems.push('the header of the run cannot be understood')
  const ids = [...new Set([...(run.header?.scenarios ?? []), ...run.begun, ...run.ended.keys()])]
  if (ids.length > mostScenarios) problems.push(`only the first ${mostScenarios} scenarios were read`)
  const places = ids.slice(0, mostScenarios).map((id) => placeOf(folder, id, files.get(id)))
  const logged = places.filter((p) => p.log !== undefined)
  const scenarios = places.map((place) => {
    const earlier = (run.earlier.get(place.id) ?? []).slice(-mostTries).map((step) => {
      const tried = readScenario(folder, placeOf(folder, place.id, step.file), step)
      onScenario?.(tried, {})
      return light(tried)
    })
    const view = { ...readScenario(folder, place, run.ended.get(place.id)), earlier }
    const i = logged.indexOf(place)
    const [before, next] = i < 0 ? [] : [logged[i - 1], logged[i + 1]]
    onScenario?.(view, {
      ...(before === undefined ? {} : { before }),
      ...(next === undefined ? {} : { next }),
    })
    return light(view)
  })
  const records = withNotRun(
    run,
    scenarios.map((s) => s.record),
  )
  const byId = new Map(records.map((r) => [r.scenario, r]))
  return {
    ...(run.header === undefined ? {} : { header: run.header }),
    ...(run.end === undefined ? {} : { end: run.end }),
    gaps: run.gaps,
    scenarios: scenarios.map((s) => ({ ...s, record: byId.get(s.id) ?? s.record })),
    requirements: requirementsOf(catalogue, records),
    problems,
    log: existsSync(path) ? pickLines(path, file, []).digest : { file, bytes: 0, sha256: '' },
  }
}

/** Without what only its own page shows. */
function light(s: ScenarioView): ScenarioView {
  if (s.contents === undefined) return s
  const deciding = new Map([...s.contents.deciding].map(([seq, e]) => [seq, { ...e, text: '' }]))
  return { ...s, contents: { ...s.contents, channels: [], truth: new Map(), timeline: [], deciding } }
}

/** Events of the run's log whose shape is right, as far as the log can be read. `files`: logs named, by scenario. */
function* believable(path: string, problems: string[], files: Map<string, string>): Generator<Event> {
  const log = readLog(path)
  try {
    for (const e of log) {
      const whole =
        e.kind === 'run'
          ? runHeader.safeParse(e.data).success
          : e.kind === 'end'
            ? runEnd.safeParse(e.data).success
            : e.kind === 'step' && (gapOf(e) !== undefined || isStep(e.data, files))
      if (whole) yield e
      if (e.kind === 'note' && problems.length < mostTroubles) problems.push(...troubleIn(e.data))
    }
  } catch (e) {
    const line = isGridproofError(e) && e.place?.line !== undefined ? ` from line ${e.place.line}` : ''
    problems.push(`the run's log cannot be read${line}: ${messageOf(e).replaceAll(path, file)}`)
    return
  }
  if (log.torn !== undefined)
    problems.push(`the run's log ends within line ${log.torn.line}: its writer died`)
  else if (log.cutShort) problems.push("the run's log has no trailer: the run was cut short")
}

function isStep(data: Json, files: Map<string, string>): boolean {
  const step = isRecord(data) ? scenarioStep.safeParse(data['detail']).data : undefined
  if (step !== undefined) files.set(step.scenario, step.file)
  return step !== undefined
}

/** What the runner noted when a worker got into trouble. */
function troubleIn(data: Json): string[] {
  if (!isRecord(data) || data['what'] !== 'trouble in a worker' || typeof data['text'] !== 'string') return []
  const scenario = typeof data['scenario'] === 'string' ? `${data['scenario']}: ` : ''
  return [`${scenario}${data['text'].slice(0, 500).toWellFormed()}`]
}

/** Verdicts beside what the catalogue says, in its order. */
function requirementsOf(catalogue: Catalogue, records: Parameters<typeof rollUp>[1]): RequirementView[] {
  const titles = new Map(catalogue.documents.map((d) => [d.document, d.title]))
  const verdicts = new Map(rollUp(catalogue, records).map((v) => [v.id, v]))
  return catalogue.requirements.flatMap((r): RequirementView[] => {
    const v = verdicts.get(r.id)
    if (v === undefined) return []
    const clauses = new Map(v.clauses.map((c) => [c.ref, c]))
    return [
      {
        id: r.id,
        document: r.document,
        documentTitle: titles.get(r.document) ?? r.document,
        section: r.section,
        priority: r.priority,
        statement: r.statement,
        subject: r.subject,
        method: r.method,
        ours: r.ours === true,
        ...(r.reading === undefined ? {} : { reading: r.reading }),
        state: v.state,
        ...(v.blame === undefined ? {} : { blame: v.blame }),
        ...(v.why === undefined ? {} : { why: v.why }),
        beforehand: v.beforehand,
        clauses: r.clauses.flatMap((c) => {
          const told = clauses.get(`${r.id}/${c.id}`)
          if (told === undefined) return []
          return [
            {
              id: c.id,
              asks: c.asks,
              subject: told.subject,
              method: c.method ?? r.method,
              state: told.state,
              ...(told.blame === undefined ? {} : { blame: told.blame }),
              ...(told.why === undefined ? {} : { why: told.why }),
              beforehand: told.beforehand,
              decidedBy: told.decidedBy,
              checks: told.checks,
            },
          ]
        }),
      },
    ]
  })
}
