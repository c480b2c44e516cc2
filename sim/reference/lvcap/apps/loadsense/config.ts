/**
 * Configuration of LoadSense (M:0044, M:0045). The specification says that its rules were not agreed (I:0097), so the
 * rules and every threshold here are ours; the voltage limits are 230 V +10 % and -6 % (SI 1994/3021).
 */
import { z } from 'zod'
import { parseConfig } from '../../config.ts'
import type { JsonObject } from '../../env.ts'

const seconds = z.number().nonnegative().max(604_800)
const share = z.number().positive().max(2)

export const loadSenseSchema = z
  .strictObject({
    /** Whether the breakers at this end are the ones that are open as a rule: only those are closed to mesh. */
    normallyOpen: z.boolean().default(true),
    /**
     * Whether breakers are fitted here. Without any, decisions are made and commanded all the same (M:0037), on what is
     * known of loads and ratings alone.
     */
    fitted: z.boolean().default(true),
    /** When relief is needed: the forecast is above the rating in so many half-hours from now on, or it is now. */
    need: z
      .strictObject({
        horizon: seconds.default(14_400),
        halfHours: z.int().min(1).max(48).default(2),
        /** °C measured or reckoned now. */
        hotSpot: z.number().default(120),
      })
      .prefault({}),
    /** Oldest data that is decided on, seconds: temperatures, loads and forecasts; readings of the breakers. */
    age: z.strictObject({ data: seconds.default(120), breakers: seconds.default(30) }).prefault({}),
    /** What the side that helps must have left for as long as the mesh is planned. */
    room: z
      .strictObject({
        dwell: seconds.default(14_400),
        ofRating: share.default(0.9),
        /** Share of the shared feeder's load that may come to it: 1 is all of it. */
        transfer: share.default(1),
      })
      .prefault({}),
    /** Volts, line to neutral, on both sides of an open breaker; and how far apart they may be. */
    voltage: z
      .strictObject({
        least: z.number().positive().default(216.2),
        most: z.number().positive().default(253),
        apart: z.number().positive().default(5),
      })
      .prefault({}),
    /** Between operations, and in a day (UTC) before the next closing. */
    operations: z
      .strictObject({ rest: seconds.default(1800), aDay: z.int().min(1).max(1000).default(8) })
      .prefault({}),
    /** When to go apart again: both sides alone stay below this share of their ratings for so long. */
    part: z
      .strictObject({
        ofRating: share.default(0.85),
        ahead: seconds.default(7200),
        dwell: seconds.default(1800),
      })
      .prefault({}),
    /** How long a mesh is kept without a word from the peer. */
    peerLost: seconds.default(900),
    /** Three commands, one a phase: the time between two, and until all three must be read back. Seconds. */
    sequence: z
      .strictObject({
        between: z.number().positive().max(1).default(0.5),
        readBack: z.number().positive().max(60).default(5),
      })
      .prefault({}),
  })
  .refine((c) => c.voltage.least < c.voltage.most, {
    path: ['voltage', 'least'],
    message: 'the least voltage is below the most',
  })
export type LoadSenseConfig = z.infer<typeof loadSenseSchema>

/** @throws LvcapError `config`, with what does not fit. */
export function readConfig(containerConfig: JsonObject): LoadSenseConfig {
  return parseConfig(loadSenseSchema, containerConfig, 'the configuration of LoadSense')
}
