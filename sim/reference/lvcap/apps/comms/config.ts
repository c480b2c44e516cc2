/** What the Management Comms application is told (OpenLV I:00129): all that an uploading one is, and the rest. Figures are ours. */
import { z } from 'zod'
import { iidPattern } from '../../api.ts'
import { retriesGrow, uploadFields, whereRetries } from '../../upload/config.ts'

export const commsSchema = uploadFields
  .extend({
    /** Seconds between two looks for what is to be fetched; the server hears of the platform at least hourly. */
    poll: z.number().positive().max(3_600).default(60),
    /** Bytes of a download that are asked for at a time, and that a loss of power costs at most. */
    piece: z.int().min(1_024).max(16_777_216).default(262_144),
    /** Told in the report of an outage (S:006). */
    site: z.strictObject({ serial: z.string().min(1), location: z.string().min(1) }),
    /** Seconds between two signs of life on the disk: as closely it is known when power went. */
    life: z.number().min(1).max(3_600).default(5),
    /** Where the server may call, if nothing keeps it out; absent: nowhere. */
    calls: z.strictObject({ port: z.int().min(1).max(65_535) }).optional(),
    /** Instances whose records tell when the last one was stored, and how many are missing. */
    records: z.array(z.string().regex(iidPattern)).default([]),
  })
  .refine(retriesGrow, whereRetries)
export type CommsConfig = z.infer<typeof commsSchema>
