/** A bench with a pool that says which workers it has, and waits to be killed. For the tests of the pool. */
import { readFileSync, writeSync } from 'node:fs'
import { descendants } from '../../cli/testing.ts'
import type { Job } from '../job.ts'
import { startPool } from '../pool.ts'

const jobs = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as Job[]
const busy = new Set<string>()
startPool({
  jobs,
  workers: jobs.length,
  onProgress(job, passedMs) {
    if (passedMs < 60_000 || busy.has(job.id)) return
    busy.add(job.id)
    if (busy.size === jobs.length) writeSync(1, `${JSON.stringify(descendants(process.pid))}\n`)
  },
})
