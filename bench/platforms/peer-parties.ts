/**
 * Who the two platforms of a pair are to each other, how their Peer-to-Peer apps are configured, and on whose behalf the
 * bench publishes what they are to carry. Names of platforms are ours.
 */
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Json } from '../../drivers/faces.ts'
import type { DataEntry, PeerEnd } from '../faces.ts'
import type { Suffix } from '../rigs/pair.ts'
import type { TopicProfile } from './aliases.ts'

/** Common names on the platforms' certificates. */
export const platformNames = { a: 'platform-a', b: 'platform-b' } as const satisfies Record<PeerEnd, string>

/** Ends of the link by substation: the first one calls, the second one is called. */
export const endOf = (side: Suffix): PeerEnd => (side === '' ? 'a' : 'b')
export const otherEnd = (end: PeerEnd): PeerEnd => (end === 'a' ? 'b' : 'a')

/** Names this pair to a relay. */
export const pairName = 'pair-1'

/** Where the apps find each other. */
export interface PeerPlaces {
  /** What stands for the other's modem to the one that calls. */
  readonly crossing: { readonly address: string; readonly port: number }
  readonly relay: { readonly address: string; readonly port: number }
  /** On which the second one listens. */
  readonly port: number
}

export type RoadName = 'direct' | 'relay'

/** The road of one end, for its app's configuration. */
export function roadOf(end: PeerEnd, road: RoadName, p: PeerPlaces): Json {
  if (road === 'relay')
    return { relay: { ...p.relay, pair: pairName, as: end === 'a' ? 'client' : 'server' } }
  return end === 'a' ? { connect: p.crossing } : { listen: { port: p.port } }
}

/** ContainerConfig of the app at one end. */
export function peerConfig(side: Suffix, p: PeerPlaces, pki: string): { readonly [k: string]: Json } {
  const end = endOf(side)
  const partner = platformNames[otherEnd(end)]
  return {
    platform: platformNames[end],
    partner,
    road: roadOf(end, 'direct', p),
    // Shorter than the app's own figure: runs are short. Ours.
    retry: { first: 1, longest: 8 },
    // The operator has revoked an older certificate of the partner's.
    revoked: [new X509Certificate(readFileSync(join(pki, `intruder/${partner}-revoked.crt`))).serialNumber],
  }
}

/** One session of the bench at each marketplace stands for every app whose results are to be carried. */
export const sourceApid = 'eatl_peersources_1.0'
const sources = {
  predictor: 'eatl_loadpredictor_01',
  dtr: 'eatl_weathersense_01',
  gridkey: 'lucy_gridkeysensor_01',
  meshing: 'eatl_lvmeshing_01',
} as const
export const sourceGuests: readonly { readonly apid: string; readonly iid: string }[] = Object.values(
  sources,
).map((iid) => ({ apid: sourceApid, iid }))

/** What the reference app carries unless it is configured otherwise: what LoadSense needs (I:00145). */
export function carriedByDefault(profile: TopicProfile): readonly DataEntry[] {
  const spec = profile === 'spec'
  const algorithm = (iid: string, rest: string): string => `algorithm/data/${iid}/${rest}`
  const sensor = (iid: string, rest: string): string => `sensor/data/${iid}/${rest}`
  return [
    { name: 'transformer/forecast', topic: algorithm(sources.predictor, 'transformer/forecast') },
    { name: 'feeder/forecast', topic: algorithm(sources.predictor, 'feeder/forecast') },
    { name: 'rating/forecast', topic: algorithm(sources.dtr, 'transformer/rating/forecast') },
    { name: 'hot_spot', topic: algorithm(sources.dtr, 'transformer/hot_spot') },
    ...[1, 2, 3].flatMap((p) => [
      {
        name: `voltage/l${p}`,
        topic: sensor(
          sources.gridkey,
          spec ? `Busbar/voltage/60s/L${p}-N_RMS` : `gridkey-mcu520/60/busbar/l${p}/voltage-mean`,
        ),
      },
      {
        name: `current/l${p}`,
        topic: sensor(
          sources.gridkey,
          spec ? `Feeder1/current/60s/L${p}_RMS` : `gridkey-mcu520/60/feeder/1/l${p}/current-mean`,
        ),
      },
      {
        name: `breaker/l${p}`,
        topic: sensor(sources.meshing, spec ? `L${p}/MHR_SHADOW_FAULT_STATUS` : `feeder1/l${p}/fault_flags`),
      },
    ]),
  ]
}
