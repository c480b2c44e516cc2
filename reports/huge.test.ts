import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'gridproof-huge-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Measured {
  readonly ms: number
  readonly logBytes: number
  readonly pageBytes: number
  readonly events: number
  readonly deciding: number
  readonly peakMiB: number
}

/** In a process whose heap holds a small share of the log: gathering events would end it. */
function measure(name: string, events: number, aliases: number): Measured {
  const script = fileURLToPath(new URL('./testing/huge.ts', import.meta.url))
  const heap = '--max-old-space-size=72'
  const out = execFileSync(
    process.execPath,
    [heap, script, join(folder, name), String(events), String(aliases)],
    {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- printed by testing/huge.ts
  return JSON.parse(out) as Measured
}

describe('a huge log', () => {
  test('of 200 MB is read in a heap that could not hold it, and makes a page that a phone can show', () => {
    const m = measure('long', 700_000, 66)
    expect(m.logBytes).toBeGreaterThan(200e6)
    expect(m.events).toBe(700_004)
    expect(m.deciding).toBe(3)
    expect(m.pageBytes).toBeLessThan(600_000)
    expect(m.peakMiB).toBeLessThan(400)
  }, 120_000)

  test('that speaks of 20,000 different names costs no more memory or page', () => {
    const m = measure('wide', 60_000, 20_000)
    expect(m.events).toBe(60_004)
    expect(m.pageBytes).toBeLessThan(600_000)
  }, 120_000)
})
