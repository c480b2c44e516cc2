/**
 * `npm run always`: what must hold whatever happens, over a thousand seeds of one busy hour (scenarios/meshing/busy-hour).
 * Prints each seed at which it did not, and how to play it again; keeps the evidence of those alone. Exit code 1 where
 * there was one.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { seedsThatFail } from './seeds.ts'

const usage = `npm run always -- [options]
  --seeds <n>       how many (default 1000)
  --seed <n>        the first (default 1)
  --scenario <id>   default meshing/busy-hour
  --short           the scenario's short form
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
    help: { type: 'boolean', default: false },
  },
})

if (values.help) process.stdout.write(usage)
else {
  const [from, count] = [number(values.seed), number(values.seeds)]
  const out = mkdtempSync(join(tmpdir(), 'gridproof-always-'))
  let found = 0
  try {
    for await (const r of seedsThatFail({
      scenario: values.scenario,
      from,
      count,
      short: values.short,
      out,
      progress: (done) => process.stdout.isTTY && process.stdout.write(`\r${done} of ${count} seeds`),
    })) {
      found++
      process.stdout.write(
        `✗ seed ${r.seed}: ${r.why}\n  again: gridproof run ${values.scenario} --seed ${r.seed}${values.short ? ' --short' : ''}\n`,
      )
    }
  } finally {
    rmSync(out, { recursive: true, force: true })
  }
  process.stdout.write(
    `${found === 0 ? '✓' : '✗'} ${values.scenario}: ${count} seeds from ${from} on, ${found} of them failed\n`,
  )
  process.exitCode = found > 0 ? 1 : 0
}
