import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadCatalogue, shippedCatalogue } from '../bench/requirements/load.ts'
import { consoleReport } from './console.ts'
import { readRun } from './model/read-run.ts'
import type { RunView } from './model/run.ts'
import { sampleRun } from './testing/sample-run.ts'
import { columns } from './text/plain.ts'
import { type Terminal, terminalOf } from './text/terminal.ts'

const plain: Terminal = { width: 120, colour: false, redraws: false, unicode: true }
let folder = ''
let run: RunView

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'gridproof-console-'))
  sampleRun(folder)
  run = readRun(folder, loadCatalogue(shippedCatalogue))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('the console report', () => {
  test('says of each failure what, whose fault, the limit, the figures, and where the evidence is', () => {
    const text = consoleReport(run, { terminal: plain, show: 'failures' })
    expect(text).toContain('✗ fail  M:0023')
    expect(text).toContain('blame     product')
    expect(text).toContain('limit     every 60 s ±6 s')
    expect(text).toContain('longest gap 180 s')
    expect(text).toMatch(/evidence {2}data\/capture\.gridkey-every-minute\.jsonl seq \d+, \d+/)
    expect(text).not.toContain('✓ pass')
  })

  test('ends with counts, the numbered IDs apart, and one sentence', () => {
    const lines = consoleReport(run, { terminal: plain }).trimEnd().split('\n')
    expect(lines.at(-1)).toMatch(
      /^✗ Of 4 requirements judged, 1 failed \(blame: product\), 1 was inconclusive \(blame: bench\), 1 needs a longer run and 1 passed\./,
    )
    expect(lines.some((l) => l.startsWith('Of 294 numbered requirements: 1 fail, 2 inconclusive'))).toBe(true)
  })

  test('lists all requirements, the judged ones, or those that did not pass', () => {
    const rows = (show: 'all' | 'judged' | 'failures'): number =>
      (consoleReport(run, { terminal: plain, show }).split('\nNot passed\n')[0] ?? '')
        .split('\n')
        .filter((l) => /^ {2}[✗?○≈✓◇☐–i] \S.* {2}(?:M|S|W|I|SR|MP102B)[:-]/.test(l)).length
    expect(rows('all')).toBeGreaterThanOrEqual(294)
    expect(rows('judged')).toBeLessThan(20)
    expect(rows('failures')).toBe(3)
  })

  test('keeps rows of the table within the width of the terminal', () => {
    for (const width of [50, 80, 120, 200]) {
      const text = consoleReport(run, { terminal: { ...plain, width }, show: 'all' })
      const long = text
        .split('\n')
        .filter((l) => columns(l) > width && !/^(Of|✗ Of|\d+ scenarios| {4}evidence)/.test(l))
      expect(long).toEqual([])
    }
  })

  test('has colours only where asked, and says the same without them', () => {
    const bare = consoleReport(run, { terminal: plain })
    const coloured = consoleReport(run, { terminal: { ...plain, colour: true } })
    expect(bare).not.toContain('\u001b')
    expect(coloured).toContain('\u001b[31m')
    const parts = coloured.split('\u001b')
    expect(parts.map((s, i) => (i === 0 ? s : s.replace(/^\[\d+m/, ''))).join('')).toBe(bare)
  })
})

describe('a terminal', () => {
  test('has colours when it is one, and neither NO_COLOR nor TERM=dumb says otherwise', () => {
    const tty = { isTTY: true, columns: 100 }
    expect(terminalOf(tty, { LANG: 'en_GB.UTF-8' })).toEqual({
      width: 100,
      colour: true,
      redraws: true,
      unicode: true,
    })
    expect(terminalOf(tty, { NO_COLOR: '1' })).toMatchObject({ colour: false, redraws: true })
    expect(terminalOf(tty, { NO_COLOR: '' }).colour).toBe(true)
    expect(terminalOf(tty, { TERM: 'dumb' })).toMatchObject({ colour: false, redraws: false })
    expect(terminalOf({}, { LANG: 'C', COLUMNS: '90' })).toEqual({
      width: 90,
      colour: false,
      redraws: false,
      unicode: false,
    })
  })
})
