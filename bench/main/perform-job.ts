/** One job on one world: the file of the scenario, the rig, the log; then the runner. */
import { dirname, join } from 'node:path'
import { GridproofError } from '../../drivers/errors.ts'
import type { Json, World } from '../../drivers/faces.ts'
import { durationText } from '../../drivers/units.ts'
import type { LogIo } from '../evidence/log.ts'
import { logWriter } from '../evidence/log.ts'
import { readLog } from '../evidence/read.ts'
import type { ScenarioHeader } from '../evidence/schema.ts'
import type { Check } from '../faces.ts'
import type { Catalogue } from '../requirements/load.ts'
import { playedDevices } from '../rigs/parts.ts'
import { playerOf } from '../rigs/players.ts'
import { isLab } from '../rigs/schema.ts'
import { redactorFor } from '../rigs/secrets.ts'
import type { RigFile } from '../rigs/schema.ts'
import { openOutlet } from '../../drivers/power/guardian.ts'
import { hostSetting } from '../../sim/defects/environment.ts'
import { mainsModel } from '../../sim/mains/index.ts'
import { breakServer } from '../../sim/defects/data-server.ts'
import { makeLink } from '../../sim/link/make.ts'
import { startCentre } from '../../sim/servers/data-centre/centre.ts'
import { startManagement } from '../../sim/servers/management/server.ts'
import { createRelay } from '../../sim/servers/relay/relay.ts'
import { perform } from '../runner/perform.ts'
import type { Performed, Resumption, StoppedBy } from '../runner/perform.ts'
import { loadScenario } from '../scenario/load.ts'
import type { LoadedScenario } from '../scenario/load.ts'
import { rehearse } from '../scenario/rehearse.ts'
import { makeDevice, makeNetwork } from './devices.ts'
import { knownDefects } from './defects.ts'
import { readRigWith } from './material.ts'
import { networkOf } from './network.ts'
import type { Job, Resume, Stop } from './job.ts'
import type { Natives } from './stage.ts'

/** `trouble`: the log could not be written. */
export type Outcome = Performed & {
  readonly trouble?: string
  /** Where two runs of the same job part, line by line; empty where they do not. */
  readonly divergence?: readonly string[]
}

export interface JobContext {
  readonly world: World
  readonly catalogue: Catalogue
  readonly io: LogIo
  readonly natives: Natives
  readonly stopped?: Promise<Stop>
  onProgress(now: number, begin: number): void
}

/** Writing is collected up to this many bytes in virtual time, where the seed brings back what a kill would lose. */
const virtualBuffer = 32_768

/** Performs it; the log is whole when this resolves. */
export async function performJob(job: Job, c: JobContext): Promise<Outcome> {
  const rig = readRigWith(job.rigFile, job.material?.personalities ?? [])
  const { catalogue } = c
  const loaded = await loadScenario(job.scenario, job.file, {
    clausesOf: (r) => catalogue.clausesOf(r),
    defects: knownDefects(),
  })
  const header: ScenarioHeader = {
    format: 'gridproof-scenario/1',
    scenario: job.scenario,
    title: loaded.scenario.title,
    verifies: loaded.scenario.verifies.flatMap((v) => catalogue.clausesOf(v)),
    sha256: loaded.sha256,
    rig: rig.name,
    rigSha256: job.rigSha256,
    seed: job.seed,
    commit: job.commit,
    node: process.version,
    time: rig.time,
    started: new Date(c.natives.wallNow()).toISOString(),
    horizonMs: job.horizonMs,
    fullHorizonMs: job.fullHorizonMs,
    subject: job.subject,
    ...(job.identity === undefined ? {} : { identity: job.identity }),
    played: playedRoles(rig, loaded.scenario.needs),
    defects: job.defects,
  }
  let trouble: string | undefined
  const resume = job.resume === undefined ? undefined : await resumption(job, job.resume, loaded, rig)
  const log = logWriter(job.log, {
    ...(job.resume === undefined ? {} : { after: job.resume }),
    io: c.io,
    redactor: redactorFor(rig, job.rigFile, job.pki),
    ...(rig.time === 'virtual' ? { buffer: virtualBuffer } : {}),
    onTrouble(e) {
      trouble = e.message
    },
  })
  const performed = await perform({
    loaded,
    header,
    ...(resume === undefined ? {} : { resume }),
    clausesOf: (r) => catalogue.clausesOf(r),
    world: c.world,
    log,
    rig: {
      file: rig,
      network: isLab(rig) ? '' : networkOf(rig),
      pki: job.pki,
      makeDevice,
      makeNetwork,
      mains: mainsModel,
      setHost: hostSetting,
      openOutlet: (spec) => openOutlet(spec),
      startCentre,
      startManagement,
      breakServer,
      makeLink,
      makeRelay: createRelay,
      defects: job.defects,
      ...(job.armed === true ? { armed: { operations: join(dirname(job.log), 'operations.json') } } : {}),
    },
    ...(job.load === undefined ? {} : { load: job.load }),
    ...(c.stopped === undefined ? {} : { stopped: c.stopped.then((why) => stopOf(why, job)) }),
    onProgress: (now, begin) => c.onProgress(now, begin),
    cpuMs: () => c.natives.cpuMs(),
    wallMs: () => c.natives.wallMs(),
  })
  try {
    log.close()
  } catch {
    // `onTrouble` has told.
  }
  if (trouble === undefined) return performed
  // Verdicts without their evidence do not count.
  const blamed = performed.record.trouble ?? { blame: 'rig', why: trouble }
  return { ...performed, record: { ...performed.record, trouble: blamed }, trouble }
}

/** What the log of a killed bench holds, and checks to judge it by. */
async function resumption(job: Job, r: Resume, loaded: LoadedScenario, rig: RigFile): Promise<Resumption> {
  const checks: (readonly Check[])[] = []
  for (const horizonMs of r.horizons)
    checks.push(
      await rehearse({
        scenario: loaded.scenario,
        horizonMs,
        makeDevice: (role) => {
          const entry = playerOf(rig, role)
          if (entry === undefined) throw new GridproofError('rig-lacks', `the rig has no ${role}`)
          return makeDevice(entry.device, role, entry.options ?? {})
        },
      }),
    )
  const gap = { from: r.from, horizonMs: job.horizonMs, ...(r.torn === undefined ? {} : { torn: r.torn }) }
  return { before: readLog(job.log), checks, gap }
}

/** What the log says of a stop, and whose doing it is. */
function stopOf(why: Stop, job: Job): StoppedBy {
  return why === 'operator'
    ? { outcome: 'aborted', blame: 'operator', why: 'stopped by the operator' }
    : {
        outcome: 'broke',
        blame: 'rig',
        why: `it was stopped after ${durationText(job.timeoutMs ?? 0)} of wall time, the limit given by --timeout`,
      }
}

/** Which subjects the bench plays, and by what. */
function playedRoles(rig: RigFile, needs: readonly string[]): Record<string, string> {
  const played: Record<string, string> = {}
  for (const role of playedDevices) {
    const entry = playerOf(rig, role)
    if (entry === undefined || !needs.includes(role)) continue
    const personality: Json | undefined = entry.options?.['personality']
    played[role] = `${entry.device}${typeof personality === 'string' ? `, personality ${personality}` : ''}`
  }
  // The catalogue speaks of breakers, whatever their make.
  const breakers = played['alvin'] ?? played['alvin2']
  if (breakers !== undefined) played['breaker'] = breakers
  if (needs.includes('cloud')) played['cloud'] = 'the cloud of the bench'
  if (needs.includes('centre')) played['data-centre'] = 'the data centre of the bench'
  if (needs.includes('management')) played['management-server'] = 'the management server of the bench'
  return played
}
