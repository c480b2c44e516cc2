import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { root } from '../main/material.ts'
import { seedsThatFail } from './seeds.ts'
import type { FailedSeed, SeedsOptions } from './seeds.ts'
import { createTotals } from './totals.ts'

const folder = mkdtempSync(join(tmpdir(), 'gridproof-seeds-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A scenario that passes at some seeds alone. */
const text = `
import { eventually, scenario } from '${pathToFileURL(join(root, 'bench/index.ts')).href}'
export default scenario({
  title: 'Passes where the seed draws a low number',
  verifies: ['M:0022/current'],
  needs: ['platform'],
  catches: {},
  horizon: '1 s',
  async run({ check, note, random, time }) {
    check(eventually({ src: 'bench', kind: 'note', select: '*' }, () => true, { id: 'noted', limit: 'noted', verifies: ['M:0022/current'], within: '1 s' }))
    note('played')
    await time.pass(time.horizon)
    if (random('number') > 0.6) throw new Error('a high number was drawn')
  },
})
`

async function failing(from: number, count: number, more: Partial<SeedsOptions> = {}): Promise<FailedSeed[]> {
  const found: FailedSeed[] = []
  const o = {
    scenario: 'sometimes/low',
    from,
    count,
    short: false,
    out: join(folder, 'out'),
    options: ['--scenarios', join(folder, 'scenarios')],
    ...more,
  }
  for await (const f of seedsThatFail(o)) found.push(f)
  return found
}

test(
  'each seed that fails is named, its log is kept, and it fails again alone',
  {
    timeout: 60_000,
  },
  async () => {
    mkdirSync(join(folder, 'scenarios', 'sometimes'), { recursive: true })
    writeFileSync(join(folder, 'scenarios', 'sometimes', 'low.ts'), text)
    const totals = createTotals()
    const keep = join(folder, 'kept')
    const found = await failing(1, 5, { totals, keep })
    expect(readdirSync(keep)).toEqual(found.map((f) => `sometimes.low@${f.seed}.jsonl`))
    expect(totals.lines()[0]).toBe(`noted: passed at ${5 - found.length} of 5 seeds`)
    expect(totals.spent.benchMs).toBeGreaterThanOrEqual(5_000)
    expect(found.length).toBeGreaterThan(0)
    expect(found.length).toBeLessThan(5)
    const [one] = found
    expect(one?.why).toMatch(/a high number was drawn/)
    expect(await failing(one?.seed ?? 0, 1)).toEqual([one])
  },
)
