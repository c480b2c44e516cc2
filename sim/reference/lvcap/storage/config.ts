/** Configuration of the Data Storage application (API sections 7, 8.4 to 8.6). Figures without a section are ours. */
import { z } from 'zod'
import { iidPattern } from '../api.ts'
import { parseConfig } from '../config.ts'
import type { JsonObject } from '../env.ts'

/** A query for this many records is always permitted, and is what MaxLength means where it is absent (section 8.5.1). */
export const alwaysRecords = 100
/** The most that an operator may permit (section 8.5.1). */
export const mostRecords = 15_000
/** The longest remaining length of an MQTT packet, in bytes (MQTT 3.1.1, section 2.2.3; API section 8.5.1). */
export const mostBytes = 268_435_455
/** Name of the table of the error topic, `storage/data/error/<IID>` (section 8.2.4): no instance may be called so. */
export const errorTable = 'error'

const iid = z.string().regex(iidPattern, 'an instance ID is <vendor>_<application>_<two digits>, or a UUID')
const table = z.union([iid, z.literal(errorTable)])
const tables = z.union([z.literal('all'), z.array(table)])

export const storageSchema = z.strictObject({
  /** Folder below the program's disk. */
  folder: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]*$/, 'expected one name of lower-case letters, digits and -')
    .default('storage'),
  /** Instances whose tables are there from the beginning; those of others are made when they first store. */
  instances: z.array(iid).default([]),
  /** Largest MaxLength that is accepted. */
  maxRecords: z.int().min(alwaysRecords).max(mostRecords).default(alwaysRecords),
  /** Longest response: the remaining length of its MQTT packet, in bytes, topic and headers included. */
  maxBytes: z.int().min(256).max(mostBytes).default(mostBytes),
  /** How far back a query may go, in seconds; absent: to the beginning. */
  maxAge: z.number().positive().optional(),
  /** Which instances may upload (section 8.5: nobody else may), and from which tables. */
  uploaders: z.record(iid, tables).default({}),
  /** From which tables an instance may read its history (section 8.6); all, where it is not named. */
  readers: z.record(iid, tables).default({}),
  /** Overrides the ToStore flag (table 20). The first that fits decides; without `subTopic` it fits all of the instance. */
  store: z.array(z.strictObject({ iid, subTopic: z.string().optional(), keep: z.boolean() })).default([]),
  /** What is kept at most, by table: the oldest records give way (section 8.5.1, maximum data age). */
  keep: z
    .strictObject({
      records: z.int().min(1).default(2_000_000),
      /** Age in seconds; absent: any. A record written before the clock was set would be old at once. */
      seconds: z.number().positive().optional(),
      /** Seconds between purges. */
      every: z.number().positive().max(86_400).default(60),
    })
    .prefault({}),
  /** Seconds between attempts to write while the disk takes nothing. */
  retry: z.number().positive().max(600).default(5),
})
export type StorageConfig = z.infer<typeof storageSchema>

/** @throws LvcapError `config`, with what does not fit. */
export function readConfig(containerConfig: JsonObject): StorageConfig {
  return parseConfig(storageSchema, containerConfig, 'the configuration of the Data Storage application')
}
