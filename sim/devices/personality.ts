/** Personalities: the data that shapes a device. What all of them share. */
import { z } from 'zod'
import { duration } from '../../drivers/units.ts'
import { readFixture } from './fixtures.ts'

/** Fields at the head of every personality. `origin` says whose the figures are. */
export const personalityHead = {
  format: z.literal('gridproof-personality/1'),
  /** `ours`: invented, no public source. `published`: from the document that `source` names. */
  origin: z.enum(['ours', 'published']),
  title: z.string().min(1),
  source: z.string().min(1),
} as const

/** A duration with its unit, such as `250 ms`; in milliseconds once read. */
export const durationText = z.string().transform((text, ctx) => {
  try {
    return duration(text)
  } catch {
    ctx.addIssue({
      code: 'custom',
      message: `'${text}' is not a duration: write a number and ms, s, min, h or d`,
    })
    return z.NEVER
  }
})

/** A time of day `HH:MM`; in hours once read. */
export const timeOfDay = z
  .string()
  .regex(/^([01]\d|2[0-3]):[0-5]\d$/, "expected a time of day such as '07:45'")
  .transform((text) => Number(text.slice(0, 2)) + Number(text.slice(3)) / 60)

/**
 * Reads a personality by name (fixtures/personalities) or path.
 * Throws `no-such` for an unknown name, `bad-file` with file, line, path and what was expected.
 */
export function readPersonality<T>(name: string, schema: z.ZodType<T>): T {
  return readFixture('personalities', name, schema)
}
