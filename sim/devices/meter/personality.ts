/** Schema of a smart meter's personality: what it is, how it counts, when it speaks, and how its port is fed. */
import { z } from 'zod'
import { durationText, personalityHead } from '../personality.ts'

const share = z.number().min(0).max(0.1)

/**
 * How the meter speaks. `kaifa`: positions, Norway. `kaifa-sweden`: the same with another source address.
 * `kaifa-obis`: pairs of code and value (MA304H4PSE). `kaifa-ecb`: the ciphered form of the first Norwegian meters.
 * `aidon`, `aidon-sweden`, `kamstrup`, `kamstrup-old` (firmware of 2017). `austria`: flat codes with scalers, ciphered,
 * in M-Bus segments.
 */
export const dialects = [
  'kaifa',
  'kaifa-sweden',
  'kaifa-obis',
  'kaifa-ecb',
  'aidon',
  'aidon-sweden',
  'kamstrup',
  'kamstrup-old',
  'austria',
] as const

/** When a list is sent: at multiples of `every` since midnight, plus `at`. */
const cadence = z.strictObject({ every: durationText, at: durationText.default(0) })

const hexKey = z.string().regex(/^[0-9A-Fa-f]{32}$/, 'expected 32 hexadecimal digits: a key of 16 bytes')

export const meterSchema = z.strictObject({
  ...personalityHead,
  device: z.literal('han-meter'),
  dialect: z.enum(dialects),
  model: z.string().min(1).max(32),
  id: z.string().min(1).max(32),
  /** Version of the list, as the meter writes it. */
  list_version: z.string().min(1).max(32),
  /**
   * `IT`: three wires of 230 V between lines, voltages told line to line. `TN`: four wires, voltages told phase to neutral.
   * `single`: one phase.
   */
  network: z.enum(['IT', 'TN', 'single']),
  /** Secondary over primary, where current or voltage transformers stand before the meter: it tells the secondary side. */
  transformers: z
    .strictObject({ current: z.number().positive(), voltage: z.number().positive() })
    .default({ current: 1, voltage: 1 }),
  /** Quantities that this meter shows as 0 whatever is true, or, where its dialect can, does not send. */
  not_measured: z.array(z.enum(['voltage2', 'current2'])).default([]),
  line: z.strictObject({
    baud_rate: z.int().positive(),
    data_bits: z.literal(8),
    parity: z.enum(['none', 'even', 'odd']),
    stop_bits: z.union([z.literal(1), z.literal(2)]),
  }),
  cadence: z
    .strictObject({ list_1: cadence.optional(), list_2: cadence.optional(), list_3: cadence.optional() })
    .refine((c) => Object.values(c).some((x) => x !== undefined), { message: 'one list at the least' }),
  /** Counts of the energy registers are those of the last multiple of this; `0 s`: of now. */
  energy_of: durationText.default(0),
  /** From the slot's instant to the first start bit, and how far that wanders to either side. */
  phase: durationText.default(0),
  jitter: durationText.default(0),
  clock: z.strictObject({
    zone: z.string().min(1),
    /** `none`: not specified (8000). `standard`: of the zone without daylight saving. `actual`: as it is. */
    deviation: z.enum(['none', 'standard', 'actual']),
    /** The wall time that it shows: with daylight saving, or normal time all the year. */
    wall: z.enum(['local', 'standard']).default('local'),
    /** Bit 7 of the status says daylight saving. */
    status_bit: z.boolean().default(false),
    hundredths: z.union([z.literal(0), z.literal(255)]),
  }),
  /** Wh and varh for one count of the energy registers. */
  energy_step: z.union([z.literal(1), z.literal(10)]).default(1),
  energy_type: z.enum(['double-long-unsigned', 'long64-unsigned']).default('double-long-unsigned'),
  /** Keys of ciphered dialects. They stand in personalities of virtual meters only. */
  cipher: z
    .strictObject({
      system_title: z.string().regex(/^[0-9A-Fa-f]{16}$/, 'expected 16 hexadecimal digits'),
      encryption_key: hexKey,
      authentication_key: hexKey.optional(),
      control: z.union([z.literal(0x20), z.literal(0x21), z.literal(0x30)]),
    })
    .optional(),
  /** The port as a supply: above the limit it goes off for a while. */
  port: z.strictObject({ limit_ma: z.number().positive(), off: durationText }),
  /** Half-widths of the maker's band about the truth, shares of the value. */
  accuracy: z.strictObject({ voltage: share, current: share, power: share, energy: share }),
  /** The truth behind the meter. */
  home: z.strictObject({
    profile: z.string().min(1),
    /** Of the profile's amps. */
    scale: z.number().positive(),
    /** Loads: L1-N, L2-N, L3-N, or in IT networks L1-L2, L2-L3, L3-L1; the first alone for one phase. */
    share: z.tuple([z.number(), z.number(), z.number()]),
    power_factor: z.number().min(0.1).max(1),
    wander: share,
    /** V between neutral and line (TN, single), between lines (IT), without load. */
    voltage: z.number().positive(),
    voltage_wander: share,
    /** Ohm of the service line, each conductor. */
    drop: z.number().nonnegative(),
  }),
  /** Energies at the start: Wh imported, Wh exported, varh imported, varh exported. */
  energies: z.tuple([z.number(), z.number(), z.number(), z.number()]),
})

export type MeterPersonality = z.infer<typeof meterSchema>
export type MeterDialect = (typeof dialects)[number]
