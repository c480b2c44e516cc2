/**
 * Configuration of the Load Profile Predictor (I:0083 to I:0089, M:0038).
 *
 * Why four weeks (I:0086): loads repeat by the week, so a half-hour is foretold from the same half-hour of the same
 * weekday. On a public series of eight months (a Western Power Distribution primary substation, 24 h from midnight)
 * the mean of 1, 2, 3, 4, 6 and 8 such weeks is off by 10.3, 9.3, 9.2, 9.4, 10.3 and 11.3 %: it is flat from two to
 * four, and more history makes it worse, for it carries the last season into this one. Four are the most that cost
 * nothing: one week with a holiday or an outage then weighs least. What four weeks cannot know, that it has just
 * become colder, the last day tells: its ratio to what was to be expected of it scales the forecast. So nothing older
 * than four weeks and a day is asked for or kept, however much the platform has (I:0085): 1,392 numbers a channel.
 */
import { z } from 'zod'
import { parseConfig } from '../../config.ts'
import type { JsonObject } from '../../env.ts'

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
    /** Seconds between samples of the load. */
    sampleEvery: z.number().positive().max(1800).default(60),
  })
  .refine((c) => c.leastWeeks <= c.weeks, {
    path: ['leastWeeks'],
    message: 'at most as many as `weeks`',
  })
export type PredictorConfig = z.infer<typeof predictorSchema>

/** @throws LvcapError `config`, with what does not fit. */
export function readConfig(containerConfig: JsonObject): PredictorConfig {
  return parseConfig(predictorSchema, containerConfig, 'the configuration of the Load Profile Predictor')
}
