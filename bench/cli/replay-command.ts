/** `gridproof replay` */
import { existsSync, readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { GridproofError, messageOf } from '../../drivers/errors.ts'
import { durationText } from '../../drivers/units.ts'
import { earlyEnd } from '../../reports/model/outcome.ts'
import { writeReports } from '../../reports/write.ts'
import { readLog } from '../evidence/read.ts'
import { gapsIn, replay } from '../evidence/replay.ts'
import type { Rejudged } from '../evidence/replay.ts'
import type { ScenarioHeader } from '../evidence/schema.ts'
import type { Check } from '../faces.ts'
import { loadCatalogue } from '../requirements/load.ts'
import { findScenarios, loadScenario } from '../scenario/load.ts'
import { rehearse } from '../scenario/rehearse.ts'
import { playerOf } from '../rigs/players.ts'
import { exitCodes } from '../verdicts/exit-code.ts'
import { runRecordOf } from '../verdicts/record.ts'
import { pathText, readFormats } from './formats.ts'
import type { FormatOptions } from './formats.ts'
import { knownDefects } from '../main/defects.ts'
import { makeDevice } from '../main/devices.ts'
import { readMaterial, readRigWith } from '../main/material.ts'
import type { Material, MaterialOptions } from '../main/material.ts'
import { digest, findRig, shippedRigs } from '../main/plan.ts'

/** Performs the command and returns its exit code: 0 where every verdict comes out as it stands in the evidence. */
export async function replayCommand(
  run: string,
  o: { readonly report?: boolean; readonly rig?: string } & FormatOptions & MaterialOptions,
): Promise<number> {
  const material = readMaterial(o)
  const rigs =
    o.rig === undefined ? shippedRigs(material.rigs).map((r) => r.file) : [findRig(o.rig, material.rigs)]
  const data = join(run, 'data')
  if (!existsSync(data)) throw new GridproofError('usage', `'${run}' is no folder of a run: it has no data/`)
  const logs = readdirSync(data)
    .filter((f) => f.endsWith('.jsonl'))
    .sort()
  if (logs.length === 0) throw new GridproofError('usage', `'${run}' holds no scenario's evidence`)
  const formats = readFormats(o)
  const cut = existsSync(join(run, 'log.jsonl'))
    ? earlyEnd(runRecordOf(readLog(join(run, 'log.jsonl'))).end)
    : 'This run has no log of its own'
  if (cut !== undefined) process.stdout.write(`! ${cut}.\n`)
  let different = 0
  let open = 0
  for (const name of logs) {
    process.stdout.write(`${name}\n`)
    try {
      const r = await replayOne(join(data, name), rigs, material)
      for (const note of r.notes) process.stdout.write(`  ! ${note}\n`)
      for (const c of r.checks) {
        if (c.compared === 'cut short') open++
        else if (c.compared !== 'same') different++
        process.stdout.write(`  ${line(c)}\n`)
      }
      for (const id of r.unknown) {
        different++
        process.stdout.write(`  ✗ ${id}: judged in the evidence, but the scenario declares no such check\n`)
      }
    } catch (e) {
      different++
      process.stdout.write(`  ✗ cannot be replayed: ${messageOf(e)}\n`)
    }
  }
  if (o.report === true) {
    writeReports(run, { catalogueFolder: material.requirements, ...formats })
    process.stdout.write(`Report: ${pathText(join(run, 'index.html'))}\n`)
  }
  if (open > 0)
    process.stdout.write(
      `${open === 1 ? '1 check was' : `${open} checks were`} never judged, since the run was cut short.\n`,
    )
  process.stdout.write(
    different === 0
      ? `Every verdict${open > 0 ? ' that there is' : ''} comes out as it stands in the evidence.\n`
      : `${different === 1 ? '1 verdict does' : `${different} verdicts do`} not agree.\n`,
  )
  return different === 0 ? exitCodes.ok : exitCodes.failed
}

interface Replayed {
  readonly checks: readonly Rejudged[]
  readonly unknown: readonly string[]
  readonly notes: readonly string[]
}

async function replayOne(file: string, rigs: readonly string[], material: Material): Promise<Replayed> {
  const header = headerOf(file)
  const rigPath = rigs.find((r) => basename(r, '.yaml') === header.rig)
  if (rigPath === undefined)
    throw new GridproofError('usage', `its rig is '${header.rig}': give the file of that rig by --rig`)
  const rigFile = readRigWith(rigPath, material.personalities)
  const catalogue = loadCatalogue(material.requirements)
  // Looked up among those that there are: an ID from a log must not become a path to import.
  const known = material.scenarios.flatMap(findScenarios).find((s) => s.id === header.scenario)
  if (known === undefined)
    throw new GridproofError('no-such', `its scenario '${header.scenario}' is not there any more`)
  const loaded = await loadScenario(known.id, known.file, {
    clausesOf: (r) => catalogue.clausesOf(r),
    defects: knownDefects(),
  })
  const checksFor = (horizonMs: number): Promise<readonly Check[]> =>
    rehearse({
      scenario: loaded.scenario,
      horizonMs,
      makeDevice: (role) => {
        const entry = playerOf(rigFile, role)
        if (entry === undefined)
          throw new GridproofError('rig-lacks', `the rig '${header.rig}' has no ${role}`)
        return makeDevice(entry.device, role, entry.options ?? {})
      },
    })
  const log = readLog(file)
  const gaps = loaded.scenario.resumable === true ? gapsIn(log) : []
  const later: (readonly Check[])[] = []
  for (const gap of gaps) later.push(await checksFor(gap.horizonMs))
  const result = replay(log, await checksFor(header.horizonMs), later)
  const notes = [
    ...(loaded.sha256 === header.sha256 ? [] : ['the scenario file has changed since this run']),
    ...([undefined, digest(rigPath)].includes(header.rigSha256)
      ? []
      : ['the rig file is not the one of this run: give it by --rig']),
    ...gaps.map((g) => `the bench was away for ${durationText(g.to - g.from)}: judged without that span`),
    ...(log.torn ? ['the last line of the log is torn'] : []),
    ...(log.cutShort ? ['the log has no trailer: the run was cut short'] : []),
  ]
  return { ...result, notes }
}

function headerOf(file: string): ScenarioHeader {
  for (const first of readLog(file)) {
    const header = first.data as unknown as ScenarioHeader
    if (header.format === 'gridproof-scenario/1') return header
    break
  }
  throw new GridproofError('bad-log', 'it does not begin with the header of a scenario', {
    place: { file, line: 1 },
  })
}

function line(c: Rejudged): string {
  const was = c.stored === undefined ? 'no verdict' : c.stored.verdict
  switch (c.compared) {
    case 'same':
      return `✓ ${c.id}: ${c.now.verdict}`
    case 'figures':
      return `✗ ${c.id}: ${c.now.verdict} both times, but from other figures`
    case 'verdict':
      return `✗ ${c.id}: ${was} in the evidence, ${c.now.verdict} now`
    case 'not stored':
      return `✗ ${c.id}: ${c.now.verdict} now; the evidence has no verdict`
    case 'cut short':
      return `- ${c.id}: not judged, the run was cut short before`
    case 'not declared':
      return `✗ ${c.id}: the evidence does not know this check`
    default:
      return c.compared satisfies never
  }
}
