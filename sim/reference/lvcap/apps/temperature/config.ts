/** Configuration of the temperature sensor application (M:0025 to M:0027), and the register map that it reads by. */
import { z } from 'zod'
import { parseConfig, topicProfile, type AppConfig } from '../../config.ts'
import type { JsonObject } from '../../env.ts'

/** What is measured: outdoor air, air in the substation, top oil of the transformer (I:0049 to I:0051). */
export const inputs = ['ambient', 'indoor', 'top_oil'] as const
export type Input = (typeof inputs)[number]

const register = z.int().min(0).max(65_535)
const range = z.tuple([z.number(), z.number()])
const inputConfig = z.strictObject({
  /** Input of the module, from 0. */
  channel: z.int().min(0).max(7),
  /** Expected range, degrees Celsius (API section 9.1). */
  range,
})

/** Where a module keeps what that shows degrees. The default is a stand-in of ours (eight inputs, 0.1 degree Celsius). */
const registerMap = z.strictObject({
  shows: z.literal('degrees').default('degrees'),
  table: z.enum(['input', 'holding']),
  start: register,
  count: z.int().min(1).max(125),
  /** First temperature, int16 in steps of `scale` degrees Celsius. */
  temperature: register,
  scale: z.number().positive(),
  /** First thermal voltage, int16 in microvolts; and the cold junction, int16 in steps of `scale`. */
  microvolts: register,
  coldJunction: register,
  /** Bits by channel. */
  open: register,
  over: register,
  under: register,
  /** Not zero: the cold junction is not known, so no temperature is. */
  coldJunctionFault: register,
})

/**
 * A module that maps the range of each input's type onto 65,536 counts, names the types in registers, and has a coil for
 * each input that is set while its thermocouple is burnt out (modules of the ADAM-4018 kind).
 */
const countsMap = z.strictObject({
  shows: z.literal('counts'),
  table: z.enum(['input', 'holding']),
  /** First count, and first type code. */
  counts: register,
  types: register,
  /** First burn-out coil. */
  burnout: register,
  /** Inputs of the module. */
  count: z.int().min(1).max(8).default(8),
  /** Lowest and highest temperature of a type, degrees Celsius, by its code in decimal: count 0 and count 65,535. */
  ranges: z.record(
    z.string().regex(/^\d{1,5}$/),
    range.refine(([low, high]) => low < high),
  ),
})

export const temperatureSchema = z.strictObject({
  serial: z.strictObject({
    path: z.string().min(1),
    baudRate: z.int().min(50).max(1_000_000).default(9_600),
    dataBits: z.union([z.literal(7), z.literal(8)]).default(8),
    parity: z.enum(['none', 'even', 'odd']).default('none'),
    stopBits: z.union([z.literal(1), z.literal(2)]).default(1),
  }),
  unit: z.int().min(1).max(247).default(10),
  /** Seconds between outputs: 60 by M:0027; 10 to 600 in steps of 10 by S:003. */
  interval: z.number().positive().max(86_400).default(60),
  topics: topicProfile.optional(),
  metadata: z.boolean().default(false),
  toStore: z.boolean().optional(),
  /** Seconds before an output at which its sweep begins: a sweep of 21 registers takes 60 ms at 9600 Bd. Ours. */
  readAhead: z.number().positive().max(10).default(0.9),
  /** Ranges are ours: what a British substation and the oil of its transformer may plausibly have. */
  inputs: z
    .strictObject({
      ambient: inputConfig.default({ channel: 0, range: [-40, 60] }),
      indoor: inputConfig.default({ channel: 1, range: [-40, 80] }),
      top_oil: inputConfig.default({ channel: 2, range: [-40, 160] }),
    })
    .prefault({}),
  map: z.union([registerMap, countsMap]).default({
    shows: 'degrees',
    table: 'input',
    start: 0,
    count: 21,
    temperature: 0,
    scale: 0.1,
    microvolts: 8,
    coldJunction: 16,
    open: 17,
    over: 18,
    under: 19,
    coldJunctionFault: 20,
  }),
})

export type DegreesMap = z.infer<typeof registerMap>
export type CountsMap = z.infer<typeof countsMap>

export type TemperatureConfig = Omit<z.infer<typeof temperatureSchema>, 'topics'> & {
  readonly topics: z.infer<typeof topicProfile>
}

/** @throws LvcapError `config`, with what does not fit. */
export function readConfig(containerConfig: JsonObject, app: AppConfig): TemperatureConfig {
  const c = parseConfig(
    temperatureSchema,
    containerConfig,
    'the configuration of the temperature application',
  )
  return { ...c, topics: c.topics ?? app.topics }
}
