/**
 * Three breakers and the meshing app before them, played by the bench for scenarios that judge LoadSense alone: they obey
 * its commands or fail to in a way that is asked for, and tell what the meshing app would. Bits are those of our stand-in.
 */
import type { Instant, Json } from '../../drivers/faces.ts'
import type { Phase } from '../../sim/faces.ts'
import type { BreakerAdvice, BreakerFlag } from '../faces.ts'
import type { TopicProfile } from './aliases.ts'

const phases = ['l1', 'l2', 'l3'] as const
/** From a command to the contact's new place, ms; and to what is told of it. Ours. */
const moves = 80
const tells = 500

const flagBits: Readonly<Record<BreakerFlag, number>> = {
  lockout: 2,
  reclosing: 3,
  overcurrent: 4,
  'cable-fault': 5,
  'over-temperature': 6,
  'energy-low': 7,
  'local-control': 8,
  'operation-failed': 11,
  'self-test': 12,
  stale: 15,
}

/** The word of MHR_SHADOW_FAULT_STATUS: bit 0 closed, 1 open; `between`: neither. */
export function flagsOf(position: 'open' | 'closed' | 'between', flags: readonly BreakerFlag[]): number {
  const contacts = { open: 2, closed: 1, between: 0 }[position]
  return flags.reduce((word, f) => word | (1 << flagBits[f]), contacts)
}

interface One {
  closed: boolean
  shown: 'open' | 'closed' | 'between' | 'true'
  bus: number
  cable: number
  flags: readonly BreakerFlag[]
  does: NonNullable<BreakerAdvice['does']>
  valid: boolean
  silent: boolean
  old: number
}

export interface PlayedBreakers {
  flagsOf: typeof flagsOf
  isClosed(phase: Phase): boolean
  set(change: Readonly<Partial<Record<Phase | 'all', BreakerAdvice>>>): void
  /** A command, as it came. */
  obey(topic: string, text: string): void
  /** Tells how they stand. */
  tell(): Promise<void>
  close(): void
}

export function playBreakers(o: {
  readonly topics: TopicProfile
  readonly now: () => Instant
  publish(alias: string, topic: string, text: string): Promise<void>
}): PlayedBreakers {
  const units: Record<Phase, One> = { l1: healthy(), l2: healthy(), l3: healthy() }
  const iid = 'eatl_lvmeshing_01'
  const timers = new Set<NodeJS.Timeout>()
  const after = (ms: number, f: () => void): void => {
    const t = setTimeout(() => {
      timers.delete(t)
      f()
    }, ms)
    timers.add(t)
  }
  const sensor = (p: Phase, spec: string, fielded: string): string =>
    `sensor/data/${iid}/${o.topics === 'spec' ? `${p.toUpperCase()}/${spec}` : `feeder1/${p}/${fielded}`}`
  const scalar = (value: Json, u?: One): string =>
    JSON.stringify({
      Timestamp: Math.floor(o.now() / 1000) - (u?.old ?? 0),
      Value: value,
      Valid: u?.valid ?? true,
      ToStore: true,
    })
  const tellOne = async (p: Phase): Promise<void> => {
    const u = units[p]
    if (u.silent) return
    const word = flagsOf(u.shown === 'true' ? (u.closed ? 'closed' : 'open') : u.shown, u.flags)
    // A closed breaker has one voltage on both its sides.
    const cable = u.closed ? u.bus : u.cable
    await Promise.all([
      o.publish(
        `alvin.${p}.fault_status`,
        sensor(p, 'MHR_SHADOW_FAULT_STATUS', 'fault_flags'),
        scalar(word, u),
      ),
      o.publish(
        `alvin.${p}.bus_voltage`,
        sensor(p, 'MIR_BUS_VOLTAGE_RMS', 'busbar_voltage'),
        scalar(u.bus, u),
      ),
      o.publish(
        `alvin.${p}.cable_voltage`,
        sensor(p, 'MIR_CABLE_VOLTAGE_RMS', 'cable_voltage'),
        scalar(cable, u),
      ),
    ])
  }
  const record = (p: Phase, name: string, value: Json): Promise<void> =>
    o.publish(`meshing.operation.${p}.${name}`, `algorithm/data/${iid}/operation/${p}/${name}`, scalar(value))

  return {
    flagsOf,
    isClosed: (p) => units[p].closed,
    set(change) {
      for (const p of phases)
        units[p] = {
          ...units[p],
          ...defined(change.all ?? {}),
          ...defined(change[p] ?? {}),
        }
    },
    obey(topic, text) {
      const phase = phases.find((p) => topic.endsWith(`/control/${p}`))
      const close = valueOf(text)
      if (phase === undefined || close === undefined) return
      const u = units[phase]
      void record(phase, 'command', close)
      void record(phase, 'before', u.closed)
      if (u.does === 'obeys') after(moves, () => void (units[phase].closed = close))
      after(tells, () => {
        const now = units[phase]
        if (u.does === 'silent') return
        void record(phase, 'after', u.does === 'lies' ? close : now.closed)
        void record(phase, 'result', u.does === 'obeys' || u.does === 'lies' ? 0 : 4)
        if (u.does !== 'lies') void tellOne(phase)
      })
    },
    async tell() {
      await Promise.all(phases.map(tellOne))
    },
    close() {
      for (const t of timers) clearTimeout(t)
    },
  }
}

function healthy(): One {
  return {
    closed: false,
    shown: 'true',
    bus: 241,
    cable: 239,
    flags: [],
    does: 'obeys',
    valid: true,
    silent: false,
    old: 0,
  }
}

/** What is not undefined. */
const defined = (x: BreakerAdvice): Partial<One> =>
  Object.fromEntries(Object.entries(x).filter(([, v]) => v !== undefined))

function valueOf(text: string): boolean | undefined {
  try {
    const body = JSON.parse(text) as { readonly Value?: unknown; readonly Valid?: unknown } | null
    return typeof body?.Value === 'boolean' && body.Valid === true ? body.Value : undefined
  } catch {
    return undefined
  }
}
