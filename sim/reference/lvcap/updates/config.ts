/** Settings of updates (OpenLV M:0074 to M:0076). Figures are ours. */
import { z } from 'zod'

export const updateSettings = z.strictObject({
  /** What this platform is: an update for another kind is refused. */
  platform: z.string().min(1),
  /** Common name on the certificate of whoever may sign updates. */
  signer: z.string().min(1).default('operator'),
  /** Folder below the disk in which fetched files stand: that of Management Comms. */
  inbox: z.string().min(1).default('comms/downloads'),
  /** Seconds between two looks at it, and at how an update fares. */
  look: z.number().min(0.1).max(3_600).default(2),
  /** Seconds for which all that an update brought has to run before it is installed for good. */
  settle: z.number().min(0).max(3_600).default(10),
  /** Seconds after which it is taken back where it does not. */
  patience: z.number().min(1).max(86_400).default(120),
})
export type UpdateSettings = Readonly<z.infer<typeof updateSettings>>
