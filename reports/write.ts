/** Writes every report of a run from its evidence alone. */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { GridproofError, messageOf } from '../drivers/errors.ts'
import { loadCatalogue } from '../bench/requirements/load.ts'
import { ctrfReport } from './ctrf.ts'
import { type GitlabNumbers, gitlabRequirements } from './gitlab.ts'
import { indexPage } from './html/index-page.ts'
import { scenarioPage } from './html/scenario-page.ts'
import { type JunitOptions, junitXml } from './junit.ts'
import { readRun } from './model/read-run.ts'
import type { RunView } from './model/run.ts'
import { requirementsJson } from './requirements-json.ts'
import { summaryMarkdown } from './summary.ts'

export interface WriteOptions {
  /** Folder of the requirement catalogue (fixtures/requirements). */
  readonly catalogueFolder: string | readonly string[]
  /** Most bytes of summary.md; 60,000 unless given. */
  readonly summaryBudget?: number
  /** What junit.xml makes of tests that could not be judged; `error` unless given. */
  readonly junitFaults?: JunitOptions['faults']
  /** GitLab's numbers of requirements: with them requirements_v2.json is written too. */
  readonly gitlab?: GitlabNumbers
}

export interface Written {
  /** The run as read: what `consoleReport` prints. */
  readonly run: RunView
  /** Paths in the run's folder. */
  readonly files: readonly string[]
}

/**
 * Reads the logs of a run's folder, each once in a stream, and writes index.html, a page in data/ for each scenario,
 * requirements.json, summary.md, junit.xml and ctrf.json beside them. Same logs and catalogue: same bytes. Whatever stands in the logs,
 * and if there are none at all, the reports say so and this does not throw; it throws `bad-file` for a catalogue that
 * cannot be read and `rig-broke` where a report cannot be written.
 * Synchronous, so that it works the same with the kernel of virtual time installed.
 */
export function writeReports(runFolder: string, options: WriteOptions): Written {
  const files: string[] = []
  const write = (file: string, text: string): void => {
    writeWhole(join(runFolder, file), text)
    files.push(file)
  }
  const run = readRun(runFolder, loadCatalogue(options.catalogueFolder), (s, near) => {
    const page = scenarioPage(s, near)
    if (page !== undefined) write(s.page, page)
  })
  write('index.html', indexPage(run))
  write('requirements.json', `${JSON.stringify(requirementsJson(run), null, 1)}\n`)
  write('summary.md', summaryMarkdown(run, options.summaryBudget))
  const faults = options.junitFaults
  write('junit.xml', junitXml(run, faults === undefined ? {} : { faults }))
  write('ctrf.json', `${JSON.stringify(ctrfReport(run), null, 1)}\n`)
  if (options.gitlab !== undefined)
    write('requirements_v2.json', `${JSON.stringify(gitlabRequirements(run, options.gitlab), null, 1)}\n`)
  return { run, files }
}

/** A reader never meets half a report: it is written beside, then put in place. */
function writeWhole(path: string, text: string): void {
  const beside = `${path}.writing`
  try {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(beside, text)
    renameSync(beside, path)
  } catch (e) {
    throw new GridproofError('rig-broke', `cannot write the report: ${messageOf(e)}`, {
      cause: e,
      place: { file: path },
    })
  }
}
