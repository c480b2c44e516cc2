/** Schema of the personality of ALVIN Reclose stand-ins. Durations are in milliseconds once read. */
import { z } from 'zod'
import { durationText, personalityHead } from '../personality.ts'

const address = z.int().min(0).max(0xfff0)
const word = z.int().min(0).max(0xffff)
const positive = durationText.refine((ms) => ms >= 1, { message: 'expected at least 1 ms' })
const spread = z
  .tuple([positive, positive])
  .refine(([a, b]) => a <= b, { message: 'expected the shorter one first' })
const unit = z.int().min(1).max(247)

/** Input registers by name; all but AR_STATE, AR_SHOT and MIR_UPTIME_LOW are of the OpenLV requirements, M:0029. */
export const inputNames = [
  'MIR_BUS_VOLTAGE_RMS',
  'MIR_CABLE_VOLTAGE_RMS',
  'MIR_LINK_CURRENT_RMS',
  'MIR_ACTIVE_POWER',
  'MIR_REACTIVE_POWER',
  'MIR_OPEN_OPERATIONS',
  'MIR_CLOSE_OPERATIONS',
  'MIR_WATCHDOG_FAULTS_DETECTED',
  'MIR_CHIP_TEMPERATURE',
  'MIR_SWITCH_TEMPERATURE',
  'MIR_UPTIME_HIGH',
  'MIR_UPTIME_LOW',
  'AR_STATE',
  'AR_SHOT',
] as const
export type InputName = (typeof inputNames)[number]

export const holdingNames = [
  'MHR_SHADOW_FAULT_STATUS',
  'MHR_COMMAND',
  'MHR_COMMAND_TOKEN',
  'MHR_COMMAND_RESULT',
  'MHR_COMMAND_SEQ',
  'AR_ENABLE',
  'AR_SHOTS',
  'AR_DEAD_TIME',
  'AR_RECLAIM',
] as const
export type HoldingName = (typeof holdingNames)[number]

const apart = (o: Readonly<Record<string, number>>): boolean =>
  new Set(Object.values(o)).size === Object.keys(o).length

export const alvinSchema = z.strictObject({
  ...personalityHead,
  device: z.literal('alvin-reclose'),
  line: z.strictObject({
    baud_rate: z.int().min(300).max(1_000_000),
    data_bits: z.literal(8),
    parity: z.enum(['none', 'even', 'odd']),
    stop_bits: z.union([z.literal(1), z.literal(2)]),
  }),
  modbus: z.strictObject({
    units: z
      .strictObject({ l1: unit, l2: unit, l3: unit })
      .refine(apart, { message: 'expected three different units' }),
    functions: z.array(z.int().min(1).max(127)).min(1),
    turnaround: durationText,
  }),
  registers: z.strictObject({
    input: z
      .strictObject(
        Object.fromEntries(inputNames.map((n) => [n, address])) as Record<InputName, typeof address>,
      )
      .refine(apart, { message: 'two things share a register' })
      .refine((r) => r.MIR_UPTIME_LOW === r.MIR_UPTIME_HIGH + 1, {
        message: 'expected MIR_UPTIME_LOW right after MIR_UPTIME_HIGH',
      }),
    holding: z
      .strictObject(
        Object.fromEntries(holdingNames.map((n) => [n, address])) as Record<HoldingName, typeof address>,
      )
      .refine(apart, { message: 'two things share a register' }),
  }),
  command: z
    .strictObject({ close: word, open: word, reset: word, token_valid: positive })
    .refine((c) => new Set([c.close, c.open, c.reset]).size === 3, {
      message: 'expected three different codes',
    }),
  mechanism: z.strictObject({
    open: spread,
    close: spread,
    recharge: durationText,
    shadow_lag: durationText,
    shadow_stale: positive,
    reboot: spread,
  }),
  protection: z
    .strictObject({
      /** A. */
      rated: z.number().positive(),
      pickup: z.number().positive(),
      delay: positive,
      fault: z.number().positive(),
      detection: durationText,
      onto_fault: durationText,
      /** V. */
      dead: z.number().positive(),
      difference: z.number().positive(),
      /** °C. */
      hot: z.number(),
    })
    .refine((p) => p.pickup < p.fault, { message: 'expected pickup below fault' }),
  reclose: z.strictObject({
    enable: z.union([z.literal(0), z.literal(1)]),
    shots: z.int().min(0).max(3),
    dead_times: z.tuple([positive, positive, positive]),
    reclaim: positive,
  }),
  watch: positive,
  thermal: z.strictObject({
    ambient: z.number().min(-40).max(60),
    chip: z.number().nonnegative(),
    switch: z.number().nonnegative(),
    time: positive,
  }),
  accuracy: z.strictObject({
    voltage: z.number().positive(),
    current: z.number().positive(),
    power: z.number().positive(),
    temperature: z.number().positive(),
    uptime: z.number().positive(),
  }),
  resolution: z.strictObject({
    voltage: z.number().nonnegative(),
    current: z.number().nonnegative(),
    power: z.number().nonnegative(),
    temperature: z.number().nonnegative(),
  }),
})

export type AlvinPersonality = z.infer<typeof alvinSchema>
