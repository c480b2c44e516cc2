/**
 * What a person recorded of a requirement that no test judges, or why one is waived: one folder each, with `record.json`
 * and the attachments by their SHA-256.
 */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, extname, join, resolve } from 'node:path'
import { z } from 'zod'
import { GridproofError, messageOf } from '../../drivers/errors.ts'
import { makeFolders } from '../../drivers/folders.ts'
import type { Subject } from '../evidence/schema.ts'
import { holdsSecret } from '../evidence/redact.ts'
import type { Catalogue, ClauseEntry } from '../requirements/load.ts'
import { revisionOf } from '../requirements/revision.ts'
import { digestFile } from './digest.ts'

export const recordVerdicts = ['pass', 'fail', 'waived'] as const
export type RecordVerdict = (typeof recordVerdicts)[number]

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'expected a SHA-256 in hexadecimal')

const subject = z.object({
  kind: z.enum(['reference', 'real']),
  maker: z.string(),
  product: z.string(),
  version: z.string(),
  serial: z.string().exactOptional(),
  digest: z.string().exactOptional(),
})

/** Format of record.json; times are wall clock, ISO 8601 UTC. */
const recordFile = z.strictObject({
  format: z.literal('gridproof-record/1'),
  /** `M:005` */
  requirement: z.string().min(1),
  /** What it says of the clauses: `M:005/secured`. */
  clauses: z.array(z.string()).min(1),
  verdict: z.enum(recordVerdicts),
  by: z.string().min(1),
  note: z.string().min(1),
  at: z.iso.datetime(),
  /** SHA-256 of what the catalogue says of the requirement (bench/requirements/revision.ts). */
  revision: sha256,
  /** What was looked at; null: not stated. Other keys of a subject are kept. */
  subject: subject.loose().nullable(),
  attachments: z.array(
    z.strictObject({
      /** As the operator named it. */
      name: z.string().min(1),
      /** Its path in the record's folder. */
      file: z
        .string()
        .regex(/^attachments\/[0-9a-f]{64}(\.[a-z0-9]{1,8})?$/, 'expected attachments/<SHA-256>'),
      bytes: z.number().int().nonnegative(),
      sha256,
    }),
  ),
  bench: z.string(),
})

export interface Attachment {
  readonly name: string
  readonly file: string
  readonly bytes: number
  readonly sha256: string
}

export interface PersonRecord {
  readonly format: 'gridproof-record/1'
  readonly requirement: string
  readonly clauses: readonly string[]
  readonly verdict: RecordVerdict
  readonly by: string
  readonly note: string
  readonly at: string
  readonly revision: string
  readonly subject: Subject | null
  readonly attachments: readonly Attachment[]
  /** Version of the bench that wrote it. */
  readonly bench: string
}

export interface RecordOptions {
  readonly catalogue: Catalogue
  /** `M:005`, or one clause of it: `M:005/secured`. */
  readonly reference: string
  readonly verdict: RecordVerdict
  readonly by: string
  readonly note: string
  /** Files to attach. */
  readonly attach: readonly string[]
  /** Folder in which the record's own folder is made. */
  readonly into: string
  readonly subject: Subject | null
  readonly bench: string
  /** Wall clock, ms since 1970. */
  readonly now: number
}

/** The clauses that a person may record with this verdict. Throws `usage` where a test judges them, and `no-such`. */
export function recordable(
  catalogue: Catalogue,
  reference: string,
  verdict: RecordVerdict,
): { readonly of: readonly ClauseEntry[]; readonly tested: readonly ClauseEntry[] } {
  const all = catalogue.expand(reference).filter((c) => c.method !== 'information')
  const tested = all.filter((c) => c.method === 'test')
  if (all.length === 0)
    throw new GridproofError('usage', `${reference} informs and asks nothing: there is nothing to record`)
  if (verdict === 'waived') return { of: all, tested: [] }
  const of = all.filter((c) => c.method !== 'test')
  if (of.length > 0) return { of, tested }
  const [first] = tested
  throw new GridproofError(
    'usage',
    `${reference} is judged by a test, not by a person: find its scenarios with 'gridproof requirements --find ${first?.requirement.id ?? reference} --clauses', and run them; what is accepted unmet is waived (--waive)`,
  )
}

/**
 * Writes a record and copies its attachments. Throws `usage` or `no-such` with a plain sentence for anything missing or
 * unknown, before anything is written.
 */
export function writeRecord(o: RecordOptions): { readonly folder: string; readonly record: PersonRecord } {
  const { of } = recordable(o.catalogue, o.reference, o.verdict)
  const requirement = of[0]?.requirement
  if (requirement === undefined) throw new GridproofError('internal', `no clause of ${o.reference}`)
  const by = said(o.by, 'who says so (--by NAME)')
  const note = said(
    o.note,
    o.verdict === 'waived' ? 'the reason of the waiver (--note TEXT)' : 'what was seen (--note TEXT)',
  )
  for (const [what, text] of [
    ['name', by],
    ['note', note],
  ] as const)
    if (holdsSecret(text))
      throw new GridproofError(
        'usage',
        `the ${what} holds a private key or a secret; keys have no place in evidence`,
      )
  const attachments = o.attach.map((file) => attachmentOf(file))
  const at = new Date(o.now).toISOString()
  const folder = freshRecord(o.into, `${at.slice(0, 19).replaceAll(':', '-')}Z-${fileName(o.reference)}`)
  const record: PersonRecord = {
    format: 'gridproof-record/1',
    requirement: requirement.id,
    clauses: of.map((c) => c.ref),
    verdict: o.verdict,
    by,
    note,
    at,
    revision: revisionOf(requirement),
    subject: o.subject,
    attachments: attachments.map(({ name, file, bytes, sha256 }) => ({ name, file, bytes, sha256 })),
    bench: o.bench,
  }
  try {
    if (attachments.length > 0) mkdirSync(join(folder, 'attachments'))
    for (const a of attachments) copyFileSync(a.source, join(folder, a.file))
    writeFileSync(join(folder, 'record.json'), `${JSON.stringify(record, null, 1)}\n`)
  } catch (e) {
    throw new GridproofError('rig-broke', `the record cannot be written: ${messageOf(e)}`, {
      cause: e,
      place: { file: folder },
    })
  }
  return { folder, record }
}

function said(text: string, what: string): string {
  const trimmed = text.trim()
  if (trimmed === '') throw new GridproofError('usage', `a record says ${what}`)
  return trimmed
}

function attachmentOf(file: string): Attachment & { readonly source: string } {
  const refuse = (why: string, cause?: unknown): never => {
    throw new GridproofError('usage', `'${file}' cannot be attached: ${why}`, { cause })
  }
  try {
    if (!statSync(file).isFile()) refuse('it is no file')
    if (statSync(file).size === 0) refuse('it is empty')
    if (holdsSecret(readFileSync(file, 'latin1')))
      refuse('it holds a private key or a secret, and keys have no place in evidence')
    const { bytes, sha256 } = digestFile(file)
    const ending = extname(file).toLowerCase()
    const kept = /^\.[a-z0-9]{1,8}$/.test(ending) ? ending : ''
    return { source: file, name: basename(file), file: `attachments/${sha256}${kept}`, bytes, sha256 }
  } catch (e) {
    if (e instanceof GridproofError) throw e
    return refuse(messageOf(e), e)
  }
}

/** A reference as part of a file name. */
function fileName(reference: string): string {
  return reference.replace(/[^A-Za-z0-9.-]/g, '.')
}

function freshRecord(into: string, name: string): string {
  try {
    makeFolders(into)
    for (let n = 1; ; n++) {
      const folder = resolve(into, n === 1 ? name : `${name}-${n}`)
      if (existsSync(folder)) continue
      mkdirSync(folder)
      return folder
    }
  } catch (e) {
    throw new GridproofError(
      'usage',
      `no record can be kept in '${into}': ${messageOf(e)}; give another --into`,
      {
        cause: e,
      },
    )
  }
}

/** A record as read: with what is wrong with its attachments, which makes it worth nothing. */
export interface ReadRecord {
  readonly folder: string
  readonly record: PersonRecord
  readonly problems: readonly string[]
}

/** Reads a record's folder. Throws `bad-file` for a record.json that is none. */
export function readRecord(folder: string): ReadRecord {
  const file = join(folder, 'record.json')
  const refuse = (why: string, cause?: unknown): never => {
    throw new GridproofError('bad-file', why, { cause, place: { file } })
  }
  let data: unknown
  try {
    data = JSON.parse(readFileSync(file, 'utf8'))
  } catch (e) {
    return refuse(`cannot be read as a record: ${messageOf(e)}`, e)
  }
  const parsed = recordFile.safeParse(data)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    return refuse(`is no record: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`)
  }
  const record = parsed.data as PersonRecord
  const named = new Set(record.attachments.map((a) => a.file))
  const problems = [
    ...record.attachments.flatMap((a) => {
      const path = join(folder, a.file)
      if (!existsSync(path)) return [`the attachment ${a.name} is missing`]
      return digestFile(path).sha256 === a.sha256 ? [] : [`the attachment ${a.name} is not the one recorded`]
    }),
    ...filesIn(join(folder, 'attachments')).flatMap((f) =>
      named.has(`attachments/${f}`) ? [] : [`attachments/${f} belongs to no record`],
    ),
  ]
  return { folder, record, problems }
}

function filesIn(folder: string): readonly string[] {
  return existsSync(folder) ? readdirSync(folder).sort() : []
}
