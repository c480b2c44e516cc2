/** What a feeder monitor can be told. */
import { z } from 'zod'
import { withEntry, withPhases } from '../entries.ts'
import { profileSpec } from '../profile.ts'
import type { GridSettings } from './grid.ts'
import { feeders, phases } from './map.ts'

const feeder = z.int().min(1).max(feeders)
const phase = z.int().min(1).max(phases)

/** What `command` takes. `null` goes back to the profile or personality. */
export const gridkeyCommand = z.discriminatedUnion('do', [
  /** Another profile from now on. */
  z.strictObject({ do: z.literal('follow'), profile: profileSpec }),
  /** A constant current on a feeder, one phase or all, in amps (below zero: back to the busbar). */
  z.strictObject({
    do: z.literal('load'),
    feeder,
    phase: phase.optional(),
    amps: z.number().min(-1e5).max(1e5).nullable(),
  }),
  z.strictObject({ do: z.literal('power-factor'), feeder, powerFactor: z.number().gt(0).max(1).nullable() }),
  /** Voltage of the source without load, one phase or all, in volts L-N. */
  z.strictObject({
    do: z.literal('voltage'),
    phase: phase.optional(),
    volts: z.number().min(0).max(1000).nullable(),
  }),
])

export type GridKeyCommand = z.infer<typeof gridkeyCommand>

/** What a command makes of the settings of its grid, but for the profile. */
export function changed(
  s: GridSettings,
  c: Exclude<GridKeyCommand, { readonly do: 'follow' }>,
): Partial<GridSettings> {
  if (c.do === 'load') return { amps: withPhases(s.amps, c.phase, c.amps, (c.feeder - 1) * phases) }
  if (c.do === 'voltage') return { volts: withPhases(s.volts, c.phase, c.volts) }
  return { powerFactor: withEntry(s.powerFactor, c.feeder - 1, c.powerFactor) }
}
