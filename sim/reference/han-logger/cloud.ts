/**
 * The way to the cloud: MQTT over TLS 1.2 or later, QoS 1. A reading leaves the outbox only when the broker has
 * acknowledged it; after a break everything unacknowledged is sent again, in order, under its old number.
 *
 * Each connection has a client of its own: one that reconnects by itself would send what it remembers beside what the
 * outbox gives, and so everything twice.
 */
import { readFileSync } from 'node:fs'
import type { Duplex } from 'node:stream'
import { connect as connectTls, type ConnectionOptions, createSecureContext } from 'node:tls'
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
    ...(broker.ca === undefined ? {} : { ca: read(broker.ca) }),
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
  /** Opens the line below TLS: a modem's. Node's own TCP unless given. */
  readonly open?: (host: string, port: number) => Duplex
  /** How long a connection may take to stand, ms: 30 s unless given. A slow line needs more. */
  readonly patience?: number
  /** Seconds of silence after which the broker is asked for a sign of life; it has half as long again. 30 unless given. */
  readonly keepalive?: number
  readonly log: (entry: { readonly event: string; readonly [k: string]: string | number }) => void
}

/** What stands in a file, or the text itself where it is given instead of a file. */
function pem(source: string): string {
  if (source.startsWith('-----BEGIN')) return source
  try {
    return readFileSync(source, 'utf8')
  } catch (e) {
    throw new LoggerError(`${source} cannot be read: ${textOf(e)}`)
  }
}

/**
 * TLS options that Node takes.
 * @throws LoggerError for a file that cannot be read, or is no certificate or key
 */
export function tlsOf(broker: BrokerConfig, parts: UplinkParts): ConnectionOptions {
  const tls = parts.tls(broker, pem)
  try {
    createSecureContext(tls)
  } catch (e) {
    throw new LoggerError(`the certificates for ${broker.host} cannot be used: ${textOf(e)}`)
  }
  return tls
}

/** Time in which a broker may acknowledge what is under way when the reader ends, ms. Ours. */
const farewell = 2_000

/** @throws LoggerError as `tlsOf` */
export function createUplink(o: UplinkOptions): Uplink {
  const { broker, outbox, parts, log } = o
  const stats = { acknowledged: 0, connections: 0 }
  const tls = tlsOf(broker, parts)
  const options: IClientOptions = {
    protocolVersion: 4,
    clientId: broker.clientId,
    ...(broker.username === undefined ? {} : { username: broker.username }),
    ...(broker.password === undefined ? {} : { password: Buffer.from(broker.password) }),
    clean: true,
    keepalive: o.keepalive ?? 30,
    reconnectPeriod: 0,
    connectTimeout: o.patience ?? 30_000,
    queueQoSZero: false,
    timerVariant: 'native',
  }
  let current: Connection | undefined
  let retry: NodeJS.Timeout | undefined
  let closing = false
  let told = ''

  interface Connection {
    readonly client: MqttClient
    fill(): void
  }

  const connect = (): void => {
    /** Numbers sent on this connection and not acknowledged. */
    const inFlight = new Set<number>()
    let sentTo = 0
    let stood = false
    let over = false

    const end = (why: string): void => {
      if (over) return
      over = true
      if (current?.client === client) current = undefined
      client.end(true)
      if (closing) return
      if (stood) log({ event: 'cloud-lost', why, unacknowledged: inFlight.size })
      // Said once, not at every try of a night.
      else if (told !== why) log({ event: 'cloud-refused', why })
      told = stood ? '' : why
      retry = setTimeout(connect, o.retryMs)
    }
    const fill = (): void => {
      try {
        // Another round follows each acknowledgement.
        if (over || closing || !client.connected || inFlight.size >= o.window) return
        for (const w of outbox.after(sentTo, o.window - inFlight.size)) send(w.sequence, w.payload)
      } catch (e) {
        log({ event: 'disk', why: textOf(e) })
      }
    }
    const send = (sequence: number, payload: string): void => {
      sentTo = sequence
      inFlight.add(sequence)
      if (parts.letGo('sent')) outbox.done(sequence)
      client.publish(broker.topic, payload, { qos: parts.qos() }, (e) => {
        // What a connection that is gone never acknowledged is sent again from the outbox.
        if (over || !inFlight.delete(sequence)) return
        if (e !== undefined && e !== null) return
        stats.acknowledged++
        if (parts.letGo('acknowledged')) outbox.done(sequence)
        fill()
      })
    }

    const client = new MqttClient(() => {
      const { host, port } = broker
      const stream = connectTls({
        ...tls,
        host,
        port,
        // Keys of the newer exchanges are of more than 1 kB each way: a minute at 300 baud.
        ...(o.open === undefined ? {} : { socket: o.open(host, port), ecdhCurve: 'X25519:P-256:P-384' }),
      })
      // Said by TLS alone: that a certificate is refused.
      // OpenSSL's text begins with the address of a thread, which says nothing.
      stream.on('error', (e) => end(textOf(e).replace(/^[0-9A-F]+:error:/, '')))
      return stream
    }, options)
    current = { client, fill }
    client.on('connect', () => {
      stood = true
      told = ''
      stats.connections++
      log({ event: 'cloud-connected', waiting: outbox.size })
      const { subscribe } = broker
      if (subscribe !== undefined)
        client.subscribe(subscribe, { qos: 1 }, (e) => {
          if (e !== null && e !== undefined && !over)
            log({ event: 'cloud-unheard', topic: subscribe, why: textOf(e) })
        })
      fill()
    })
    // Told by the cloud, and kept in the log: what it says commands nothing.
    client.on('message', (topic, payload) => log({ event: 'cloud-message', topic, bytes: payload.length }))
    client.on('error', (e) => end(textOf(e).replace(/^[0-9A-F]+:error:/, '')))
    client.on('close', () => end(stood ? 'the connection was closed' : 'no connection came about'))
  }
  connect()

  return {
    stats,
    poke: () => current?.fill(),
    get connected() {
      return current?.client.connected === true
    },
    async close() {
      closing = true
      clearTimeout(retry)
      const client = current?.client
      if (client === undefined) return
      if (client.connected)
        await new Promise<void>((resolve) => {
          const late = setTimeout(resolve, farewell)
          client.end(false, () => {
            clearTimeout(late)
            resolve()
          })
        })
      client.end(true)
    },
  }
}
