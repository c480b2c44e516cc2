import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { gapEvent } from '../evidence/gap.ts'
import type { BenchProcess, RunHeader } from '../evidence/schema.ts'
import type { Plan } from './plan.ts'
import { readInterrupted, sameAsThen, thisBench } from './resume.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'resume-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const header = {
  format: 'gridproof-run/1',
  id: 'x',
  rig: 'local',
  seed: 1,
  short: false,
  commit: 'abc',
  node: 'v24',
  bench: '1',
  started: '2026-01-01T00:00:00Z',
  scenarios: [],
  verifies: {},
  subject: { kind: 'reference', maker: 'm', product: 'p', version: '1', digest: 'sha256:0' },
  rigSha256: '00',
} satisfies RunHeader

let count = 0
/** A run's folder with this log. */
function run(events: readonly { kind: string; data: unknown }[], tail = ''): string {
  const path = join(folder, String(++count))
  mkdirSync(path)
  const lines = events.map((e, i) => JSON.stringify({ seq: i + 1, at: i + 1, src: 'bench', ...e }))
  writeFileSync(join(path, 'log.jsonl'), lines.join('\n') + tail)
  return path
}
const end = (outcome: string): { kind: string; data: unknown } => ({
  kind: 'end',
  data: { outcome, wallMs: 1, exitCode: 0 },
})
const begin = (more: object = {}): { kind: string; data: unknown } => ({
  kind: 'run',
  data: { ...header, ...more },
})

test('only a run whose bench was killed is resumed, and it is said why another one is not', () => {
  const says = (path: string): string => {
    try {
      readInterrupted(path)
      return 'nothing'
    } catch (e) {
      return (e as Error).message
    }
  }
  expect(says(folder)).toMatch(/it is no folder of a run, since it has no log\.jsonl/)
  expect(says(join(folder, 'none'))).toMatch(/it is no folder of a run/)
  expect(says(run([begin(), end('finished')], '\n'))).toMatch(/it came to its end/)
  expect(says(run([begin(), end('aborted')], '\n'))).toMatch(/the operator stopped it/)
  expect(says(run([begin({ merged: [] })], '\n'))).toMatch(/it was merged/)
  expect(says(run([], ''))).toMatch(/its log has no header/)
  expect(says(run([begin(), { kind: 'woe', data: 1 }], '\n{}\n'))).toMatch(/its evidence cannot be read/)
  expect(says(run([begin()], '\n'))).toBe('nothing')
})

test('a run whose bench still goes on is not resumed, and another process of its number is not that bench', () => {
  const me = thisBench().process as BenchProcess
  expect(() => readInterrupted(run([begin({ process: me })], '\n'))).toThrow(/its bench still goes on/)
  expect(readInterrupted(run([begin({ process: { ...me, stamp: 'before' } })], '\n')).log.seq).toBe(1)
  // The bench that went on with it counts.
  const gap = gapEvent({ from: 1, to: 2, horizonMs: 0 }) as object
  const resumed = run([begin(), { kind: 'step', data: { ...gap, process: me } }], '\n')
  expect(() => readInterrupted(resumed)).toThrow(/its bench still goes on/)
})

test('the log goes on behind its last whole line, with or without the end of that line', () => {
  const whole = readInterrupted(run([begin()], '\n')).log
  expect(whole).toEqual({ seq: 1, bytes: whole.bytes, from: 1 })
  expect(readInterrupted(run([begin()], '\n{"seq":2,')).log).toEqual({ ...whole, torn: '{"seq":2,' })
  expect(readInterrupted(run([begin()])).log).toEqual({ ...whole, bytes: whole.bytes - 1, unended: true })
})

test('another bench, rig or platform is refused by name', () => {
  const i = readInterrupted(run([begin()], '\n'))
  const plan = {
    commit: 'abc',
    rig: { name: 'local' },
    rigSha256: '00',
    subject: header.subject,
  } as unknown as Plan
  const says =
    (more: object): (() => void) =>
    () =>
      sameAsThen(i, { ...plan, ...more })
  expect(says({})).not.toThrow()
  expect(says({ commit: 'def' })).toThrow(/its bench was of commit abc, and is def now/)
  expect(says({ rig: { name: 'lab' } })).toThrow(/its rig was 'local', and is 'lab' now/)
  expect(says({ rigSha256: '11' })).toThrow(/its rig file was another/)
  expect(says({ subject: { ...header.subject, digest: 'sha256:1' } })).toThrow(/its platform was sha256:0/)
})
