/** Everything that a run needs, read and checked before anything starts. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { GridproofError } from '../../drivers/errors.ts'
import { duration } from '../../drivers/units.ts'
import type { ProfileSpec } from '../../sim/faces.ts'
import type { Identity, Subject } from '../evidence/schema.ts'
import { loadCatalogue } from '../requirements/load.ts'
import type { Catalogue } from '../requirements/load.ts'
import { isLab } from '../rigs/schema.ts'
import type { RigFile } from '../rigs/schema.ts'
import { loadScenarios, nearest } from '../scenario/load.ts'
import type { LoadedScenario } from '../scenario/load.ts'
import { checkApps } from './app-options.ts'
import { checkScenario } from './check-scenario.ts'
import { checkDevices, checkLoad } from './devices.ts'
import { knownDefects } from './defects.ts'
import { identityOf, labSubject } from './identity.ts'
import type { IdentityOptions } from './identity.ts'
import { readMaterial, readRigWith, root } from './material.ts'
import type { Material } from './material.ts'

export { root } from './material.ts'

export interface PlanOptions {
  /** Patterns of scenario IDs; none: all. */
  readonly scenarios: readonly string[]
  /** A name in fixtures/rigs, or a path. */
  readonly rig: string
  /** What the operator puts in place of every load. */
  readonly load?: ProfileSpec
  /** The user's own scenarios, requirements, personalities and rigs; the project's alone unless given. */
  readonly material?: Material
  /** Who judges, where, and what the operator says of the subject. */
  readonly identity?: IdentityOptions
}

export interface Plan {
  readonly material: Material
  readonly identity?: Identity
  readonly catalogue: Catalogue
  readonly rig: RigFile
  readonly rigFile: string
  /** SHA-256 of the rig file, hexadecimal. */
  readonly rigSha256: string
  readonly scenarios: readonly LoadedScenario[]
  readonly subject: Subject
  /** Git commit of the bench, with `+` where the work tree differs; `unknown` outside a checkout. */
  readonly commit: string
  /** Version of the bench, from package.json. */
  readonly version: string
}

/** Reads and checks catalogue, rig, personalities and scenarios. Throws with file, line and what was expected. */
export async function makePlan(o: PlanOptions): Promise<Plan> {
  const material = o.material ?? readMaterial()
  const catalogue = loadCatalogue(material.requirements)
  const rigFile = findRig(o.rig, material.rigs)
  const rig = readRigWith(rigFile, material.personalities)
  const identity = identityOf(rig, o.identity ?? {})
  checkDevices(rig, relative(process.cwd(), rigFile))
  checkApps(rig, relative(process.cwd(), rigFile))
  const scenarios = await loadScenarios(material.scenarios, o.scenarios, {
    clausesOf: (r) => catalogue.clausesOf(r),
    defects: knownDefects(),
  })
  if (o.load !== undefined) checkLoad(o.load)
  for (const s of scenarios)
    await checkScenario(s, {
      rig,
      horizonMs: lengthOf(s, 'full'),
      clausesOf: (r) => catalogue.clausesOf(r),
      ...(o.load === undefined ? {} : { load: o.load }),
    })
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
  return {
    material,
    ...(identity === undefined ? {} : { identity }),
    catalogue,
    rig,
    rigFile,
    rigSha256: digest(rigFile),
    scenarios,
    commit: commitOf(),
    version,
    subject: isLab(rig)
      ? labSubject(rig, o.identity?.subject ?? [])
      : (librarySubject(rig, scenarios) ?? {
          kind: 'reference',
          maker: 'Gridproof',
          version,
          ...ownSubject(scenarios),
        }),
  }
}

/** What of ours the scenarios judge. */
function ownSubject(scenarios: readonly LoadedScenario[]): {
  readonly product: string
  readonly digest: string
} {
  const ofUploads = scenarios.length > 0 && scenarios.every((s) => s.scenario.needs.includes('uploads'))
  const [product, folder] = ofUploads
    ? ['server of resumable uploads', 'sim/servers/uploads']
    : ['LV-CAP reference platform and HAN reader', 'sim/reference']
  return { product, digest: `sha256:${treeDigest(join(root, folder))}` }
}

/** Where all scenarios judge one library (a defect of it, or the server that the rig has of it), that as it is installed. */
function librarySubject(
  rig: Exclude<RigFile, { platform: { kind: 'lab' } }>,
  scenarios: readonly LoadedScenario[],
): Subject | undefined {
  const server = rig.roles.uploads?.server ?? 'own'
  const [first, ...others] = new Set(
    scenarios.map((s) =>
      server !== 'own' && s.scenario.needs.includes('uploads') ? server : s.scenario.demonstrates?.package,
    ),
  )
  if (first === undefined || others.length > 0) return undefined
  let version = 'unknown'
  try {
    const file = join(root, 'node_modules', first, 'package.json')
    version = (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
  } catch {
    // It lies elsewhere; what is judged is still the one that was loaded.
  }
  return { kind: 'real', maker: 'its authors', product: first, version }
}

/** Rigs of these folders, and those that come with the project, by name. */
export function shippedRigs(folders: readonly string[] = []): readonly { name: string; file: string }[] {
  return [...folders, join(root, 'fixtures/rigs')].flatMap((folder) =>
    readdirSync(folder)
      .filter((f) => f.endsWith('.yaml'))
      .sort()
      .map((f) => ({ name: f.slice(0, -5), file: join(folder, f) })),
  )
}

/** The file of a rig by its name in these folders or in fixtures/rigs, or by its path. Throws `usage`. */
export function findRig(name: string, folders: readonly string[] = []): string {
  if (name.includes('/') || name.endsWith('.yaml')) {
    if (existsSync(name)) return name
    throw new GridproofError('usage', `there is no rig file '${name}'`)
  }
  const found = shippedRigs(folders).find((r) => r.name === name)?.file
  if (found !== undefined) return found
  throw new GridproofError(
    'usage',
    `rig ${nearest(
      name,
      shippedRigs(folders).map((r) => r.name),
    )}; a file is given by its path`,
  )
}

/** Length of a run of a scenario in ms; of a proof that of a defect, variant or mutation, where one is given. */
export function lengthOf(s: LoadedScenario, kind: 'full' | 'short' | 'prove', id = ''): number {
  const { horizon, short, prove } = s.scenario
  if (kind === 'full') return duration(horizon)
  if (kind === 'short') return duration(short ?? horizon)
  if (typeof prove !== 'object') return duration(prove ?? short ?? horizon)
  if (id === '') return Math.max(...Object.values(prove).map((d) => duration(d)))
  return duration((Object.hasOwn(prove, id) ? prove[id] : undefined) ?? prove.others)
}

/** `--load` of the command line: a profile's name, or `<file.csv>:<column>:<scale>`. */
export function readLoad(text: string): ProfileSpec {
  const m = /^(.+\.csv):([^:]+):([0-9.]+)$/.exec(text)
  if (m?.[1] !== undefined && m[2] !== undefined) {
    if (!existsSync(m[1])) throw new GridproofError('usage', `there is no file '${m[1]}' to take a load from`)
    const scale = Number(m[3])
    // From here on it must mean the same wherever it is read.
    if (scale > 0) return { csv: resolve(m[1]), column: m[2], scale }
  }
  if (/\.csv/.test(text))
    throw new GridproofError(
      'usage',
      `'${text}' is no load: write <file.csv>:<column>:<scale, in amperes for each unit>`,
    )
  return { profile: text }
}

/** Workers at a time: one for each core in virtual time; real time mostly waits, so that more go side by side. */
export function usualWorkers(rig: RigFile, scenarios: number): number {
  // A lab has one platform, and one of each device.
  if (isLab(rig)) return 1
  return rig.time === 'virtual' ? availableParallelism() : Math.min(4, scenarios)
}

/** Git commit of the bench, with `+` where the work tree differs; `unknown` outside a checkout. */
export function commitOf(): string {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  try {
    const commit = git('rev-parse', '--short=12', 'HEAD')
    return git('status', '--porcelain') === '' ? commit : `${commit}+`
  } catch {
    return 'unknown'
  }
}

/** SHA-256 of a file, hexadecimal. */
export function digest(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex')
}

/** SHA-256 over names and contents of every file below a folder, in order. */
function treeDigest(folder: string): string {
  const hash = createHash('sha256')
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((f) => f.isFile() && !f.name.endsWith('.test.ts'))
    .map((f) => join(f.parentPath, f.name))
    .sort()
  for (const f of files) hash.update(relative(folder, f)).update('\0').update(readFileSync(f)).update('\0')
  return hash.digest('hex')
}
