/** Which topic tells what, and what a message on it says. */
import { topics } from '../../api.ts'
import type { TopicProfile } from '../../config.ts'
import type { JsonObject } from '../../env.ts'
import { matches } from '../../marketplace/acl.ts'
import { scalarObject, seriesObject } from '../../objects.ts'
import type { LoadSenseConfig } from './config.ts'
import { phases, type Phase } from './sequence.ts'
import type { Steps } from './situation.ts'

export type StationItem = 'forecast' | 'feeder' | 'rating' | 'hot-spot' | `current.${Phase}`
export type BreakerItem = 'status' | 'bus' | 'cable' | 'opened' | 'closed' | 'after'
export type Item =
  | `local.${StationItem}`
  | `peer.${StationItem}`
  | 'peer.alive'
  | `peer.status.${Phase}`
  | `breaker.${BreakerItem}.${Phase}`
  | 'isolation'

export interface Source {
  /** Topic filter. */
  readonly filter: string
  readonly item: Item
  readonly tells: 'series' | 'number' | 'boolean'
}

/** What a message says. Unix seconds; a value that is not valid is not looked at. */
export interface Reading {
  readonly at: number
  readonly valid: boolean
  readonly value: number | boolean | Steps | undefined
}

/** Names of the sensors: those of the specification, and as fielded in 2018. An interval in a name may be any. */
const names: Readonly<
  Record<TopicProfile, Readonly<Record<'current' | Exclude<BreakerItem, 'after'>, (p: Phase) => string>>>
> = {
  spec: {
    current: (p) => `Feeder1/current/+/${p.toUpperCase()}_RMS`,
    status: (p) => `${p.toUpperCase()}/MHR_SHADOW_FAULT_STATUS`,
    bus: (p) => `${p.toUpperCase()}/MIR_BUS_VOLTAGE_RMS`,
    cable: (p) => `${p.toUpperCase()}/MIR_CABLE_VOLTAGE_RMS`,
    opened: (p) => `${p.toUpperCase()}/MIR_OPEN_OPERATIONS`,
    closed: (p) => `${p.toUpperCase()}/MIR_CLOSE_OPERATIONS`,
  },
  'openlv-2018': {
    current: (p) => `gridkey-mcu520/+/feeder/1/${p}/current-mean`,
    status: (p) => `feeder1/${p}/fault_flags`,
    bus: (p) => `feeder1/${p}/busbar_voltage`,
    cable: (p) => `feeder1/${p}/cable_voltage`,
    opened: (p) => `feeder1/${p}/open_operations`,
    closed: (p) => `feeder1/${p}/close_operations`,
  },
}

/** Every source of a configuration; sensors are named by the topic profile where the configuration does not. */
export function sourcesOf(c: LoadSenseConfig, profile: TopicProfile): readonly Source[] {
  const { predictor, dtr, gridkey, meshing, peer, isolation } = c.sources
  const sensor = (iid: string, name: string): string => `${topics.sensor(iid)}/${name}`
  const result = (iid: string, name: string): string => `${topics.algorithm(iid)}/${name}`
  const named = names[profile]
  return [
    { filter: result(predictor.iid, predictor.forecast), item: 'local.forecast', tells: 'series' },
    { filter: result(predictor.iid, predictor.feeder), item: 'local.feeder', tells: 'series' },
    { filter: result(dtr.iid, dtr.rating), item: 'local.rating', tells: 'series' },
    { filter: result(dtr.iid, dtr.hotSpot), item: 'local.hot-spot', tells: 'number' },
    { filter: result(peer.iid, peer.alive), item: 'peer.alive', tells: 'boolean' },
    { filter: result(peer.iid, peer.forecast), item: 'peer.forecast', tells: 'series' },
    { filter: result(peer.iid, peer.feeder), item: 'peer.feeder', tells: 'series' },
    { filter: result(peer.iid, peer.rating), item: 'peer.rating', tells: 'series' },
    { filter: result(peer.iid, peer.hotSpot), item: 'peer.hot-spot', tells: 'number' },
    ...phases.flatMap((p, i): Source[] => {
      const own = (what: keyof typeof named): string =>
        sensor(meshing.iid, (what === 'current' ? undefined : meshing[what]?.[i]) ?? named[what](p))
      return [
        {
          filter: sensor(gridkey.iid, gridkey.current?.[i] ?? named.current(p)),
          item: `local.current.${p}`,
          tells: 'number',
        },
        { filter: result(peer.iid, peer.current[i] ?? ''), item: `peer.current.${p}`, tells: 'number' },
        { filter: result(peer.iid, peer.status[i] ?? ''), item: `peer.status.${p}`, tells: 'number' },
        ...(c.fitted
          ? ([
              { filter: own('status'), item: `breaker.status.${p}`, tells: 'number' },
              { filter: own('bus'), item: `breaker.bus.${p}`, tells: 'number' },
              { filter: own('cable'), item: `breaker.cable.${p}`, tells: 'number' },
              { filter: own('opened'), item: `breaker.opened.${p}`, tells: 'number' },
              { filter: own('closed'), item: `breaker.closed.${p}`, tells: 'number' },
              {
                filter: result(meshing.iid, meshing.after[i] ?? ''),
                item: `breaker.after.${p}`,
                tells: 'boolean',
              },
            ] satisfies Source[])
          : []),
      ]
    }),
    ...(isolation === undefined
      ? []
      : [
          sensorOrResult(isolation.iid, isolation.name, 'sensor'),
          sensorOrResult(isolation.iid, isolation.name),
        ]),
  ]
}

/** A contact may be told of by a sensor application or by any other. */
function sensorOrResult(iid: string, name: string, by?: 'sensor'): Source {
  const top = by === 'sensor' ? topics.sensor(iid) : topics.algorithm(iid)
  return { filter: `${top}/${name}`, item: 'isolation', tells: 'boolean' }
}

/** The source that a topic belongs to. */
export function sourceFinder(sources: readonly Source[]): (topic: string) => Source | undefined {
  const exact = new Map(sources.filter((s) => !s.filter.includes('+')).map((s) => [s.filter, s]))
  const open = sources.filter((s) => s.filter.includes('+'))
  return (topic) => exact.get(topic) ?? open.find((s) => matches(s.filter, topic))
}

/** Most values of a series that is taken. Ours. */
const longest = 10_000

/**
 * What a message says: a Scalar (API 9.1) with a number or a boolean, or a Series of numbers (API 9.2). Undefined: not of
 * the shape that is expected there.
 */
export function readingOf(body: JsonObject, tells: Source['tells']): Reading | undefined {
  if (tells === 'series') {
    const s = seriesObject.safeParse(body)
    if (!s.success || s.data.Value.length > longest) return undefined
    const { Timestamp: at, Valid: valid, StartPoint: start, Interval: interval, Value } = s.data
    if (!valid) return { at, valid, value: undefined }
    const values = Value.filter((v) => typeof v === 'number')
    const whole = values.length === Value.length && values.length > 0
    return whole ? { at, valid, value: { start, interval, values } } : undefined
  }
  const s = scalarObject.safeParse(body)
  if (!s.success) return undefined
  const { Timestamp: at, Valid: valid, Value: value } = s.data
  if (!valid) return { at, valid, value: undefined }
  return typeof value === tells ? { at, valid, value: value ?? undefined } : undefined
}
