/** A stranger at the marketplace's door (M:0019, S:009): each attempt tells at which stage it ended. */
import { readFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { connect } from 'mqtt'
import type { IClientOptions, MqttClient } from 'mqtt'
import { GridproofError, messageOf } from '../../drivers/errors.ts'
import type { Json, Realm } from '../../drivers/faces.ts'
import type { Emit } from '../../sim/faces.ts'
import type { AttemptOutcome } from '../evidence/schema.ts'
import type { Intruder, IntruderAttempt } from '../faces.ts'
import type { Door } from './observer.ts'

/** How long an attempt may take, in ms. Ours: ten times what a slow TLS handshake takes. */
const patience = 10_000

export interface IntruderOptions {
  /** `name` is the common name that it claims unless it brings its own. */
  readonly door: Door
  readonly realm: Realm
  readonly emit: Emit
  /** Common name of an app of its own, properly enrolled, for the identity `own`. */
  readonly own: string
  /** Common name of an app with the rights of an instance, other than the one claimed. */
  readonly installed: string
  /** Common name of an app whose certificate the operator has revoked. */
  readonly revoked: string
}

export function makeIntruder(o: IntruderOptions): Intruder {
  return {
    outcomes: { src: 'intruder', kind: 'seen', select: 'intruder.*' },
    attempt: (what) =>
      o.realm.run(async () => {
        const alias = `intruder.${what.name}`
        const cause = o.emit('sent', { alias, attempt: what as unknown as Json })
        const outcome = what.identity === 'plain-tcp' ? await plainTcp(o, what) : await overTls(o, what)
        const payload: Json = { ...outcome }
        o.emit('seen', { alias, payload }, { cause })
        return payload
      }),
  }
}

/** MQTT without TLS on the same port: sends a CONNECT and looks for a CONNACK. */
async function plainTcp(o: IntruderOptions, what: IntruderAttempt): Promise<AttemptOutcome> {
  const client = connect({
    protocol: 'mqtt',
    host: o.door.address,
    port: what.port ?? o.door.port,
    ...session(o, what),
    // A broken packet is an answer too: no retry, no patience beyond ours.
    reconnectPeriod: 0,
    connectTimeout: patience,
  })
  return follow(client, what, (why) => ({ stage: 'tcp', reason: why }))
}

async function overTls(o: IntruderOptions, what: IntruderAttempt): Promise<AttemptOutcome> {
  const reach = await reachable(o.door.address, what.port ?? o.door.port)
  if (reach !== undefined) return { stage: 'tcp', reason: reach }
  const client = connect({
    protocol: 'mqtts',
    host: o.door.address,
    port: what.port ?? o.door.port,
    servername: o.door.serverName,
    ca: readFileSync(join(o.door.pki, 'ca.crt')),
    ...keyOf(o, what),
    ...(what.tlsMax === undefined
      ? {}
      : // The bench's own floor is lowered for this one connection, so that the platform must refuse.
        { maxVersion: what.tlsMax, minVersion: 'TLSv1', ciphers: 'DEFAULT:@SECLEVEL=0' }),
    ...session(o, what),
    reconnectPeriod: 0,
    connectTimeout: patience,
  })
  let handshaken = false
  client.on('packetreceive', () => {
    handshaken = true
  })
  return follow(client, what, (why) => ({ stage: handshaken ? 'mqtt' : 'tls', reason: why }))
}

function session(o: IntruderOptions, what: IntruderAttempt): IClientOptions {
  const claim =
    what.claim ??
    (what.identity === 'own' ? o.own : what.identity === 'installed' ? o.installed : o.door.name)
  const will =
    what.will === undefined
      ? undefined
      : { topic: what.will.topic, payload: bytesOf(what.will.payload), qos: 1 as const, retain: false }
  return {
    // Beside the app whose certificate it shows, not instead of it.
    clientId: what.identity === 'installed' && what.claim === undefined ? `${claim}-again` : claim,
    username: claim,
    clean: true,
    keepalive: 30,
    ...(will === undefined ? {} : { will }),
  }
}

function bytesOf(payload: Json): Buffer {
  return Buffer.from(JSON.stringify(payload))
}

function keyOf(o: IntruderOptions, what: IntruderAttempt): { cert?: Buffer; key?: Buffer } {
  const files: Readonly<Record<IntruderAttempt['identity'], string | undefined>> = {
    none: undefined,
    'plain-tcp': undefined,
    expired: 'intruder/expired',
    'foreign-ca': 'intruder/foreign-ca',
    'not-yet-valid': 'intruder/not-yet-valid',
    'self-signed': 'intruder/self-signed',
    own: o.own,
    installed: o.installed,
    revoked: o.revoked,
  }
  const base = files[what.identity]
  if (base === undefined) return {}
  try {
    return {
      cert: readFileSync(join(o.door.pki, `${base}.crt`)),
      key: readFileSync(join(o.door.pki, `${base}.key`)),
    }
  } catch (e) {
    throw new GridproofError('rig-lacks', `the intruder has no '${base}' certificate: ${messageOf(e)}`, {
      cause: e,
    })
  }
}

/** Whether anything listens there at all: a closed port proves nothing about certificates. */
async function reachable(host: string, port: number): Promise<string | undefined> {
  const tried = Promise.withResolvers<string | undefined>()
  const socket = createConnection({ host, port })
  socket.setTimeout(patience)
  socket.on('connect', () => tried.resolve(undefined))
  socket.on('timeout', () => tried.resolve('no answer to the TCP connection'))
  socket.on('error', (e) => tried.resolve(messageOf(e)))
  const result = await tried.promise
  socket.destroy()
  return result
}

/** Follows a connection to its outcome, and closes it. */
async function follow(
  client: MqttClient,
  what: IntruderAttempt,
  refused: (why: string) => AttemptOutcome,
): Promise<AttemptOutcome> {
  const done = Promise.withResolvers<AttemptOutcome>()
  let why = 'the connection was closed'
  let inside = false
  client.on('error', (e) => {
    why = messageOf(e)
  })
  client.on('close', () => {
    if (!inside) done.resolve(refused(why))
    else if (what.will !== undefined)
      done.resolve({
        stage: 'publish',
        reason: 'let in with its will; whether it is spoken shows at the marketplace',
      })
    else done.resolve({ stage: 'publish', reason: 'the connection was closed on its publication' })
  })
  client.on('connect', () => {
    inside = true
    const p = what.publish
    if (p === undefined) {
      if (what.will === undefined) done.resolve({ stage: 'inside', reason: 'it was let in' })
      // Without DISCONNECT: the broker should speak the will now, if it took it.
      else client.stream.destroy()
      return
    }
    // An acknowledgement is no admission: a broker that will not take a message must acknowledge it all the same or
    // close (MQTT 3.1.1, 3.3.5). Whether it took it shows at the marketplace.
    const qos = p.qos ?? 1
    client.publish(p.topic, JSON.stringify(p.payload), { qos }, (e) => {
      if (e !== undefined && e !== null) return
      if (qos === 1) done.resolve({ stage: 'publish', reason: 'acknowledged' })
      // Nobody answers it: what is answered after it tells that the broker has read it.
      else
        client.publish(p.topic.replace(/[^/]*$/, 'after'), '{}', { qos: 1 }, (after) => {
          if (after === undefined || after === null)
            done.resolve({ stage: 'publish', reason: 'sent, without asking for an acknowledgement' })
        })
    })
  })
  const timer = setTimeout(() => {
    done.resolve(
      inside
        ? { stage: 'publish', reason: `no acknowledgement in ${patience / 1000} s` }
        : refused(`nothing came in ${patience / 1000} s`),
    )
  }, patience)
  const outcome = await done.promise
  clearTimeout(timer)
  await client.endAsync(true).catch(() => undefined)
  return outcome
}
