/** `gridproof record` */
import { readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { GridproofError, messageOf } from '../../drivers/errors.ts'
import { recordable, writeRecord } from '../acceptance/record.ts'
import type { RecordVerdict } from '../acceptance/record.ts'
import { readLog } from '../evidence/read.ts'
import type { Subject } from '../evidence/schema.ts'
import { loadCatalogue } from '../requirements/load.ts'
import { exitCodes } from '../verdicts/exit-code.ts'
import { runRecordOf } from '../verdicts/record.ts'
import { readMaterial, root } from '../main/material.ts'

export interface RecordCommandOptions {
  readonly pass?: boolean
  readonly fail?: boolean
  readonly waive?: boolean
  readonly by?: string
  readonly note?: string
  readonly attach: readonly string[]
  readonly of?: string
  readonly into: string
  readonly requirements?: readonly string[]
}

export async function recordCommand(reference: string, o: RecordCommandOptions): Promise<number> {
  const verdict = verdictOf(o)
  const catalogue = loadCatalogue(readMaterial(o).requirements)
  const { of, tested } = recordable(catalogue, reference, verdict)
  if (o.by === undefined) throw new GridproofError('usage', 'a record says who says so (--by NAME)')
  if (o.note === undefined)
    throw new GridproofError(
      'usage',
      `a record says ${verdict === 'waived' ? 'why' : 'what was seen'} (--note TEXT)`,
    )
  const { folder, record } = writeRecord({
    catalogue,
    reference,
    verdict,
    by: o.by,
    note: o.note,
    attach: o.attach,
    into: o.into,
    subject: o.of === undefined ? null : subjectOf(o.of),
    bench: benchVersion(),
    now: Date.now(),
  })
  const lines = [
    `${reference}: ${verdict}, by ${record.by}`,
    ...of.map((c) => `  ${c.ref} (${c.method}): ${c.clause.asks}`),
    ...(tested.length === 0
      ? []
      : [
          `  not said of ${tested.map((c) => c.ref).join(', ')}: a test judges ${tested.length === 1 ? 'it' : 'these'}`,
        ]),
    ...record.attachments.map((a) => `  attached ${a.name}, SHA-256 ${a.sha256}`),
    ...(record.subject === null
      ? ['  of which platform is not stated (--of RUN): it counts for any, until the requirement changes']
      : []),
    `Record: ${relative(process.cwd(), folder) || '.'}`,
  ]
  process.stdout.write(`${lines.join('\n')}\n`)
  return exitCodes.ok
}

function verdictOf(o: RecordCommandOptions): RecordVerdict {
  const said = [
    ...(o.pass === true ? (['pass'] as const) : []),
    ...(o.fail === true ? (['fail'] as const) : []),
    ...(o.waive === true ? (['waived'] as const) : []),
  ]
  const [verdict] = said
  if (verdict === undefined || said.length > 1)
    throw new GridproofError('usage', 'a record says one thing: --pass, --fail or --waive')
  return verdict
}

/** What a run judged. Throws `usage` where there is no run, or it does not say. */
export function subjectOf(run: string): Subject {
  try {
    const { header } = runRecordOf(readLog(join(run, 'log.jsonl')))
    if (header !== undefined) return header.subject
  } catch (e) {
    throw new GridproofError('usage', `'${run}' is no folder of a run: ${messageOf(e)}`, { cause: e })
  }
  throw new GridproofError('usage', `the run in '${run}' does not say what it judged`)
}

export function benchVersion(): string {
  return (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }).version
}
