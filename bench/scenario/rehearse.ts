/**
 * Runs a scenario without a platform, to learn which checks it declares: no time passes, nothing is started, devices
 * are made but do nothing. Replay judges old evidence with these checks.
 */
import { idleScripted } from '../platforms/scripted.ts'
import { idleStorage } from '../platforms/storage.ts'
import type { DeviceRole } from '../rigs/parts.ts'
import { duration } from '../../drivers/units.ts'
import type { Device } from '../../sim/faces.ts'
import type {
  Cast,
  Check,
  Clock,
  Intruder,
  Laptop,
  Platform,
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
  /** Makes a device that is never started: checks ask it for its accuracy. */
  makeDevice(role: DeviceRole): Device
}

/** The checks in the order of their declaration. Throws what the scenario throws. */
export async function rehearse(o: RehearsalOptions): Promise<readonly Check[]> {
  const checks: Check[] = []
  let now = 0
  const stage: Stage = {
    time: {
      now: () => now,
      // The clock moves, else a scenario that waits for an hour to come would wait for ever.
      async pass(d) {
        now += typeof d === 'number' ? d : duration(d)
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
      'maintenance',
      'tls',
    ]),
    hosts: [],
    ready: async () => undefined,
    watch: (port, select) => ({ src: port, kind: 'seen', select }),
    ask: async () => null,
  }
  const intruder: Intruder = {
    outcomes: { src: 'intruder', kind: 'seen', select: 'intruder.*' },
    attempt: async () => null,
  }
  const clock: Clock = {
    faults: [],
    can: true,
    offset: () => 0,
    inflict: (_, params = null) => ({ id: 'rehearsal', params, lift: () => undefined }),
  }
  const laptop: Laptop = {
    outcomes: { src: 'laptop', kind: 'seen', select: 'laptop.*' },
    visit: async () => null,
  }
  const recorder: Recorder = {
    lines: { src: 'csv', kind: 'seen', select: '*' },
    collect: async () => undefined,
    crash: () => undefined,
  }
  const cast: Partial<Record<keyof Roles, unknown>> = {}
  for (const role of o.scenario.needs) {
    if (role === 'platform') cast[role] = platform
    else if (role === 'intruder') cast[role] = intruder
    else if (role === 'clock') cast[role] = clock
    else if (role === 'laptop') cast[role] = laptop
    else if (role === 'recorder') cast[role] = recorder
    else if (role === 'scripted') cast[role] = idleScripted()
    else if (role === 'storage') cast[role] = idleStorage()
    else cast[role] = idle(o.makeDevice(role))
  }
  await o.scenario.run({ ...(cast as Cast<keyof Roles>), ...stage })
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
