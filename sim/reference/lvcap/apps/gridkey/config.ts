/** Configuration of the GridKey sensor application (Appendix C, section 2.7), and the register map that it reads by. */
import { z } from 'zod'
import { topicProfile, type AppConfig } from '../../config.ts'
import type { JsonObject } from '../../env.ts'
import { parseConfig } from '../../config.ts'
import { outlineSchema } from '../../sdk/outline.ts'

const address = z.int().min(0).max(65_535)

/**
 * Where the measurements lie. The maker's protocol is not public: this is a stand-in of ours, Modbus/TCP, function 04, with
 * float32 in two registers, big word first.
 */
const registerMap = z.strictObject({
  /** First register of each busbar quantity. */
  busbar: z.record(z.string().regex(/^busbar\.[a-z0-9]+\.voltage$|^busbar\.frequency$/), address),
  busbarBlock: z.strictObject({ start: address, count: z.int().min(1).max(125) }),
  /** Feeder f has its block at f times this. */
  feederStep: z.int().min(1).max(10_000),
  feederCount: z.int().min(1).max(125),
  /** Offsets in a feeder's block: phases L1 to L3 of each quantity. */
  feeder: z.strictObject({
    current: z.tuple([address, address, address]),
    power_factor: z.tuple([address, address, address]),
    real_power: z.tuple([address, address, address]),
    reactive_power: z.tuple([address, address, address]),
  }),
  state: z.strictObject({
    start: address,
    count: z.int().min(1).max(125),
    /** Unix seconds of the sample, two registers. */
    time: address,
    /** One more with each sample, two registers. */
    sequence: address,
    /** One bit for each feeder and phase: bit 3(f-1) + (phase-1); set: valid. */
    validity: address,
    status: address,
  }),
})
export type RegisterMap = z.infer<typeof registerMap>

/** The stand-in map as a value: also the default. All of it is ours. */
export const standInMap: RegisterMap = {
  busbar: {
    'busbar.l1n.voltage': 0,
    'busbar.l2n.voltage': 2,
    'busbar.l3n.voltage': 4,
    'busbar.l1l2.voltage': 6,
    'busbar.l2l3.voltage': 8,
    'busbar.l3l1.voltage': 10,
    'busbar.frequency': 12,
  },
  busbarBlock: { start: 0, count: 14 },
  feederStep: 100,
  feederCount: 24,
  feeder: {
    current: [0, 2, 4],
    power_factor: [6, 8, 10],
    real_power: [12, 14, 16],
    reactive_power: [18, 20, 22],
  },
  state: { start: 1_000, count: 7, time: 1_000, sequence: 1_002, validity: 1_004, status: 1_005 },
}

const range = z.tuple([z.number(), z.number()])

export const gridkeySchema = z.strictObject({
  /** IP address of the MCU: the one parameter that Appendix C, section 2.7, asks for. */
  address: z.string().min(1),
  port: z.int().min(1).max(65_535).default(502),
  unit: z.int().min(0).max(255).default(1),
  /** Seconds between outputs: 60 by I:0062 and M:0023; 10 for M:0024. */
  interval: z.number().positive().max(86_400).default(60),
  topics: topicProfile.optional(),
  /** Feeders that are fitted. */
  feeders: z.array(z.int().min(1).max(5)).min(1).default([1, 2, 3, 4, 5]),
  /** Whether the frequency is published too ("other measurement data", section 2.4). */
  frequency: z.boolean().default(false),
  /** Whether optional metadata is published (API section 8.3.2). */
  metadata: z.boolean().default(false),
  ...outlineSchema,
  toStore: z.boolean().optional(),
  /** Seconds before an output at which its sweep begins. Ours: below one second, so that stamp and reading share it. */
  readAhead: z.number().positive().max(10).default(0.9),
  /** Seconds between two samples of the device. Ours. */
  samplePeriod: z.number().positive().default(1),
  /** Seconds by which the device's count of samples may lag behind. Ours. */
  staleAfter: z.number().positive().default(5),
  /** Expected ranges (API section 9.1: Valid says whether the value lies in the configured range). Ours, wide. */
  limits: z
    .strictObject({
      voltage: range.default([0, 600]),
      frequency: range.default([40, 60]),
      current: range.default([0, 5_000]),
      power_factor: range.default([-1, 1]),
      real_power: range.default([-2_000_000, 2_000_000]),
      reactive_power: range.default([-2_000_000, 2_000_000]),
    })
    .prefault({}),
  map: registerMap.default(standInMap),
})

export type GridkeyConfig = Omit<z.infer<typeof gridkeySchema>, 'topics'> & {
  readonly topics: z.infer<typeof topicProfile>
}

/** @throws LvcapError `config`, with what does not fit. */
export function readConfig(containerConfig: JsonObject, app: AppConfig): GridkeyConfig {
  const c = parseConfig(gridkeySchema, containerConfig, 'the configuration of the GridKey application')
  return { ...c, topics: c.topics ?? app.topics }
}
