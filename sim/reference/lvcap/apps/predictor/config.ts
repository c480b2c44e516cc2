/**
 * Configuration of the Load Profile Predictor (I:0083 to I:0089, M:0038).
 *
 * Why four weeks (I:0086): loads repeat by the week, so a half-hour is foretold from the same half-hour of the same
 * weekday. On a public series of eight months (a Western Power Distribution primary substation, 24 h from midnight)
 * the mean of 1, 2, 3, 4, 6 and 8 such weeks is off by 10.3, 9.3, 9.2, 9.4, 10.3 and 11.3 %: it is flat from two to
 * four, and more history makes it worse, for it carries the last season into this one. Four are the most that cost
 * nothing: one week with a holiday or an outage then weighs least. What four weeks cannot know, that it has just
 * become colder, the last day tells: its ratio to what was to be expected of it scales the forecast. So nothing older
 * than four weeks and a day is asked for, and no more than so many half-hours are kept, however much the platform has
 * (I:0085): 1,392 numbers a circuit, and two in the making.
 */
import { z } from 'zod'
import { parseConfig } from '../../config.ts'
import type { JsonObject } from '../../env.ts'
import { iidPattern } from '../../api.ts'

const iid = z.string().regex(iidPattern)
const feeder = z.int().min(1).max(5)

export const predictorSchema = z
  .strictObject({
    /** Weeks of history. */
    weeks: z.int().min(1).max(8).default(4),
    /** Weeks that a half-hour must have for the forecast to be valid. Ours. */
    leastWeeks: z.int().min(1).max(8).default(2),
    /** How much of the last day's ratio is followed: 0 not at all, 1 wholly. Ours: the best on the series above. */
    follow: z.number().min(0).max(1).default(0.7),
    /** The ratio is taken as at most this, and at least its inverse. Ours. */
    mostRatio: z.number().min(1).max(10).default(2),
    /** Share of its samples that a half-hour must have to count. Ours. */
    coverage: z.number().min(0).max(1).default(0.5),
    /** Seconds between samples of the load, where nothing says it of the sample itself. */
    sampleEvery: z.number().positive().max(1800).default(60),
    /** Whose currents it learns from, and at which of its feeders the circuits are: six coils are fitted (I:0053). */
    gridkey: iid.default('lucy_gridkeysensor_01'),
    circuits: z.strictObject({ transformer: feeder.default(1), feeder: feeder.default(2) }).prefault({}),
    /** Its own folder on the disk. */
    folder: z
      .string()
      .regex(/^[a-z0-9-]+$/)
      .default('predictor'),
    /** Seconds after a half-hour at which the forecast from it on is made: 5 in the API's figure 10. */
    after: z.number().min(0).max(600).default(5),
    /** Seconds after its start at which the first one is made, whatever the hour. Ours. */
    firstAfter: z.number().min(0).max(600).default(10),
    /** Seconds between two savings of what it has learnt: so much a crash may cost. Ours. */
    saveEvery: z.number().min(10).max(1800).default(300),
    toStore: z.boolean().default(true),
  })
  .refine((c) => c.leastWeeks <= c.weeks, {
    path: ['leastWeeks'],
    message: 'at most as many as `weeks`',
  })
export type PredictorConfig = z.infer<typeof predictorSchema>

/** What it foretells the load of. */
export const circuits = ['transformer', 'feeder'] as const
export type Circuit = (typeof circuits)[number]

/** @throws LvcapError `config`, with what does not fit. */
export function readConfig(containerConfig: JsonObject): PredictorConfig {
  return parseConfig(predictorSchema, containerConfig, 'the configuration of the Load Profile Predictor')
}
