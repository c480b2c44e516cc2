import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { mountsBelow } from '../../drivers/real/block.ts'
import { lacksCached } from '../../drivers/real/disk.ts'
import { place } from './testing.ts'

const lacks = lacksCached()

describe.skipIf(lacks !== undefined)(`gridproof explore (${lacks ?? 'explored here'})`, () => {
  test('finds out what does not flush, and nothing about what does; keeps the bad disk', async () => {
    using at = place()
    const out = join(at.path, 'out')
    const r = await at.run([
      'explore',
      'records',
      'delete-full',
      'no-folder-fsync',
      '--states',
      '40',
      '--out',
      out,
    ])
    expect(r).toMatchObject({ code: 0, err: '' })
    expect(r.out).toContain('Sound: 0 alarms in 40 states. Flawed: 2 of 2 found out.')
    const folder = join(out, readdirSync(out).find((f) => f.endsWith('-explore')) ?? '')
    const result = JSON.parse(readFileSync(join(folder, 'explore.json'), 'utf8')) as {
      subjects: { subject: string; states: number; bad: number; image?: string }[]
    }
    expect(result.subjects.map((s) => [s.subject, s.states, s.bad > 0])).toEqual([
      ['records', 40, false],
      ['delete-full', 40, true],
      ['no-folder-fsync', 40, true],
    ])
    expect(existsSync(join(folder, 'delete-full.img'))).toBe(true)
    expect(existsSync(join(folder, 'records.img'))).toBe(false)
    expect(mountsBelow('/dev/shm').filter((m) => m.includes('explore'))).toEqual([])
    expect(at.left()).toEqual([])
  }, 60_000)
})

test('gridproof explore refuses what it does not know, and says what there is', async () => {
  using at = place()
  const r = await at.run(['explore', 'everything'])
  expect(r.code).toBe(2)
  expect(r.err).toContain("nothing called 'everything' to explore; there are: records, ")
})
