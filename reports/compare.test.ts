import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Result } from '../bench/faces.ts'
import { loadCatalogue, shippedCatalogue } from '../bench/requirements/load.ts'
import { compareRuns } from './compare.ts'
import { readRun } from './model/read-run.ts'
import type { RunView } from './model/run.ts'
import { requirementsJson } from './requirements-json.ts'
import {
  begin,
  declared,
  judged,
  LogText,
  runHeader,
  scenarioEnd,
  scenarioHeader,
  writeRun,
  writeScenario,
} from './testing/sample-run.ts'

const catalogue = loadCatalogue(shippedCatalogue)
const pass = (n: number): Result => ({ verdict: 'pass', observed: { 'figure [1]': n }, because: [] })
const fail: Result = {
  verdict: 'fail',
  blame: 'product',
  why: 'w',
  observed: { 'figure [1]': 9 },
  because: [],
}

/** A run of scenarios, each with what came of its checks. */
function runOf(
  scenarios: Readonly<Record<string, Readonly<Record<string, Result>>>>,
  clock?: { readonly offsetMs: number; readonly uncertaintyMs: number },
): RunView {
  const folder = mkdtempSync(join(tmpdir(), 'gridproof-compare-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const steps = Object.entries(scenarios).map(([id, checks]) => {
    const log = new LogText()
    log.add(begin, 'bench', 'run', scenarioHeader(id))
    if (clock !== undefined) log.add(begin, 'clock', 'note', clock)
    for (const c of Object.keys(checks)) declared(log, begin, c, ['M:0023/period'], 'limit')
    for (const [c, result] of Object.entries(checks)) judged(log, begin, c, result)
    log.add(begin, 'bench', 'end', scenarioEnd())
    return writeScenario(folder, id, log)
  })
  writeRun(folder, runHeader(Object.keys(scenarios)), steps)
  return readRun(folder, catalogue)
}

describe('two runs compare', () => {
  const both = { 'capture/x': { one: pass(1), two: pass(2) }, 'capture/y': { one: pass(1) } }

  test('as the same where nothing differs', () => {
    const c = compareRuns(runOf(both), runOf(both))
    expect(c).toMatchObject({ scenarios: [], checks: [], figures: [], same: 3, worse: false })
  })

  test('a scenario that is gone is worse, and told of in one place, without its checks and figures', () => {
    const c = compareRuns(runOf(both), runOf({ 'capture/y': both['capture/y'] }))
    expect(c.scenarios).toEqual([{ scenario: 'capture/x', what: 'gone', checks: 2, failed: 0, way: 'worse' }])
    expect(c).toMatchObject({ checks: [], figures: [], same: 1, worse: true })
  })

  test('a new scenario is worse only where one of its checks failed', () => {
    const before = runOf({ 'capture/y': both['capture/y'] })
    expect(compareRuns(before, runOf(both))).toMatchObject({
      scenarios: [{ scenario: 'capture/x', what: 'new', checks: 2, failed: 0, way: 'other' }],
      worse: false,
    })
    const c = compareRuns(before, runOf({ ...both, 'capture/x': { one: pass(1), two: fail } }))
    expect(c).toMatchObject({ scenarios: [{ failed: 1, way: 'worse' }], checks: [], worse: true })
  })

  test('a check that is gone of a scenario that is there is told of without figures; other figures are told', () => {
    const c = compareRuns(runOf(both), runOf({ ...both, 'capture/x': { one: pass(5) } }))
    expect(c.checks).toMatchObject([
      { check: 'two', before: 'pass', after: 'gone', way: 'worse', figures: [] },
    ])
    expect(c.figures).toMatchObject([{ check: 'one', figures: [['figure [1]', '1', '5']] }])
  })
})

test("requirements.json has the platform's clock as each scenario knew it, and says where none did", () => {
  const clock = { offsetMs: 1240, uncertaintyMs: 630 }
  const one = { 'capture/x': { one: pass(1) } }
  expect(requirementsJson(runOf(one, clock)).scenarios.map((s) => s.clock)).toEqual([clock])
  expect(requirementsJson(runOf(one)).scenarios.map((s) => s.clock)).toEqual([null])
})
