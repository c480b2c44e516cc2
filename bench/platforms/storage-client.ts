/** A client of the marketplace, as the apps have one that the bench plays at Data Storage. */
import { connect } from 'mqtt'
import type { MqttClient } from 'mqtt'
import { tlsOptions } from './observer.ts'
import type { Door } from './observer.ts'
import type { Heard } from './storage-answer.ts'

/** How long an acknowledgement or an answer may take, in ms: ours. */
export const patience = 30_000

export interface Client {
  readonly up: Promise<void>
  publish(topic: string, text: string, qos: 1 | 2): Promise<void>
  /** The next message on a topic that it subscribed. */
  hear(topic: string, qos: 1 | 2): Promise<() => Promise<Heard | undefined>>
  again(): void
  close(): Promise<void>
}

export function openClient(door: Door): Client {
  const client: MqttClient = connect({
    protocol: 'mqtts',
    host: door.address,
    port: door.port,
    ...tlsOptions(door),
    clientId: door.name,
    username: door.name,
    clean: false,
    keepalive: 30,
    reconnectPeriod: 1000,
    connectTimeout: 10_000,
  })
  client.on('error', () => undefined)
  const up = new Promise<void>((resolve) => {
    client.once('connect', () => resolve())
  })
  const waiting = new Map<string, (h: Heard) => void>()
  const subscribed = new Set<string>()
  client.on('message', (topic, bytes, packet) => {
    waiting.get(topic)?.({ bytes, qos: packet.qos, retain: packet.retain })
    waiting.delete(topic)
  })
  return {
    up,
    async publish(topic, text, qos) {
      await client.publishAsync(topic, text, { qos })
    },
    async hear(topic, qos) {
      if (!subscribed.has(topic)) await client.subscribeAsync(topic, { qos })
      subscribed.add(topic)
      return async () => {
        const heard = Promise.withResolvers<Heard | undefined>()
        waiting.set(topic, heard.resolve)
        const timer = setTimeout(() => heard.resolve(undefined), patience)
        const h = await heard.promise
        clearTimeout(timer)
        waiting.delete(topic)
        return h
      }
    },
    again() {
      if (client.connected) client.stream.destroy()
    },
    async close() {
      await client.endAsync(true).catch(() => undefined)
    },
  }
}
