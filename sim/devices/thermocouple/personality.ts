/** Schema of a thermocouple module's personality. */
import { z } from 'zod'
import { duration } from '../../../drivers/units.ts'
import { personalityHead, durationText } from '../personality.ts'

const address = z.int().min(0).max(0xfff0)
const celsius = z.number().min(-273.15).max(2000)
/** Kept as text, for the course is also a face's. */
const span = z.string().refine(
  (text) => {
    try {
      return duration(text) > 0
    } catch {
      return false
    }
  },
  { message: 'expected a duration above zero, such as 24 h' },
)

/** How a temperature goes in time. */
export const courseSchema = z.union([
  z.strictObject({ constant: celsius }),
  z.strictObject({ from: celsius, to: celsius, over: span }),
  z.strictObject({ mean: celsius, swing: z.number(), period: span }),
])

/** A name that can stand in a quantity: `top_oil`. */
const inputName = z.string().regex(/^[a-z][a-z0-9_]*$/, 'expected a name such as top_oil')

export const faultModes = ['substitute', 'freeze', 'full_scale'] as const

/** What the personalities of both makes have. */
const common = {
  ...personalityHead,
  line: z.strictObject({
    baud_rate: z.int().min(300).max(1_000_000),
    data_bits: z.literal(8),
    parity: z.enum(['none', 'even', 'odd']),
    stop_bits: z.union([z.literal(1), z.literal(2)]),
  }),
  modbus: z.strictObject({
    unit: z.int().min(1).max(247),
    functions: z.array(z.int().min(1).max(127)).min(1),
  }),
  channels: z
    .array(z.strictObject({ input: inputName, type: z.enum(['K', 'T']), course: courseSchema }).nullable())
    .length(8)
    .refine(
      (list) => {
        const names = list.flatMap((c) => (c === null ? [] : [c.input]))
        return names.length > 0 && new Set(names).size === names.length
      },
      { message: 'expected at least one input, and no name twice' },
    ),
  junction: courseSchema,
  cj_fault_value: celsius,
  fault_mode: z.enum(faultModes),
  update: durationText.refine((ms) => ms >= 1, { message: 'expected at least 1 ms' }),
  accuracy: z.number().positive(),
  resolution: z.number().positive(),
  offset_uv: z.number().nonnegative(),
  junction_error: z.number().nonnegative(),
} as const

/** Whether no two spans (first, length) overlap. */
function apart(spans: readonly (readonly [number, number])[]): boolean {
  const all = spans.flatMap(([a, n]) => Array.from({ length: n }, (_, i) => a + i))
  return new Set(all).size === all.length
}

const sharing = { message: 'two things share a register', path: ['registers'] }

export const tc8Schema = z
  .strictObject({
    ...common,
    device: z.literal('thermocouple-tc8'),
    registers: z.strictObject({
      temperature: address,
      microvolts: address,
      junction: address,
      open: address,
      over: address,
      under: address,
      cj_fault: address,
      type: address,
      fault_mode: address,
    }),
  })
  .refine(({ registers: r }) => {
    const single = [r.junction, r.open, r.over, r.under, r.cj_fault, r.fault_mode]
    return apart([[r.temperature, 8], [r.microvolts, 8], [r.type, 8], ...single.map((a) => [a, 1] as const)])
  }, sharing)

export type Tc8Personality = z.infer<typeof tc8Schema>

const typeRange = z
  .strictObject({ code: z.int().min(0).max(0xffff), from: celsius, to: celsius })
  .refine((r) => r.from < r.to, { message: 'expected from below to' })

export const adamSchema = z
  .strictObject({
    ...common,
    device: z.literal('thermocouple-adam4018'),
    registers: z.strictObject({ counts: address, types: address, name: address }),
    coils: z.strictObject({ burnout: address }),
    name: z.int().min(0).max(0xffff),
    substitute: z.int().min(0).max(0xffff),
    /** By type: its code, and the temperatures of count 0 and count 65,535. */
    ranges: z.strictObject({ K: typeRange, T: typeRange }),
  })
  .refine(
    ({ registers: r }) =>
      apart([
        [r.counts, 8],
        [r.types, 8],
        [r.name, 1],
      ]),
    sharing,
  )

export type AdamPersonality = z.infer<typeof adamSchema>
export type ThermocouplePersonality = Tc8Personality | AdamPersonality
