/** Faults of breakers. Those of the line are every Modbus device's; here each may be of one unit alone. */
import { z } from 'zod'
import type { Ask, Hooks } from '../../../drivers/protocols/modbus/hooks.ts'
import type { Phase } from '../../faces.ts'
import { faultKind, wireFaults } from '../faults.ts'
import type { FaultKind } from '../faults.ts'
import { phases } from './map.ts'
import type { Altered, Unit } from './unit.ts'

/** What faults in force make of each unit. */
export type AlteredUnits = { readonly [k in Phase]: { -readonly [P in keyof Altered]: Altered[P] } }

export interface FaultPlaces {
  readonly units: { readonly [k in Phase]: Unit }
  /** The phase of a unit's address. */
  phaseOf(unit: number): Phase | undefined
  chance(stream: string): number
  /** Its communication is away for so long, ms; by the personality where nothing is given. */
  reboot(phase: Phase, ms: number | undefined, byWatchdog: boolean): void
}

const phase = z.enum(phases)
/** All three unless given. */
const of = { phase: phase.optional() } as const
const those = (p: Phase | undefined): readonly Phase[] => (p === undefined ? phases : [p])

/** A fault of the line that touches one unit alone, where a phase is given. */
function ofUnit<A>(kind: FaultKind<A>, phaseOf: (unit: number) => Phase | undefined): FaultKind<A> {
  const params = z.looseObject(of).superRefine((given, ctx) => {
    const rest = Object.fromEntries(Object.entries(given).filter(([k]) => k !== 'phase'))
    const fit = kind.params.safeParse(rest)
    for (const i of fit.error?.issues ?? [])
      ctx.addIssue({ code: 'custom', message: i.message, path: [...i.path] })
  })
  return faultKind(params, (given) => {
    const { phase: which, ...rest } = given
    const effect = kind.begin(rest)
    if (which === undefined || effect.hooks === undefined) return effect
    const line = effect.hooks
    const mine = (ask: Ask): boolean => phaseOf(ask.unit) === which
    const hooks: Hooks = {
      asked: (ask) => (mine(ask) ? line.asked?.(ask) : undefined),
      answering: (ask, pdu) => (mine(ask) ? line.answering?.(ask, pdu) : undefined),
    }
    return { ...effect, hooks }
  })
}

export function alvinFaults(o: FaultPlaces): Readonly<Record<string, FaultKind<AlteredUnits>>> {
  const line = Object.entries(wireFaults<AlteredUnits>('rtu', () => o.chance('faults'))).map(
    ([name, kind]) => [name, ofUnit(kind, (unit) => o.phaseOf(unit))] as const,
  )
  /** A fault that alters the units that it names. */
  const alters = <P extends { phase?: Phase | undefined }>(
    params: z.ZodType<P>,
    alter: (given: P) => Altered,
  ): FaultKind<AlteredUnits> =>
    faultKind(params, (given) => ({
      alter(units) {
        for (const which of those(given.phase)) Object.assign(units[which], alter(given))
      },
    }))
  return {
    ...Object.fromEntries(line),
    /** The main contact does not follow; the unit says that a command is done, or that it failed, and shows the old state. */
    stuck: alters(z.strictObject({ ...of, told: z.enum(['done', 'failed']).default('done') }), (f) => ({
      stuck: f.told,
    })),
    /** The main contact does not follow; the unit says that the command is done, and shows the new state. */
    lying: alters(z.strictObject(of), () => ({ stuck: 'lying' })),
    /** One pole trips by itself, without a fault, and locks out: the poles differ. It does so once. */
    'pole-discrepancy': faultKind(z.strictObject({ phase }), (f) => {
      o.units[f.phase].feed({ is: 'spurious-trip' })
      return {}
    }),
    /** Its auxiliary contacts tell neither open nor closed, or both. */
    indeterminate: alters(
      z.strictObject({ ...of, shows: z.enum(['none', 'both']).default('none') }),
      (f) => ({
        aux: f.shows,
      }),
    ),
    /** The energy that closes it is not stored again. */
    'no-energy': alters(z.strictObject(of), () => ({ noEnergy: true })),
    'self-test': alters(z.strictObject(of), () => ({ selfTest: true })),
    /** The switch becomes so much warmer, by its own time constant. */
    hot: alters(z.strictObject({ ...of, kelvin: z.number().min(1).max(300).default(120) }), (f) => ({
      besides: f.kelvin,
    })),
    /** No fresh copy of the status; `told`: the stale bit says so, once it has lasted. */
    'shadow-stale': faultKind(z.strictObject({ ...of, told: z.boolean().default(true) }), (f) => {
      for (const which of those(f.phase)) o.units[which].hold({ told: f.told })
      return {
        lifted() {
          for (const which of those(f.phase)) o.units[which].hold(undefined)
        },
      }
    }),
    /** When the low word of its uptime begins anew, the high word follows so many seconds late. */
    'uptime-tear': alters(
      z.strictObject({ ...of, seconds: z.number().min(1).max(3600).default(5) }),
      (f) => ({ tear: f.seconds * 1000 }),
    ),
    /** Its communication begins anew; protection goes on. Once. */
    reboot: faultKind(
      z.strictObject({
        ...of,
        seconds: z.number().gt(0).max(3600).optional(),
        watchdog: z.boolean().default(false),
      }),
      (f) => {
        for (const which of those(f.phase))
          o.reboot(which, f.seconds === undefined ? undefined : f.seconds * 1000, f.watchdog)
        return {}
      },
    ),
  }
}
