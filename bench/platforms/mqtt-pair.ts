/**
 * Two MQTT libraries as released, each in a program of its own on a host of its own: mqtt.js at the platform's place, aedes
 * behind the link. For demonstrations: what they do is told as `sent` and `seen` of src `mqtt` and `broker`.
 */
import type { Host, Json } from '../../drivers/faces.ts'
import { GridproofError } from '../../drivers/errors.ts'
import { duration } from '../../drivers/units.ts'
import type { Emit } from '../../sim/faces.ts'
import type { MqttPair, MqttPairUse } from '../faces.ts'
import type { PlayedLink } from './link.ts'

export interface MqttPairOptions {
  readonly site: Host
  readonly server: Host
  readonly port: number
  readonly link: PlayedLink | undefined
  emitAs(src: string): Emit
}

export const mqttSeries = {
  client: { src: 'mqtt', kind: 'seen', select: 'mqtt.*' },
  published: { src: 'mqtt', kind: 'sent', select: 'mqtt.published' },
  broker: { src: 'broker', kind: 'seen', select: 'broker.*' },
} as const

export function playMqttPair(o: MqttPairOptions): MqttPair {
  const client = o.emitAs('mqtt')
  const broker = o.emitAs('broker')
  const up = Promise.withResolvers<void>()
  const wordsOf = (entry: Json): { what: string; rest: { [k: string]: Json } } => {
    const { what, ...rest } = entry as { [k: string]: Json }
    return { what: typeof what === 'string' ? what : 'trouble', rest }
  }
  o.server.onLog((_, entry) => {
    const { what, rest } = wordsOf(entry)
    if (what === 'listening') up.resolve()
    broker(what === 'sends' ? 'sent' : 'seen', { alias: `broker.${what}`, ...rest })
  })
  o.site.onLog((_, entry) => {
    const { what, rest } = wordsOf(entry)
    client(what === 'published' ? 'sent' : 'seen', { alias: `mqtt.${what}`, ...rest })
  })
  const times = (t: MqttPairUse['sends']): { publishes?: Json } =>
    t === undefined ? {} : { publishes: { everyMs: duration(t.every), count: t.count } }
  let started = false
  return {
    ...mqttSeries,
    async start(use) {
      if (started) throw new GridproofError('bad-value', 'the two libraries run already')
      started = true
      await o.server.start('broker', {
        entry: 'sim/demonstrations/broker.ts',
        config: { port: o.port, ...times(use.sends) },
        defects: [],
      })
      await up.promise
      const at = { name: 'broker', address: o.server.address, port: o.port }
      const place = o.link === undefined ? at : await o.link.reach(at)
      await o.site.start('client', {
        entry: 'sim/demonstrations/client.ts',
        config: {
          address: place.address,
          port: place.port,
          keepalive: duration(use.keepalive) / 1000,
          ...times(use.publishes),
          ...(use.sends === undefined ? {} : { subscribes: true }),
        },
        defects: [],
      })
    },
  }
}
