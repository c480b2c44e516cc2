/** What a smart meter can be told. */
import { z } from 'zod'
import { profileSpec } from '../profile.ts'

const phase = z.int().min(1).max(3)

/** What `command` takes. `null` goes back to the profile or personality. */
export const meterCommand = z.discriminatedUnion('do', [
  z.strictObject({ do: z.literal('follow'), profile: profileSpec }),
  /** A constant load, one or all, in W; below zero it feeds the grid. In IT networks load 1 stands between L1 and L2. */
  z.strictObject({
    do: z.literal('load'),
    load: phase.optional(),
    watts: z.number().min(-1e6).max(1e6).nullable(),
  }),
  z.strictObject({ do: z.literal('power-factor'), powerFactor: z.number().min(0.1).max(1).nullable() }),
  z.strictObject({
    do: z.literal('voltage'),
    phase: phase.optional(),
    volts: z.number().min(0).max(1000).nullable(),
  }),
  /** The reader draws so much from the port; above its limit the port goes off for a while. */
  z.strictObject({ do: z.literal('draw'), milliamps: z.number().min(0).max(10_000) }),
])

export type MeterCommand = z.infer<typeof meterCommand>
