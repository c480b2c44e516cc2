/** What whoever plays a link may order, and scripts of it. */
import { z } from 'zod'
import type { Json } from '../../drivers/faces.ts'
import { GridproofError } from '../../drivers/errors.ts'
import { time } from './profile.ts'

const json: z.ZodType<Json> = z.json()

const step = z.intersection(
  z.object({ after: time }),
  z.discriminatedUnion('do', [
    z.object({ do: z.literal('drop'), for: time }),
    z.object({ do: z.literal('profile'), name: z.string() }),
    z.object({
      do: z.literal('inflict'),
      fault: z.string(),
      params: json.optional(),
      for: z.string(),
    }),
  ]),
)
export type LinkScriptStep = z.infer<typeof step>

const order = z.discriminatedUnion('do', [
  z.strictObject({
    do: z.literal('inflict'),
    id: z.string(),
    fault: z.string(),
    params: json.default({}),
  }),
  z.strictObject({ do: z.literal('lift'), id: z.string() }),
  z.strictObject({ do: z.literal('drop'), for: time }),
  z.strictObject({ do: z.literal('profile'), name: z.string() }),
  z.strictObject({ do: z.literal('script'), steps: z.array(step) }),
  /** The router hangs, or has no power: nothing passes. With its power it forgets every connection. */
  z.strictObject({ do: z.literal('router'), state: z.enum(['works', 'frozen', 'off']) }),
])
export type LinkOrder = z.infer<typeof order>

/** Throws `bad-value`. */
export function linkOrder(given: Json): LinkOrder {
  const r = order.safeParse(given)
  if (r.success) return r.data
  const issue = r.error.issues[0]
  throw new GridproofError(
    'bad-value',
    `order to a link (${issue?.path.join('.') ?? ''}): ${issue?.message ?? 'does not fit'}`,
  )
}
