/** What a run would do, as text. Nothing is started, opened or written. */
import { existsSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { durationText } from '../../drivers/units.ts'
import { labLacks, placeOfDevice } from '../rigs/lab-cast.ts'
import type { LabPower, LabRig } from '../rigs/lab.ts'
import { isLab } from '../rigs/schema.ts'
import type { LoadedScenario } from '../scenario/load.ts'
import { lengthOf } from './plan.ts'
import type { Plan } from './plan.ts'
import { bytesText, evidenceBytes } from './room.ts'

export interface DryRunOptions {
  readonly length: 'full' | 'short'
  readonly seeds: number
  readonly workers: number
  readonly armed?: boolean
}

/** The plan in lines: what is judged, on what, by which scenarios, and what cannot be played or is not there yet. */
export function dryRun(plan: Plan, o: DryRunOptions): readonly string[] {
  const { rig, subject, identity } = plan
  const about = [subject.model, subject.serial === undefined ? undefined : `serial ${subject.serial}`]
  const lines = [
    `Judged: ${[`${subject.product} ${subject.version}`, ...about.filter((x) => x !== undefined)].join(', ')}, by ${subject.maker} (${subject.kind})`,
    `Rig: ${rig.name} (${plan.rigFile}), ${rig.time} time`,
    ...(identity?.operator === undefined ? [] : [`Operator: ${identity.operator}`]),
    ...(identity?.site === undefined ? [] : [`Site: ${identity.site}`]),
    ...(identity?.instruments ?? []).map(
      (i) => `Instrument: ${i.name}${i.serial === undefined ? '' : `, serial ${i.serial}`}`,
    ),
    `Requirements: ${plan.catalogue.requirements.length} of ${plan.catalogue.documents.map((d) => d.document).join(', ')}`,
  ]
  if (isLab(rig)) lines.push(...observed(rig), ...labMisses(rig).map((m) => `! ${m}`))
  lines.push('')
  let total = 0
  for (const s of plan.scenarios) {
    const ms = lengthOf(s, o.length)
    const lacks = lacking(plan, s, o.armed === true)
    lines.push(
      `${s.id}: ${durationText(ms)}${lacks.length === 0 ? '' : ' (cannot be played: its clauses stay inconclusive)'}`,
    )
    lines.push(`  verifies ${s.scenario.verifies.join(', ')}`)
    for (const l of lacks) lines.push(`  ! ${l}`)
    if (lacks.length === 0) total += ms * o.seeds
  }
  const runs = plan.scenarios.length * o.seeds
  const side = Math.min(o.workers, runs)
  lines.push(
    '',
    `${runs} ${runs === 1 ? 'run' : 'runs'}, ${side} side by side, ${durationText(total)} of bench time${rig.time === 'real' && side > 0 ? `: about ${durationText(Math.ceil(total / side / 60_000) * 60_000)} here, and the time that the platform takes to be ready` : ''}.`,
    `Evidence: ${bytesText(evidenceOf(plan, o))} at most, as a rule.`,
    'Nothing was started.',
  )
  return lines
}

/** Bytes that the evidence of the whole run may take. */
export function evidenceOf(plan: Plan, o: Pick<DryRunOptions, 'length' | 'seeds'>): number {
  return o.seeds * evidenceBytes(plan.scenarios.map((s) => lengthOf(s, o.length)))
}

function lacking(plan: Plan, s: LoadedScenario, armed: boolean): readonly string[] {
  const { rig } = plan
  if (isLab(rig)) return labLacks(rig, s.scenario.needs, armed)
  const has = new Set<string>(['platform', ...Object.keys(rig.roles)])
  return s.scenario.needs.filter((n) => !has.has(n)).map((n) => `the rig '${rig.name}' has no ${n}`)
}

function observed(rig: LabRig): readonly string[] {
  const { marketplace, server, csv } = rig.points
  const lines = [
    ...(marketplace === undefined
      ? []
      : [`the marketplace at ${marketplace.host}:${marketplace.port}, as ${marketplace.clientId}`]),
    ...(server === undefined ? [] : [`the server side at ${server.host}:${server.port}`]),
    ...(csv === undefined ? [] : [`CSV files in ${csv.folder}`]),
  ]
  const roles = Object.entries(rig.roles).flatMap(([role, d]) =>
    d === undefined ? [] : [`Played: ${role} at ${placeOfDevice(d)}`],
  )
  if (rig.power !== undefined) roles.push(`Switched: the platform's power, ${boardText(rig.power)}`)
  if (rig.uploads !== undefined) roles.push(`Asked: the server of resumable uploads at ${rig.uploads.url}`)
  return [...roles, `Observed: ${lines.length === 0 ? 'the wires of the devices alone' : lines.join('; ')}`]
}

function boardText(p: LabPower): string {
  const b = p.board
  const place = b.kind === 'serial-relay' ? b.path : b.kind === 'coils' ? b.host : b.url
  return `outlet ${p.outlet} at ${place}, at most ${p.operationsAnHour} times an hour; left ${p.safe}`
}

/** What a lab's rig file names and this machine does not have now: addresses, ports, files. Looks, and opens nothing. */
export function labMisses(rig: LabRig): readonly string[] {
  const misses: string[] = []
  const own = new Set(Object.values(networkInterfaces()).flatMap((l) => (l ?? []).map((a) => a.address)))
  for (const [role, d] of Object.entries(rig.roles)) {
    if (d?.address !== undefined && !mine(d.address, own))
      misses.push(`no interface of this machine has the address ${d.address}, at which ${role} should stand`)
    if (d?.path !== undefined && !existsSync(d.path))
      misses.push(`there is no serial port ${d.path} for ${role}`)
  }
  const board = rig.power?.board
  if (board?.kind === 'serial-relay' && !existsSync(board.path))
    misses.push(`there is no serial port ${board.path} of the power board`)
  const { marketplace, server, csv } = rig.points
  for (const door of [marketplace, server])
    for (const file of [door?.tls?.ca, door?.tls?.cert, door?.tls?.key, door?.passwordFile])
      if (file !== undefined && !existsSync(file)) misses.push(`there is no file ${file}`)
  const { tls, headersFile } = rig.uploads ?? {}
  for (const file of [tls?.ca, tls?.cert, tls?.key, headersFile])
    if (file !== undefined && !existsSync(file)) misses.push(`there is no file ${file}`)
  if (csv !== undefined && !existsSync(csv.folder))
    misses.push(`there is no folder ${csv.folder} of CSV files`)
  return misses
}

/** Any address, and on Linux the whole of 127.0.0.0/8, is at hand without an interface that names it. */
function mine(address: string, own: ReadonlySet<string>): boolean {
  if (own.has(address) || address === '0.0.0.0' || address === '::') return true
  return process.platform === 'linux' && address.startsWith('127.')
}
