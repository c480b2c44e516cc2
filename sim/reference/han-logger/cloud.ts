/**
 * The way to the cloud: MQTT over TLS 1.2 or later, QoS 1. A reading leaves the outbox only when the broker has
 * acknowledged it; after a break everything unacknowledged is sent again, in order, under its old number.
 */
import { readFileSync } from 'node:fs'
import type { Duplex } from 'node:stream'
import { connect as connectTls, type ConnectionOptions } from 'node:tls'
import { type IClientOptions, MqttClient } from 'mqtt'
import { textOf } from '../lvcap/errors.ts'
import { type BrokerConfig, LoggerError } from './config.ts'
import type { Outbox } from './outbox.ts'

export interface Uplink {
  /** Something new waits in the outbox. */
  poke(): void
  readonly connected: boolean
  /** Acknowledged by the broker, and connections made. */
  readonly stats: { acknowledged: number; connections: number }
  close(): Promise<void>
}

export interface UplinkParts {
  /** Options of the TLS connection: who is trusted, and from which version on. */
  tls(broker: BrokerConfig, read: (file: string) => string): ConnectionOptions
  /** Quality of service of each reading. */
  qos(): 0 | 1
  /** Whether a reading is let go: once it is acknowledged. */
  letGo(stage: 'sent' | 'acknowledged'): boolean
}

export const uplinkParts: UplinkParts = {
  tls: (broker, read) => ({
    ca: read(broker.ca),
    ...(broker.cert === undefined ? {} : { cert: read(broker.cert) }),
    ...(broker.key === undefined ? {} : { key: read(broker.key) }),
    minVersion: 'TLSv1.2',
    // A name is proved as a name, an address as an address.
    ...(/^[\d.]+$|:/.test(broker.host) ? {} : { servername: broker.host }),
  }),
  qos: () => 1,
  letGo: (stage) => stage === 'acknowledged',
}

export interface UplinkOptions {
  readonly broker: BrokerConfig
  readonly outbox: Outbox
  readonly parts: UplinkParts
  readonly window: number
  readonly retryMs: number
  /** Opens the line below TLS: a socket, or a modem's serial line. Node's own TCP unless given. */
  readonly open?: () => Duplex
  readonly log: (entry: { readonly event: string; readonly [k: string]: string | number }) => void
}

export function createUplink(o: UplinkOptions): Uplink {
  const { broker, outbox, parts, log } = o
  const stats = { acknowledged: 0, connections: 0 }
  const read = (file: string): string => {
    try {
      return readFileSync(file, 'utf8')
    } catch (e) {
      throw new LoggerError(`${file} cannot be read: ${textOf(e)}`)
    }
  }
  const tls = parts.tls(broker, read)
  const options: IClientOptions = {
    protocolVersion: 4,
    clientId: broker.clientId,
    ...(broker.username === undefined ? {} : { username: broker.username }),
    ...(broker.password === undefined ? {} : { password: Buffer.from(broker.password) }),
    clean: true,
    keepalive: 30,
    reconnectPeriod: o.retryMs,
    connectTimeout: 30_000,
    queueQoSZero: false,
    timerVariant: 'native',
  }
  const client = new MqttClient(() => {
    const stream =
      o.open === undefined
        ? connectTls({ ...tls, host: broker.host, port: broker.port })
        : connectTls({ ...tls, socket: o.open() })
    stream.on('error', (e) => client.emit('error', e))
    return stream
  }, options)
  /** Numbers sent on this connection and not acknowledged. */
  const inFlight = new Set<number>()
  let sentTo = 0
  let closing = false

  const fill = (): void => {
    if (closing) return
    while (client.connected && inFlight.size < o.window) {
      const more = outbox.after(sentTo, o.window - inFlight.size)
      if (more.length === 0) return
      for (const w of more) send(w.sequence, w.payload)
    }
  }

  const send = (sequence: number, payload: string): void => {
    sentTo = sequence
    inFlight.add(sequence)
    const born = stats.connections
    if (parts.letGo('sent')) outbox.done(sequence)
    client.publish(broker.topic, payload, { qos: parts.qos() }, (e) => {
      // What a connection that is gone never acknowledged is sent again from the outbox.
      if (born !== stats.connections || !inFlight.delete(sequence)) return
      if (e !== undefined && e !== null) return
      stats.acknowledged++
      if (parts.letGo('acknowledged')) outbox.done(sequence)
      fill()
    })
  }

  client.on('connect', () => {
    stats.connections++
    inFlight.clear()
    sentTo = 0
    log({ event: 'cloud-connected', waiting: outbox.size })
    fill()
  })
  client.on('close', () => {
    if (inFlight.size > 0) log({ event: 'cloud-lost', unacknowledged: inFlight.size })
  })
  client.on('error', (e) => log({ event: 'cloud-refused', why: textOf(e) }))

  return {
    stats,
    poke: fill,
    get connected() {
      return client.connected
    },
    close() {
      closing = true
      return new Promise((resolve) => {
        client.end(!client.connected, () => resolve())
      })
    },
  }
}
