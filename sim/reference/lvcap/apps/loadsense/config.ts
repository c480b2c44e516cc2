/**
 * Configuration of LoadSense (M:0044, M:0045). The specification says that its rules were not agreed (I:0097), so the
 * rules and every threshold here are ours; the voltage limits are 230 V +10 % and -6 % (SI 1994/3021).
 */
import { z } from 'zod'
import { iidPattern } from '../../api.ts'
import { parseConfig } from '../../config.ts'
import type { JsonObject } from '../../env.ts'

const seconds = z.number().nonnegative().max(604_800)
const share = z.number().positive().max(2)
const iid = z.string().regex(iidPattern, 'an instance ID')
/** What follows the instance in a topic; `+` stands for any level. */
const name = z.string().min(1).max(200)
const bit = z.int().min(0).max(15)
/** One a phase. */
const three = z.tuple([name, name, name])
const each = (f: (phase: 'l1' | 'l2' | 'l3') => string): [string, string, string] => [
  f('l1'),
  f('l2'),
  f('l3'),
]

/** Who tells what, by instance and name. Names of sensors that are not given here are those of the topic profile. */
const sources = z
  .strictObject({
    predictor: z
      .strictObject({
        iid: iid.default('eatl_loadpredictor_01'),
        forecast: name.default('transformer/forecast'),
        feeder: name.default('feeder/forecast'),
      })
      .prefault({}),
    dtr: z
      .strictObject({
        iid: iid.default('eatl_weathersense_01'),
        rating: name.default('transformer/rating/forecast'),
        hotSpot: name.default('transformer/hot_spot'),
      })
      .prefault({}),
    /** The transformer's currents: circuit 1 of the feeder monitor. */
    gridkey: z
      .strictObject({ iid: iid.default('lucy_gridkeysensor_01'), current: three.optional() })
      .prefault({}),
    meshing: z
      .strictObject({
        iid: iid.default('eatl_lvmeshing_01'),
        status: three.optional(),
        bus: three.optional(),
        cable: three.optional(),
        opened: three.optional(),
        closed: three.optional(),
        /** What it found after a command. */
        after: three.default(each((p) => `operation/${p}/after`)),
      })
      .prefault({}),
    peer: z
      .strictObject({
        iid: iid.default('eatl_peer_01'),
        alive: name.default('alive'),
        forecast: name.default('partner/transformer/forecast'),
        feeder: name.default('partner/feeder/forecast'),
        rating: name.default('partner/rating/forecast'),
        hotSpot: name.default('partner/hot_spot'),
        current: three.default(each((p) => `partner/current/${p}`)),
        status: three.default(each((p) => `partner/breaker/${p}`)),
      })
      .prefault({}),
    /** A contact of the isolation switch, where one is wired: true while it is engaged. Silent, it counts as engaged. */
    isolation: z.strictObject({ iid, name }).optional(),
  })
  .prefault({})

/** Bits of MHR_SHADOW_FAULT_STATUS. No register map is published: they are those of our stand-in. */
const bits = z
  .strictObject({
    closed: bit.default(0),
    open: bit.default(1),
    lockout: bit.default(2),
    reclosing: bit.default(3),
    /** Overcurrent trip, cable fault, over-temperature, last operation failed, self-test. */
    fault: z.array(bit).default([4, 5, 6, 11, 12]),
    /** Stored energy low, as it is for seconds after each closing; closing blocked. */
    unready: z.array(bit).default([7, 13]),
    localControl: bit.default(8),
    /** The register is no copy of now: as if it had not been read. */
    stale: bit.default(15),
  })
  .prefault({})

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
    /**
     * Oldest data that is decided on, seconds: measured loads and temperatures; forecasts and ratings, which come every
     * half-hour, so that one may be missed; readings of the breakers; the word that the peer is there, which comes every 10 s.
     */
    age: z
      .strictObject({
        data: seconds.default(120),
        forecast: seconds.default(3900),
        breakers: seconds.default(90),
        alive: seconds.default(30),
      })
      .prefault({}),
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
        /**
         * By so much a status may be older than its stamp: it is read ahead of its output, from a copy that lags. So long it
         * does not gainsay what was found after a command; its flags count.
         */
        lag: seconds.default(6),
        /** How long breakers may disagree, as they do while they are read one after the other: one pole alone is a fault. */
        settle: z.number().nonnegative().max(60).default(1),
      })
      .prefault({}),
    /** Longest time between two decisions, seconds; each message brings one too, `gather` seconds after it. */
    every: z.number().positive().max(10).default(10),
    gather: z.number().positive().max(5).default(0.2),
    /** Any text that is new here ends a lock-out: a person lets the automation in again. */
    letIn: z.string().max(200).default(''),
    sources,
    bits,
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
