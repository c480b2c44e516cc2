import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { shippedCatalogue } from '../bench/requirements/load.ts'
import { consoleReport } from './console.ts'
import type { RequirementsJson } from './requirements-json.ts'
import {
  begin,
  declared,
  feederDay,
  judged,
  LogText,
  runHeader,
  sampleRun,
  scenarioEnd,
  scenarioHeader,
  strangers,
  writeRun,
  writeScenario,
} from './testing/sample-run.ts'
import { writeReports } from './write.ts'

const folders: string[] = []
function folder(): string {
  const f = mkdtempSync(join(tmpdir(), 'gridproof-reports-'))
  folders.push(f)
  return f
}
afterEach(() => {
  for (const f of folders.splice(0)) rmSync(f, { recursive: true, force: true })
})

const options = { catalogueFolder: shippedCatalogue }
const door = 'security/strangers'

/** A catalogue of one requirement: what is tried many times is tried quickly. */
function smallCatalogue(): string {
  const f = folder()
  const text = [
    'document: d',
    'title: a document',
    'source: d.txt',
    'requirements:',
    "  - { id: 'M:0010', section: '1', priority: must, statement: something is asked for, subject: platform, method: test,",
    '      clauses: [{ id: one, asks: something }] }',
  ]
  writeFileSync(join(f, 'd.yaml'), `${text.join('\n')}\n`)
  return f
}

function read(f: string, file: string): string {
  return readFileSync(join(f, file), 'utf8')
}

function json(f: string): RequirementsJson {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by the code under test, by this type
  return JSON.parse(read(f, 'requirements.json')) as RequirementsJson
}

function small(f: string, log: LogText | string = strangers(door)): void {
  writeRun(f, runHeader([door], { verifies: { [door]: ['M:0010'] } }), [writeScenario(f, door, log)])
}

describe('writing reports', () => {
  test('gives a first page, a page for each scenario that ran, requirements.json and a summary', () => {
    const f = folder()
    sampleRun(f)
    const { files, run } = writeReports(f, options)
    expect(files).toEqual([
      'data/capture.gridkey-every-minute.html',
      'data/capture.ten-second-burst.html',
      'data/security.strangers-at-the-door.html',
      'data/storage.survives-a-cut.html',
      'index.html',
      'requirements.json',
      'summary.md',
      'junit.xml',
      'ctrf.json',
    ])
    expect(run.requirements.find((r) => r.id === 'M:0023')?.state).toBe('fail')
    const index = read(f, 'index.html')
    expect(index).toContain('<strong><span class="s-fail" aria-hidden="true">✗</span> Not met.</strong>')
    expect(index).toContain('id="M:0023"')
    const page = read(f, 'data/capture.gridkey-every-minute.html')
    expect(page).toMatch(/id="seq-\d+"/)
    expect(page).toContain('class="gap"')
    expect(page).toContain('href="../index.html#M%3A0023"')
  })

  test('gives the same bytes for the same logs, wherever their folder stands', () => {
    const [a, b] = [folder(), folder()]
    sampleRun(a)
    sampleRun(b)
    const files = writeReports(a, options).files
    writeReports(b, options)
    for (const file of files) expect(read(a, file)).toBe(read(b, file))
    writeReports(a, options)
    for (const file of files) expect(read(a, file)).toBe(read(b, file))
  })

  test('refers to nothing outside the folder', () => {
    const f = folder()
    sampleRun(f)
    for (const file of writeReports(f, options).files.filter((n) => n.endsWith('.html')))
      for (const [, address = ''] of read(f, file).matchAll(/(?:href|src)="([^"]*)"/g)) {
        expect(address).not.toMatch(/^[a-z]+:(?!,)|^\/\//i)
        const [path = ''] = decodeURIComponent(address).split('#')
        if (path !== '' && !address.startsWith('data:'))
          expect(existsSync(join(f, file, '..', path)), `${file}: ${address}`).toBe(true)
      }
  })

  test('tells in requirements.json the state of each ID and clause, with the digest of its evidence', () => {
    const f = folder()
    sampleRun(f)
    writeReports(f, options)
    const j = json(f)
    expect(j.format).toBe('gridproof-requirements/1')
    expect(j.counts.numbered.all).toBe(294)
    const m23 = j.requirements.find((r) => r.id === 'M:0023')
    expect(m23).toMatchObject({ state: 'fail', blame: 'product', document: 'openlv' })
    expect(m23?.clauses[0]?.checks[0]).toEqual({
      scenario: 'capture/gridkey-every-minute',
      check: 'spacing',
      decided: true,
    })
    const check = j.scenarios[0]?.checks.find((c) => c.id === 'spacing')
    const log = readFileSync(join(f, 'data/capture.gridkey-every-minute.jsonl'))
    expect(check?.evidence.sha256).toBe(createHash('sha256').update(log).digest('hex'))
    expect(check?.evidence.because).toHaveLength(2)
    const lines = log.toString().split('\n')
    expect(JSON.parse(lines[(check?.evidence.because[0] ?? 0) - 1] ?? '')).toMatchObject({
      data: { alias: 'gridkey.feeder3.l2.current' },
    })
    expect(j.scenarios.at(-1)).toMatchObject({ ended: 'not run', log: null })
  })

  test('keeps the summary within its budget, and says how much was left out', () => {
    const f = folder()
    sampleRun(f)
    writeReports(f, { ...options, summaryBudget: 1500 })
    const text = read(f, 'summary.md')
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(1500)
    expect(text).toMatch(/more/)
    expect(text).toContain('index.html')
  })
})

describe('evidence that is not whole', () => {
  test('no log at all is a report that says so', () => {
    const f = folder()
    const { run } = writeReports(f, options)
    expect(run.problems).toEqual(['the run has no log'])
    expect(read(f, 'index.html')).toContain('No requirement was judged.')
    expect(json(f).outcome.state).toBe('not run')
  })

  test('a run without scenarios judges nothing', () => {
    const f = folder()
    writeRun(f, runHeader([]), [])
    expect(writeReports(f, options).run.problems).toEqual([])
    expect(json(f).outcome.state).toBe('not run')
  })

  test('a scenario cut short leaves its checks inconclusive, and the bench to blame', () => {
    const f = folder()
    const text = strangers(door).lines.slice(0, -2)
    small(f, text.map((l) => `${l}\n`).join(''))
    writeReports(f, options)
    const j = json(f)
    expect(j.requirements.find((r) => r.id === 'M:0010')).toMatchObject({
      state: 'inconclusive',
      blame: 'bench',
    })
    expect(j.problems.join()).toContain('no trailer')
  })

  test('a log that was changed after the run passes nothing', () => {
    const f = folder()
    small(f)
    writeReports(f, options)
    expect(json(f).requirements.find((r) => r.id === 'M:0010')?.state).toBe('pass')
    const file = join(f, `data/${door.replace('/', '.')}.jsonl`)
    writeFileSync(file, readFileSync(file, 'utf8').replace('"admitted":false', '"admitted":true '))
    writeReports(f, options)
    const m10 = json(f).requirements.find((r) => r.id === 'M:0010')
    expect(m10).toMatchObject({ state: 'inconclusive', blame: 'bench' })
    expect(m10?.why).toContain('SHA-256 differs')
  })

  test('nothing after a line that is no event counts', () => {
    const f = folder()
    const lines = strangers(door).lines
    small(f, [...lines.slice(0, 6), '{"seq":7', ...lines.slice(6)].map((l) => `${l}\n`).join(''))
    writeReports(f, options)
    expect(json(f).problems.join()).toContain('cannot be read from line 7')
    expect(json(f).requirements.find((r) => r.id === 'M:0010')?.state).toBe('inconclusive')
  })

  test('whatever bytes stand in the logs, the reports are written', () => {
    const f = folder()
    const options = { catalogueFolder: smallCatalogue() }
    const whole = Buffer.from(strangers(door).text())
    const damage = fc.record({
      keep: fc.integer({ min: 0, max: whole.length }),
      at: fc.integer({ min: 0, max: whole.length }),
      bytes: fc.uint8Array({ maxLength: 30 }),
      run: fc.boolean(),
    })
    fc.assert(
      fc.property(damage, (d) => {
        small(f)
        const file = join(f, d.run ? 'log.jsonl' : `data/${door.replace('/', '.')}.jsonl`)
        const old = readFileSync(file)
        writeFileSync(
          file,
          Buffer.concat([old.subarray(0, d.at), d.bytes, old.subarray(d.at, Math.max(d.at, d.keep))]),
        )
        const { run } = writeReports(f, options)
        consoleReport(run, { terminal: { width: 80, colour: true, redraws: true, unicode: true } })
      }),
      { numRuns: 100 },
    )
  }, 120_000)

  test('whatever values stand in whole events, the reports are written', () => {
    const f = folder()
    const options = { catalogueFolder: smallCatalogue() }
    const header = scenarioHeader(door)
    const kind = fc.constantFrom('run', 'said', 'seen', 'fault', 'step', 'check', 'note', 'end', 'host')
    const data = fc.oneof(
      fc.jsonValue(),
      fc.record({
        phase: fc.constantFrom('declared', 'judged'),
        id: fc.string(),
        result: fc.jsonValue(),
        over: fc.jsonValue(),
      }),
      fc.record({ alias: fc.string(), payload: fc.jsonValue() }),
      fc.record({ answers: fc.dictionary(fc.string(), fc.jsonValue()) }),
      fc.constant(header),
    )
    const event = fc.record({
      at: fc.double({ noNaN: true, noDefaultInfinity: true }),
      kind,
      data,
      stamp: fc.double({ noNaN: true, noDefaultInfinity: true }),
    })
    fc.assert(
      fc.property(fc.array(event, { maxLength: 30 }), (events) => {
        const log = new LogText()
        log.add(begin, 'bench', 'run', header)
        declared(log, begin, 'c', ['M:0010'], 'every 1 s ±1 s', '*')
        for (const e of events)
          if (e.kind !== 'end')
            log.add(e.at, e.kind === 'seen' ? 'marketplace' : 'bench', e.kind, e.data, {
              stamp: e.stamp,
            })
        log.add(begin, 'bench', 'end', scenarioEnd())
        small(f, log)
        writeReports(f, options)
      }),
      { numRuns: 100 },
    )
  }, 120_000)
})

describe('hostile text in a log', () => {
  const bad = '</title><script>alert(1)</script><img src=x onerror=alert(2)>"\'`\u202e\u001b[2J'

  function hostile(): LogText {
    const log = new LogText()
    log.add(
      begin,
      'bench',
      'run',
      scenarioHeader(door, { title: bad, rig: bad, played: { [bad]: bad }, defects: [bad] }),
    )
    declared(log, begin, bad, ['M:0010', bad], bad, '*')
    const seq = log.add(begin + 1, 'marketplace', 'seen', { alias: bad, payload: { Value: 1, [bad]: bad } })
    log.add(begin + 2, 'marketplace', 'seen', { alias: bad, payload: { Value: 2 } })
    log.add(begin + 3, bad, 'step', { what: bad, detail: bad })
    judged(log, begin + 4, bad, {
      verdict: 'fail',
      blame: 'product',
      why: bad,
      observed: { [bad]: bad },
      because: [seq],
    })
    log.add(
      begin + 5,
      'bench',
      'end',
      scenarioEnd({ world: { time: 'virtual', escapes: [{ what: bad, where: bad }] } }),
    )
    return log
  }

  test('stays text on every page, in the summary and on the console', () => {
    const f = folder()
    const step = writeScenario(f, door, hostile())
    const subject = {
      kind: 'real',
      maker: bad,
      product: bad,
      version: bad,
      serial: bad,
      digest: bad,
    } as const
    writeRun(f, runHeader([door], { rig: bad, commit: bad, subject, verifies: { [door]: [bad] } }), [step])
    const { files, run } = writeReports(f, options)
    for (const file of files.filter((n) => n.endsWith('.html'))) {
      const text = read(f, file)
      expect(text).not.toContain('<script>alert')
      expect(text).not.toContain('<img')
      expect(text.match(/<script>/g)?.length ?? 0).toBe(file === 'index.html' ? 1 : 0)
      expect(text).not.toContain('\u202e')
    }
    expect(read(f, 'summary.md')).not.toMatch(/<script|<img/)
    const text = consoleReport(run, {
      terminal: { width: 100, colour: false, redraws: false, unicode: true },
    })
    expect(text).not.toContain('\u001b')
    expect(text).not.toContain('\u202e')
  })

  test('a scenario whose name leads out of the folder is neither read nor written there', () => {
    const f = folder()
    const inner = join(f, 'run')
    mkdirSync(inner)
    writeFileSync(join(f, 'outside.jsonl'), strangers(door).text())
    const id = '../../outside'
    const steps = [
      { scenario: id, file: '../outside.jsonl', outcome: 'finished' } as const,
      { scenario: '/etc/passwd', file: '/etc/passwd', outcome: 'finished' } as const,
    ]
    writeRun(inner, runHeader([id, '/etc/passwd']), steps)
    const { run, files } = writeReports(inner, options)
    expect(run.scenarios.every((s) => s.contents === undefined)).toBe(true)
    expect(files.filter((f) => f.includes('/'))).toEqual([])
  })
})

describe('a good day', () => {
  test('has every plot and no finding', () => {
    const f = folder()
    const id = 'capture/gridkey-every-minute'
    writeRun(f, runHeader([id], { verifies: { [id]: ['M:0023'] } }), [
      writeScenario(f, id, feederDay(id, false, 120)),
    ])
    writeReports(f, options)
    const page = read(f, `data/${id.replace('/', '.')}.html`)
    expect(page.match(/class="plot small"/g)).toHaveLength(36)
    expect(page).toContain('13 more are not drawn')
    expect(/\d gaps?\b/.test(page)).toBe(false)
    expect(read(f, 'index.html')).not.toContain('id="findings"')
  })
})
