/** Configuration of the platform: what `platform.ts` is given. Described for its user in README.md. */
import { z } from 'zod'
import { iidPattern, type SessionName } from './api.ts'
import type { Json } from './env.ts'
import { LvcapError } from './errors.ts'
import { maintenanceSettings } from './maintenance/config.ts'
import { updateSettings } from './updates/config.ts'
import { feedSettings } from './watchdog/config.ts'

/** Topic names: as the GridKey specification proposes (Appendix C, section 4), or as fielded in 2018. */
export const topicProfile = z.enum(['spec', 'openlv-2018'])
export type TopicProfile = z.infer<typeof topicProfile>

const json: z.ZodType<Json> = z.json()
const iid = z.string().regex(iidPattern, 'an instance ID is <vendor>_<application>_<two digits>, or a UUID')
export const apidPattern = /^[a-z0-9][a-z0-9._-]{0,63}$/
const apid = z.string().regex(apidPattern, 'an application ID is <vendor>_<application>_<version>')
const port = z.int().min(1).max(65_535)

export const appEntry = z.strictObject({
  /** Application ID: the common name of its certificate, and the name of its files in the key folder. */
  apid,
  /** Instance ID: the handle in topics. */
  iid,
  /** Module path from the root of the installation. */
  entry: z.string().min(1),
  /** ContainerConfig, delivered on config/response. Null: the Container Manager knows none. */
  config: z.record(z.string(), json).nullable(),
  /** Settings built into its image, handed to it unread at each start. */
  image: json.optional(),
  /** A core service (section 5.1.1): up before any other application is started. `storage` may answer queries. */
  service: z.literal('storage').optional(),
})
export type AppEntry = z.infer<typeof appEntry>

const apps = z
  .array(appEntry)
  .refine(
    (list) => new Set(list.map((a) => a.iid)).size === list.length,
    'two apps have the same instance ID',
  )

export const platformSchema = z.strictObject({
  /** Folder with ca.crt, broker.crt/key, container-manager.crt/key, and <APID>.crt/key of each app. */
  pki: z.string().min(1),
  marketplace: z.strictObject({
    /** IP address; without one, the machine's own. */
    address: z.string().optional(),
    /** TCP port; 8883 in section 8.1, table 4. */
    port: port.default(8883),
    /** Its broker: aedes inside the program, or a mosquitto that the program runs and watches. */
    broker: z.enum(['aedes', 'mosquitto']).default('aedes'),
    /** Module of the marketplace; without one, what `broker` says. */
    entry: z.string().optional(),
    iid: iid.default('eatl_marketplace_00'),
    /** Serial numbers (hexadecimal) of revoked certificates. */
    revoked: z.array(z.string().regex(/^[0-9a-fA-F]+$/)).default([]),
    /** Instances with the rights of an application that run elsewhere, and are nobody's to start here. */
    guests: z.array(z.strictObject({ apid, iid })).default([]),
  }),
  manager: z
    .strictObject({
      iid: iid.default('eatl_containermanager_00'),
      /** Seconds between status requests; 120 by default (section 6). */
      statusInterval: z.number().positive().max(86_400).default(120),
    })
    .prefault({}),
  /** The service at the Ethernet port for engineers; without it there is none. */
  maintenance: maintenanceSettings.optional(),
  /** The watchdog beside the computer, which is fed over the inner network; without it nobody is. */
  watchdog: feedSettings.optional(),
  /** How it takes updates; without it it takes none. */
  updates: updateSettings.optional(),
  /** Topic names that apps use unless their own configuration says otherwise. */
  topics: topicProfile.default('spec'),
  /** In the order of their installation, which is the order of their start (section 5.1.2). */
  apps,
})
export type PlatformConfig = z.infer<typeof platformSchema>

/** What the Data Marketplace is given. */
export const marketplaceSchema = z.strictObject({
  iid,
  pki: z.string().min(1),
  address: z.string().min(1),
  port,
  managerIid: iid,
  apps: z.array(z.strictObject({ apid, iid, service: z.literal('storage').optional() })),
  revoked: z.array(z.string()),
  /** When a subscriber that does not read is dropped. Ours: the API has no figure. */
  backlog: z
    .strictObject({
      /** Seconds in which it has taken nothing of what waits for it. */
      seconds: z.number().positive().default(20),
      /** Bytes that may wait for it: more than one packet of any length. */
      bytes: z.number().positive().default(600_000_000),
    })
    .prefault({}),
})
export type MarketplaceConfig = z.infer<typeof marketplaceSchema>

/** What an app is given at its start: who it is, and where the Data Marketplace is. All else comes by config/response. */
export const appSchema = z.strictObject({
  apid,
  iid,
  pki: z.string().min(1),
  marketplace: z.strictObject({
    address: z.string().min(1),
    port,
    /**
     * How the marketplace tells sessions of one application apart: by their client IDs (the default), or by the names on
     * their certificates, so that each session has one of its own.
     */
    sessions: z.enum(['client-id', 'certificate']).optional(),
  }),
  topics: topicProfile,
  /** When the platform was started that starts the app, ms since 1970: the same until the platform starts anew. */
  started: z.number().optional(),
})
export type AppConfig = z.infer<typeof appSchema>

/** Name of the certificate with which an application opens a session beside its first one. */
export function nameOfSession(config: AppConfig, session: SessionName): string {
  return config.marketplace.sessions === 'certificate' ? `${config.apid}.${session}` : config.apid
}

/**
 * Reads a configuration.
 * @throws LvcapError `config`, with the path and the reason of each misfit.
 */
export function parseConfig<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const r = schema.safeParse(value)
  if (r.success) return r.data
  const reasons = r.error.issues.map((i) => `${i.path.map(String).join('.') || '(top)'}: ${i.message}`)
  throw new LvcapError('config', `${what} does not fit: ${reasons.join('; ')}`, r.error)
}
