/** A session with the Data Marketplace that lasts: it comes back by itself, and what was published meanwhile follows. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ConnectionOptions } from 'node:tls'
import { connect, type IClientOptions, type MqttClient } from 'mqtt'
import type { Message } from '../api.ts'
import { LvcapError, textOf } from '../errors.ts'

/** How a program presents itself (API section 8.1, table 4). */
export interface Presentation {
  readonly clientId: string
  readonly username: string
  readonly clean: boolean
  /** Last will, sent by the broker when the session ends uncleanly (section 8.1.3). */
  readonly will?: Message
}

export interface Access {
  /** Folder with ca.crt, `<name>.crt` and `<name>.key`. */
  readonly pki: string
  /** Common name of the certificate to show. */
  readonly name: string
  readonly address: string
  readonly port: number
}

/** How a message came. */
export interface Delivery {
  readonly qos: 0 | 1 | 2
  /** Kept by the broker, and sent because of a new subscription. */
  readonly retain: boolean
  /** The broker knows that it may have been delivered before. */
  readonly dup: boolean
}

/** Counts that must not grow for ever. */
export interface SessionStats {
  readonly connected: boolean
  /** Messages that wait for the marketplace. */
  readonly queued: number
  /** Messages sent, of which the acknowledgement is awaited. */
  readonly inFlight: number
  readonly reconnects: number
  /** Messages given up because too many waited. */
  readonly givenUp: number
}

export interface Session {
  /** Resolves when the broker has acknowledged (QoS 1 and 2) or the bytes are handed over (QoS 0). */
  publish(message: Message): Promise<void>
  subscribe(topic: string, qos: 0 | 1 | 2): Promise<void>
  unsubscribe(topics: readonly string[]): Promise<void>
  /** Called at each connection, the first too. `resumed`: the broker still had this session and what it owes it. */
  onConnect(f: (resumed: boolean) => void): void
  /** A message of QoS 1 is acknowledged when `f` has returned. */
  onMessage(f: (topic: string, payload: Uint8Array, how: Delivery) => void): void
  /**
   * A message is acknowledged when what `f` gives has resolved; the next one is heard after that. Where it is rejected,
   * the message stays unacknowledged, and the connection is made anew.
   */
  onDelivery(f: (topic: string, payload: Uint8Array, how: Delivery) => Promise<void>): void
  stats(): SessionStats
  /** Ends with DISCONNECT, so that no last will is sent; waits at most `ms` for acknowledgements still due. */
  close(ms: number): Promise<void>
}

/** Messages held while the marketplace is away: five hours of one sensor application at one sweep a minute. Ours. */
const queueLimit = 20_000

interface Waiting {
  readonly message: Message
  readonly done: (error?: Error) => void
}

/**
 * Opens a session and keeps it. Returns at once; messages published before the connection stands wait for it. Older ones
 * give way where more than 20 000 wait.
 * @throws LvcapError `certificate` if a file of the key folder cannot be read.
 */
export function openSession(access: Access, who: Presentation, log: (text: string) => void): Session {
  const client = connectClient(access, who)
  const queue: Waiting[] = []
  const connectListeners: ((resumed: boolean) => void)[] = []
  const messageListeners: ((topic: string, payload: Uint8Array, how: Delivery) => void)[] = []
  let inFlight = 0
  let connects = 0
  let givenUp = 0
  let closing = false
  let lastTrouble = ''

  const send = (w: Waiting): void => {
    const { message } = w
    inFlight++
    client.publish(
      message.topic,
      message.text ?? JSON.stringify(message.payload),
      { qos: message.qos, retain: message.retain },
      (error) => {
        inFlight--
        w.done(error)
      },
    )
  }

  client.on('connect', ({ sessionPresent }) => {
    connects++
    lastTrouble = ''
    // What the application says at a connection comes before what waited.
    for (const f of connectListeners) f(sessionPresent)
    for (const w of queue.splice(0)) send(w)
  })
  client.on('message', (topic, payload, { qos, retain, dup }) => {
    for (const f of messageListeners) f(topic, payload, { qos, retain, dup })
  })
  client.on('error', (error) => {
    const text = textOf(error) || String(error)
    if (text !== lastTrouble) log(`No session with the Data Marketplace: ${text}`)
    lastTrouble = text
  })

  return {
    publish(message) {
      return new Promise((resolve, reject) => {
        const done = (error?: Error): void =>
          error === undefined || error === null ? resolve() : reject(error)
        if (closing) return done(new LvcapError('closed', 'The session is closed.'))
        if (client.connected) return send({ message, done })
        // At most once (section 8.1.4): a heartbeat that comes late is worth nothing.
        if (message.qos === 0) return done()
        queue.push({ message, done })
        if (queue.length > queueLimit) {
          givenUp++
          queue.shift()?.done(new LvcapError('overflow', `More than ${queueLimit} messages waited.`))
        }
        return undefined
      })
    },
    async subscribe(topic, qos) {
      const granted = await client.subscribeAsync(topic, { qos })
      const refused = granted.find((g) => g.qos > 2)
      if (refused !== undefined) throw new LvcapError('closed', `Subscription to ${topic} was refused.`)
    },
    async unsubscribe(topics) {
      if (client.connected) await client.unsubscribeAsync([...topics])
    },
    onConnect: (f) => void connectListeners.push(f),
    onMessage: (f) => void messageListeners.push(f),
    onDelivery(f) {
      // A message of QoS 2 is taken before the broker is told that it was received: after that nobody sends it again.
      client.options.customHandleAcks = (topic, payload, packet, acknowledge) => {
        f(topic, payload, packet).then(
          () => acknowledge(0),
          () => void client.stream.destroy(),
        )
      }
      client.handleMessage = (packet, done) => {
        if (packet.qos !== 0) return done()
        const payload = typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload
        f(packet.topic, payload, packet).then(
          () => done(),
          () => done(),
        )
        return undefined
      }
    },
    stats: () => ({
      connected: client.connected,
      queued: queue.length,
      inFlight,
      reconnects: Math.max(0, connects - 1),
      givenUp,
    }),
    async close(ms) {
      closing = true
      for (const w of queue.splice(0)) w.done(new LvcapError('closed', 'The session is closed.'))
      await end(client, ms)
    },
  }
}

function connectClient(access: Access, who: Presentation): MqttClient {
  const read = (file: string): string => {
    try {
      return readFileSync(join(access.pki, file), 'utf8')
    } catch (cause) {
      throw new LvcapError('certificate', `${file} in ${access.pki} cannot be read: ${textOf(cause)}`, cause)
    }
  }
  // mqtt.js hands these on to node:tls, and types only some of them.
  const options: IClientOptions & Pick<ConnectionOptions, 'minVersion' | 'servername'> = {
    protocol: 'mqtts',
    protocolVersion: 4,
    host: access.address,
    port: access.port,
    // The marketplace proves that it is the marketplace, whatever its address.
    servername: 'marketplace',
    ca: read('ca.crt'),
    cert: read(`${access.name}.crt`),
    key: read(`${access.name}.key`),
    minVersion: 'TLSv1.2',
    clientId: who.clientId,
    username: who.username,
    clean: who.clean,
    keepalive: 30,
    reconnectPeriod: 1_000,
    connectTimeout: 10_000,
    reconnectOnConnackError: true,
    // Whoever opened the session subscribes anew at each connection.
    resubscribe: false,
    timerVariant: 'native',
    ...(who.will === undefined
      ? {}
      : {
          will: {
            topic: who.will.topic,
            payload: Buffer.from(JSON.stringify(who.will.payload)),
            qos: who.will.qos,
            retain: who.will.retain,
          },
        }),
  }
  return connect(options)
}

/** Ends a client cleanly within `ms`, by force after that. */
function end(client: MqttClient, ms: number): Promise<void> {
  return new Promise((resolve) => {
    if (!client.connected) {
      client.end(true, () => resolve())
      return
    }
    const timer = setTimeout(() => client.end(true, () => resolve()), ms)
    client.end(false, () => {
      clearTimeout(timer)
      resolve()
    })
  })
}
