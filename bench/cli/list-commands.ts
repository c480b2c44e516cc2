/** `gridproof requirements`, `rigs`, `scenarios`, `clean`. */
import { existsSync } from 'node:fs'
import { clearLeftovers } from '../../drivers/real/ledger.ts'
import { ptyProvider } from '../../drivers/real/pty.ts'
import { cut, pad } from '../../reports/text/plain.ts'
import { terminalOf } from '../../reports/text/terminal.ts'
import { loadCatalogue } from '../requirements/load.ts'
import type { Catalogue, Entry } from '../requirements/load.ts'
import { isLab, readRig } from '../rigs/schema.ts'
import type { RigFile } from '../rigs/schema.ts'
import { loadScenarios } from '../scenario/load.ts'
import type { LoadedScenario } from '../scenario/load.ts'
import { exitCodes } from '../verdicts/exit-code.ts'
import { knownDefects } from '../main/defects.ts'
import { labMisses } from '../main/dry-run.ts'
import { readMaterial } from '../main/material.ts'
import type { Material, MaterialOptions } from '../main/material.ts'
import { shippedRigs } from '../main/plan.ts'
import { lacksOf } from '../main/scratch.ts'

const out = (text: string): void => void process.stdout.write(`${text}\n`)

async function everyScenario(catalogue: Catalogue, material: Material): Promise<readonly LoadedScenario[]> {
  return loadScenarios(material.scenarios, [], {
    clausesOf: (r) => catalogue.clausesOf(r),
    defects: knownDefects(),
  })
}

export interface RequirementsOptions extends MaterialOptions {
  readonly find?: string
  readonly document?: string
  readonly clauses?: boolean
  readonly json?: boolean
}

/** Lists the catalogue, and which scenarios look at each clause. */
export async function requirementsCommand(o: RequirementsOptions): Promise<number> {
  const material = readMaterial(o)
  const catalogue = loadCatalogue(material.requirements)
  const by = new Map<string, string[]>()
  for (const s of await everyScenario(catalogue, material))
    for (const ref of new Set(s.scenario.verifies.flatMap((v) => catalogue.clausesOf(v))))
      by.set(ref, [...(by.get(ref) ?? []), s.id])
  const find = o.find?.toLowerCase()
  const listed = catalogue.requirements.filter(
    (r) =>
      (o.document === undefined || r.document === o.document) &&
      (find === undefined || r.id.toLowerCase().startsWith(find) || r.statement.toLowerCase().includes(find)),
  )
  if (o.json === true) {
    const rows = listed.map((r) => ({
      ...r,
      clauses: r.clauses.map((c) => ({ ...c, scenarios: by.get(`${r.id}/${c.id}`) ?? [] })),
    }))
    out(JSON.stringify(rows, null, 1))
    return exitCodes.ok
  }
  const width = terminalOf(process.stdout, process.env).width
  const idWidth = Math.max(4, ...listed.map((r) => r.id.length))
  for (const r of listed) {
    out(cut(`${pad(r.id, idWidth)}  ${pad(r.method, 13)}  ${pad(covered(r, by), 9)}  ${r.statement}`, width))
    if (o.clauses !== true) continue
    for (const c of r.clauses) {
      const scenarios = by.get(`${r.id}/${c.id}`) ?? []
      out(
        `${' '.repeat(idWidth)}    ${r.id}/${c.id} (${c.subject ?? r.subject}, ${c.method ?? r.method}): ${c.asks}`,
      )
      if (scenarios.length > 0) out(`${' '.repeat(idWidth)}      by ${scenarios.join(', ')}`)
      const why = c.why ?? (c.method === undefined ? r.why : undefined)
      if (why !== undefined && (c.method ?? r.method) !== 'test') out(`${' '.repeat(idWidth)}      ${why}`)
    }
  }
  const n = catalogue.counts
  const ours = n.ours.total === 0 ? '' : `, and ${n.ours.total} section IDs of ours`
  out(`${listed.length} listed, of ${n.numbered.total} numbered requirements${ours}`)
  return exitCodes.ok
}

/** Of its clauses that a test can judge: how many a scenario looks at. */
function covered(r: Entry, by: ReadonlyMap<string, readonly string[]>): string {
  const tests = r.clauses.filter((c) => (c.method ?? r.method) === 'test')
  if (tests.length === 0) return '–'
  return `${tests.filter((c) => by.has(`${r.id}/${c.id}`)).length} of ${tests.length}`
}

/** Lists the rigs that come with the project, and what this machine lacks for each. */
export async function rigsCommand(o: MaterialOptions = {}): Promise<number> {
  for (const { name, file } of shippedRigs(readMaterial(o).rigs)) {
    const rig = readRig(file)
    const lacks = [...lacksOf(rig), ...(isLab(rig) ? labMisses(rig) : [])]
    const serial = Object.values(rig.roles).some(
      (r) => r !== undefined && 'serial' in r && r.serial !== undefined,
    )
    if (rig.time === 'real' && !isLab(rig) && serial) {
      const p = ptyProvider()
      if ('lacks' in p) lacks.push(p.lacks)
    }
    if (rig.time === 'real' && !isLab(rig) && process.platform !== 'linux')
      lacks.push('loopback addresses of their own for each host (Linux has them)')
    if (rig.time === 'virtual' && !existsSync('/dev/shm'))
      lacks.push('nothing; disks of virtual hosts are slower without /dev/shm')
    out(`${name}: ${rig.describes}`)
    out(`  time: ${rig.time}; plays: ${Object.keys(rig.roles).join(', ')}; ${about(rig)}`)
    out(`  here: ${lacks.length === 0 ? 'ready' : `lacks ${lacks.join('; ')}`}`)
  }
  return exitCodes.ok
}

function about(rig: RigFile): string {
  if (!isLab(rig)) return `topics: ${rig.platform.topics}; broker: ${rig.platform.broker}`
  const points = Object.keys(rig.points)
  return `observes: ${points.length === 0 ? 'the wires of the devices' : points.join(', ')}`
}

/** Lists the scenarios. */
export async function scenariosCommand(o: MaterialOptions = {}): Promise<number> {
  const material = readMaterial(o)
  for (const s of await everyScenario(loadCatalogue(material.requirements), material)) {
    const { title, verifies, needs, horizon, short, catches } = s.scenario
    out(s.id)
    out(`  ${title}`)
    out(`  verifies ${verifies.join(', ')}`)
    out(`  needs ${needs.join(', ')}; takes ${horizon}${short === undefined ? '' : `, short ${short}`}`)
    out(`  catches ${Object.keys(catches).length} defects`)
  }
  return exitCodes.ok
}

/** Undoes what dead benches left behind. */
export async function cleanCommand(): Promise<number> {
  const cleared = clearLeftovers()
  for (const c of cleared) out(`${c.outcome}: ${c.what}${c.why === undefined ? '' : ` (${c.why})`}`)
  const undone = cleared.filter((c) => c.outcome === 'undone').length
  out(cleared.length === 0 ? 'Nothing was left behind.' : `${undone} of ${cleared.length} undone.`)
  if (cleared.some((c) => c.outcome === 'failed')) return exitCodes.rigFault
  return exitCodes.ok
}
