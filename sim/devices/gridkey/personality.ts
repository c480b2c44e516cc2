/** Schema of a feeder monitor's personality. */
import { z } from 'zod'
import { durationText, personalityHead } from '../personality.ts'

const address = z.int().min(0).max(65_533)
const share = z.number().min(0).max(0.5)

export const gridkeySchema = z.strictObject({
  ...personalityHead,
  device: z.literal('gridkey-mcu520'),
  modbus: z.strictObject({
    unit: z.int().min(1).max(247),
    functions: z.array(z.int().min(1).max(127)).min(1),
    unknown_unit: z.enum(['gateway', 'silent']),
    identity: z.strictObject({ vendor: z.string(), product: z.string(), revision: z.string() }),
  }),
  registers: z.strictObject({
    busbar: z.strictObject({
      l1n: address,
      l2n: address,
      l3n: address,
      l1l2: address,
      l2l3: address,
      l3l1: address,
      frequency: address,
    }),
    feeder: z.strictObject({
      first: address,
      stride: z.int().min(24).max(10_000),
      current: address,
      power_factor: address,
      real_power: address,
      reactive_power: address,
    }),
    status: z.strictObject({
      time: address,
      sequence: address,
      validity: address,
      state: address,
      averaging: address,
    }),
  }),
  update: durationText.refine((ms) => ms === 1000, { message: 'this device updates once a second: 1 s' }),
  averaging: durationText.refine((ms) => ms % 1000 === 0 && ms >= 1000 && ms <= 600_000, {
    message: 'expected whole seconds, 1 s to 10 min',
  }),
  boot: durationText,
  clock_drift_ppm: z.number().min(0).max(1000),
  accuracy: z.strictObject({
    voltage: share,
    current: share,
    real_power: share,
    reactive_power: share,
    power_factor: share,
    frequency: z.number().positive(),
  }),
  /** In the unit of each: V, A, W, var, 1, Hz. */
  resolution: z.strictObject({
    voltage: z.number().positive(),
    current: z.number().positive(),
    real_power: z.number().positive(),
    reactive_power: z.number().positive(),
    power_factor: z.number().positive(),
    frequency: z.number().positive(),
  }),
  rated_current: z.number().positive(),
  full_scale: z.number().positive(),
  grid: z.strictObject({
    voltage: z.number().positive(),
    voltage_wander: share,
    drop: z.number().nonnegative(),
    angle_wander: z.number().min(0).max(5),
    frequency: z.number().positive(),
    frequency_wander: z.number().min(0).max(2),
  }),
  profile: z.string().min(1),
  feeders: z
    .array(
      z.strictObject({
        share: z.tuple([z.number(), z.number(), z.number()]),
        power_factor: z.number().min(0.1).max(1),
      }),
    )
    .length(5),
  feeder_wander: share,
})

export type GridKeyPersonality = z.infer<typeof gridkeySchema>
