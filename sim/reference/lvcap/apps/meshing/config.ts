/** Configuration of the LV Network Meshing application (M:0028 to M:0037), and the register map that it reads and commands by. */
import { z } from 'zod'
import { iidPattern } from '../../api.ts'
import { parseConfig, topicProfile, type AppConfig } from '../../config.ts'
import type { JsonObject } from '../../env.ts'

/** One breaker a phase. */
export const phases = ['l1', 'l2', 'l3'] as const
export type Phase = (typeof phases)[number]

/** The twelve values of M:0029 in the order of the topics' tables. */
export const quantities = [
  'bus_voltage',
  'cable_voltage',
  'link_current',
  'active_power',
  'reactive_power',
  'fault_status',
  'open_operations',
  'close_operations',
  'watchdog_faults',
  'chip_temperature',
  'switch_temperature',
  'uptime',
] as const
export type Quantity = (typeof quantities)[number]

const register = z.int().min(0).max(65_535)
const unit = z.int().min(1).max(247)

/** Where a unit keeps a value: `u32` takes two registers, big word first, read in one request so that they belong together. */
const place = z.strictObject({
  table: z.enum(['input', 'holding']),
  at: register,
  as: z.enum(['u16', 's16', 'u32']).default('u16'),
  /** Base units of one count. */
  scale: z.number().positive().default(1),
  /** What can be; a value outside is not valid. */
  range: z.tuple([z.number(), z.number()]).optional(),
})
export type Place = z.infer<typeof place>

const input = (at: number, more: Partial<Place> = {}): Place => ({
  table: 'input',
  at,
  as: 'u16',
  scale: 1,
  ...more,
})
const volts = { scale: 0.1, range: [0, 300] } satisfies Partial<Place>
const power = { as: 's16', scale: 10 } satisfies Partial<Place>
const celsius = { as: 's16', scale: 0.1, range: [-40, 125] } satisfies Partial<Place>

/** No public map of these breakers exists: all of it is ours, and to be set by whoever has the maker's. */
const shippedMap: Readonly<Record<Quantity, Place>> = {
  bus_voltage: input(0, volts),
  cable_voltage: input(1, volts),
  link_current: input(2, { scale: 0.1, range: [0, 2000] }),
  active_power: input(3, power),
  reactive_power: input(4, power),
  open_operations: input(5),
  close_operations: input(6),
  watchdog_faults: input(7),
  chip_temperature: input(8, celsius),
  switch_temperature: input(9, celsius),
  uptime: input(10, { as: 'u32' }),
  fault_status: { table: 'holding', at: 0, as: 'u16', scale: 1 },
}

const map = z.strictObject(
  Object.fromEntries(quantities.map((q) => [q, place.default(shippedMap[q])])) as Record<
    Quantity,
    z.ZodDefault<typeof place>
  >,
)

/** How a unit is commanded: select before operate, by holding registers. Ours as well. */
const control = z.strictObject({
  command: register.default(16),
  /** Takes the code of the command that will follow. */
  token: register.default(17),
  /** 0 idle, 1 busy, 2 done, 3 refused, 4 failed. */
  result: register.default(18),
  /** Follows the result; counts the commands that were taken. */
  sequence: register.default(19),
  close: register.default(0xc105),
  open: register.default(0x09e4),
  /** Bits of the fault status: contacts, and that the copy is old. */
  bits: z
    .strictObject({
      closed: z.int().min(0).max(15).default(0),
      open: z.int().min(0).max(15).default(1),
      reclosing: z.int().min(0).max(15).default(3),
      stale: z.int().min(0).max(15).default(15),
    })
    .prefault({}),
})

const seconds = z.number().positive().max(86_400)

export const meshingSchema = z
  .strictObject({
    serial: z.strictObject({
      path: z.string().min(1),
      baudRate: z.int().min(50).max(1_000_000).default(19_200),
      dataBits: z.union([z.literal(7), z.literal(8)]).default(8),
      parity: z.enum(['none', 'even', 'odd']).default('even'),
      stopBits: z.union([z.literal(1), z.literal(2)]).default(1),
    }),
    units: z
      .strictObject({ l1: unit.default(1), l2: unit.default(2), l3: unit.default(3) })
      .prefault({})
      .refine((u) => new Set(Object.values(u)).size === 3, 'each phase has a unit of its own'),
    /** Seconds between readings: of all values (M:0030: at most 60), and of those of `fast`, oftener. */
    interval: seconds.default(60),
    fastInterval: seconds.default(10),
    fast: z
      .array(z.enum(quantities))
      .default([
        'bus_voltage',
        'cable_voltage',
        'link_current',
        'active_power',
        'reactive_power',
        'fault_status',
      ]),
    /** Seconds before an output at which its reading begins: three units that are all silent are asked twice in it. */
    readAhead: z.number().positive().max(10).default(3),
    /** Milliseconds for one answer, and how often more it is asked for. */
    answer: z.int().min(20).max(10_000).default(500),
    retries: z.int().min(0).max(10).default(2),
    topics: topicProfile.optional(),
    toStore: z.boolean().optional(),
    /** The instance whose word moves breakers (M:0035): LoadSense. */
    obeys: z.string().regex(iidPattern).default('eatl_loadsense_01'),
    /** Commands older than so many seconds, or dated so far ahead, are not obeyed. */
    staleAfter: seconds.default(60),
    ahead: z.number().min(0).max(60).default(2),
    /** Seconds from a command until its breaker must be seen where it was sent to; until three that disagree are told of. */
    readBack: z.number().positive().max(60).default(5),
    control: control.prefault({}),
    map: map.prefault({}),
  })
  .refine((c) => c.fastInterval <= c.interval, {
    path: ['fastInterval'],
    message: 'the fast values are read at least as often as the others',
  })

export type MeshingConfig = Omit<z.infer<typeof meshingSchema>, 'topics'> & {
  readonly topics: z.infer<typeof topicProfile>
}

/** @throws LvcapError `config`, with what does not fit. */
export function readConfig(containerConfig: JsonObject, app: AppConfig): MeshingConfig {
  const c = parseConfig(meshingSchema, containerConfig, 'the configuration of LV Network Meshing')
  return { ...c, topics: c.topics ?? app.topics }
}
