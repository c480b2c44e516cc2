import { createHash, generateKeyPairSync } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { digestFile, filesBelow, holdsKey } from './digest.ts'
import { publicPem } from './keys.ts'
import { envelopeFile, publicKeyFile, signed, statementFile, statementText } from './statement.ts'
import type { Statement } from './statement.ts'
import { verifyFolder } from './verify.ts'

const root = mkdtempSync(join(tmpdir(), 'verify-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
const pair = generateKeyPairSync('ed25519')
const sha = (text: string): string => createHash('sha256').update(text).digest('hex')
const lines = (...events: object[]): string =>
  events.map((e, i) => `${JSON.stringify({ seq: i + 1, at: 1, src: 'bench', ...e })}\n`).join('')

const scenario = lines(
  { kind: 'run', data: { format: 'gridproof-scenario/1' } },
  { kind: 'seen', data: { alias: 'a', payload: 1 } },
  { kind: 'end', data: {} },
)
const run = (log: string): string =>
  lines(
    { kind: 'run', data: { format: 'gridproof-run/1' } },
    {
      kind: 'step',
      data: { what: 'scenario ended', detail: { scenario: 'x', file: 'data/x.jsonl', sha256: sha(log) } },
    },
    { kind: 'end', data: {} },
  )

let count = 0
/** An acceptance as `accept` leaves it, small. */
function made(
  files: Readonly<Record<string, string | Uint8Array>> = {},
  key: KeyObject | null = pair.privateKey,
): string {
  const folder = join(root, `${++count}`)
  const all = {
    'index.html': '<p>passed</p>',
    'acceptance.json': '{}',
    'acceptance.pdf': Uint8Array.from({ length: 300 }, (_, i) => i % 256),
    'records/a/record.json': '{"verdict":"fail"}',
    [`records/a/attachments/${'b'.repeat(64)}.jpg`]: Uint8Array.of(0xff, 0xd8, 0, 1, 2),
    'runs/r/log.jsonl': run(scenario),
    'runs/r/data/x.jsonl': scenario,
    ...(key === null ? {} : { [publicKeyFile]: publicPem(pair.publicKey) }),
    ...files,
  }
  for (const [name, text] of Object.entries(all)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  const statement: Statement = {
    _type: 'https://in-toto.io/Statement/v1',
    subject: filesBelow(folder).files.map((f) => ({
      name: f,
      digest: { sha256: digestFile(join(folder, f)).sha256 },
    })),
    predicateType: 'https://in-toto.io/attestation/test-result/v0.1',
    predicate: { result: 'PASSED', configuration: [], passedTests: [], warnedTests: [], failedTests: [] },
  }
  if (key === null) writeFileSync(join(folder, statementFile), statementText(statement))
  else writeFileSync(join(folder, envelopeFile), signed(statement, key))
  return folder
}

describe('an acceptance', () => {
  test('that nobody touched is whole', () => {
    const folder = made()
    expect(verifyFolder(folder)).toMatchObject({
      faults: [],
      signed: 'enclosed key',
      chained: 2,
      result: 'PASSED',
    })
    expect(verifyFolder(folder, pair.publicKey)).toMatchObject({ faults: [], signed: 'given key' })
  })

  test('in which any byte of any file is another one is not whole, and the file is named', () => {
    const whole = made()
    const { files } = filesBelow(whole)
    fc.assert(
      fc.property(
        fc.constantFrom(...files),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (file, where, by) => {
          const path = join(whole, file)
          const before = readFileSync(path)
          const after = Buffer.from(before)
          const at = where % after.length
          after[at] = (after[at] ?? 0) ^ by
          writeFileSync(path, after)
          try {
            const { faults } = verifyFolder(whole, by % 2 === 0 ? pair.publicKey : undefined)
            expect(faults.map((f) => f.file)).toContain(file)
          } finally {
            writeFileSync(path, before)
          }
        },
      ),
      { numRuns: 150 },
    )
  })

  test('in which a file is missing, added, cut, grown, swapped or a link names it', () => {
    const named = (change: (folder: string) => void): readonly string[] => {
      const folder = made()
      change(folder)
      return verifyFolder(folder, pair.publicKey).faults.map((f) => `${f.what} ${f.file}`)
    }
    expect(named((f) => rmSync(join(f, 'index.html')))).toEqual(['missing index.html'])
    expect(named((f) => writeFileSync(join(f, 'runs/more'), ''))).toEqual(['added runs/more'])
    expect(named((f) => writeFileSync(join(f, 'index.html'), '<p>passed</p'))).toEqual(['changed index.html'])
    expect(named((f) => symlinkSync('index.html', join(f, 'link')))).toEqual(['added link'])
    expect(named((f) => writeFileSync(join(f, statementFile), '{}'))).toEqual([`added ${statementFile}`])
    expect(named((f) => rmSync(join(f, 'runs/r/data'), { recursive: true }))).toEqual([
      'missing runs/r/data/x.jsonl',
      'chain runs/r/data/x.jsonl',
    ])
    expect(
      named((f) => {
        const [a, b] = ['index.html', 'acceptance.json'].map((n) => readFileSync(join(f, n)))
        writeFileSync(join(f, 'index.html'), b ?? '')
        writeFileSync(join(f, 'acceptance.json'), a ?? '')
      }),
    ).toEqual(['changed acceptance.json', 'changed index.html'])
  })

  test('whose statement was taken from another, or made anew, is not signed by the key given', () => {
    const stranger = generateKeyPairSync('ed25519')
    const folder = made({ [publicKeyFile]: publicPem(stranger.publicKey) }, stranger.privateKey)
    expect(verifyFolder(folder).faults).toEqual([])
    expect(verifyFolder(folder, pair.publicKey).faults[0]?.why).toMatch(/another key/)
    const two = made({ 'index.html': 'two' })
    cpSync(join(made(), envelopeFile), join(two, envelopeFile))
    expect(verifyFolder(two, pair.publicKey).faults).toMatchObject([{ file: 'index.html', what: 'changed' }])
  })

  test('without a signature is compared all the same, and says that it is not signed', () => {
    const folder = made({}, null)
    expect(verifyFolder(folder)).toMatchObject({ signed: 'no' })
    expect(verifyFolder(folder, pair.publicKey).faults).toMatchObject([{ what: 'signature' }])
    writeFileSync(join(folder, 'index.html'), '')
    expect(verifyFolder(folder).faults).toMatchObject([{ file: 'index.html', what: 'changed' }])
    rmSync(join(folder, statementFile))
    expect(verifyFolder(folder).faults).toMatchObject([{ what: 'missing' }])
  })

  test('of a run that was cut short is whole all the same, and says so', () => {
    const short = `${scenario.split('\n').slice(0, 2).join('\n')}\n`
    const torn = run(short).slice(0, -20)
    const v = verifyFolder(made({ 'runs/r/data/x.jsonl': short, 'runs/r/log.jsonl': torn }), pair.publicKey)
    expect(v.faults).toEqual([])
    expect(v.remarks).toEqual([
      'runs/r/log.jsonl ends within line 3: it was cut short',
      'runs/r/data/x.jsonl has no trailer: it was cut short',
    ])
  })

  test('whose logs do not fit together is not whole, although it is signed so', () => {
    const other = scenario.replace('"payload":1', '"payload":2')
    expect(verifyFolder(made({ 'runs/r/data/x.jsonl': other }), pair.publicKey).faults).toMatchObject([
      { file: 'runs/r/data/x.jsonl', what: 'chain' },
    ])
    const gap = scenario.replace('"seq":2', '"seq":3')
    const torn = { 'runs/r/data/x.jsonl': gap, 'runs/r/log.jsonl': run(gap) }
    expect(verifyFolder(made(torn)).faults[0]?.why).toMatch(/lines are missing or added/)
  })
})

test('a try that did not count is followed like the one that did', () => {
  const folder = join(made(), 'runs/r')
  const log = join(folder, 'log.jsonl')
  writeFileSync(join(folder, 'data/x.attempt-2.jsonl'), scenario)
  const [header, ended, end] = readFileSync(log, 'utf8').split('\n')
  const first = ended?.replace(/"sha256"/, '"again":"the port went away","sha256"')
  const second = ended?.replace('"seq":2', '"seq":3').replace('x.jsonl', 'x.attempt-2.jsonl')
  writeFileSync(log, `${[header, first, second, end?.replace('"seq":3', '"seq":4')].join('\n')}\n`)
  expect(verifyFolder(folder)).toMatchObject({ faults: [], chained: 3 })
  writeFileSync(join(folder, 'data/x.jsonl'), scenario.replace('"payload":1', '"payload":2'))
  expect(verifyFolder(folder).faults).toMatchObject([{ file: 'data/x.jsonl', what: 'chain' }])
})

test('a folder that is nothing of ours is refused, a run is followed', () => {
  expect(() => verifyFolder(root)).toThrow(/neither an acceptance nor a run/)
  expect(verifyFolder(join(made(), 'runs/r'))).toEqual({
    faults: [],
    remarks: [],
    compared: 0,
    chained: 2,
    signed: 'no',
  })
})

test('a private key is found wherever it stands in a file', () => {
  const head = '-----BEGIN ENCRYPTED PRIVATE KEY-----'
  for (const before of [0, 1, (1 << 20) - 40, (1 << 20) - 20, (1 << 20) + 7, 3 << 20]) {
    const file = join(root, 'haystack')
    writeFileSync(file, Buffer.concat([Buffer.alloc(before, 120), Buffer.from(head), Buffer.alloc(99, 120)]))
    expect(holdsKey(file), `${before}`).toBe(true)
  }
  writeFileSync(join(root, 'haystack'), '-----BEGIN CERTIFICATE-----'.repeat(100_000))
  expect(holdsKey(join(root, 'haystack'))).toBe(false)
})
