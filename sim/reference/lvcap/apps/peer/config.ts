/**
 * Configuration of the Peer-to-Peer application (OpenLV requirements, section 3.12.5: I:00144 to I:00148, M:0087, M:0088).
 * What it needs is given there; protocol, roads and figures are ours.
 */
import { z } from 'zod'
import { topics } from '../../api.ts'
import { parseConfig, type AppConfig, type TopicProfile } from '../../config.ts'
import type { JsonObject } from '../../env.ts'

/** Names of data under `partner/`: levels of a topic. */
export const dataName = /^[a-z0-9_]+(?:\/[a-z0-9_]+){0,3}$/
/** Longest name, in characters. */
export const longestName = 64
/** Most names in a data set. */
export const mostNames = 100

/** Common names of platforms, which are names of files too. */
const platformName = z.string().regex(/^[a-z0-9][a-z0-9.-]{0,62}$/, 'expected the common name of a platform')
const port = z.int().min(1).max(65_535)
const place = z.strictObject({ address: z.string().min(1).max(253), port })

/** One end of a direct road listens, the other connects; where neither can be reached from outside, both go to a relay. */
const road = z.union([
  z.strictObject({ listen: z.strictObject({ address: z.string().min(1).optional(), port }) }),
  z.strictObject({ connect: place }),
  z.strictObject({
    relay: place.extend({
      /** Names the pair to the relay: no secret, since who is at the other end is proved by TLS. */
      pair: z.string().regex(/^[a-z0-9-]{1,64}$/, 'expected lower-case letters, digits and -'),
      /** Which part this end has in TLS; the other end has the other. */
      as: z.enum(['server', 'client']),
    }),
  }),
])
export type Road = z.infer<typeof road>

const entry = z.strictObject({
  name: z.string().max(longestName).regex(dataName, 'expected levels of lower-case letters, digits and _'),
  topic: z
    .string()
    .min(1)
    .max(400)
    .refine((t) => !/[+#\0]/.test(t), 'expected one topic, without + or #'),
})
export type DataEntry = z.infer<typeof entry>

const dataSet = z
  .array(entry)
  .max(mostNames)
  .refine((list) => new Set(list.map((e) => e.name)).size === list.length, 'expected each name once')

export const peerSchema = z.strictObject({
  /** Common name of this platform; the certificate and key of that name are shown. */
  platform: platformName,
  /** Common name that the partner's certificate must have. */
  partner: platformName,
  road,
  /** What the partner is sent; absent: what LoadSense needs of the linked substation (I:00145). */
  dataSet: dataSet.optional(),
  /** Serial numbers, hexadecimal, of certificates that count no more. */
  revoked: z.array(z.string().regex(/^[0-9a-fA-F]+$/)).default([]),
  /** Seconds between two signs of life. */
  heartbeat: z.number().min(0.5).max(3_600).default(5),
  /** Seconds of silence after which the partner counts as dead. */
  deadAfter: z.number().min(1).max(86_400).default(15),
  /** Seconds between two reports whether it lives. */
  aliveEvery: z.number().min(1).max(3_600).default(10),
  /** Seconds for TLS, and for the partner's first word after it. */
  handshake: z.number().min(1).max(600).default(10),
  /** Seconds until a lost connection is tried again: doubled from the first to the longest, and up to half of it less by chance. */
  retry: z
    .strictObject({
      first: z.number().min(0.1).max(3_600).default(1),
      longest: z.number().min(0.1).max(3_600).default(30),
    })
    .prefault({}),
  /**
   * At the start, values that Data Storage has kept for at most so many seconds are told to the partner; 0: none are. Two
   * hours: a rating is told each hour.
   */
  stored: z.int().min(0).max(604_800).default(7_200),
  /** Longest frame in bytes: a longer value is not sent, and a longer frame ends the connection. */
  maxFrame: z.int().min(1_000).max(64_000_000).default(1_000_000),
  /** Values that may be under way unacknowledged; beyond that only the latest of each name is kept. */
  window: z.int().min(1).max(10_000).default(32),
})

export type PeerConfig = Omit<z.infer<typeof peerSchema>, 'dataSet'> & {
  readonly dataSet: readonly DataEntry[]
}

/** @throws LvcapError `config`, with what does not fit. */
export function readConfig(containerConfig: JsonObject, app: AppConfig): PeerConfig {
  const c = parseConfig(
    peerSchema.refine((p) => p.deadAfter >= 2 * p.heartbeat, {
      path: ['deadAfter'],
      message: 'expected at least two heartbeats',
    }),
    containerConfig,
    'the configuration of the Peer-to-Peer application',
  )
  return { ...c, dataSet: c.dataSet ?? defaultDataSet(app.topics) }
}

/** Where LoadSense's sources publish on a platform that is set up as every other. */
const sources = {
  predictor: topics.algorithm('eatl_loadpredictor_01'),
  dtr: topics.algorithm('eatl_weathersense_01'),
  gridkey: topics.sensor('lucy_gridkeysensor_01'),
  meshing: topics.sensor('eatl_lvmeshing_01'),
} as const

/** Forecasts, ratings, and what transformer and breakers show now; the feeder monitor's at its interval of 60 s. */
export function defaultDataSet(profile: TopicProfile): readonly DataEntry[] {
  const { predictor, dtr, gridkey, meshing } = sources
  const spec = profile === 'spec'
  return [
    { name: 'transformer/forecast', topic: `${predictor}/transformer/forecast` },
    { name: 'feeder/forecast', topic: `${predictor}/feeder/forecast` },
    { name: 'rating/forecast', topic: `${dtr}/transformer/rating/forecast` },
    { name: 'hot_spot', topic: `${dtr}/transformer/hot_spot` },
    ...['1', '2', '3'].flatMap((p) => [
      {
        name: `voltage/l${p}`,
        topic: spec
          ? `${gridkey}/Busbar/voltage/60s/L${p}-N_RMS`
          : `${gridkey}/gridkey-mcu520/60/busbar/l${p}/voltage-mean`,
      },
      {
        name: `current/l${p}`,
        topic: spec
          ? `${gridkey}/Feeder1/current/60s/L${p}_RMS`
          : `${gridkey}/gridkey-mcu520/60/feeder/1/l${p}/current-mean`,
      },
      {
        name: `breaker/l${p}`,
        topic: spec ? `${meshing}/L${p}/MHR_SHADOW_FAULT_STATUS` : `${meshing}/feeder1/l${p}/fault_flags`,
      },
    ]),
  ]
}
