/**
 * `npm run always`: what must hold whatever happens, over a thousand seeds of a scenario; of one busy hour
 * (scenarios/meshing/busy-hour) unless another is named. Prints each seed at which it did not hold, and how to play it
 * again, and at the end what the checks saw in all; keeps the logs of the seeds that failed alone. Exit code 1 where
 * there was one.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { durationText } from '../../drivers/units.ts'
import { seedsThatFail } from './seeds.ts'
import { createTotals } from './totals.ts'

const usage = `npm run always -- [options]
  --seeds <n>       how many (default 1000)
  --seed <n>        the first (default 1)
  --scenario <id>   default meshing/busy-hour
  --short           the scenario's short form
  --jobs <n>        seeds at a time (default one a core)
  --keep <folder>   where the logs of seeds that failed are kept (default: nowhere)
`

function number(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new TypeError(`'${text}' is no whole number`)
  return Number(text)
}

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    scenario: { type: 'string', default: 'meshing/busy-hour' },
    short: { type: 'boolean', default: false },
    jobs: { type: 'string' },
    keep: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})

if (values.help) process.stdout.write(usage)
else {
  const [from, count] = [number(values.seed), number(values.seeds)]
  const out = mkdtempSync(join(tmpdir(), 'gridproof-always-'))
  const totals = createTotals()
  const began = performance.now()
  const failed: number[] = []
  const stop = new AbortController()
  let played = 0
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => stop.abort(signal))
  try {
    for await (const r of seedsThatFail({
      scenario: values.scenario,
      from,
      count,
      short: values.short,
      out,
      totals,
      stop: stop.signal,
      ...(values.jobs === undefined ? {} : { jobs: number(values.jobs) }),
      ...(values.keep === undefined ? {} : { keep: values.keep }),
      progress(done) {
        played = done
        if (process.stdout.isTTY) process.stdout.write(`\r${done} of ${count} seeds`)
      },
    })) {
      failed.push(r.seed)
      process.stdout.write(
        `✗ seed ${r.seed}: ${r.why}\n  again: gridproof run ${values.scenario} --seed ${r.seed}${values.short ? ' --short' : ''}\n`,
      )
    }
  } finally {
    rmSync(out, { recursive: true, force: true })
  }
  for (const line of totals.lines()) process.stdout.write(`${line}\n`)
  const { benchMs, cpuMs } = totals.spent
  process.stdout.write(
    `${failed.length === 0 ? '✓' : '✗'} ${values.scenario}: ${played} seeds from ${from} on${stop.signal.aborted ? ` (stopped; ${count} were asked for)` : ''}, ${failed.length} of them failed${failed.length === 0 ? '' : ` (${failed.join(', ')})`}; ${durationText(benchMs)} of bench time in ${durationText(performance.now() - began)} of wall time and ${durationText(cpuMs)} of processor time\n`,
  )
  process.exitCode = stop.signal.aborted ? 130 : failed.length > 0 ? 1 : 0
}
