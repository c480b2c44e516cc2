/**
 * The bench put to the proof: each scenario against the healthy platform, against each defect that it claims to catch,
 * against each legal variant, and against mutations that nobody tailored.
 */
import { copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { stream } from '../../drivers/random.ts'
import { defectOf, defects, mutations } from '../../sim/defects/index.ts'
import type { AppId } from '../../sim/defects/index.ts'
import type { LoadedScenario } from '../scenario/load.ts'
import { virtualEpoch } from './job.ts'
import { lengthOf } from './plan.ts'
import type { Plan } from './plan.ts'
import type { Expectation, Proof, ProveJob } from './proof.ts'
import { freshFolder } from './run.ts'

export interface ProveOptions {
  readonly plan: Plan
  readonly seed: number
  /** How many are drawn. */
  readonly mutations: number
  /** In how many scenarios each legal variant is tried, those that know most defects of its app first; in all unless given. */
  readonly variants?: number
  /** Only this one. */
  readonly only?: string
  /** Where logs are written while it runs; those of interest are kept elsewhere (`keep`). */
  readonly logs: string
  readonly pki: string
  readonly disks: string
}

/** Apps of the reference platform that a scenario brings into play. */
function appsOf(s: LoadedScenario): ReadonlySet<AppId> {
  const needs = new Set<string>(s.scenario.needs)
  if (needs.has('reader')) return new Set<AppId>(['han-logger'])
  if (needs.has('uploads')) return new Set<AppId>(['upload-server'])
  // Every app at once, set to fit each other: what each may do otherwise is tried where it is judged by itself.
  if (needs.has('automation')) return new Set<AppId>()
  return new Set<AppId>([
    'marketplace',
    'container-manager',
    ...(needs.has('gridkey') ? (['gridkey-app'] as const) : []),
    ...(needs.has('thermocouple') || needs.has('adam') ? (['temperature-app'] as const) : []),
    ...(needs.has('cache') ? (['host'] as const) : []),
    ...(needs.has('laptop') ? (['maintenance'] as const) : []),
    ...(needs.has('watchdog') ? (['watchdog'] as const) : []),
    ...(needs.has('recorder') ? (['csv-recorder'] as const) : []),
    ...(needs.has('storage') ? (['data-storage'] as const) : []),
    ...(needs.has('centre') ? (['upload-app'] as const) : []),
    ...(needs.has('management') ? (['comms-app'] as const) : []),
    ...(needs.has('alvin') || needs.has('commander') ? (['meshing-app'] as const) : []),
    ...(needs.has('advisers') ? (['loadsense-app'] as const) : []),
    ...(needs.has('peers') ? (['peer-app'] as const) : []),
    ...(needs.has('forecaster') ? (['predictor-app', 'dtr-app'] as const) : []),
  ])
}

/**
 * Every run that the proof may take: the healthy platform, defects, variants, mutations. A mutation goes through the
 * scenarios in which its app plays one after the other, those that know most defects of the app first, and so does a
 * variant that is tried in a few: `settling` tells when it is enough.
 */
export function proveJobs(o: ProveOptions): readonly ProveJob[] {
  const jobOf = jobMaker(o)
  const { scenarios } = o.plan
  const wanted = (id: string): boolean => o.only === undefined || id === o.only
  const healthy = scenarios.map((s) => jobOf(s, 'healthy', ''))
  const broken = scenarios.flatMap((s) =>
    Object.entries(s.scenario.catches)
      .filter(([id]) => wanted(id))
      .map(([id, target]) => jobOf(s, 'defect', id, target)),
  )
  const playing = (app: AppId): LoadedScenario[] => scenarios.filter((s) => appsOf(s).has(app))
  const legal = defects.filter((d) => d.kind === 'variant' && wanted(d.id))
  const different = rounds(
    legal.map((d) => {
      // A scenario that catches it asks for more than the requirements do.
      const all = playing(d.app).filter((s) => !Object.hasOwn(s.scenario.catches, d.id))
      const list =
        o.variants === undefined ? all : mostFirst(shuffled(all, stream(o.seed, `variants/${d.id}`)), d.app)
      return list.map((s) => jobOf(s, 'variant', d.id))
    }),
  )
  const drawn =
    o.only?.startsWith('mutation/') === true
      ? [o.only]
      : mutations(o.seed, o.mutations)
          .map((m) => m.id)
          .filter(wanted)
  const mutated = rounds(
    drawn.map((id) => {
      const { app } = defectOf(id)
      return mostFirst(playing(app), app).map((s) => jobOf(s, 'mutation', id))
    }),
  )
  return [...healthy, ...broken, ...different, ...mutated]
}

function jobMaker(
  o: ProveOptions,
): (s: LoadedScenario, expectation: Expectation, id: string, target?: string) => ProveJob {
  return (s, expectation, id, target) => {
    const name = `${s.id}+${id === '' ? 'healthy' : id}`
    return {
      scenario: s,
      expectation,
      id,
      ...(target === undefined ? {} : { target }),
      job: {
        id: name,
        scenario: s.id,
        file: s.file,
        rigFile: o.plan.rigFile,
        rigSha256: o.plan.rigSha256,
        seed: o.seed,
        horizonMs: lengthOf(s, 'prove', id),
        fullHorizonMs: lengthOf(s, 'full'),
        log: join(o.logs, `${name.replaceAll('/', '.')}.jsonl`),
        pki: o.pki,
        disks: o.disks,
        defects: id === '' ? [] : [id],
        drain: 'sync',
        epoch: virtualEpoch,
        commit: o.plan.commit,
        subject: o.plan.subject,
      },
    }
  }
}

/** Those first that know most defects of an app: they look at it most closely, and there most of what it does comes to bear. */
function mostFirst(list: readonly LoadedScenario[], app: AppId): readonly LoadedScenario[] {
  const knows = (s: LoadedScenario): number =>
    Object.keys(s.scenario.catches).filter((d) => defectOf(d).app === app).length
  return list.toSorted((a, b) => knows(b) - knows(a))
}

/** The first of each list, then the second of each, and so on. */
function rounds<T>(lists: readonly (readonly T[])[]): T[] {
  const longest = Math.max(0, ...lists.map((l) => l.length))
  return Array.from({ length: longest }, (_, k) => lists.flatMap((l) => l.slice(k, k + 1))).flat()
}

function shuffled<T>(list: readonly T[], random: () => number): T[] {
  return list
    .map((x) => [random(), x] as const)
    .toSorted(([a], [b]) => a - b)
    .map(([, x]) => x)
}

/**
 * What need not be run any more: a mutation that a check has noticed, and a variant that has come to bear in as many
 * scenarios as asked for.
 */
export interface Settling {
  see(proof: Proof): void
  settled(p: Pick<ProveJob, 'expectation' | 'id'>): boolean
}

export function settling(variants: number = Number.POSITIVE_INFINITY): Settling {
  const noticed = new Set<string>()
  const borne = new Map<string, number>()
  return {
    see(p) {
      if (p.expectation === 'mutation' && p.word === 'as expected') noticed.add(p.id)
      if (p.expectation === 'variant' && p.word !== 'not reached') borne.set(p.id, (borne.get(p.id) ?? 0) + 1)
    },
    settled: ({ expectation, id }) =>
      (expectation === 'mutation' && noticed.has(id)) ||
      (expectation === 'variant' && (borne.get(id) ?? 0) >= variants),
  }
}

/**
 * Keeps the log of a run that needs a look, and of each healthy one, in the proof's folder; lets go of all others. Most
 * mutations go unnoticed in most scenarios: their logs are kept only where one was `asked` for by name.
 */
export function keep(proof: Proof, log: string, folder: string, asked: boolean): void {
  const ordinary =
    proof.expectation === 'mutation' ? !asked && proof.word !== 'broke' : proof.word === 'as expected'
  const wanted = proof.expectation === 'healthy' || !ordinary
  if (wanted && existsSync(log)) copyFileSync(log, join(folder, 'data', basename(log)))
  rmSync(log, { force: true })
}

/** A fresh folder for the proof's logs. */
export function proveFolder(out: string): string {
  const name = `${new Date().toISOString().slice(0, 19).replaceAll(':', '-')}Z-prove`
  const folder = freshFolder(out, name)
  mkdirSync(join(folder, 'data'), { recursive: true })
  return folder
}

/** Writes prove.json: every proof, and what they come to. */
export function writeProofs(
  folder: string,
  plan: Plan,
  seed: number,
  proofs: readonly Proof[],
  checks: readonly string[],
): void {
  const json = {
    format: 'gridproof-prove/1',
    commit: plan.commit,
    seed,
    subject: plan.subject,
    checksWithoutDefect: checks,
    proofs,
  }
  writeFileSync(join(folder, 'prove.json'), `${JSON.stringify(json, null, 1)}\n`)
}
