/** What can be known of a scenario before anything starts: its checks, the loads that it names, what it promises. */
import { readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { GridproofError, isGridproofError, messageOf } from '../../drivers/errors.ts'
import type { ProfileSpec } from '../../sim/faces.ts'
import type { Check } from '../faces.ts'
import { playedDevices } from '../rigs/parts.ts'
import { playerOf } from '../rigs/players.ts'
import type { RigFile } from '../rigs/schema.ts'
import { lineOfKey } from '../scenario/load.ts'
import type { LoadedScenario } from '../scenario/load.ts'
import { rehearse } from '../scenario/rehearse.ts'
import { checkLoad, makeDevice } from './devices.ts'

export interface ScenarioCheckOptions {
  readonly rig: RigFile
  readonly horizonMs: number
  clausesOf(reference: string): readonly string[]
  /** What the operator puts in place of every load. */
  readonly load?: ProfileSpec
}

/**
 * Rehearses a scenario and refuses it (`bad-file`, with the line) where it names a load that does not exist, declares
 * two checks of one id, a check that verifies what the scenario does not, or no check for something that it promises to
 * verify or catch. A scenario that cannot be rehearsed without its parts is let pass here: the run itself will tell.
 */
export async function checkScenario(s: LoadedScenario, o: ScenarioCheckOptions): Promise<void> {
  const refuse = (message: string, line: number | undefined): never => {
    throw new GridproofError('bad-file', message, {
      place: { file: relative(process.cwd(), s.file) || s.file, line: line ?? lineOf(s, 'run') },
    })
  }
  if (playedDevices.some((r) => s.scenario.needs.includes(r) && playerOf(o.rig, r) === undefined)) return
  const loads: { readonly load: ProfileSpec; readonly line: number | undefined }[] = []
  const lines = new Map<Check, number | undefined>()
  const passes: { readonly ms: number; readonly checks: number }[] = []
  let checks: Awaited<ReturnType<typeof rehearse>>
  try {
    checks = await rehearse({
      scenario: s.scenario,
      horizonMs: o.horizonMs,
      onLoad: (name) =>
        void loads.push({ load: o.load ?? { profile: name }, line: lineIn(new Error('here'), s.file) }),
      onPass: (ms) => void passes.push({ ms, checks: lines.size }),
      onCheck: (c) => void lines.set(c, lineIn(new Error('here'), s.file)),
      makeDevice: (role) => {
        const entry = playerOf(o.rig, role)
        if (entry === undefined) throw new GridproofError('rig-lacks', `the rig has no ${role}`)
        return makeDevice(entry.device, role, entry.options ?? {})
      },
    })
  } catch (e) {
    if (isGridproofError(e, 'bad-value') || isGridproofError(e, 'no-such'))
      refuse(messageOf(e), lineIn(e, s.file))
    return
  }
  const [pass, again] = passes
  const once = pass?.ms === o.horizonMs && pass.checks === checks.length && again === undefined
  if (s.scenario.resumable === true && !once)
    refuse(
      'it is declared resumable, and does more after its set-up than to let time.horizon pass once',
      lineOf(s, 'resumable'),
    )
  for (const { load, line } of loads)
    try {
      checkLoad(load)
    } catch (e) {
      if (isGridproofError(e, 'bad-file')) throw e
      refuse(messageOf(e), line)
    }
  const ids = new Set<string>()
  const declared = new Set(s.scenario.verifies.flatMap((v) => o.clausesOf(v)))
  const judged = new Set<string>()
  for (const c of checks) {
    const line = lines.get(c)
    if (ids.has(c.id)) refuse(`two of its checks are called '${c.id}': give one another id`, line)
    ids.add(c.id)
    for (const v of c.verifies)
      for (const clause of o.clausesOf(v)) {
        judged.add(clause)
        if (!declared.has(clause))
          refuse(`the check '${c.id}' verifies ${clause}, which the scenario does not name`, line)
      }
  }
  for (const [i, v] of s.scenario.verifies.entries())
    for (const clause of o.clausesOf(v))
      if (!judged.has(clause))
        refuse(
          `it says that it verifies ${clause}, and declares no check for it`,
          lineOf(s, `verifies.${i}`, v),
        )
}

/** The line of a file on which an error came about; nothing where the file had no part in it. */
function lineIn(e: unknown, file: string): number | undefined {
  const stack = e instanceof Error ? (e.stack ?? '') : ''
  const at = stack
    .split('\n')
    .find((l) => l.includes(`${pathToFileURL(file).href}:`) || l.includes(`${file}:`))
  const line = /:(\d+):\d+\)?$/.exec(at ?? '')?.[1]
  return line === undefined ? undefined : Number(line)
}

function lineOf(s: LoadedScenario, path: string, value?: string): number {
  return lineOfKey(readFileSync(s.file, 'utf8'), path, value)
}
