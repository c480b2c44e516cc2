/**
 * How a scripted app behaves, as data: what the bench tells it, and what it refuses. Everything left out is as the LV-CAP
 * API asks (OpenLV requirements, Appendix A, sections 5, 6 and 8).
 */
import { z } from 'zod'
import type { AppAction, AppBehaviour } from '../../faces.ts'

const seconds = z.number().min(0).max(86_400)

/** @see AppBehaviour for what each means. */
export const behaviourSchema: z.ZodType<AppBehaviour> = z.strictObject({
  crashesAtStart: z.boolean().optional(),
  endsAfter: seconds.optional(),
  introduces: z.enum(['itself', 'randomly']).optional(),
  clean: z.boolean().optional(),
  will: z.boolean().optional(),
  qos: z.union([z.literal(0), z.literal(1)]).optional(),
  asks: z.enum(['once', 'never', 'again-and-again']).optional(),
  payloads: z.enum(['full', 'bare', 'empty', 'signed', 'wrongly-signed']).optional(),
  status: z.json().optional(),
  message: z.string().optional(),
  silent: z.union([z.literal('always'), z.int().min(0)]).optional(),
  answersAfter: seconds.optional(),
  garbled: z.boolean().optional(),
  speaksFor: z.string().optional(),
  rejectsNull: z.boolean().optional(),
  shutdown: z
    .strictObject({
      after: z.union([z.literal('never'), seconds]).optional(),
      exits: z.boolean().optional(),
      ignoresStop: z.boolean().optional(),
    })
    .optional(),
}) as z.ZodType<AppBehaviour>

export const actionSchema: z.ZodType<AppAction> = z.discriminatedUnion('do', [
  z.strictObject({ do: z.literal('tell'), status: z.json(), message: z.string().optional() }),
  z.strictObject({ do: z.literal('vanish') }),
  z.strictObject({ do: z.literal('exit'), code: z.int().min(0).max(255) }),
  z.strictObject({ do: z.literal('publish'), topic: z.string().min(1), text: z.string() }),
  z.strictObject({ do: z.literal('ask') }),
  z.strictObject({ do: z.literal('subscribe'), topic: z.string().min(1) }),
]) as z.ZodType<AppAction>

/** What the bench says on the control connection, one line of JSON each. */
export const orderSchema = z.discriminatedUnion('order', [
  z.strictObject({ order: z.literal('behave'), behaviour: behaviourSchema }),
  z.strictObject({ order: z.literal('act'), action: actionSchema }),
  z.strictObject({ order: z.literal('ping'), n: z.int() }),
])
export type Order = z.infer<typeof orderSchema>
