/** Schema of a network's personality: two substations and the feeder between them. */
import { z } from 'zod'
import { durationText, personalityHead, readPersonality } from '../devices/personality.ts'
import { courseSchema } from '../devices/thermocouple/personality.ts'

const byPhase = z.tuple([z.number(), z.number(), z.number()])
/** Ohms: resistance, reactance. */
const ohms = z.tuple([z.number().nonnegative(), z.number()])
const spread = z.number().min(0).max(0.2)

const load = {
  /** Of fixtures/profiles, or a file. */
  profile: z.string().min(1),
  scale: z.number(),
  power_factor: z.number().min(-1).max(1),
  /** How its power follows the voltage: 2 impedance, 1 current, 0 power. */
  exponent: z.number().min(0).max(3),
} as const

const substation = z.strictObject({
  /** A transformer's personality. */
  transformer: z.string().min(1),
  impedance: ohms.refine(([r, x]) => r > 0 || x > 0, { message: 'expected an impedance above 0' }),
  volts: z.number().min(0).max(1000),
  angle: z.number().min(-30).max(30),
  /** All its feeders but the shared one. */
  load: z.strictObject({ ...load, share: byPhase }),
  /** Whether its breaker is closed at the start, where no device says otherwise. */
  closed: z.boolean(),
})

export const networkSchema = z
  .strictObject({
    ...personalityHead,
    device: z.literal('network'),
    nominal: z.number().positive(),
    frequency: z.number().positive(),
    frequency_wander: z.number().min(0).max(2),
    voltage_wander: z.number().min(0).max(0.2),
    substations: z.strictObject({ a: substation, b: substation }),
    feeder: z.strictObject({
      ohms_per_km: ohms,
      kilometres: z.array(z.number().positive()).min(2).max(50),
      load: z.strictObject(load),
      points: z
        .array(z.strictObject({ share: byPhase }))
        .min(1)
        .max(49),
    }),
    wander: z.number().min(0).max(0.2),
    spread: z.strictObject({
      impedance: spread,
      top_oil_rise: spread,
      hot_spot_rise: spread,
      oil_time_constant: spread,
      winding_time_constant: spread,
    }),
    ambient: courseSchema,
    thermal_step: durationText.refine((ms) => ms >= 1000 && ms <= 3_600_000, {
      message: 'expected 1 s to 1 h',
    }),
  })
  .superRefine((p, ctx) => {
    if (p.feeder.kilometres.length !== p.feeder.points.length + 1)
      ctx.addIssue({
        code: 'custom',
        path: ['feeder', 'kilometres'],
        message: `expected ${p.feeder.points.length + 1} lengths, one more than points of load`,
      })
  })

export type NetworkPersonality = z.infer<typeof networkSchema>

/** Reads a network by name (fixtures/personalities) or path. Throws `no-such`, `bad-file`. */
export function readNetwork(name: string): NetworkPersonality {
  return readPersonality(name, networkSchema)
}
