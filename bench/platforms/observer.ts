/**
 * Watches a Data Marketplace with an observer's certificate: every message becomes `seen`, with the alias of its topic.
 * MQTT 3.1.1 over TLS (LV-CAP API 8.1, table 4); it subscribes to everything and publishes nothing.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from 'mqtt'
import type { IClientOptions, MqttClient } from 'mqtt'
import { GridproofError, messageOf } from '../../drivers/errors.ts'
import type { Instant, Json, Realm } from '../../drivers/faces.ts'
import type { Emit } from '../../sim/faces.ts'
import { hearsAgain, outOfHearing } from '../evidence/sight.ts'

/** Where a marketplace is, and who asks. */
export interface Door {
  readonly address: string
  readonly port: number
  /** Name in the broker's certificate (API table 4: `marketplace`). */
  readonly serverName: string
  /** Folder with ca.crt and <name>.crt, <name>.key. */
  readonly pki: string
  /** Common name of the certificate to show. */
  readonly name: string
}

export interface Observer extends AsyncDisposable {
  /** Resolves when the first connection stands and the subscription is acknowledged. */
  readonly watching: Promise<void>
  /** Publishes as this identity, for identities that may (the operator). Resolves at the acknowledgement. */
  publish(topic: string, payload: Json): Promise<void>
  /** The other end lost power without a word and has it back: connects anew at once. */
  again(): void
}

/** Bytes up to which a payload stands in the evidence; no message of the LV-CAP API but a query's answer is nearly so long. Ours. */
const longestKept = 65_536
/** Bytes up to which a payload is looked into at all. Ours. */
const longestParsed = 8_000_000

/** How deep a payload may be nested: what writes the evidence goes down with it, and must come back. */
const deepest = 64

/**
 * The parsed payload as the evidence can keep it, or what it was instead. Bytes that are no text are given in
 * hexadecimal. Numbers beyond a double (`1e999`) are no numbers of JSON.
 */
export function payloadOf(bytes: Uint8Array): Json {
  if (bytes.length === 0) return {}
  const notKept = { notKept: 'too long for the evidence', 'length [B]': bytes.length }
  if (bytes.length > longestParsed) return notKept
  const text = Buffer.from(bytes).toString('utf8')
  try {
    const value = JSON.parse(text) as Json
    if (keepable(value)) return bytes.length > longestKept ? notKept : value
  } catch {
    // No JSON: below.
  }
  const clean = Buffer.from(text, 'utf8').equals(bytes)
  return { notJson: clean ? text.slice(0, 4096) : Buffer.from(bytes.subarray(0, 2048)).toString('hex') }
}

/** Whether writing it as JSON and reading it again gives the same, without going deeper than `deepest`. */
function keepable(value: Json): boolean {
  const waiting: { value: Json; depth: number }[] = [{ value, depth: 0 }]
  for (let w = waiting.pop(); w !== undefined; w = waiting.pop()) {
    if (typeof w.value === 'number' && !Number.isFinite(w.value)) return false
    if (typeof w.value !== 'object' || w.value === null) continue
    if (w.depth === deepest) return false
    for (const inner of Object.values<Json>(w.value)) waiting.push({ value: inner, depth: w.depth + 1 })
  }
  return true
}

/** `Timestamp` of an LV-CAP object, in ms (API 4.5: whole seconds since 1970 UTC). */
export function stampOf(payload: Json): Instant | undefined {
  if (payload === null || typeof payload !== 'object' || Array.isArray(payload)) return undefined
  const t = (payload as { readonly Timestamp?: Json }).Timestamp
  return typeof t === 'number' && Number.isFinite(t * 1000) ? t * 1000 : undefined
}

/** Connection options for an identity at a door. Reads its key and certificate. */
export function tlsOptions(door: Door): { ca: Buffer; cert: Buffer; key: Buffer; servername: string } {
  try {
    return {
      ca: readFileSync(join(door.pki, 'ca.crt')),
      cert: readFileSync(join(door.pki, `${door.name}.crt`)),
      key: readFileSync(join(door.pki, `${door.name}.key`)),
      servername: door.serverName,
    }
  } catch (e) {
    throw new GridproofError('rig-lacks', `no certificate for '${door.name}': ${messageOf(e)}`, { cause: e })
  }
}

/** How to connect at a door, in MQTT.js's words. */
export function connectionAt(door: Door): IClientOptions {
  return {
    protocol: 'mqtts',
    host: door.address,
    port: door.port,
    ...tlsOptions(door),
    clientId: door.name,
    username: door.name,
  }
}

export interface ObserverOptions {
  readonly door: Door | { readonly connection: IClientOptions }
  readonly realm: Realm
  readonly emit: Emit
  readonly aliasOf: (topic: string) => string
  /** Told of every message after it has become an event. */
  readonly onMessage?: (topic: string, payload: Json) => void
  /** Subscriptions; everything by default. */
  readonly topics?: readonly string[]
  /** Whether messages become events (an operator's answers do not). */
  readonly record?: boolean
  /** Told why it cannot watch, again at each attempt. */
  readonly onTrouble?: (why: string) => void
}

/** Connects and keeps connected; a lost connection is a note in the evidence, and is tried again at once. */
export function observe(o: ObserverOptions): Observer {
  return o.realm.run(() => {
    const client: MqttClient = connect({
      ...('connection' in o.door ? o.door.connection : connectionAt(o.door)),
      // The session outlives a lost connection, so that the broker keeps what it owes us meanwhile.
      clean: false,
      keepalive: 30,
      // Shorter than a program's start: what apps say at their start is heard.
      reconnectPeriod: 200,
      connectTimeout: 10_000,
      resubscribe: true,
    })
    client.on('message', (topic, bytes, packet) => {
      const payload = payloadOf(bytes)
      if (o.record !== false) {
        const stamp = stampOf(payload)
        o.emit(
          'seen',
          { alias: o.aliasOf(topic), topic, payload, qos: packet.qos, retain: packet.retain },
          stamp === undefined ? {} : { stamp },
        )
      }
      o.onMessage?.(topic, payload)
    })
    let up = false
    let missed = false
    let closing = false
    const watching = Promise.withResolvers<void>()
    client.on('connect', () => {
      up = true
      // The highest QoS, so that each message shows the one that its sender chose.
      client.subscribe([...(o.topics ?? ['#'])], { qos: 2 }, (error) => {
        if (error === null) {
          if (missed) o.emit('note', { what: hearsAgain })
          missed = false
          watching.resolve()
        } else {
          o.onTrouble?.(`the subscription was refused: ${messageOf(error)}`)
          o.emit('note', { what: 'the observer could not subscribe', why: messageOf(error) })
        }
      })
    })
    let said = false
    client.on('close', () => {
      // With TLS 1.3 a broker that takes no such certificate may end it all without a word.
      if (!up && !said && !closing)
        o.onTrouble?.('it was ended without a word; does the platform take this certificate?')
      said = false
      if (up && !closing) {
        o.emit('note', { what: outOfHearing })
        missed = true
      }
      up = false
    })
    // Refused connections come again until `ready` gives up: one event would say no more than its time-out.
    client.on('error', (e) => {
      said = true
      o.onTrouble?.(messageOf(e))
    })
    return {
      watching: watching.promise,
      publish: (topic, payload) =>
        o.realm.run(async () => {
          await client.publishAsync(topic, JSON.stringify(payload), { qos: 1 })
        }),
      again: () =>
        o.realm.run(() => {
          if (client.connected) client.stream.destroy()
        }),
      async [Symbol.asyncDispose]() {
        closing = true
        await o.realm.run(() => client.endAsync(true).catch(() => undefined))
      },
    }
  })
}
