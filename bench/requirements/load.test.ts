import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { isGridproofError } from '../../drivers/errors.ts'
import { loadCatalogue } from './load.ts'

const folders: string[] = []

afterEach(() => {
  for (const f of folders.splice(0)) rmSync(f, { recursive: true, force: true })
})

/** A folder that holds these files. */
function folderOf(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'gridproof-catalogue-'))
  folders.push(folder)
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return folder
}

function head(document = 'openlv', title = 'A title'): string {
  return `document: ${document}\ntitle: ${title}\nsource: a.txt\nrequirements:\n`
}

/** A good requirement: eleven lines, its `id` on the first. */
function requirement(id: string, more: { priority?: string; ours?: boolean } = {}): string {
  return `  - id: ${id}
    section: '3.4.5'
    priority: ${more.priority ?? 'must'}
    statement: The monitor gives readings to the platform
    subject: app
    method: test
${more.ours === true ? '    ours: true\n' : ''}    clauses:
      - id: voltage
        asks: Voltages arrive
      - id: current
        asks: Currents arrive
`
}

/** The message with which loading is refused, the folder's own path taken out. */
function refusal(files: Readonly<Record<string, string>>): string {
  const folder = folderOf(files)
  return messageOf('bad-file', () => loadCatalogue(folder)).replaceAll(`${folder}/`, '')
}

function messageOf(code: 'bad-file' | 'no-such', f: () => unknown): string {
  try {
    f()
  } catch (e) {
    if (isGridproofError(e, code)) return e.message
    throw e
  }
  throw new Error('nothing was thrown')
}

/** One good file in which one text is replaced by another. */
function broken(from: string, to: string): Readonly<Record<string, string>> {
  const good = head() + requirement('M:0022')
  expect(good).toContain(from)
  return { 'a.yaml': good.replace(from, to) }
}

describe('a good catalogue', () => {
  const files = {
    'a.yaml': head() + ['M:0010', 'I:001', 'M:009', 'W:001'].map((id) => requirement(id)).join(''),
    'b.yml': head() + requirement('S:001', { priority: 'should' }),
    'c.yaml':
      head('han') +
      ['SR-1.10', 'SR-1.9', 'SR-2.1'].map((id) => requirement(id)).join('') +
      ['TEL:2', 'TEL:10'].map((id) => requirement(id, { ours: true, priority: 'stated' })).join(''),
    'd.yaml': head('mp102b') + requirement('MP102B:1'),
    'notes.txt': 'no catalogue at all',
  }

  test('comes in source order, and what is in no family comes last as it stands in the file', () => {
    expect(loadCatalogue(folderOf(files)).requirements.map((r) => r.id)).toEqual(
      'M:009 M:0010 S:001 W:001 I:001 SR-1.9 SR-1.10 SR-2.1 MP102B:1 TEL:2 TEL:10'.split(' '),
    )
  })

  test('is looked up by ID, and knows document and file', () => {
    const folder = folderOf(files)
    const catalogue = loadCatalogue(folder)
    expect(catalogue.get('S:001')).toMatchObject({
      id: 'S:001',
      document: 'openlv',
      file: join(folder, 'b.yml'),
    })
    expect(catalogue.has('S:001')).toBe(true)
    expect(catalogue.has('S:002')).toBe(false)
  })

  test('counts by document and priority, IDs of ours apart', () => {
    const catalogue = loadCatalogue(folderOf(files))
    expect(catalogue.counts.numbered.total).toBe(9)
    expect(catalogue.counts.numbered.priorities).toMatchObject({ must: 8, should: 1, stated: 0 })
    expect(catalogue.counts.ours.total).toBe(2)
    expect(catalogue.counts.ours.priorities).toMatchObject({ must: 0, stated: 2 })
    const totals = catalogue.documents.map((d) => [d.document, d.counts.numbered.total, d.counts.ours.total])
    expect(totals).toEqual([
      ['openlv', 5, 0],
      ['han', 3, 2],
      ['mp102b', 1, 0],
    ])
  })

  test('expands an ID to its clauses and a clause to itself', () => {
    const catalogue = loadCatalogue(folderOf(files))
    expect(catalogue.clausesOf('M:009')).toEqual(['M:009/voltage', 'M:009/current'])
    expect(catalogue.clausesOf('M:009/current')).toEqual(['M:009/current'])
    expect(catalogue.expand('M:009/current')[0]).toMatchObject({
      ref: 'M:009/current',
      subject: 'app',
      method: 'test',
    })
  })

  test('lets a clause differ from its requirement in subject and method', () => {
    const text = `${head()}${requirement('M:007')}        subject: breaker
        method: demonstration
        why: A person has to watch it move
`
    const catalogue = loadCatalogue(folderOf({ 'a.yaml': text }))
    expect(catalogue.expand('M:007').map((c) => [c.subject, c.method])).toEqual([
      ['app', 'test'],
      ['breaker', 'demonstration'],
    ])
  })

  test('has a digest that hangs on what it says and not on how it is written', () => {
    const one = {
      'a.yaml': head() + requirement('M:001') + requirement('API:8.1', { ours: true }) + requirement('M:002'),
    }
    const same = {
      'z.yaml': `# a comment\n${head()}${requirement('M:002')}`,
      'y.yaml': head() + requirement('M:001').replace("'3.4.5'", '"3.4.5"'),
      'x.yaml': head() + requirement('API:8.1', { ours: true }),
    }
    const other = { 'a.yaml': one['a.yaml'].replace('Voltages arrive', 'Voltages arrive at once') }
    const digest = (f: Readonly<Record<string, string>>): string => loadCatalogue(folderOf(f)).digest
    expect(digest(one)).toMatch(/^[0-9a-f]{64}$/)
    expect(digest(same)).toBe(digest(one))
    expect(digest(other)).not.toBe(digest(one))
    expect(digest({ 'a.yaml': one['a.yaml'].replace('A title', 'Another') })).not.toBe(digest(one))
  })
})

describe('a reference that leads nowhere', () => {
  const lookUp = (reference: string): string => {
    const information = `  - id: I:001
    section: '3.2.1'
    priority: information
    statement: What the enclosure holds
    subject: document
    method: information
    why: It asks nothing
    clauses: []
`
    const ids = ['M:002', 'M:0022', 'M:0023'].map((id) => requirement(id)).join('')
    const catalogue = loadCatalogue(folderOf({ 'a.yaml': head() + ids + information }))
    return messageOf('no-such', () => catalogue.expand(reference))
  }

  test.each([
    ['M:0222', "there is no requirement 'M:0222'; nearest: M:0022"],
    ['M:22', "there is no requirement 'M:22'; nearest: M:0022"],
    ['m:00023', "there is no requirement 'm:00023'; nearest: M:0023"],
    ['', "there is no requirement ''; nearest: M:002"],
    ['M:0022/volt', "M:0022 has no clause 'volt'; nearest: M:0022/voltage; it has: voltage, current"],
    ['M:0022/', "M:0022 has no clause ''; nearest: M:0022/voltage; it has: voltage, current"],
    [
      'M:0022/current/x',
      "M:0022 has no clause 'current/x'; nearest: M:0022/current; it has: voltage, current",
    ],
    ['I:001', 'I:001 has no clause: it informs and asks nothing, so nothing can verify it'],
  ])('%s is answered with the nearest', (reference, message) => {
    expect(lookUp(reference)).toBe(message)
  })
})

describe('a malformed catalogue is refused with file, line, path and what was expected', () => {
  test('an ID that is there twice, in two files', () => {
    const files = {
      'a.yaml': head() + requirement('M:001'),
      'b.yaml': head() + requirement('M:002') + requirement('M:001'),
    }
    expect(refusal(files)).toBe(
      'b.yaml:16:9 (requirements.1.id): M:001 is already there, at a.yaml:5:9 (requirements.0.id); an ID stands once in a catalogue',
    )
  })

  test('an ID that is there twice, in one file', () => {
    expect(refusal({ 'a.yaml': head() + requirement('API:1') + requirement('API:1') })).toBe(
      'a.yaml:16:9 (requirements.1.id): API:1 is already there, at a.yaml:5:9 (requirements.0.id); an ID stands once in a catalogue',
    )
  })

  test('an ID that differs from another in its padding alone', () => {
    expect(refusal({ 'a.yaml': head() + requirement('M:0005') + requirement('M:005') })).toBe(
      'a.yaml:16:9 (requirements.1.id): M:005 is already there as M:0005, at a.yaml:5:9 (requirements.0.id); an ID stands once in a catalogue',
    )
  })

  test('two files that name one document differently', () => {
    const files = {
      'a.yaml': head() + requirement('M:001'),
      'b.yaml': head('openlv', 'Else') + requirement('M:002'),
    }
    expect(refusal(files)).toBe("b.yaml:2:8 (title): expected 'A title', as in a.yaml: both are openlv")
  })

  test.each([
    [
      'an unknown key',
      broken('    section:', '    sektion: x\n    section:'),
      'a.yaml:6:5 (requirements.0.sektion): unknown key sektion; known here: id, section, priority, statement, subject, method, why, clauses, technical, reading, ours',
    ],
    [
      'an unknown key of a clause',
      broken('asks: Currents arrive', 'asks: Currents arrive\n        limit: 1 A'),
      'a.yaml:16:9 (requirements.0.clauses.1.limit): unknown key limit; known here: id, asks, subject, method, why',
    ],
    [
      'an unknown key of the file',
      broken('source: a.txt', 'source: a.txt\nversion: 2'),
      'a.yaml:4:1 (version): unknown key version; known here: document, title, source, requirements',
    ],
    [
      'a key that is missing',
      broken("    section: '3.4.5'\n", ''),
      'a.yaml:5:5 (requirements.0.section): Invalid input: expected string, received undefined',
    ],
    [
      'a section that is a number',
      broken("'3.4.5'", '3.4'),
      'a.yaml:6:5 (requirements.0.section): Invalid input: expected string, received number',
    ],
    [
      'a priority that does not exist',
      broken('priority: must', 'priority: shall'),
      'a.yaml:7:5 (requirements.0.priority): Invalid option: expected one of "must"|"should"|"will-not"|"information"|"stated"',
    ],
    [
      'an ID with a slash',
      broken('M:0022', 'M:0022/x'),
      'a.yaml:5:5 (requirements.0.id): an ID holds no space and no /',
    ],
    [
      'a clause id that is no slug',
      broken('id: voltage', 'id: Voltage L1'),
      'a.yaml:12:9 (requirements.0.clauses.0.id): a clause id is lower-case words joined by -',
    ],
    [
      'a clause id that is there twice',
      broken('id: current', 'id: voltage'),
      'a.yaml:14:9 (requirements.0.clauses.1.id): clause voltage of M:0022 is there twice; a clause id is unique within its requirement',
    ],
    [
      'a method other than test without a reason',
      broken('method: test', 'method: inspection'),
      'a.yaml:5:5 (requirements.0.why): a requirement that is not tested says why (key: why)',
    ],
    [
      'a clause with such a method and no reason',
      broken('asks: Currents arrive', 'asks: Currents arrive\n        method: analysis'),
      'a.yaml:14:9 (requirements.0.clauses.1.why): a clause with a method of its own that is not test says why (key: why)',
    ],
    [
      'a statement of more than one line of text',
      broken('The monitor gives', 'The monitor gives '.repeat(14)),
      'a.yaml:8:5 (requirements.0.statement): Too big: expected string to have <=240 characters',
    ],
    [
      'a requirement without clauses',
      {
        'a.yaml': `${head()}${requirement('M:001').replace(/clauses:[^]*$/, 'clauses: []')}\n`,
      },
      'a.yaml:11:5 (requirements.0.clauses): a requirement that asks something has at least one clause',
    ],
    [
      'a key that is there twice in YAML',
      broken('    method: test', '    method: test\n    method: test'),
      'a.yaml:11:5: is not YAML: Map keys must be unique',
    ],
    ['no map at all', { 'a.yaml': '- 1\n' }, 'a.yaml:1:1: Invalid input: expected object, received array'],
    ['an empty file', { 'a.yaml': '' }, 'a.yaml:1:1: Invalid input: expected object, received null'],
  ])('%s', (_, files, message) => {
    expect(refusal(files)).toBe(message)
  })

  test('an alias that leads nowhere', () => {
    expect(refusal(broken('asks: Currents arrive', 'asks: *nowhere'))).toBe(
      'a.yaml:15:15: cannot be unfolded: Unresolved alias (the anchor must be set before the alias): nowhere',
    )
  })

  test('whatever else may stand in a file, it is loaded or refused with its name, and never worse', () => {
    const good = head() + requirement('M:001') + requirement('M:002')
    const piece = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 12 }),
      fc.constantFrom(
        '\n',
        ': ',
        '- ',
        '*a',
        '&a ',
        '[',
        '{',
        '"',
        '|',
        '\t',
        '#',
        '!!binary ',
        '---\n',
        '<<: ',
        '\0',
      ),
    )
    const spoilt = fc
      .tuple(fc.nat(good.length), fc.nat(30), piece)
      .map(([at, cut, text]) => good.slice(0, at) + text + good.slice(at + cut))
    const folder = folderOf({})
    fc.assert(
      fc.property(fc.oneof(spoilt, fc.string({ unit: 'binary' })), (text) => {
        writeFileSync(join(folder, 'a.yaml'), text)
        try {
          expect(loadCatalogue(folder).counts.numbered.total).toBeLessThan(3)
        } catch (e) {
          if (!isGridproofError(e, 'bad-file')) throw e
          expect(e.place?.file).toBe(join(folder, 'a.yaml'))
        }
      }),
      { numRuns: 500 },
    )
  })

  test('a folder without files, and one that does not exist', () => {
    const folder = folderOf({ 'notes.txt': 'x' })
    expect(messageOf('bad-file', () => loadCatalogue(folder))).toBe(
      `${folder}: holds no catalogue; expected at least one .yaml file`,
    )
    expect(messageOf('bad-file', () => loadCatalogue(join(folder, 'gone')))).toMatch(
      /gone: cannot be read as a folder of requirements: ENOENT/,
    )
  })
})
