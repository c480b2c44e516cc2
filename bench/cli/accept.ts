/** `gridproof accept` */
import { cpSync, existsSync, lstatSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createPublicKey } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { basename, join, relative, resolve, sep } from 'node:path'
import { GridproofError, messageOf } from '../../drivers/errors.ts'
import { makeFolders } from '../../drivers/folders.ts'
import { acceptancePage } from '../../reports/acceptance/page.ts'
import type { AcceptanceFile } from '../../reports/acceptance/page.ts'
import { chromiumAt, printPdf } from '../../reports/acceptance/pdf.ts'
import { runInput } from '../../reports/acceptance/run-input.ts'
import { oneLine } from '../../reports/text/plain.ts'
import { collectInputs } from '../acceptance/collect.ts'
import { digestFile, filesBelow, holdsKey } from '../acceptance/digest.ts'
import type { Acceptance, RecordInput } from '../acceptance/faces.ts'
import { keyidOf, passphraseVariable, publicPem, readSecretKey } from '../acceptance/keys.ts'
import { merge } from '../acceptance/merge.ts'
import { readRecord } from '../acceptance/record.ts'
import {
  envelopeFile,
  publicKeyFile,
  signed,
  statementFile,
  statementOf,
  statementText,
} from '../acceptance/statement.ts'
import type { Subject } from '../evidence/schema.ts'
import { loadCatalogue } from '../requirements/load.ts'
import type { Catalogue } from '../requirements/load.ts'
import { findScenarios } from '../scenario/load.ts'
import { exitCodes } from '../verdicts/exit-code.ts'
import { readMaterial } from '../main/material.ts'
import type { Material } from '../main/material.ts'
import { commitOf, digest } from '../main/plan.ts'
import { benchVersion, subjectOf } from './record.ts'

export interface AcceptCommandOptions {
  readonly out: string
  readonly sign?: string
  readonly of?: string
  readonly pdf: boolean
  readonly requirements?: readonly string[]
  readonly scenarios?: readonly string[]
}

/** Performs the command and returns its exit code. A folder that it made is removed again where it fails. */
export async function acceptCommand(folders: readonly string[], o: AcceptCommandOptions): Promise<number> {
  const passphrase = process.env[passphraseVariable]
  const key =
    o.sign === undefined ? undefined : readSecretKey(o.sign, passphrase === '' ? undefined : passphrase)
  const material = readMaterial(o)
  const catalogue = loadCatalogue(material.requirements)
  const given = o.of === undefined ? undefined : subjectOf(o.of)
  const out = resolve(o.out)
  const made = makeFolder(out)
  const undo = (): void => {
    for (const name of made ? ['.'] : readdirSync(out))
      rmSync(join(out, name), { recursive: true, force: true })
  }
  // A stop on the way ends the process by `exit`: half an acceptance is none.
  process.on('exit', undo)
  try {
    const inputs = copyInputs(folders, out, o)
    const acceptance = mergeInputs(inputs, { catalogue, material, given })
    const pdf = await writeAcceptance(acceptance, out, o, key)
    tell(acceptance, out, pdf, key)
    return exitCodeOf(acceptance)
  } catch (e) {
    undo()
    throw e
  } finally {
    process.off('exit', undo)
  }
}

/** True where it was not there before. Throws `usage` where something is in it. */
function makeFolder(out: string): boolean {
  try {
    if (existsSync(out)) {
      if (readdirSync(out).length === 0) return false
      throw new Error('something is in it already')
    }
    makeFolders(out)
    return true
  } catch (e) {
    throw new GridproofError(
      'usage',
      `no acceptance can be made in '${out}': ${messageOf(e)}; give a new folder by --out`,
      {
        cause: e,
      },
    )
  }
}

interface Inputs {
  readonly runs: readonly { readonly id: string; readonly folder: string }[]
  readonly records: readonly { readonly id: string; readonly folder: string }[]
  readonly proofs: readonly string[]
  readonly out: string
}

/** Copies the evidence, so that what is judged is what is kept. Throws `usage` where a private key is in it. */
function copyInputs(folders: readonly string[], out: string, o: AcceptCommandOptions): Inputs {
  const { runs, records, proofs } = collectInputs(folders)
  for (const [kind, list] of [
    ['runs', runs],
    ['records', records],
  ] as const)
    for (const f of list) {
      if (`${out}${sep}`.startsWith(`${f.folder}${sep}`))
        throw new GridproofError('usage', `--out '${o.out}' lies within the evidence, in '${f.folder}'`)
      // Links are left behind: nothing vouches for what they lead to.
      cpSync(f.folder, join(out, kind, f.id), {
        recursive: true,
        filter: (from) => !lstatSync(from).isSymbolicLink(),
      })
    }
  for (const file of filesBelow(out).files)
    if (holdsKey(join(out, file)))
      throw new GridproofError(
        'usage',
        `${file} holds a private key; keys have no place in evidence: take it out of there`,
      )
  const here = (kind: string, list: readonly { readonly id: string }[]): Inputs['runs'] =>
    list.map(({ id }) => ({ id, folder: `${kind}/${id}` }))
  return { runs: here('runs', runs), records: here('records', records), proofs, out }
}

function mergeInputs(
  inputs: Inputs,
  o: { readonly catalogue: Catalogue; readonly material: Material; readonly given: Subject | undefined },
): Acceptance {
  const runs = inputs.runs.map((f) => runInput(f.id, f.folder, inputs.out, o.catalogue))
  const records = inputs.records.map((f): RecordInput => ({
    ...f,
    ...readRecord(join(inputs.out, f.folder)),
    ...f,
  }))
  const newest = runs
    .filter((r) => r.header !== undefined)
    .toSorted((a, b) => Date.parse(b.header?.started ?? '') - Date.parse(a.header?.started ?? ''))[0]
  const recorded = records
    .filter((r) => r.record.subject !== null)
    .toSorted((a, b) => Date.parse(b.record.at) - Date.parse(a.record.at))[0]
  const merged = merge(runs, records, {
    catalogue: o.catalogue,
    subject: o.given ?? newest?.header?.subject ?? recorded?.record.subject ?? null,
    scenarios: new Map(
      o.material.scenarios.flatMap((f) => findScenarios(f).map((s) => [s.id, digest(s.file)] as const)),
    ),
    now: Date.now(),
    bench: benchVersion(),
    commit: commitOf(),
  })
  const why = 'it proves the checks of the bench, and says nothing of a product'
  return { ...merged, notCounted: [...merged.notCounted, ...inputs.proofs.map((what) => ({ what, why }))] }
}

/** Writes everything, the statement last. Gives what is to be said of the PDF. */
async function writeAcceptance(
  acceptance: Acceptance,
  out: string,
  o: AcceptCommandOptions,
  key: KeyObject | undefined,
): Promise<string> {
  const digests = (): AcceptanceFile[] =>
    filesBelow(out).files.map((file) => ({ file, ...digestFile(join(out, file)) }))
  const files = digests()
  writeFileSync(join(out, 'acceptance.json'), `${JSON.stringify(acceptance, null, 1)}\n`)
  const keyid = key === undefined ? undefined : keyidOf(key)
  const page = join(out, 'index.html')
  writeFileSync(page, acceptancePage({ acceptance, files, ...(keyid === undefined ? {} : { keyid }) }))
  const pdf = await pdfOf(page, join(out, 'acceptance.pdf'), o.pdf)
  if (key !== undefined) writeFileSync(join(out, publicKeyFile), publicPem(createPublicKey(key)))
  const known = new Map(files.map((f) => [f.file, f]))
  const all = filesBelow(out).files.map((file) => known.get(file) ?? { file, ...digestFile(join(out, file)) })
  const statement = statementOf(acceptance, all)
  if (key === undefined) writeFileSync(join(out, statementFile), statementText(statement))
  else writeFileSync(join(out, envelopeFile), signed(statement, key))
  return pdf
}

async function pdfOf(page: string, pdf: string, wanted: boolean): Promise<string> {
  if (!wanted) return 'No PDF, as asked.'
  const chromium = chromiumAt(process.env)
  if (chromium === undefined)
    return 'No PDF: there is no Chromium on this machine. Print index.html with any browser, or name one in GRIDPROOF_CHROMIUM.'
  const trouble = await printPdf(page, pdf, chromium)
  if (trouble === undefined) return `PDF: ${shownAs(pdf)}`
  rmSync(pdf, { force: true })
  return `No PDF: ${chromium} did not print it (${trouble}). Print index.html with any browser.`
}

function tell(a: Acceptance, out: string, pdf: string, key: KeyObject | undefined): void {
  const listed = (words: readonly string[]): string[] =>
    a.requirements
      .filter((r) => words.includes(r.state))
      .map((r) => `  ${r.state}: ${r.id} ${r.statement}${r.why === undefined ? '' : ` — ${r.why}`}`)
  const contrary = a.requirements.flatMap((r) =>
    r.clauses.filter((c) => c.against.length > 0).map((c) => c.ref),
  )
  const lines = [
    `Acceptance of ${a.subject === null ? 'a subject that nobody named' : `${a.subject.product} ${a.subject.version}, ${a.subject.maker}`}`,
    ...listed(['fail', 'inconclusive', 'outdated', 'waived']),
    ...(contrary.length === 0 ? [] : [`  contradictory: ${contrary.join(', ')}`]),
    ...a.notCounted.map((n) => `  not counted: ${n.what}: ${n.why}`),
    a.sentence,
    pdf,
    `Report: ${shownAs(join(out, 'index.html'))}`,
    key === undefined
      ? 'Not signed: --sign <key> does that.'
      : `Signed with the key ${keyidOf(key)}; 'gridproof verify ${shownAs(out)}' checks it.`,
  ]
  process.stdout.write(`${lines.map(oneLine).join('\n')}\n`)
}

const shownAs = (path: string): string => relative(process.cwd(), path) || basename(path)

function exitCodeOf(a: Acceptance): number {
  if (a.state === 'fail') return exitCodes.failed
  const contrary = a.requirements.some((r) => r.clauses.some((c) => c.against.length > 0))
  const open = ['inconclusive', 'outdated', 'not run'].includes(a.state)
  return open || contrary || a.notCounted.length > 0 ? exitCodes.inconclusive : exitCodes.ok
}
