/**
 * The Data Marketplace: an MQTT 3.1.1 broker behind TLS 1.2 or later, where everyone shows a certificate of the
 * platform's authority (API section 8.1, table 4) and publishes on its own topics only. Every refusal is logged, and
 * published on the error topic (section 8.2.4) so that it is stored.
 */
import { readFileSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { createServer as createTlsServer, type TlsOptions, type TLSSocket } from 'node:tls'
import type { Duplex } from 'node:stream'
import { Aedes, type Client } from 'aedes'
import { parseObject } from '../api.ts'
import { marketplaceSchema, parseConfig, type MarketplaceConfig } from '../config.ts'
import { aborted, wallClock, type Json, type ProgramEnv } from '../env.ts'
import { textOf } from '../errors.ts'
import { unhurried, type BacklogLimits } from './backlog.ts'
import { admit, mayPublish, mayRetain, type Directory, type Introduction, type Session } from './acl.ts'
import { addressOf, judgePeer, peerOf, reasonOfHandshake, type Peer, type PeerJudgement } from './peers.ts'
import { errorOf, errorOfDrop, type Refusal } from './refusals.ts'

export interface Material {
  readonly ca: string
  readonly cert: string
  readonly key: string
}

/** A message on its way to one session. */
export interface Delivery {
  readonly topic: string
  readonly payload: Buffer | string
  readonly qos: 0 | 1 | 2
  readonly retain: boolean
}

/** The marketplace in parts. */
export interface MarketplaceParts {
  /** TCP ports to listen on. */
  doors(config: MarketplaceConfig): readonly number[]
  /** Settings of TLS. Certificates are asked for, and judged by `judge` so that every refusal has a name in the log. */
  tls(material: Material): TlsOptions
  /** What becomes of a new connection: TLS, always. */
  accept(
    socket: Socket,
    toTls: (socket: Socket) => void,
    toBroker: (stream: Duplex, peer: Peer, identity: string) => void,
  ): void
  /** Whether a peer may enter, and as whom. `now` in ms since 1970. */
  judge(peer: Peer, now: number, revoked: readonly string[]): PeerJudgement
  /** The session of a client that introduces itself. */
  admit(identity: string, hello: Introduction, directory: Directory): ReturnType<typeof admit>
  mayPublish(session: Session, topic: string): boolean
  mayRetain(topic: string): boolean
  /** What a session is sent of a message on a topic that it subscribed; null: nothing. */
  forward(session: Session, message: Delivery): Delivery | null
  /** Sees to it that nobody waits for a connection; `drop` ends it. */
  unhurried(stream: Duplex, limits: BacklogLimits, drop: (why: string) => void): void
  /** What is written of a refusal; null: nothing. */
  record(refusal: Refusal): Json
}

/** Topics of one identity that are remembered with its right to them: whoever makes up more is looked up each time. */
const mostTopics = 5_000

/** Rights depend on identity and topic alone, and the same few topics come again and again. */
function rememberedRights(): MarketplaceParts['mayPublish'] {
  const known = new WeakMap<Session['identity'], Map<string, boolean>>()
  return ({ identity }, topic) => {
    let rights = known.get(identity)
    if (rights === undefined) {
      rights = new Map()
      known.set(identity, rights)
    }
    let may = rights.get(topic)
    if (may === undefined) {
      may = mayPublish(identity, topic)
      if (rights.size < mostTopics) rights.set(topic, may)
    }
    return may
  }
}

export function parts(_config: Json): MarketplaceParts {
  return {
    doors: (config) => [config.port],
    tls: (material) => ({
      ...material,
      requestCert: true,
      rejectUnauthorized: false,
      minVersion: 'TLSv1.2',
      handshakeTimeout: 10_000,
    }),
    accept: (socket, toTls) => toTls(socket),
    judge: judgePeer,
    admit,
    mayPublish: rememberedRights(),
    mayRetain,
    forward: (_session, message) => message,
    unhurried,
    record: (refusal) => ({ event: 'refused', ...refusal }),
  }
}

export async function main(env: ProgramEnv): Promise<number> {
  return run(parts(env.config), env)
}

/** Serves until `env.term`; 0 then, 1 if a port cannot be had. */
export async function run(p: MarketplaceParts, env: ProgramEnv): Promise<number> {
  const config = parseConfig(marketplaceSchema, env.config, 'the configuration of the Data Marketplace')
  const directory: Directory = { managerIid: config.managerIid, apps: config.apps }
  const read = (file: string): string => readFileSync(join(config.pki, file), 'utf8')
  const sessions = new WeakMap<object, Session>()
  const peers = new WeakMap<object, { peer: Peer; identity: string }>()
  const raw = new Set<Socket>()
  let unnamed = 0

  const broker = await Aedes.createBroker({
    id: config.iid,
    // A sweep of one app is some 70 messages at once; several apps and their subscribers must not wait for each other.
    concurrency: 1_000,
    preConnect: (client, packet, done) => {
      const known = peers.get(client.conn)
      if (known === undefined) return done(new Error('a connection without a peer'), false)
      const hello: Introduction = {
        clientId: packet.clientId,
        ...(packet.username === undefined ? {} : { username: packet.username }),
        ...(packet.will === undefined ? {} : { willTopic: packet.will.topic }),
      }
      const admitted = p.admit(known.identity, hello, directory)
      if (!admitted.ok) {
        refuse({
          reason: admitted.reason,
          identity: known.identity,
          address: known.peer.address,
          ...(hello.willTopic === undefined ? {} : { topic: hello.willTopic }),
        })
      } else {
        sessions.set(client, admitted.session)
        packet.clientId =
          hello.clientId === '' ? `${admitted.session.key}#${++unnamed}` : admitted.session.key
        env.log({
          event: 'connected',
          identity: known.identity,
          clientId: hello.clientId,
          address: known.peer.address,
          protocol: known.peer.protocol ?? 'none',
          ...(known.peer.validTo === undefined ? {} : { until: new Date(known.peer.validTo).toISOString() }),
          ...(packet.will === undefined
            ? {}
            : { will: `${packet.will.topic}: ${statusIn(packet.will.payload)}` }),
        })
        for (const text of admitted.session.warnings) {
          env.log({ event: 'warning', identity: known.identity, address: known.peer.address, text })
        }
      }
      done(null, true)
    },
    authenticate: (client, _username, _password, done) => {
      if (sessions.has(client)) done(null, true)
      else done(Object.assign(new Error('not authorized'), { returnCode: 5 }), false)
    },
    authorizePublish: (client, packet, done) => {
      if (client === null) return done(new Error('its client is gone'))
      // The broker sweeps wills by the clock: after a step of the clock it would take a living client's for left behind.
      if ('brokerId' in packet && 'clientId' in packet && !client.closed) {
        return done(new Error('its client lives'))
      }
      const session = sessions.get(client)
      if (session === undefined || !p.mayPublish(session, packet.topic)) {
        refuse({
          reason: 'publish-topic',
          identity: session?.identity.name ?? 'unknown',
          address: peers.get(client.conn)?.peer.address ?? 'unknown',
          topic: packet.topic,
        })
        return done(new Error(`not authorized to publish on ${packet.topic}`))
      }
      if (packet.retain && !p.mayRetain(packet.topic)) {
        packet.retain = false
        env.log({
          event: 'warning',
          identity: session.identity.name,
          text: `retain taken off ${packet.topic}`,
        })
      }
      return done(null)
    },
    authorizeForward: (client, packet) => {
      const session = sessions.get(client)
      if (session === undefined) return null
      const sent = p.forward(session, packet)
      if (sent === null) return null
      return sent === packet ? packet : { ...packet, ...sent }
    },
  })

  const refuse = (refusal: Refusal): void => {
    const written = p.record(refusal)
    if (written === null) return
    env.log(written)
    tell(errorOf(refusal, config.iid, wallClock()))
  }

  /** An error for storage (section 8.2.4). */
  const tell = ({ topic, payload }: { readonly topic: string; readonly payload: Json }): void => {
    broker.publish(
      { cmd: 'publish', topic, payload: JSON.stringify(payload), qos: 1, retain: false, dup: false },
      (error) => {
        if (error) env.log({ event: 'trouble', text: textOf(error) })
      },
    )
  }

  const toBroker = (stream: Duplex, peer: Peer, identity: string): void => {
    peers.set(stream, { peer, identity })
    p.unhurried(stream, config.backlog, (why) => {
      env.log({ event: 'dropped', identity, address: peer.address, text: why })
      stream.destroy()
      tell(errorOfDrop(identity, why, config.iid, wallClock()))
    })
    broker.handle(stream)
  }

  const tlsServer = createTlsServer(
    p.tls({ ca: read('ca.crt'), cert: read('broker.crt'), key: read('broker.key') }),
  )
  tlsServer.on('secureConnection', (socket: TLSSocket) => {
    const peer = peerOf(socket)
    const judged = p.judge(peer, wallClock(), config.revoked)
    if (judged.ok) {
      toBroker(socket, peer, judged.identity)
      return
    }
    refuse({
      reason: judged.reason,
      identity: peer.commonName ?? 'unknown',
      address: peer.address,
      detail: peer.protocol ?? '',
    })
    socket.on('error', () => {})
    socket.destroy()
  })
  tlsServer.on('tlsClientError', (error: Error, socket: TLSSocket) => {
    refuse({
      reason: reasonOfHandshake(error),
      identity: 'unknown',
      address: addressOf(socket),
      // The code: OpenSSL's text begins with the address of a thread.
      detail: 'code' in error ? String(error.code) : error.name,
    })
    socket.destroy()
  })

  broker.on('clientDisconnect', (client: Client) => {
    env.log({ event: 'disconnected', identity: sessions.get(client)?.identity.name ?? 'unknown' })
  })
  const trouble = (_client: Client, error: Error): void => env.log({ event: 'trouble', text: textOf(error) })
  broker.on('clientError', trouble)
  broker.on('connectionError', trouble)
  // Errors of the broker itself have no typed event; unheard, they would end the program.
  const emitter: NodeJS.EventEmitter = broker
  emitter.on('error', (error: unknown) => env.log({ event: 'trouble', text: textOf(error) }))

  const servers: Server[] = []
  const close = async (): Promise<void> => {
    for (const s of servers) s.close()
    await new Promise<void>((resolve) => broker.close(resolve))
    for (const s of raw) s.destroy()
  }
  try {
    for (const port of p.doors(config)) {
      const server = createServer((socket) => {
        raw.add(socket)
        socket.on('close', () => raw.delete(socket))
        socket.on('error', () => {})
        p.accept(socket, (s) => tlsServer.emit('connection', s), toBroker)
      })
      servers.push(server)
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject)
        server.listen(port, config.address, () => {
          server.off('error', reject)
          server.on('error', (error) => env.log({ event: 'trouble', text: textOf(error) }))
          resolve()
        })
      })
      env.log({ event: 'listening', address: config.address, port })
    }
  } catch (error) {
    env.log({ event: 'failed', text: `Cannot listen: ${textOf(error)}` })
    await close()
    return 1
  }

  await aborted(env.term)
  await close()
  return 0
}

/** The `Status` that a last will would say; `?` where it says none. */
function statusIn(payload: Uint8Array | string): string {
  const body = parseObject(Buffer.from(payload))
  return JSON.stringify(body?.['Status'] ?? '?')
}
