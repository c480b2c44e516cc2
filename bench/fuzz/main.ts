/**
 * `npm run fuzz`: puts a million inputs through every parser and server, on all cores; a crash, a hang or a wrong answer
 * is a finding, is kept as a file, and can be played again. Exit code 1 where there was one.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { inputOf } from './mutate.ts'
import { targets } from './targets.ts'
import { fuzz, mostFindings, portions } from './run.ts'
import { sessionLength } from './session.ts'
import type { Finding } from './session.ts'

const usage = `npm run fuzz -- [options]
  --inputs <n>     how many in all (default 1000000)
  --seed <n>       seed of the inputs (default: drawn, and printed)
  --target <name>  only this one: ${targets.map((t) => t.name).join(', ')}
  --input <n>      with --seed and --target: plays this input again, with those before it in its session
  --out <folder>   where failing inputs are kept (default runs/fuzz)
`

function number(text: string | undefined, usual: number): number {
  if (text === undefined) return usual
  if (!/^\d{1,10}$/.test(text)) throw new TypeError(`'${text}' is no whole number`)
  return Number(text)
}

function keep(seed: number, f: Finding, out: string): string {
  const target = targets.find((t) => t.name === f.target)
  if (target === undefined) return ''
  mkdirSync(out, { recursive: true })
  const file = join(out, `${f.target}-${seed}-${f.input}`)
  writeFileSync(`${file}.bin`, inputOf(seed, target, target.examples(), f.input))
  writeFileSync(`${file}.txt`, `${f.what}\n`)
  return file
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      inputs: { type: 'string' },
      seed: { type: 'string' },
      target: { type: 'string' },
      input: { type: 'string' },
      out: { type: 'string', default: join('runs', 'fuzz') },
      help: { type: 'boolean', default: false },
    },
  })
  const say = (text: string): void => void process.stdout.write(`${text}\n`)
  if (values.help) {
    process.stdout.write(usage)
    return 0
  }
  const seed = number(values.seed, 1 + (Date.now() % 1_000_000_000))
  const inputs = number(values.inputs, 1_000_000)
  const chosen = targets.filter((t) => values.target === undefined || t.name === values.target)
  if (chosen.length === 0)
    throw new TypeError(`no target '${values.target}'; there are: ${targets.map((t) => t.name).join(', ')}`)
  const again = values.input === undefined ? undefined : number(values.input, 0)
  if (again !== undefined && chosen.length > 1) throw new TypeError('--input goes with --target')

  const first = chosen[0]
  const work =
    again === undefined || first === undefined
      ? portions(chosen, inputs)
      : [{ target: first.name, from: again - (again % sessionLength), to: again + 1 }]
  const all = work.reduce((a, s) => a + s.to - s.from, 0)
  say(`seed ${seed}: ${all} inputs for ${chosen.length} targets on ${availableParallelism()} cores`)
  const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'gridproof-fuzz-'))
  const clear = (): void => rmSync(folder, { recursive: true, force: true })
  process.once('exit', clear)
  for (const s of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(s, () => process.exit(130))
  const began = performance.now()
  let shown = began
  const { inputs: done, findings } = await fuzz({
    seed,
    work,
    folder,
    onProgress(n) {
      const now = performance.now()
      if (now - shown < 5000) return
      shown = now
      say(`  ${n} of ${all}, ${Math.round((now - began) / 1000)} s`)
    },
  })
  const seconds = (performance.now() - began) / 1000
  for (const f of findings.slice(0, mostFindings)) {
    say(`\n${f.target}, input ${f.input}: ${f.what}`)
    say(`  kept: ${keep(seed, f, values.out)}.bin`)
    say(`  again: npm run fuzz -- --seed ${seed} --target ${f.target} --input ${f.input}`)
  }
  for (const t of chosen) {
    const count = work.filter((s) => s.target === t.name).reduce((a, s) => a + s.to - s.from, 0)
    if (again === undefined) say(`  ${t.name.padEnd(24)} ${String(count).padStart(8)}`)
  }
  say(`${done} inputs in ${seconds.toFixed(1)} s, ${findings.length} findings (seed ${seed})`)
  return findings.length === 0 ? 0 : 1
}

try {
  process.exitCode = await main()
} catch (e) {
  if (!(e instanceof TypeError)) throw e
  process.stderr.write(`${e.message}\n${usage}`)
  process.exitCode = 2
}
