/**
 * Writes a large log and reports on it; started by huge.test.ts in a process with little memory.
 * Arguments: a folder, the number of events, and how many different aliases they speak of.
 */
import { closeSync, mkdirSync, openSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { shippedCatalogue } from '../../bench/requirements/load.ts'
import { writeReports } from '../write.ts'
import {
  begin,
  declared,
  judged,
  LogText,
  noise,
  runHeader,
  scenarioEnd,
  scenarioHeader,
  writeRun,
} from './sample-run.ts'

const [folder = '', events = '0', aliases = '1'] = process.argv.slice(2)
const scenario = 'capture/huge'
const file = `data/${scenario}.jsonl`
mkdirSync(join(folder, 'data/capture'), { recursive: true })
const fd = openSync(join(folder, file), 'w')
const log = new LogText()
let written = 0

/** Hands the lines over, and keeps only their number. */
function flush(): void {
  const lines = log.lines.splice(0)
  written += lines.length
  writeSync(
    fd,
    lines
      .map((l, i) => `${l.replace(/^\{"seq":\d+/, `{"seq":${written - lines.length + i + 1}`)}\n`)
      .join(''),
  )
}

log.add(begin, 'bench', 'run', scenarioHeader(scenario))
declared(log, begin, 'spacing', ['M:0023'], 'every 10 s ±1 s', '*')
const n = Number(events)
for (let i = 0; i < n; i++) {
  const alias = `x.${i % Number(aliases)}`
  const payload = {
    Timestamp: Math.floor((begin + i * 100) / 1000),
    Value: 50 + noise(i),
    Valid: true,
    filler: 'x'.repeat(120),
  }
  log.add(begin + i * 100, 'marketplace', 'seen', { alias, payload })
  if (log.lines.length > 1000) flush()
}
flush()
judged(log, begin + n * 100, 'spacing', { verdict: 'pass', observed: {}, because: [3, Math.floor(n / 2), n] })
log.add(begin + n * 100, 'bench', 'end', scenarioEnd())
flush()
closeSync(fd)
writeRun(folder, runHeader([scenario]), [{ scenario, file, outcome: 'finished' }])

const started = performance.now()
const { run } = writeReports(folder, { catalogueFolder: shippedCatalogue })
const result = {
  ms: Math.round(performance.now() - started),
  logBytes: statSync(join(folder, file)).size,
  pageBytes: statSync(join(folder, `data/${scenario}.html`)).size,
  events: run.scenarios[0]?.contents?.events,
  deciding: run.scenarios[0]?.contents?.deciding.size,
  peakMiB: Math.round(process.resourceUsage().maxRSS / 1024),
}
process.stdout.write(`${JSON.stringify(result)}\n`)
