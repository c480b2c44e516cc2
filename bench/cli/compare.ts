/** `gridproof compare` */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { GridproofError } from '../../drivers/errors.ts'
import { compareRuns } from '../../reports/compare.ts'
import type { CheckChange, ScenarioChange, Way } from '../../reports/compare.ts'
import { readRun } from '../../reports/model/read-run.ts'
import type { RunView } from '../../reports/model/run.ts'
import { oneLine } from '../../reports/text/plain.ts'
import { loadCatalogue } from '../requirements/load.ts'
import type { Catalogue } from '../requirements/load.ts'
import { exitCodes } from '../verdicts/exit-code.ts'
import { readMaterial } from '../main/material.ts'

const signs: Readonly<Record<Way, string>> = { worse: '↓', better: '↑', other: '·' }

export async function compareCommand(
  before: string,
  after: string,
  o: { readonly figures?: boolean; readonly requirements?: readonly string[] },
): Promise<number> {
  const catalogue = loadCatalogue(readMaterial(o).requirements)
  const c = compareRuns(runIn(before, catalogue), runIn(after, catalogue))
  const lines: string[] = []
  const section = (title: string, list: readonly string[]): void => {
    if (list.length > 0) lines.push(title, ...list)
  }
  section(
    'Not alike:',
    c.differs.map(([what, a, b]) => `    ${what}: ${a} → ${b}`),
  )
  section(
    'Requirements:',
    c.requirements.map((r) => `  ${signs[r.way]} ${r.ref}: ${r.before} → ${r.after}${because(r)}`),
  )
  section(
    'Clauses:',
    c.clauses.map((r) => `  ${signs[r.way]} ${r.ref}: ${r.before} → ${r.after}${because(r)}`),
  )
  section('Scenarios:', c.scenarios.map(scenarioLine))
  section('Checks:', c.checks.flatMap(checkLines))
  if (o.figures === true) section('Same verdict, other figures:', c.figures.flatMap(checkLines))
  const other =
    c.figures.length === 0
      ? ''
      : ` ${c.figures.length} more came to the same verdict from other figures${o.figures === true ? '' : ' (--figures)'}.`
  const changed = c.requirements.length + c.clauses.length + c.scenarios.length + c.checks.length
  lines.push(
    `${c.checks.length} checks with another verdict, ${c.same} the same to the last figure.${other}`,
    c.worse ? 'Something got worse.' : changed === 0 ? 'No verdict differs.' : 'Nothing got worse.',
  )
  process.stdout.write(`${lines.map(oneLine).join('\n')}\n`)
  return c.worse ? exitCodes.failed : exitCodes.ok
}

function because(r: { readonly why?: string; readonly blame?: string }): string {
  return r.why === undefined ? '' : ` — ${r.why}${r.blame === undefined ? '' : ` (${r.blame})`}`
}

function scenarioLine(s: ScenarioChange): string {
  const checks = `${s.checks} check${s.checks === 1 ? '' : 's'}`
  return `  ${signs[s.way]} ${s.scenario} (${checks}): ${s.what}${s.failed === 0 ? '' : `, ${s.failed} failed`}`
}

function checkLines(c: CheckChange): string[] {
  const figures = c.figures.map(([name, a, b]) => `      ${name}: ${a ?? 'none'} → ${b ?? 'none'}`)
  return [
    `  ${signs[c.way]} ${c.scenario} ${c.check} (${c.verifies.join(', ')}): ${c.before} → ${c.after}${because(c)}`,
    ...figures,
  ]
}

function runIn(folder: string, catalogue: Catalogue): RunView {
  if (!existsSync(join(folder, 'log.jsonl')))
    throw new GridproofError('usage', `'${folder}' is no folder of a run: it has no log.jsonl`)
  return readRun(folder, catalogue)
}
