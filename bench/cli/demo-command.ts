/** `gridproof demo`: looks, seed after seed, for one at which a library's defect shows. */
import { join } from 'node:path'
import { GridproofError } from '../../drivers/errors.ts'
import { duration } from '../../drivers/units.ts'
import { writeReports } from '../../reports/write.ts'
import type { CheckRecord } from '../verdicts/record.ts'
import { exitCodeFor, exitCodes } from '../verdicts/exit-code.ts'
import type { ExitCode } from '../verdicts/exit-code.ts'
import { readMaterial } from '../main/material.ts'
import { makePlan, usualWorkers } from '../main/plan.ts'
import type { Plan } from '../main/plan.ts'
import { startRun } from '../main/run.ts'
import type { Done } from '../main/pool.ts'
import { makeScratch } from '../main/scratch.ts'
import { onStop } from './on-stop.ts'
import { pathText } from './formats.ts'

export interface DemoCommandOptions {
  readonly seed: number
  readonly within: string
  readonly out: string
  readonly jobs?: number
}

/** More seeds than any machine gets through in the time that is given. Ours. */
const mostSeeds = 10_000

/** Performs the command: 0 where each defect shows, 1 where one does not. */
export async function demoCommand(names: readonly string[], o: DemoCommandOptions): Promise<number> {
  const withinMs = duration(o.within)
  if (!(withinMs >= 1000 && withinMs <= 86_400_000))
    throw new GridproofError('usage', `--within takes 1 s to 24 h`)
  const material = readMaterial()
  const plan = await makePlan({
    scenarios: names.length === 0 ? ['demonstrations'] : names.map((n) => fullName(n)),
    rig: 'virtual',
    material,
  })
  using scratch = makeScratch(plan.rig)
  const codes: ExitCode[] = []
  for (const s of plan.scenarios) {
    const d = s.scenario.demonstrates
    if (d === undefined)
      throw new GridproofError('usage', `${s.id} shows nothing of a library: gridproof run performs it`)
    codes.push(
      await search(
        await makePlan({ scenarios: [s.id], rig: 'virtual', material }),
        { id: s.id, title: s.scenario.title, check: d.check },
        { ...o, withinMs, pki: scratch.pki, disks: scratch.disks },
      ),
    )
    if (codes.includes(exitCodes.aborted)) break
  }
  return codes.reduce<ExitCode>(worse, exitCodes.ok)
}

const fullName = (n: string): string =>
  /^(\.\/)?(scenarios\/)?demonstrations(\/|$)/.test(n) ? n : `demonstrations/${n}`
/** Of several outcomes the gravest. */
const gravity: readonly ExitCode[] = [0, 1, 3, 4, 5, 130]
const worse = (a: ExitCode, b: ExitCode): ExitCode => (gravity.indexOf(b) > gravity.indexOf(a) ? b : a)

async function search(
  plan: Plan,
  what: { readonly id: string; readonly title: string; readonly check: string },
  o: DemoCommandOptions & { readonly withinMs: number; readonly pki: string; readonly disks: string },
): Promise<ExitCode> {
  const began = performance.now()
  const took = (): string => `${((performance.now() - began) / 1000).toFixed(1)} s`
  let found: { readonly done: Done; readonly check: CheckRecord } | undefined
  let tried = 0
  let stopped = false
  const run = startRun({
    plan,
    seed: o.seed,
    seeds: mostSeeds,
    length: 'full',
    workers: o.jobs ?? usualWorkers(plan.rig, 2),
    out: o.out,
    pki: o.pki,
    disks: o.disks,
    onDone(done) {
      tried++
      const check = done.record.checks.find((c) => c.id === what.check)
      if (found === undefined && check?.result.verdict === 'fail' && check.result.blame === 'product') {
        found = { done, check }
        run.stop()
      }
      // What is wrong with the bench or the rig does not get better with another seed.
      if (done.record.trouble !== undefined && done.record.trouble.blame !== 'operator') run.stop()
    },
    onTrouble: (_, text) => void process.stderr.write(`${text}\n`),
  })
  const late = setTimeout(() => run.stop(), o.withinMs)
  const forget = onStop(() => {
    if (stopped) process.exit(exitCodes.aborted)
    stopped = true
    run.stop()
  })
  let all: readonly Done[]
  try {
    all = await run.finished
  } finally {
    clearTimeout(late)
    forget()
  }
  const put = (text: string): void => void process.stdout.write(`${text}\n`)
  const { product, version } = plan.subject
  if (found !== undefined) {
    const { done, check } = found
    run.close(exitCodes.failed)
    writeReports(run.folder, { catalogueFolder: plan.material.requirements })
    put(`shown      ${product} ${version}: ${what.title}`)
    put(`           at seed ${done.job.seed}, the ${ordinal(tried)} that was tried, after ${took()}`)
    put(`           limit: ${check.limit}`)
    put(`           ${check.result.why ?? ''}`)
    put(`           again: gridproof run ${what.id} --seed ${done.job.seed}`)
    put(`           evidence: ${pathText(join(run.folder, 'index.html'))}`)
    return exitCodes.ok
  }
  // Those that were under way when time was up say nothing.
  const whole = all.filter((d) => d.record.end?.outcome === 'finished')
  const code = exitCodeFor(
    all
      .filter((d) => d.record.trouble !== undefined && d.record.trouble.blame !== 'operator')
      .map((d) => d.record),
    { aborted: stopped },
  )
  run.close(code === exitCodes.ok ? exitCodes.failed : code)
  put(`not shown  ${product} ${version}: ${what.title}`)
  put(`           in ${whole.length} seeds from ${o.seed} on, ${took()}`)
  for (const d of all)
    if (d.record.trouble !== undefined && d.record.trouble.blame !== 'operator')
      put(`           ${d.record.trouble.why} (${d.record.trouble.blame})`)
  return code === exitCodes.ok ? exitCodes.failed : code
}

function ordinal(n: number): string {
  const last = n % 100 > 10 && n % 100 < 14 ? 0 : n % 10
  return `${n}${['th', 'st', 'nd', 'rd'][last] ?? 'th'}`
}
