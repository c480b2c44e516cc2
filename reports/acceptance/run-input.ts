/** Reads a run for the merge: what its logs tell, and what is wrong with them. */
import { join } from 'node:path'
import type { RunInput } from '../../bench/acceptance/faces.ts'
import type { Catalogue } from '../../bench/requirements/load.ts'
import { readRun } from '../model/read-run.ts'

/** A run below the folder of an acceptance, read as the merge takes it. */
export function runInput(id: string, folder: string, out: string, catalogue: Catalogue): RunInput {
  const view = readRun(join(out, folder), catalogue)
  return {
    id,
    folder,
    ...(view.header === undefined ? {} : { header: view.header }),
    ...(view.end === undefined ? {} : { end: view.end }),
    problems: view.problems,
    scenarios: view.scenarios.map((s) => ({
      id: s.id,
      record: s.record,
      ...(s.contents === undefined ? {} : { log: s.contents.log.file, sha256: s.contents.log.sha256 }),
      problems: s.contents?.problems ?? [],
    })),
  }
}
