/** Loads a catalogue of requirements: every YAML file of a folder, or of several, as one whole. */
import { createHash } from 'node:crypto'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LineCounter, isMap, isScalar, isSeq, parseDocument } from 'yaml'
import { GridproofError, messageOf, placeText } from '../../drivers/errors.ts'
import { parseYaml } from '../../drivers/yaml.ts'
import { compareIds, compareText, nearestId, nearestText, unpadded } from './ids.ts'
import { canonical } from './revision.ts'
import { catalogueFile } from './schema.ts'
import type { CatalogueFile, Clause, Method, Priority, Requirement, Subject } from './schema.ts'

/** A requirement of the catalogue, and where it came from. */
export interface Entry extends Requirement {
  /** Short name of its document: `openlv`. */
  readonly document: string
  /** The YAML file in which it stands. */
  readonly file: string
}

/** One clause, with what it takes over from its requirement. */
export interface ClauseEntry {
  /** How scenarios and reports name it: `M:0022/voltage`. */
  readonly ref: string
  readonly requirement: Entry
  readonly clause: Clause
  readonly subject: Subject
  readonly method: Method
}

export interface Count {
  readonly total: number
  readonly priorities: Readonly<Record<Priority, number>>
}

/** What a document numbers itself, and the section IDs that we gave where it numbers nothing. */
export interface Counts {
  readonly numbered: Count
  readonly ours: Count
}

export interface CatalogueDocument {
  /** Short name: `openlv`. */
  readonly document: string
  readonly title: string
  readonly source: string
  readonly files: readonly string[]
  readonly counts: Counts
}

export interface Catalogue {
  readonly folders: readonly string[]
  /**
   * All requirements: M, S, W, I, SR and MP102B, each by number; then any others, in the order in which they stand in
   * the files, these sorted by name.
   */
  readonly requirements: readonly Entry[]
  /** In order of their first file's name. */
  readonly documents: readonly CatalogueDocument[]
  readonly counts: Counts
  /** SHA-256 in hexadecimal over what the catalogue says, whatever the files' names, order, layout or comments. */
  readonly digest: string
  has(id: string): boolean
  /** Throws `no-such` naming the nearest ID. */
  get(id: string): Entry
  /**
   * `M:0022` gives each of its clauses, `M:0022/voltage` that one.
   * Throws `no-such` naming the nearest ID or clause, and for a requirement that informs and asks nothing.
   */
  expand(reference: string): readonly ClauseEntry[]
  /** As `expand`, but the references alone: `M:0022/voltage`. */
  clausesOf(reference: string): readonly string[]
}

/** The folder of the catalogue that comes with the project. */
export const shippedCatalogue = fileURLToPath(new URL('../../fixtures/requirements', import.meta.url))

interface Read {
  readonly file: string
  readonly text: string
  readonly data: CatalogueFile
}

/**
 * Reads all `.yaml` and `.yml` files of a folder (not of folders in it), or of several folders.
 * Throws `bad-file` with file, line, path and what was expected, for the first fault found: a file that does not fit the
 * schema, an ID that is there twice, two files that name one document differently, a folder without files.
 */
export function loadCatalogue(folders: string | readonly string[]): Catalogue {
  const files = (typeof folders === 'string' ? [folders] : folders)
    .flatMap(yamlFiles)
    .map((file) => readOne(file))
  const entries = collect(files)
  const byId = new Map(entries.map((e) => [e.id, e]))
  const ids = [...byId.keys()]

  function get(id: string): Entry {
    const found = byId.get(id)
    if (found !== undefined) return found
    throw new GridproofError('no-such', `there is no requirement '${id}'; nearest: ${nearestId(id, ids)}`)
  }

  function expand(reference: string): readonly ClauseEntry[] {
    const slash = reference.indexOf('/')
    const id = slash < 0 ? reference : reference.slice(0, slash)
    const requirement = get(id)
    if (requirement.clauses.length === 0)
      throw new GridproofError(
        'no-such',
        `${id} has no clause: it informs and asks nothing, so nothing can verify it`,
      )
    if (slash < 0) return requirement.clauses.map((c) => clauseEntry(requirement, c))
    const wanted = reference.slice(slash + 1)
    const clause = requirement.clauses.find((c) => c.id === wanted)
    if (clause !== undefined) return [clauseEntry(requirement, clause)]
    const names = requirement.clauses.map((c) => c.id)
    const near = `${id}/${nearestText(wanted, names)}`
    throw new GridproofError(
      'no-such',
      `${id} has no clause '${wanted}'; nearest: ${near}; it has: ${names.join(', ')}`,
    )
  }

  return {
    folders: typeof folders === 'string' ? [folders] : folders,
    requirements: entries,
    documents: documentsOf(files, entries),
    counts: countsOf(entries),
    digest: digestOf(files),
    has: (id) => byId.has(id),
    get,
    expand,
    clausesOf: (reference) => expand(reference).map((c) => c.ref),
  }
}

function clauseEntry(requirement: Entry, clause: Clause): ClauseEntry {
  return {
    ref: `${requirement.id}/${clause.id}`,
    requirement,
    clause,
    subject: clause.subject ?? requirement.subject,
    method: clause.method ?? requirement.method,
  }
}

function yamlFiles(folder: string): readonly string[] {
  let names: string[]
  try {
    names = readdirSync(folder, { withFileTypes: true })
      .filter((f) => !f.isDirectory() && /\.ya?ml$/.test(f.name))
      .map((f) => f.name)
  } catch (e) {
    throw new GridproofError('bad-file', `cannot be read as a folder of requirements: ${messageOf(e)}`, {
      cause: e,
      place: { file: folder },
    })
  }
  if (names.length === 0)
    throw new GridproofError('bad-file', 'holds no catalogue; expected at least one .yaml file', {
      place: { file: folder },
    })
  return names.sort(compareText).map((n) => join(folder, n))
}

function readOne(file: string): Read {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (e) {
    throw new GridproofError('bad-file', `cannot be read: ${messageOf(e)}`, { cause: e, place: { file } })
  }
  return { file, text, data: parseYaml(text, file, catalogueFile) }
}

/** All requirements in source order. Throws `bad-file` where files contradict each other. */
function collect(files: readonly Read[]): readonly Entry[] {
  const heads = new Map<string, Read>()
  const seen = new Map<string, { readonly id: string; readonly read: Read; readonly index: number }>()
  const entries: Entry[] = []
  for (const read of files) {
    const { document } = read.data
    const head = heads.get(document) ?? read
    heads.set(document, head)
    for (const key of ['title', 'source'] as const)
      if (head.data[key] !== read.data[key])
        throw new GridproofError(
          'bad-file',
          `expected '${head.data[key]}', as in ${head.file}: both are ${document}`,
          {
            place: placeOf(read, [key]),
          },
        )
    for (const [index, requirement] of read.data.requirements.entries()) {
      const name = unpadded(requirement.id)
      const first = seen.get(name)
      if (first !== undefined) {
        const other = placeOf(first.read, ['requirements', first.index, 'id'])
        const like = first.id === requirement.id ? '' : ` as ${first.id}`
        throw new GridproofError(
          'bad-file',
          `${requirement.id} is already there${like}, at ${placeText(other)}; an ID stands once in a catalogue`,
          { place: placeOf(read, ['requirements', index, 'id']) },
        )
      }
      seen.set(name, { id: requirement.id, read, index })
      entries.push({ ...requirement, document, file: read.file })
    }
  }
  // The sort is stable: what stands outside the families keeps the order of its files.
  return entries.sort((a, b) => compareIds(a.id, b.id))
}

/** Where a key or value stands. The file is parsed anew: this is for errors alone. */
function placeOf(read: Read, path: readonly (string | number)[]) {
  const lines = new LineCounter()
  let node: unknown = parseDocument(read.text, { lineCounter: lines }).contents
  for (const key of path) {
    if (isMap(node)) node = node.get(key, true)
    else if (isSeq(node)) node = node.get(key, true)
  }
  const start = isScalar(node) && node.range ? node.range[0] : 0
  const { line, col } = lines.linePos(start)
  return { file: read.file, line, column: col, path: path.join('.') }
}

function documentsOf(files: readonly Read[], entries: readonly Entry[]): readonly CatalogueDocument[] {
  return [...Map.groupBy(files, (f) => f.data.document)].map(([document, reads]) => ({
    document,
    title: reads[0]?.data.title ?? '',
    source: reads[0]?.data.source ?? '',
    files: reads.map((r) => r.file),
    counts: countsOf(entries.filter((e) => e.document === document)),
  }))
}

function countsOf(entries: readonly Entry[]): Counts {
  return {
    numbered: countOf(entries.filter((e) => e.ours !== true)),
    ours: countOf(entries.filter((e) => e.ours === true)),
  }
}

function countOf(entries: readonly Entry[]): Count {
  const byPriority = { must: 0, should: 0, 'will-not': 0, information: 0, stated: 0 } satisfies Record<
    Priority,
    number
  >
  for (const e of entries) byPriority[e.priority] += 1
  return { total: entries.length, priorities: byPriority }
}

function digestOf(files: readonly Read[]): string {
  const heads = new Map(
    files.map(({ data: { document, title, source } }) => [document, { document, title, source }]),
  )
  const documents = [...heads.values()].sort((a, b) => compareText(a.document, b.document))
  // Outside the families there is no order but the files'; by ID the digest does not hang on their names.
  const requirements = files
    .flatMap((f) => f.data.requirements.map((r) => ({ ...r, document: f.data.document })))
    .sort((a, b) => compareIds(a.id, b.id) || compareText(a.id, b.id))
  return createHash('sha256').update(canonical({ documents, requirements })).digest('hex')
}
