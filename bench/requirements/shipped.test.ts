/** What the catalogue that comes with the project must hold. Where the source documents are at hand, they are the oracle. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { loadCatalogue, shippedCatalogue } from './load.ts'
import type { Entry } from './load.ts'

const catalogue = loadCatalogue(shippedCatalogue)
const numbered = catalogue.requirements.filter((r) => r.ours !== true)
const idsOf = (prefix: string): readonly string[] =>
  numbered.map((r) => r.id).filter((id) => id.startsWith(prefix))

const sources = fileURLToPath(new URL('../../../shared/sources', import.meta.url))
/** Documents of which the text is to be had as a file; others stand on the web. */
const onFile = catalogue.documents.filter((d) => !d.source.includes('://'))
const missing = onFile.map((d) => join(sources, d.source)).filter((f) => !existsSync(f))
const noSources = missing.length > 0
const aloud = noSources ? ` (skipped: no source document at ${missing.join(', ')})` : ''

/** Everything in an entry that is prose of ours, with the key under which it stands. */
function prose(r: Entry): readonly (readonly [key: string, text: string])[] {
  const own = [
    ['statement', r.statement],
    ['why', r.why],
    ['reading', r.reading],
    ...r.clauses.flatMap((c) => [
      [`${c.id} asks`, c.asks],
      [`${c.id} why`, c.why],
    ]),
    ...(r.technical ?? []).map((t) => [t.id, t.statement]),
  ]
  return own.flatMap(([key, text]) =>
    key === undefined || text === undefined ? [] : [[`${r.id} ${key}`, text] as const],
  )
}

function words(text: string): readonly string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []
}

function runsOf(length: number, text: string): readonly string[] {
  const w = words(text)
  return w.slice(0, Math.max(0, w.length - length + 1)).map((_, i) => w.slice(i, i + length).join(' '))
}

describe('the shipped catalogue', () => {
  test('has 92 M, 9 S, 8 W, 151 I, 31 SR- and 3 MP102B, together 294', () => {
    const counts = ['M:', 'S:', 'W:', 'I:', 'SR-', 'MP102B:'].map((p) => idsOf(p).length)
    expect(counts).toEqual([92, 9, 8, 151, 31, 3])
    expect(catalogue.counts.numbered.total).toBe(294)
  })

  test.each([
    ['M:', 92],
    ['S:', 9],
    ['W:', 8],
    ['I:', 151],
  ])(
    'numbers %s as the source does, padded by two zeros whatever the number, without a gap',
    (prefix, count) => {
      expect(idsOf(prefix)).toEqual(Array.from({ length: count }, (_, i) => `${prefix}00${i + 1}`))
    },
  )

  test('numbers MP102B and the tree of SR- without a gap', () => {
    expect(idsOf('MP102B:')).toEqual(['MP102B:1', 'MP102B:2', 'MP102B:3'])
    const known = new Set(idsOf('SR-'))
    for (const id of known) {
      const parts = id.slice(3).split('.')
      const last = Number(parts.pop())
      if (parts.length > 0) expect(known, `parent of ${id}`).toContain(`SR-${parts.join('.')}`)
      if (last > 1) expect(known, `before ${id}`).toContain(`SR-${[...parts, last - 1].join('.')}`)
    }
  })

  test('gives M, S, W and I of OpenLV the priority that their letter stands for', () => {
    const meant = { 'M:': 'must', 'S:': 'should', 'W:': 'will-not', 'I:': 'information' }
    for (const [prefix, priority] of Object.entries(meant)) {
      const wrong = numbered.filter((r) => r.id.startsWith(prefix) && r.priority !== priority)
      expect(wrong.map((r) => r.id)).toEqual([])
    }
  })

  test('has every must, should and will-not ask something that can be judged', () => {
    const idle = numbered.filter(
      (r) => /^[MSW]:/.test(r.id) && (r.clauses.length === 0 || r.method === 'information'),
    )
    expect(idle.map((r) => r.id)).toEqual([])
  })

  test('keeps the clauses that scenarios refer to', () => {
    const fixed = {
      'M:0019': ['encrypted', 'authenticated', 'no-impersonation'],
      'M:0022': ['voltage', 'current', 'timestamp'],
      'M:0023': ['every-minute', 'indefinite'],
      'M:0024': ['every-ten-seconds', 'one-hour'],
      'M:0027': ['timestamp', 'every-minute'],
      'S:009': ['signed-or-certificate', 'encrypted', 'password'],
    }
    for (const [id, clauses] of Object.entries(fixed))
      expect(catalogue.clausesOf(id)).toEqual(clauses.map((c) => `${id}/${c}`))
  })

  test('says in each statement something that no other says', () => {
    const seen = new Map<string, string>()
    for (const { id, statement } of catalogue.requirements) {
      expect(seen.get(statement), `${id} repeats the statement of`).toBeUndefined()
      seen.set(statement, id)
    }
  })

  test('names only requirements that exist where it refers to one', () => {
    const lost = catalogue.requirements.flatMap((r) =>
      prose(r).flatMap(([key, text]) =>
        (text.match(/\b(?:[MSWI]:\d+|SR-\d+(?:\.\d+)*|MP102B:\d+)/g) ?? [])
          .filter((id) => !catalogue.has(id))
          .map((id) => `${key}: ${id}`),
      ),
    )
    expect(lost).toEqual([])
  })

  test.skipIf(noSources)(
    `stands each M, S, W and I under the section where the source has it${aloud}`,
    () => {
      const text = readFileSync(join(sources, 'openlv-requirements.txt'), 'utf8')
      const sections = new Map<string, string>()
      let section = ''
      for (const line of text.split('\n')) {
        const heading = /^\s*(3(?:\.\d+)+)\s+\p{L}/u.exec(line)?.[1]
        if (heading !== undefined) section = heading
        const id = /^\s*([MSWI]:\d+)\./.exec(line)?.[1]
        if (id !== undefined && !sections.has(id)) sections.set(id, section)
      }
      expect(sections.size).toBe(92 + 9 + 8 + 151)
      const ours = numbered.filter((r) => /^[MSWI]:/.test(r.id)).map((r) => `${r.id} in ${r.section}`)
      expect(ours.toSorted()).toEqual([...sections].map(([id, where]) => `${id} in ${where}`).toSorted())
    },
  )

  test.skipIf(noSources)(`copies no run of eight words from a source document${aloud}`, () => {
    const theirs = new Set(onFile.flatMap((d) => runsOf(8, readFileSync(join(sources, d.source), 'utf8'))))
    expect(theirs.size).toBeGreaterThan(10_000)
    expect(runsOf(3, 'LV-\nCAP™ runs.')).toEqual(['lv cap runs'])
    const copied = catalogue.requirements.flatMap((r) =>
      prose(r).flatMap(([key, text]) =>
        runsOf(8, text)
          .filter((run) => theirs.has(run))
          .map((run) => `${key}: ${run}`),
      ),
    )
    expect(copied).toEqual([])
  })
})
