/** Configuration of the CSV Data Recorder (section 3.8: I:0090 to M:0043). All figures are ours. */
import { z } from 'zod'
import { iidPattern } from '../../api.ts'
import { parseConfig } from '../../config.ts'
import type { JsonObject } from '../../env.ts'

/** Columns by the name that stands in the header line. */
export const columns = ['RecordedAt', 'Publisher', 'Topic', 'Timestamp', 'Value', 'Valid', 'Payload'] as const
export type Column = (typeof columns)[number]

const iid = z.string().regex(iidPattern, 'an instance ID is <vendor>_<application>_<two digits>, or a UUID')

export const recorderSchema = z.strictObject({
  /** Folder below the program's disk. */
  folder: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]*$/, 'expected one name of lower-case letters, digits and -')
    .default('csv'),
  /** Order of the columns. */
  columns: z
    .array(z.enum(columns))
    .refine((list) => list.length === columns.length && new Set(list).size === columns.length, {
      message: `expected each of ${columns.join(', ')} once`,
    })
    .default([...columns]),
  /** Fields within quotes: where RFC 4180 needs them, or always. */
  quotes: z.enum(['needed', 'always']).default('needed'),
  rotate: z
    .strictObject({
      /** Bytes after which a new file is begun. */
      bytes: z.int().min(1_000).default(64_000_000),
      /** Whether each UTC day begins a new file. */
      daily: z.boolean().default(true),
    })
    .prefault({}),
  /** At most so many seconds pass until what was written is flushed to the disk itself: the tail that a loss of power may take. */
  syncSeconds: z.number().positive().max(3_600).default(1),
  /** Bytes that all files together may take; then the oldest gives way. 450 GB of the 512 GB of I:0038. */
  keepBytes: z.int().min(10_000).default(450_000_000_000),
  /** Instances that speak on topics without a name of theirs. */
  containerManager: iid.default('eatl_containermanager_00'),
})
export type RecorderConfig = z.infer<typeof recorderSchema>

/** @throws LvcapError `config`, with what does not fit. */
export function readConfig(containerConfig: JsonObject): RecorderConfig {
  return parseConfig(recorderSchema, containerConfig, 'the configuration of the CSV Data Recorder')
}
