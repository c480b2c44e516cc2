import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { loadCatalogue, shippedCatalogue } from '../requirements/load.ts'
import { readRecord, writeRecord } from './record.ts'
import type { RecordOptions } from './record.ts'

const catalogue = loadCatalogue(shippedCatalogue)
const folder = mkdtempSync(join(tmpdir(), 'records-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}
const photo = file('Photo 1.JPG', 'a photo')
const options: RecordOptions = {
  catalogue,
  reference: 'M:005',
  verdict: 'pass',
  by: 'A. Fitter',
  note: 'Two locks',
  attach: [],
  into: join(folder, 'records'),
  subject: null,
  bench: '0',
  now: Date.UTC(2026, 0, 1),
}

test('a record is read as it was written, its attachments by their digest', () => {
  const { folder: at, record } = writeRecord({ ...options, attach: [photo] })
  expect(record.clauses).toEqual(['M:005/secured', 'M:005/no-help-from-the-room'])
  expect(record.attachments[0]).toMatchObject({ name: 'Photo 1.JPG', bytes: 7 })
  expect(readdirSync(join(at, 'attachments'))).toEqual([`${record.attachments[0]?.sha256}.jpg`])
  expect(readRecord(at)).toEqual({ folder: at, record, problems: [] })
  expect(writeRecord(options).folder).not.toBe(at)
})

test('an attachment that is altered, missing or added is noticed', () => {
  const { folder: at, record } = writeRecord({ ...options, attach: [photo] })
  const path = join(at, record.attachments[0]?.file ?? '')
  writeFileSync(path, 'another')
  expect(readRecord(at).problems).toEqual(['the attachment Photo 1.JPG is not the one recorded'])
  rmSync(path)
  writeFileSync(join(at, 'attachments/more'), '')
  expect(readRecord(at).problems).toEqual([
    'the attachment Photo 1.JPG is missing',
    'attachments/more belongs to no record',
  ])
})

test.each([
  [{ reference: 'M:05' }, /no requirement 'M:05'; nearest: M:005/],
  [{ reference: 'M:005/lock' }, /no clause 'lock'/],
  [{ reference: 'M:0022' }, /judged by a test/],
  [{ by: ' ' }, /says who/],
  [{ note: '\n' }, /what was seen/],
  [{ note: '', verdict: 'waived' }, /reason of the waiver/],
  [{ note: '-----BEGIN PRIVATE KEY-----' }, /private key/],
  [{ attach: [join(folder, 'none')] }, /cannot be attached/],
  [{ attach: [folder] }, /it is no file/],
  [{ attach: [file('empty', '')] }, /it is empty/],
  [{ attach: [file('key', '\n-----BEGIN EC PRIVATE KEY-----\n')] }, /private key/],
  [{ into: photo }, /no record can be kept/],
] as const)('%j is refused, and nothing is written', (more, why) => {
  const into = join(folder, 'refused')
  expect(() => writeRecord({ ...options, into, ...more })).toThrow(why)
  expect(readdirSync(folder)).not.toContain('refused')
})

test('a tested requirement can be waived', () => {
  expect(writeRecord({ ...options, reference: 'M:0022', verdict: 'waived' }).record.clauses).toHaveLength(3)
})

test('a file that is no record is refused with its place', () => {
  const { folder: at } = writeRecord(options)
  const path = join(at, 'record.json')
  const whole = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>
  for (const [text, why] of [
    ['', /cannot be read as a record/],
    ['{}', /is no record/],
    [JSON.stringify({ ...whole, by: '' }), /by/],
    [JSON.stringify({ ...whole, verdict: 'passed' }), /verdict/],
    [JSON.stringify({ ...whole, more: 1 }), /more/],
    [
      JSON.stringify({
        ...whole,
        attachments: [{ name: 'x', file: '../x', bytes: 1, sha256: 'a'.repeat(64) }],
      }),
      /attachments/,
    ],
  ] as const) {
    writeFileSync(path, text)
    expect(() => readRecord(at)).toThrow(why)
  }
})
