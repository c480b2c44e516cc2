/** What may be done to the breakers and to their line otherwise than over the line. */
import { z } from 'zod'
import { phases } from './map.ts'

/** `all` unless given. */
const which = z.enum([...phases, 'all']).default('all')
const counter = z.int().min(0).max(0xffff).optional()

/** What `command` takes. */
export const alvinCommand = z.discriminatedUnion('do', [
  /** The isolator: engaged, nothing of the platform reaches a unit; locked, it stays as it is until it is unlocked. */
  z.strictObject({
    do: z.literal('isolate'),
    engaged: z.boolean().optional(),
    locked: z.boolean().optional(),
  }),
  /** By hand, at the unit: the isolator is engaged, or the unit is in local control; else it is refused. */
  z.strictObject({
    do: z.literal('operate'),
    phase: which,
    to: z.enum(['open', 'closed']),
    by: z.literal('hand').optional(),
  }),
  /** Resets a lockout by hand, at the unit. */
  z.strictObject({ do: z.literal('reset'), phase: which }),
  /** Local control: commands are refused. */
  z.strictObject({ do: z.literal('local'), phase: which, on: z.boolean() }),
  /** Counters and seconds of uptime from which it goes on, near the ends of their registers for instance. */
  z.strictObject({
    do: z.literal('preset'),
    phase: which,
    open_operations: counter,
    close_operations: counter,
    watchdog_faults: counter,
    uptime: z.int().min(0).max(0xffff_ffff).optional(),
  }),
  /** Without a network: what stands for it. */
  z.strictObject({
    do: z.literal('supply'),
    phase: which,
    busVolts: z.number().min(0).max(1000).optional(),
    cableVolts: z.number().min(0).max(1000).optional(),
    amps: z.number().min(0).max(100_000).optional(),
    powerFactor: z.number().min(-1).max(1).optional(),
  }),
])
export type AlvinCommand = z.infer<typeof alvinCommand>
