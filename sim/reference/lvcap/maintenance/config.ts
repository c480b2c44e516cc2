/** Configuration of the maintenance service (S:009: a password for whoever plugs into the Ethernet port). Figures are ours. */
import { z } from 'zod'
import { passwordPattern } from './password.ts'

const port = z.int().min(1).max(65_535)

/** What the operator sets; without it there is no maintenance service, and no password that it could be shipped with. */
export const maintenanceSettings = z.strictObject({
  port: port.default(8443),
  /** The password's scrypt hash, as `hashPassword` makes it. */
  password: z.string().regex(passwordPattern, 'expected scrypt:<N>:<r>:<p>:<salt>:<hash>'),
  lock: z
    .strictObject({
      /** Wrong passwords in a row, after which nobody is heard for a while. */
      after: z.int().min(1).max(100).default(5),
      /** For how long, in seconds. */
      seconds: z.number().positive().max(86_400).default(900),
    })
    .prefault({}),
  /** Seconds after which a log-in ends by itself. */
  sessionSeconds: z.number().positive().max(86_400).default(900),
  entry: z.string().default('sim/reference/lvcap/maintenance/main.ts'),
})
export type MaintenanceSettings = z.infer<typeof maintenanceSettings>

/** What the program is given. */
export const maintenanceSchema = maintenanceSettings.omit({ entry: true }).extend({
  pki: z.string().min(1),
  address: z.string().min(1),
  /** What an engineer sees: the installed applications. */
  apps: z.array(z.strictObject({ apid: z.string(), iid: z.string() })),
})
export type MaintenanceConfig = z.infer<typeof maintenanceSchema>
