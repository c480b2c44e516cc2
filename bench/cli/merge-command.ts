/** `gridproof merge` */
import { join } from 'node:path'
import { consoleReport } from '../../reports/console.ts'
import { terminalOf } from '../../reports/text/terminal.ts'
import { readRun } from '../../reports/model/read-run.ts'
import { writeReports } from '../../reports/write.ts'
import { merge, readPart, together } from '../main/merge.ts'
import { readMaterial } from '../main/material.ts'
import type { MaterialOptions } from '../main/material.ts'
import { pointLatest } from '../main/run.ts'
import { loadCatalogue } from '../requirements/load.ts'
import { exitCodeFor } from '../verdicts/exit-code.ts'
import { pathText, readFormats } from './formats.ts'
import type { FormatOptions } from './formats.ts'

/** Performs the command and returns the exit code that the whole run has. */
export async function mergeCommand(
  shards: readonly string[],
  o: { readonly out: string } & FormatOptions & MaterialOptions,
): Promise<number> {
  const formats = readFormats(o)
  const { requirements } = readMaterial(o)
  const parts = together(shards.map(readPart))
  const merged = merge(parts, o.out)
  // By the same rules as of a run: only what stands in the evidence counts.
  const records = readRun(merged.folder, loadCatalogue(requirements)).scenarios.map((s) => s.record)
  const code = exitCodeFor(records, { aborted: parts.some((p) => p.end?.outcome === 'aborted') })
  merged.close(code)
  pointLatest(o.out, merged.folder)
  const { run } = writeReports(merged.folder, { catalogueFolder: requirements, ...formats })
  process.stdout.write(
    consoleReport(run, { terminal: terminalOf(process.stdout, process.env), show: 'judged' }),
  )
  process.stdout.write(
    `Merged of ${parts.length === 1 ? '1 shard' : `${parts.length} shards`}.\nReport: ${pathText(join(merged.folder, 'index.html'))}\n`,
  )
  return code
}
