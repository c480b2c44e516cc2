import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { observedDigest } from './observed.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'gridproof-observed-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let files = 0
function digest(events: readonly object[]): string {
  const file = join(folder, `${++files}.jsonl`)
  writeFileSync(file, events.map((e, i) => `${JSON.stringify({ seq: i + 1, ...e })}\n`).join(''))
  return observedDigest(file)
}

const reading = {
  at: 10,
  src: 'marketplace',
  kind: 'seen',
  stamp: 9,
  data: { alias: 'a', payload: { Value: 1 } },
}
const note = { at: 5, src: 'defect', kind: 'note', data: { phase: 'reached' } }

test('what the bench notes of its own, and the numbers that shift by it, make no difference', () => {
  expect(digest([note, { ...reading, cause: 1 }])).toBe(digest([{ ...reading, cause: 0 }]))
  expect(digest([reading, { at: 11, src: 'host', kind: 'seen', data: { 'memory [B]': 7 } }])).toBe(
    digest([reading]),
  )
})

test('another value, another moment, one message more, one less, or another order do', () => {
  const other = { ...reading, at: 20, data: { alias: 'b', payload: { Value: 2 } } }
  const runs = [
    [reading, other],
    [reading, { ...other, data: { alias: 'b', payload: { Value: 2.5 } } }],
    [reading, { ...other, at: 20.5 }],
    [reading, other, other],
    [reading],
    [other, reading],
    [],
  ]
  expect(new Set(runs.map(digest)).size).toBe(runs.length)
})
