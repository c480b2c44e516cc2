/** Formats for CI, held against readers that are not ours. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { validate } from 'ctrf'
import type { CTRFReport } from 'ctrf'
import * as fc from 'fast-check'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { shippedCatalogue } from '../bench/requirements/load.ts'
import { consoleReport } from './console.ts'
import { ctrfReport } from './ctrf.ts'
import { gitlabRequirements } from './gitlab.ts'
import { junitXml } from './junit.ts'
import type { RunView } from './model/run.ts'
import {
  begin,
  declared,
  judged,
  LogText,
  runHeader,
  sampleRun,
  scenarioEnd,
  scenarioHeader,
  writeRun,
  writeScenario,
} from './testing/sample-run.ts'
import { writeReports } from './write.ts'

const folders: string[] = []
function folder(): string {
  const f = mkdtempSync(join(tmpdir(), 'gridproof-formats-'))
  folders.push(f)
  return f
}
afterEach(() => {
  for (const f of folders.splice(0)) rmSync(f, { recursive: true, force: true })
})

/** The sample run as read, and its folder. */
let made: { run: RunView; at: string } | undefined
function sample(): { run: RunView; at: string } {
  if (made !== undefined) return made
  const at = mkdtempSync(join(tmpdir(), 'gridproof-formats-'))
  sampleRun(at)
  made = { run: writeReports(at, { catalogueFolder: shippedCatalogue }).run, at }
  return made
}
afterAll(() => {
  if (made !== undefined) rmSync(made.at, { recursive: true, force: true })
})

/** One scenario whose texts are as given. */
function texts(id: string, why: string, limit = why): RunView {
  const at = folder()
  const log = new LogText()
  log.add(begin, 'bench', 'run', scenarioHeader('capture/x', { title: why }))
  for (const v of ['one', 'two']) declared(log, begin, id + v, ['M:0023/period', why], limit)
  judged(log, begin, `${id}one`, {
    verdict: 'fail',
    blame: 'product',
    why,
    observed: { [limit]: why },
    because: [2],
  })
  judged(log, begin, `${id}two`, { verdict: 'pass', why, observed: why, because: [] })
  log.add(begin, 'bench', 'end', scenarioEnd())
  writeRun(at, runHeader(['capture/x'], { id: why, commit: why }), [writeScenario(at, 'capture/x', log)])
  return writeReports(at, { catalogueFolder: shippedCatalogue }).run
}

const has = (program: string, ...args: string[]): boolean => spawnSync(program, args).status === 0
const xmllint = has('xmllint', '--version')
const python = '/usr/bin/python3'
const junitparser = has(python, '-c', 'import junitparser')

describe('junit.xml', () => {
  test('tells failures, what could not be judged, and what was known beforehand apart', () => {
    const text = junitXml(sample().run)
    expect(text).toMatch(/<testsuites name="Gridproof: LV-CAP reference platform 0\.1\.0: Of /)
    expect(text).toMatch(
      /<testcase classname="capture\.gridkey-every-minute" name="spacing: M:0023"[^>]*>.*<failure message="gridkey\.feeder3[^>]* type="product">fail: /,
    )
    expect(text).toMatch(
      /classname="capture\.ten-second-burst" name="spacing: M:0024".*<skipped message="needs 1 h/,
    )
    expect(text).toMatch(
      /classname="upload\.daily-file" name="comes to its end"[^>]*>.*<error message="not run: it did not run" type="bench">/,
    )
  })

  test('makes skipped tests of what could not be judged, for readers that stop at an error', () => {
    const { run } = sample()
    const text = junitXml(run, { faults: 'skipped' })
    expect(text).not.toMatch(/<error|errors="[1-9]/)
    expect(text).toMatch(/name="comes to its end"[^>]*>.*<skipped message="not run: it did not run"/)
    expect(text).toContain('<failure')
  })

  test('names no property twice in a test, none that a reader reserves, and no test twice', () => {
    const text = junitXml(sample().run)
    const reserved = ['UID', 'STATUS', 'TITLE', 'STATEMENT', 'DURATION', 'TEST_PATH', 'TEST_FUNCTION']
    const tests = [...text.matchAll(/<testcase classname="([^"]*)" name="([^"]*)".*?(?:<\/testcase>|\/>)/gs)]
    expect(tests.length).toBeGreaterThan(8)
    expect(new Set(tests.map((t) => `${t[1]}\0${t[2]}`)).size).toBe(tests.length)
    for (const [one] of tests) {
      const names = [...one.matchAll(/<property name="([^"]*)"/g)].map((m) => m[1] ?? '')
      expect(new Set(names).size).toBe(names.length)
      for (const n of names) expect(reserved).not.toContain(n.toUpperCase().replaceAll('-', '_'))
    }
  })

  test('stays within its budget by leaving out the texts of what passed', () => {
    const { run } = sample()
    const small = junitXml(run, { budget: 100 })
    expect(small.length).toBeLessThan(junitXml(run).length)
    expect(small).not.toContain('<system-out>')
    expect(small).toContain('<failure')
  })

  test('two checks of one name stay two tests', () => {
    const text = junitXml(texts('', 'x'))
    expect(text).toContain('name="one: M:0023, x"')
    expect(text).toContain('name="two: M:0023, x"')
  })

  test.skipIf(!xmllint)(`is XML whatever stands in the log${xmllint ? '' : ' (skipped: no xmllint)'}`, () => {
    const hostile = fc.sample(fc.string({ unit: 'binary', maxLength: 40 }), { numRuns: 40, seed: 4 })
    const nasty = `]]>--><![CDATA[ & < > " ' \u0000\u0008\ud800\ufffe\uffff\u202e\u{1f600} &amp; &#0;`
    const files = [nasty, hostile.join('|')].map((t) => junitXml(texts(t, t)))
    for (const input of [...files, junitXml(sample().run)])
      execFileSync('xmllint', ['--noout', '-'], { input, stdio: ['pipe', 'pipe', 'pipe'] })
  })

  test.skipIf(!junitparser)(
    `is read by junitparser as it is meant${junitparser ? '' : ' (skipped: no python3-junitparser)'}`,
    () => {
      const { run, at } = sample()
      const program = `
import json, sys
from junitparser import JUnitXml
out = []
for suite in JUnitXml.fromfile(sys.argv[1]):
    assert suite.tests == len(list(suite)), suite.name
    kinds = [r._tag for case in suite for r in case.result]
    assert (suite.failures, suite.errors, suite.skipped) == tuple(kinds.count(k) for k in ("failure", "error", "skipped"))
    for case in suite:
        out.append([case.classname, case.name, [r._tag for r in case.result]])
print(json.dumps(out))`
      const read = JSON.parse(
        execFileSync(python, ['-c', program, join(at, 'junit.xml')], { encoding: 'utf8' }),
      ) as [string, string, string[]][]
      expect(read.length).toBe(1 + run.scenarios.length + run.scenarios.flatMap((s) => s.checks).length)
      expect(read.filter(([, , r]) => r.includes('failure')).map(([c]) => c)).toEqual([
        'capture.gridkey-every-minute',
      ])
      expect(read).toContainEqual(['capture.ten-second-burst', 'spacing: M:0024', ['skipped']])
      expect(read).toContainEqual(['storage.survives-a-cut', 'comes to its end', ['error']])
    },
  )
})

describe('ctrf.json', () => {
  const problems = (report: unknown): unknown => {
    const v = validate(report)
    return v.valid ? [] : v.errors
  }

  test('keeps to the schema of its project, and counts right', () => {
    const { at } = sample()
    const report = JSON.parse(readFileSync(join(at, 'ctrf.json'), 'utf8')) as CTRFReport
    expect(problems(report)).toEqual([])
    const { summary, tests } = report.results
    for (const status of ['passed', 'failed', 'skipped', 'other'] as const)
      expect(tests.filter((t) => t.status === status).length, status).toBe(summary[status])
    expect(tests.length).toBe(summary.tests)
    expect(tests.find((t) => t.status === 'failed')).toMatchObject({
      name: 'spacing: M:0023',
      rawStatus: 'fail',
      labels: { requirement: ['M:0023'] },
      extra: { blame: 'product', observed: { 'longest gap [s]': 180 } },
    })
  })

  test('keeps to it whatever stands in the log', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (t) => {
        expect(problems(JSON.parse(JSON.stringify(ctrfReport(texts(t, t)))))).toEqual([])
      }),
      { numRuns: 6, examples: [['']] },
    )
    const empty = writeReports(folder(), { catalogueFolder: shippedCatalogue }).run
    expect(problems(JSON.parse(JSON.stringify(ctrfReport(empty))))).toEqual([])
  })

  test('has an ID of its own for other evidence, and the same one for the same', () => {
    const id = (run: RunView): unknown => (ctrfReport(run) as { reportId?: string }).reportId
    expect(id(texts('a', 'a'))).toBe(id(texts('a', 'a')))
    expect(id(texts('a', 'a'))).not.toBe(id(texts('a', 'b')))
  })
})

test('requirements_v2.json has a word for what was looked at, and none for what was not', () => {
  const { run } = sample()
  const numbers = { 'M:0023': 4, 'M:0024': 5, 'M:0041': 6, 'M:0001': 7, 'M:0010': 8 }
  expect(gitlabRequirements(run, numbers)).toMatchObject({ 4: 'failed', 6: 'failed' })
  // M:0024 needs a longer run; at M:0001 nobody looked.
  expect(Object.keys(gitlabRequirements(run, numbers))).not.toContain('5')
  expect(Object.keys(gitlabRequirements(run, numbers))).not.toContain('7')
  const at = folder()
  writeRun(at, runHeader(['capture/x']), [])
  const { files } = writeReports(at, { catalogueFolder: shippedCatalogue, gitlab: { 'M:0023': 4 } })
  expect(files).toContain('requirements_v2.json')
  expect(JSON.parse(readFileSync(join(at, 'requirements_v2.json'), 'utf8'))).toEqual({ 4: 'failed' })
})

test('a run that was cut short or stopped says so in the first lines of every format', () => {
  for (const [ending, word] of [
    ['cut', 'This run was cut short'],
    ['aborted', 'The operator stopped this run'],
  ] as const) {
    const at = folder()
    writeRun(at, runHeader(['capture/x']), [])
    const log = join(at, 'log.jsonl')
    const text = readFileSync(log, 'utf8')
    const end = text.trimEnd().lastIndexOf('\n') + 1
    writeFileSync(
      log,
      ending === 'cut'
        ? text.slice(0, end)
        : text.slice(0, end) + text.slice(end).replace('"outcome":"finished"', '"outcome":"aborted"'),
    )
    const { run, files } = writeReports(at, { catalogueFolder: shippedCatalogue })
    for (const file of files.filter((f) => !f.startsWith('data/'))) {
      const whole = readFileSync(join(at, file), 'utf8')
      const body = file === 'index.html' ? whole.slice(whole.indexOf('<h1>')) : whole
      expect(body.slice(0, 700), file).toContain(word)
    }
    expect(
      consoleReport(run, { terminal: { width: 200, colour: false, unicode: true, redraws: false } })
        .split('\n')
        .slice(0, 3)
        .join('\n'),
    ).toContain(word)
  }
})
