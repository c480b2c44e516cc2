/**
 * Runs a scenario without a platform, to learn which checks it declares: no time passes, nothing is started, devices
 * are made but do nothing. Replay judges old evidence with these checks.
 */
import { idleCentre } from '../platforms/centre.ts'
import { idleManagement } from '../platforms/management.ts'
import { idleLink } from '../platforms/idle-link.ts'
import { idleAdvisers } from '../platforms/advisers.ts'
import { idleCommander } from '../platforms/commander.ts'
import { idleMains } from '../platforms/mains.ts'
import { idleForecaster } from '../platforms/forecaster.ts'
import { idlePeers } from '../platforms/peers.ts'
import { mqttSeries } from '../platforms/mqtt-pair.ts'
import { tusSeries } from '../platforms/tus-library.ts'
import { idleWatchdog } from '../platforms/watchdog.ts'
import { idleUploads } from '../platforms/idle-uploads.ts'
import { idleScripted } from '../platforms/scripted.ts'
import { idleStorage } from '../platforms/storage.ts'
import { idleFeeders } from '../rigs/pair.ts'
import { idleAutomation } from '../platforms/automation.ts'
import type { DeviceRole, MeterRole } from '../rigs/parts.ts'
import { GridproofError } from '../../drivers/errors.ts'
import { duration } from '../../drivers/units.ts'
import type { Device } from '../../sim/faces.ts'
import type {
  Cast,
  Check,
  Clock,
  Cloud,
  Installer,
  Intruder,
  Laptop,
  Modem,
  Platform,
  Reader,
  Recorder,
  Roles,
  Scenario,
  Stage,
} from '../faces.ts'

export interface RehearsalOptions {
  readonly scenario: Scenario
  /** Length of the run that is imitated, in ms: a scenario may shape itself by it. */
  readonly horizonMs: number
  /** Told each load that it names, while it names it. */
  onLoad?(name: string): void
  /** Told each check, while it is declared. */
  onCheck?(check: Check): void
  /** Told each passing of time, in ms. */
  onPass?(ms: number): void
  /** Makes a device that is never started: checks ask it for its accuracy. */
  makeDevice(role: DeviceRole | MeterRole): Device
}

/** Steps that a scenario may take on paper: twice those of a day in seconds. Ours. */
const mostSteps = 172_800
/** Wall time after which one that takes no steps at all is given up, ms. Ours. */
const patience = 20_000

/**
 * The checks in the order of their declaration. Throws what the scenario throws, and `bad-value` where its run does not
 * come to an end on paper: it waits in a loop for something that only a platform could give, or for ever.
 */
export async function rehearse(o: RehearsalOptions): Promise<readonly Check[]> {
  const checks: Check[] = []
  let now = 0
  let steps = 0
  const stuck = Promise.withResolvers<never>()
  stuck.promise.catch(() => undefined)
  /** One step; a scenario that takes too many is left standing, and cannot keep the loop busy. */
  const step = (): Promise<null> => {
    if (++steps <= mostSteps) return Promise.resolve(null)
    stuck.reject(
      new GridproofError(
        'bad-value',
        'its run does not come to an end where no platform answers: bound its loops by time.horizon or by tries',
      ),
    )
    return new Promise<never>(() => undefined)
  }
  const stage: Stage = {
    time: {
      now: () => now,
      // The clock moves, else a scenario that waits for an hour to come would wait for ever.
      async pass(d) {
        const ms = typeof d === 'number' ? d : duration(d)
        now += ms
        o.onPass?.(ms)
        await step()
      },
      horizon: o.horizonMs,
    },
    check(c) {
      checks.push(c)
      o.onCheck?.(c)
    },
    load(name) {
      o.onLoad?.(name)
      return { profile: name }
    },
    random: () => 0.5,
    note: () => undefined,
  }
  const platform: Platform = {
    can: new Set([
      'marketplace',
      'storage',
      'upload',
      'disk-full',
      'log',
      'config',
      'operator',
      'certificates',
      'csv',
      'machine',
      'disk',
      'durability',
      'write-cache',
      'maintenance',
      'tls',
    ]),
    hosts: [],
    ready: async () => void (await step()),
    watch: (port, select) => ({ src: port, kind: 'seen', select }),
    ask: step,
  }
  const intruder: Intruder = {
    outcomes: { src: 'intruder', kind: 'seen', select: 'intruder.*' },
    attempt: step,
  }
  const clock: Clock = {
    faults: [],
    can: true,
    offset: () => 0,
    inflict: (_, params = null) => ({ id: 'rehearsal', params, lift: () => undefined }),
  }
  const laptop: Laptop = {
    outcomes: { src: 'laptop', kind: 'seen', select: 'laptop.*' },
    visit: step,
  }
  const recorder: Recorder = {
    lines: { src: 'csv', kind: 'seen', select: '*' },
    collect: async () => void (await step()),
    crash: () => undefined,
  }
  const reader: Reader = {
    ...platform,
    can: new Set(['log', 'host', 'machine', 'config', 'tls', 'disk', 'one-core']),
    debug: { src: 'debug', kind: 'seen', select: 'debug.reading' },
    echo: { src: 'debug', kind: 'seen', select: 'debug.echo' },
    openDebug: async () => undefined,
    type: async () => undefined,
    confine: async () => undefined,
    rewire: async () => undefined,
  }
  const inflict: Modem['inflict'] = (_, params = null) => ({ id: 'rehearsal', params, lift: () => undefined })
  const cloud: Cloud = {
    faults: [],
    readings: { src: 'cloud', kind: 'seen', select: 'cloud.reading' },
    impostor: { src: 'cloud', kind: 'seen', select: 'cloud.impostor' },
    retrieved: { src: 'cloud', kind: 'seen', select: 'cloud.retrieved' },
    retrieve: async () => undefined,
    inflict,
  }
  const installer: Installer = {
    outcomes: { src: 'installer', kind: 'seen', select: 'installer.*' },
    visit: async () => undefined,
  }
  const cast: Partial<Record<keyof Roles, unknown>> = {}
  for (const role of o.scenario.needs) {
    if (role === 'platform') cast[role] = platform
    else if (role === 'platform2')
      cast[role] = {
        ...platform,
        watch: (port: string, select: string) => ({ src: `${port}2`, kind: 'seen', select }),
      }
    else if (role === 'network') cast[role] = idleFeeders()
    else if (role === 'automation') cast[role] = idleAutomation()
    else if (role === 'intruder') cast[role] = intruder
    else if (role === 'clock') cast[role] = clock
    else if (role === 'laptop') cast[role] = laptop
    else if (role === 'recorder') cast[role] = recorder
    else if (role === 'reader') cast[role] = reader
    else if (role === 'cloud') cast[role] = cloud
    else if (role === 'modem') cast[role] = { faults: [], inflict }
    else if (role === 'installer') cast[role] = installer
    else if (role === 'scripted') cast[role] = idleScripted()
    else if (role === 'storage') cast[role] = idleStorage()
    else if (role === 'storage2') cast[role] = idleStorage('2')
    else if (role === 'centre') cast[role] = idleCentre()
    else if (role === 'management') cast[role] = idleManagement()
    else if (role === 'link' || role === 'link2') cast[role] = idleLink(role, step)
    else if (role === 'tus')
      cast[role] = {
        ...tusSeries,
        start: () => step(),
        begin: () => step(),
        append: () => step(),
        cut: () => step(),
        ask: () => step(),
      }
    else if (role === 'uploads') cast[role] = idleUploads(step)
    else if (role === 'mqtt') cast[role] = { ...mqttSeries, start: () => step() }
    else if (role === 'mains') cast[role] = idleMains(step)
    else if (role === 'watchdog') cast[role] = idleWatchdog()
    else if (role === 'cache') cast[role] = { can: true }
    else if (role === 'forecaster') cast[role] = idleForecaster()
    else if (role === 'peers') cast[role] = idlePeers(step)
    else if (role === 'advisers') cast[role] = idleAdvisers(step)
    else if (role === 'commander') cast[role] = idleCommander()
    else cast[role] = idle(o.makeDevice(role))
  }
  const late = setTimeout(() => {
    stuck.reject(
      new GridproofError('bad-value', 'its run does not come to an end: it waits for what never comes'),
    )
  }, patience)
  try {
    await Promise.race([o.scenario.run({ ...(cast as Cast<keyof Roles>), ...stage }), stuck.promise])
  } finally {
    clearTimeout(late)
  }
  return checks
}

/** Answers questions about itself and does nothing. */
function idle(device: Device): Device {
  const doing = new Set<PropertyKey>(['command', 'follow', 'set', 'start'])
  return new Proxy(device, {
    get(target, key) {
      if (key === 'inflict')
        return (_: string, params = null) => ({ id: 'rehearsal', params, lift: () => undefined })
      if (doing.has(key)) return () => undefined
      const v: unknown = Reflect.get(target, key, target)
      return typeof v === 'function' ? (v as (...a: unknown[]) => unknown).bind(target) : v
    },
  })
}
