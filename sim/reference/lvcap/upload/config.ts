/** What an application that uploads is told (OpenLV I:00129, Appendix B 2.6). Times in seconds; figures are ours. */
import { z } from 'zod'
import { iidPattern } from '../api.ts'
import { budgetSchema } from './volume.ts'

const iid = z.string().regex(iidPattern, 'an instance ID is <vendor>_<application>_<two digits>, or a UUID')
const seconds = z.number().positive().max(86_400)

/** Its fields, for applications that are told more. */
export const uploadFields = z.strictObject({
  server: z.strictObject({
    address: z.string().min(1),
    port: z.int().min(1).max(65_535),
    /** The name on its certificate: whoever has another one is told nothing. */
    name: z.string().min(1),
    path: z
      .string()
      .regex(/^\/[\w/-]*$/)
      .default('/files'),
  }),
  /** Where the data is placed at the server: a virtual RTU of its own for each platform (M:0072, M:0080). */
  rtu: z.string().regex(/^[\w.-]{1,100}$/, 'expected up to 100 letters, digits, . _ and -'),
  /** Common name and file of the certificate that the server is shown: by it the platform is known. The application's own, unless given. */
  certificate: z
    .string()
    .regex(/^[\w.-]{1,100}$/)
    .optional(),
  /** Which rows: all that the operator grants, or those of these instances, or of one sub-topic of them alone. */
  select: z
    .union([
      z.literal('all'),
      z
        .array(z.strictObject({ iid: z.union([iid, z.literal('error')]), subTopic: z.string().optional() }))
        .min(1),
    ])
    .default('all'),
  /** Rows in a batch; 100 is always granted by Data Storage, more where the operator permits it (API 8.5.1). */
  rows: z.int().min(1).max(15_000).default(100),
  /** Between two looks for new rows, when there were none. */
  interval: seconds.default(60),
  /** How long Data Storage may take to answer. */
  patience: seconds.default(30),
  /** Bytes sent at a time: what a lost link costs at most. */
  window: z.int().min(256).max(16_777_216).default(65_536),
  /** How long the server may take for an answer. */
  timeout: seconds.default(30),
  /** After a failure: from the first of these, doubled up to the second. */
  retry: z.strictObject({ first: seconds.default(1), most: seconds.default(60) }).prefault({}),
  /** What may go over the air in a period; absent: without limit (I:00127). */
  budget: budgetSchema.optional(),
})

/** That retries become rarer. */
export function retriesGrow(c: {
  readonly retry: { readonly first: number; readonly most: number }
}): boolean {
  return c.retry.first <= c.retry.most
}
export const whereRetries = { path: ['retry', 'first'], message: 'the first is at most the most' }

export const uploadSchema = uploadFields.refine(retriesGrow, whereRetries)
export type UploadConfig = z.infer<typeof uploadSchema>
