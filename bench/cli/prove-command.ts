/** `gridproof prove` */
import { mkdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import { GridproofError } from '../../drivers/errors.ts'
import { exitCodes } from '../verdicts/exit-code.ts'
import { readMaterial } from '../main/material.ts'
import type { MaterialOptions } from '../main/material.ts'
import { observedDigest } from '../main/observed.ts'
import { makePlan, usualWorkers } from '../main/plan.ts'
import { startPool } from '../main/pool.ts'
import { judgeProof, mutationWords, untripped, whySurvived } from '../main/proof.ts'
import type { Proof, ProofWord } from '../main/proof.ts'
import { keep, proveFolder, proveJobs, settling, writeProofs } from '../main/prove.ts'
import { makeScratch } from '../main/scratch.ts'
import { onStop } from './on-stop.ts'
import { tellCleared, writeAtOnce } from './run-command.ts'

export interface ProveCommandOptions extends MaterialOptions {
  readonly rig: string
  readonly seed: number
  readonly mutations: number
  readonly variants?: number
  readonly defect?: string
  readonly jobs?: number
  readonly out: string
}

const signs: Readonly<Record<ProofWord, string>> = {
  'as expected': '✓',
  missed: '✗',
  'over-strict': '✗',
  'not reached': '?',
  survived: '·',
  unseen: '·',
  broke: '!',
}

/** Performs the command and returns its exit code. */
export async function proveCommand(scenarios: readonly string[], o: ProveCommandOptions): Promise<number> {
  const plan = await makePlan({ scenarios, rig: o.rig, material: readMaterial(o) })
  if (plan.rig.time !== 'virtual')
    throw new GridproofError('usage', `prove runs in virtual time; the rig '${o.rig}' has real time`)
  const what = {
    plan,
    seed: o.seed,
    mutations: o.mutations,
    ...(o.variants === undefined ? {} : { variants: o.variants }),
    ...(o.defect === undefined ? {} : { only: o.defect }),
  }
  // Before anything is made: asked without places to work in.
  if (
    o.defect !== undefined &&
    !proveJobs({ ...what, logs: '', pki: '', disks: '' }).some((p) => p.id === o.defect)
  )
    throw new GridproofError('usage', `'${o.defect}' is nothing that these scenarios are proven against`)
  const folder = proveFolder(o.out)
  using scratch = makeScratch(plan.rig)
  tellCleared(scratch)
  // In memory where the system has such a place: nearly all of them are let go at once.
  const logs = join(scratch.disks, 'logs')
  mkdirSync(logs)
  const list = proveJobs({ ...what, logs, pki: scratch.pki, disks: scratch.disks })
  const byId = new Map(list.map((p) => [p.job.id, p]))
  const settle = settling(o.variants)
  let skipped = 0
  const proofs: Proof[] = []
  const healthyChecks = new Map<string, readonly string[]>()
  const healthyShows = new Map<string, string>()
  /** What the healthy platform shows is reckoned only where a mutation will be held against it. */
  const mutated = list.some((p) => p.expectation === 'mutation')
  const tty = process.stderr.isTTY
  const pool = startPool({
    jobs: list.map((p) => p.job),
    workers: o.jobs ?? usualWorkers(plan.rig, list.length),
    skip(job) {
      const p = byId.get(job.id)
      if (p === undefined || !settle.settled(p)) return false
      skipped++
      return true
    },
    onDone(done) {
      const p = byId.get(done.job.id)
      if (p === undefined) return
      const shows = (): string => observedDigest(p.job.log)
      const proof = judgeProof(
        p,
        done,
        (r) => plan.catalogue.clausesOf(r),
        () => shows() === healthyShows.get(p.scenario.id),
      )
      if (mutated && p.expectation === 'healthy' && proof.word === 'as expected')
        healthyShows.set(p.scenario.id, shows())
      proofs.push(proof)
      settle.see(proof)
      keep(proof, p.job.log, folder, o.defect !== undefined)
      if (p.expectation === 'healthy')
        healthyChecks.set(
          p.scenario.id,
          done.record.checks.map((c) => c.id),
        )
      if (tty) writeAtOnce(`\r\u001b[K${proofs.length} of ${list.length - skipped}`)
      else if (proofs.length % 25 === 0) writeAtOnce(`${proofs.length} of ${list.length - skipped}\n`)
    },
    onTrouble: (job, text) => void process.stderr.write(`${job?.id ?? 'a worker'}: ${text}\n`),
  })
  let stopped = false
  const forget = onStop(() => {
    if (stopped) process.exit(exitCodes.aborted)
    stopped = true
    pool.stop()
  })
  await pool.finished
  forget()
  if (tty) writeAtOnce('\r\u001b[K')

  const idle = o.defect === undefined && !stopped ? untripped(proofs, healthyChecks) : []
  writeProofs(folder, plan, o.seed, proofs, idle)
  process.stdout.write(text(proofs, idle))
  process.stdout.write(`Proofs: ${join(relative(process.cwd(), folder), 'prove.json')}\n`)
  if (stopped) return exitCodes.aborted
  if (proofs.some((p) => p.word === 'broke')) return exitCodes.benchFault
  const bad = proofs.some(
    (p) =>
      p.word === 'missed' ||
      p.word === 'over-strict' ||
      (p.word === 'not reached' && p.expectation === 'defect'),
  )
  return bad || idle.length > 0 ? exitCodes.failed : exitCodes.ok
}

function text(proofs: readonly Proof[], idle: readonly string[]): string {
  const lines: string[] = []
  const scenarios = [...new Set(proofs.map((p) => p.scenario))].sort()
  for (const s of scenarios) {
    lines.push('', s)
    const mine = proofs.filter((p) => p.scenario === s)
    for (const kind of ['healthy', 'defect', 'variant'] as const) {
      const some = mine.filter((p) => p.expectation === kind).sort((x, y) => (x.id < y.id ? -1 : 1))
      for (const p of some) lines.push(`  ${signs[p.word]} ${kind.padEnd(8)} ${line(p)}`)
    }
  }
  lines.push('')
  for (const c of idle) lines.push(`✗ no defect trips this check, so nothing shows that it can fail: ${c}`)
  const count = (e: Proof['expectation'], w?: ProofWord): number =>
    proofs.filter((p) => p.expectation === e && (w === undefined || p.word === w)).length
  const words = mutationWords(proofs)
  const of = (w: string): string[] => [...words].filter(([, x]) => x === w).map(([id]) => id)
  const survivors = of('survived')
  const unseen = of('unseen').length
  const reached = words.size - of('not reached').length - unseen
  let allowed = 0
  for (const id of survivors) {
    const why = whySurvived(proofs, id)
    if (why !== undefined) allowed++
    lines.push(`· mutation that no check noticed: ${id} (${describe(proofs, id)})`)
    lines.push(
      why === undefined ? '    unexplained: a hole in the checks, or nobody could object' : `    ${why}`,
    )
  }
  if (survivors.length > 0) lines.push('')
  lines.push(
    `Defects: ${count('defect', 'as expected')} of ${count('defect')} caught. ` +
      `Legal variants: ${count('variant', 'as expected')} of ${count('variant') - count('variant', 'not reached')} that came to bear passed. ` +
      `Healthy: ${count('healthy', 'as expected')} of ${count('healthy')}.`,
    `Mutations: ${reached} of ${words.size} came to bear where it shows (${unseen} more changed nothing that shows): ` +
      `${reached - survivors.length} noticed, ${allowed} that nobody could object to, ` +
      `${survivors.length - allowed} survived${survivalOf(survivors.length - allowed, reached - allowed)}.`,
    '',
  )
  return lines.join('\n')
}

/** As a share of those to which somebody could object. */
function survivalOf(survived: number, reached: number): string {
  return reached === 0 ? '' : ` (${((100 * survived) / reached).toFixed(1)} %)`
}

function describe(proofs: readonly Proof[], id: string): string {
  const mine = proofs.filter((p) => p.id === id)
  return mine.find((p) => p.change !== undefined)?.change ?? mine[0]?.describes ?? ''
}

function line(p: Proof): string {
  const what = p.id === '' ? '' : `${p.id} `
  const tail =
    p.word === 'as expected'
      ? p.tripped.length > 0
        ? `→ ${p.tripped.join(', ')}`
        : 'passes'
      : `${p.word.toUpperCase()}: ${p.why ?? p.describes}`
  return `${what}${tail}`
}
