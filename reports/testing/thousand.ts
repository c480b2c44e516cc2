/** Writes a run of a catalogue with 1,000 requirements, for tests: made up, the same each time. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeReports } from '../write.ts'
import {
  begin,
  declared,
  judged,
  LogText,
  runHeader,
  scenarioEnd,
  scenarioHeader,
  writeRun,
  writeScenario,
} from './sample-run.ts'

const all = 1000

/** Of them one in 37 fails, and one in 10 is for a person to look at. Writes the reports too. */
export function thousandRequirements(folder: string): void {
  const catalogue = join(folder, 'catalogue')
  mkdirSync(catalogue, { recursive: true })
  const requirements = Array.from({ length: all }, (_, i) => ({
    id: `Q:${i + 1}`,
    section: `${1 + Math.floor(i / 50)}.${i % 50}`,
    priority: ['must', 'should', 'stated'][i % 3],
    statement: `The platform does thing number ${i + 1} as it is asked, within its limits and in its time`,
    subject: 'platform',
    ...(i % 10 === 9 ? { method: 'inspection', why: 'A person looks at it' } : { method: 'test' }),
    clauses: [
      { id: 'in-time', asks: 'It does so in time, each time' },
      { id: 'true', asks: 'What it shows is true' },
    ],
  }))
  const file = { document: 'big', title: 'A big catalogue', source: 'none', requirements }
  // JSON is YAML.
  writeFileSync(join(catalogue, 'big.yaml'), JSON.stringify(file))
  const scenarios = Array.from({ length: 20 }, (_, s) => `big/scenario-${s}`)
  const steps = scenarios.map((scenario, s) => {
    const log = new LogText()
    const ids = Array.from({ length: all / 20 }, (_, i) => (s * all) / 20 + i + 1).filter((i) => i % 10 !== 0)
    log.add(begin, 'bench', 'run', scenarioHeader(scenario, { verifies: ids.map((i) => `Q:${i}`) }))
    for (const i of ids) declared(log, begin, `check-${i}`, [`Q:${i}`], 'every 60 s ±6 s')
    for (const i of ids)
      judged(
        log,
        begin + 1000,
        `check-${i}`,
        i % 37 === 0
          ? {
              verdict: 'fail',
              blame: 'product',
              why: 'a gap of 3 min (limit 66 s)',
              observed: { 'longest gap [s]': 180 },
              because: [1],
            }
          : { verdict: 'pass', observed: { 'longest gap [s]': 60 }, because: [1] },
      )
    log.add(begin + 1000, 'bench', 'end', scenarioEnd())
    return writeScenario(folder, scenario, log)
  })
  writeRun(folder, runHeader(scenarios), steps)
  writeReports(folder, { catalogueFolder: catalogue })
}
