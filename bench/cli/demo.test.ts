/** `gridproof demo`, as somebody would call it: the libraries that are installed have the defects that the page tells of. */
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, expect, test } from 'vitest'
import { knownDefects } from '../main/defects.ts'
import { loadCatalogue, shippedCatalogue } from '../requirements/load.ts'
import { loadScenarios } from '../scenario/load.ts'

const gridproof = join(import.meta.dirname, 'gridproof.mjs')
const out = mkdtempSync(join(tmpdir(), 'gridproof-demo-'))
afterAll(() => rmSync(out, { recursive: true, force: true }))

test('a demonstration shows its defect within its time, with the seed and the evidence', async () => {
  // Others need more of a machine, such as disks that lose at a cut what was not flushed.
  const names = ['mqtt-js-drops-publishes', 'aedes-redelivers-as-new']
  const { stdout } = await promisify(execFile)(process.execPath, [gridproof, 'demo', ...names, '--out', out])
  for (const shown of [/shown {6}mqtt 5\.16\.0: mqtt\.js drops/, /shown {6}aedes 1\.2\.0: aedes delivers/])
    expect(stdout).toMatch(shown)
  expect(stdout).not.toContain('not shown')
  for (const m of stdout.matchAll(/evidence: (.*)$/gm)) expect(existsSync(m[1] ?? '')).toBe(true)
}, 120_000)

test('they are not among what is run without a name, and a name that is none is refused', async () => {
  const catalogue = loadCatalogue(shippedCatalogue)
  const context = { clausesOf: (r: string) => catalogue.clausesOf(r), defects: knownDefects() }
  const folder = join(import.meta.dirname, '../../scenarios')
  const ids = async (...patterns: string[]): Promise<readonly string[]> =>
    (await loadScenarios(folder, patterns, context)).map((s) => s.id)
  const all = await ids()
  expect(all).toContain('capture/every-minute')
  expect(all.filter((id) => id.startsWith('demonstrations/'))).toEqual([])
  expect((await ids('demonstrations')).length).toBeGreaterThanOrEqual(2)
  await expect(promisify(execFile)(process.execPath, [gridproof, 'demo', 'nothing'])).rejects.toMatchObject({
    code: 2,
  })
})
