/**
 * Data Storage of the reference platform: how it is installed, and the apps that the bench plays at it. A publisher
 * publishes what is to be kept, and knows what was acknowledged; upload applications ask and report as section 8.5 of
 * the LV-CAP API has it. Each has a certificate of its own and comes in by the marketplace's door.
 */
import { connectAsync } from 'mqtt'
import type { MqttClient } from 'mqtt'
import { z } from 'zod'
import { GridproofError } from '../../drivers/errors.ts'
import type { Host, Json, Realm } from '../../drivers/faces.ts'
import type { Emit } from '../../sim/faces.ts'
import type { Publication, Storage, Series } from '../faces.ts'
import type { Suffix } from '../rigs/pair.ts'
import { uploadApp } from './centre.ts'
import { commsApp } from './management.ts'
import { kept } from './json-text.ts'
import { connectionAt } from './observer.ts'
import type { Door } from './observer.ts'
import { openClient, patience } from './storage-client.ts'
import type { Client } from './storage-client.ts'
import { uploaderApid, uploaderAt, uploaders } from './storage-uploader.ts'

export { uploaderApid } from './storage-uploader.ts'

/** Data Storage itself. */
export const storageApp = {
  apid: 'eatl_datastorage_1.0',
  iid: 'eatl_datastorage_00',
  entry: 'sim/reference/lvcap/storage/main.ts',
} as const

export const publisherApid = 'thirdparty_publisher_1.0'
export const publishers = { first: 'thirdparty_publisher_01', second: 'thirdparty_publisher_02' } as const

/** Instances that the bench plays, for the marketplace's list of who may publish. */
export const guests: readonly { readonly apid: string; readonly iid: string }[] = [
  ...Object.values(publishers).map((iid) => ({ apid: publisherApid, iid })),
  ...Object.values(uploaders).map((iid) => ({ apid: uploaderApid, iid })),
]

/** ContainerConfig of Data Storage, before a scenario changes it. */
export const storageConfig: { readonly [k: string]: Json } = {
  instances: Object.values(publishers),
  maxRecords: 15_000,
  uploaders: {
    [uploaders.all]: 'all',
    [uploaders.limited]: [publishers.first],
    [uploaders.late]: 'all',
    [uploadApp.iid]: 'all',
    [commsApp.iid]: 'all',
  },
  readers: { [uploaders.stranger]: [publishers.second] },
}

/** Messages on their way at a time, and in one event. */
const atOnce = 250

/** The role, with what the platform needs of it. */
export type PlayedStorage = Storage &
  AsyncDisposable & {
    /** What its host can show. */
    readonly can: readonly string[]
    /** A request at the port `upload` (8.5) or `storage` (8.6). */
    ask(port: 'upload' | 'storage', request: Json): Promise<Json>
    /** Its apps are on the host whose power was away: they connect anew. */
    again(): void
  }

export interface PlayedOptions {
  readonly side: Suffix
  readonly door: Omit<Door, 'name'>
  /** Common name of an enrolled app that may subscribe. */
  readonly subscriber: string
  readonly host: Host
  readonly realm: Realm
  /** Longest answer that Data Storage is set to give, in bytes. */
  readonly maxBytes: number
  emitAs(src: string): Emit
}

const query = {
  as: z.enum(['all', 'limited', 'stranger', 'late']).default('all'),
  /** Payload of the request. */
  request: z.json().optional(),
}

const asked = z.discriminatedUnion('do', [
  z.strictObject({
    do: z.literal('query'),
    /** Names the query in the log. */
    name: z.string(),
    ...query,
    /** Payload of the request as it is sent, where it is not a JSON value. */
    text: z.string().optional(),
  }),
  /** Reports rows as uploaded. */
  z.strictObject({
    do: z.literal('report'),
    as: query.as,
    tables: z.array(z.strictObject({ name: z.string(), ids: z.array(z.number()) })),
  }),
  /** Queries and reports in turn until nothing waits any more, as section 8.5 tells upload applications to. */
  z.strictObject({ do: z.literal('drain'), name: z.string(), ...query }),
])

/** What the publisher of a substation sends. */
const sentAt = (side: Suffix): Series => ({ src: `publisher${side}`, kind: 'sent', select: '*' })

export function playStorage(o: PlayedOptions): PlayedStorage {
  const clients = new Map<string, Client>()
  const clientOf = (apid: string): Client => {
    let c = clients.get(apid)
    if (c === undefined) {
      c = openClient({ ...o.door, name: apid })
      clients.set(apid, c)
    }
    return c
  }
  const emit = o.emitAs('publisher')
  const publish = publishing(() => clientOf(publisherApid), emit)
  const stalled: MqttClient[] = []
  const disk = diskFaults(o.host, o.emitAs('disk'))
  return {
    tables: { ...publishers, error: 'error' },
    maxBytes: o.maxBytes,
    sent: sentAt(o.side),
    can: disk.faults,
    faults: disk.faults,
    inflict: (name, params) => disk.inflict(name, params),
    publish: (p) => o.realm.run(() => publish(p)),
    stall: () => o.realm.run(async () => void stalled.push(await stall(o))),
    crash() {
      o.emitAs('host')('host', { what: 'the process of Data Storage is killed', proc: storageApp.iid })
      if (!o.host.kill(storageApp.iid))
        throw new GridproofError('timeout', 'Data Storage does not run, so it cannot be made to crash')
    },
    ask: (port, request) =>
      o.realm.run(async () => {
        const r = asked.safeParse(request)
        if (!r.success)
          throw new GridproofError('bad-value', `a request to ${port}: ${z.prettifyError(r.error)}`)
        const app = uploaderAt(clientOf(uploaderApid), port, o.emitAs(port))
        const d = r.data
        if (d.do === 'report') return app.report(d.as, d.tables)
        if (d.do === 'drain') return app.drain(d.as, d.name, d.request ?? {})
        const text = d.text ?? JSON.stringify(d.request ?? {})
        return (await app.query(d.as, d.name, text)) as unknown as Json
      }),
    again: () => {
      for (const c of clients.values()) o.realm.run(() => c.again())
    },
    async [Symbol.asyncDispose]() {
      for (const c of clients.values()) await o.realm.run(() => c.close())
      for (const c of stalled) await o.realm.run(() => c.endAsync(true).catch(() => undefined))
    },
  }
}

/** What rehearsals are given: it does nothing. */
export function idleStorage(side: Suffix = ''): Storage {
  return {
    tables: { ...publishers, error: 'error' },
    maxBytes: 100_000,
    sent: sentAt(side),
    faults: ['disk-full'],
    inflict: (_, params = null) => ({ id: 'rehearsal', params, lift: () => undefined }),
    publish: async () => undefined,
    stall: async () => undefined,
    crash: () => undefined,
  }
}

/** `disk-full`, where the host can play it. */
function diskFaults(host: Host, emit: Emit): Pick<Storage, 'faults' | 'inflict'> {
  const can = host.can.has('disk-full')
  let last = 0
  return {
    faults: can ? ['disk-full'] : [],
    inflict(name) {
      if (name !== 'disk-full') throw new GridproofError('no-such', `the disk knows no fault '${name}'`)
      const id = `disk-full-${++last}`
      emit('fault', { phase: 'on', id, name })
      host.fill('full')
      let on = true
      return {
        id,
        params: null,
        lift() {
          if (!on) return
          on = false
          host.fill('free')
          emit('fault', { phase: 'lifted', id })
        },
      }
    },
  }
}

/** Answers with thousands of rows stand in the evidence once, where they were asked for. */
export function shownAtMarketplace(data: Json): Json {
  const d = data as { readonly topic?: unknown; readonly payload?: unknown } | null
  if (typeof d?.topic !== 'string' || !d.topic.startsWith('storage/response/')) return data
  const p = d.payload as { readonly Status?: Json } | null
  const status = p !== null && typeof p === 'object' && p.Status !== undefined ? p.Status : null
  return { ...(data as { [k: string]: Json }), payload: { Status: status, Response: 'not kept here' } }
}

/** Subscribes to everything, and stops reading. It asks for no sign of life either, so that none can be missed. */
async function stall(o: PlayedOptions): Promise<MqttClient> {
  const door: Door = { ...o.door, name: o.subscriber }
  const client = await connectAsync({ ...connectionAt(door), keepalive: 0, reconnectPeriod: 0 })
  client.on('error', () => undefined)
  await client.subscribeAsync('#', { qos: 1 })
  client.stream.unpipe()
  client.stream.pause()
  o.emitAs('subscriber')('note', { what: 'a subscriber to everything reads nothing from now on' })
  return client
}

function topicOf(p: Publication, iid: string): string {
  const below = p.subTopic === undefined ? '' : `/${p.subTopic}`
  switch (p.via ?? 'algorithm') {
    case 'error':
      return `storage/data/error/${iid}`
    case 'storage':
      return `storage/data/${iid}${below}`
    case 'storage-with-slash':
      return `storage/data/${iid}/`
    case 'algorithm':
      return `algorithm/data/${iid}${below}`
    default:
      throw new GridproofError('bad-value', `there is no interface '${String(p.via)}' to publish by`)
  }
}

function publishing(clientOf: () => Client, emit: Emit): Storage['publish'] {
  let last = 0
  return async (p) => {
    const client = clientOf()
    await client.up
    const iid = publishers[p.as ?? 'first']
    const topic = topicOf(p, iid)
    const qos = p.via === 'storage' || p.via === 'storage-with-slash' ? 2 : 1
    const error = p.via === 'error'
    for (let k = 0; k < p.messages.length; k += atOnce) {
      const texts = p.messages
        .slice(k, k + atOnce)
        .map((m) => (typeof m === 'string' ? m : JSON.stringify(m)))
      const first = last + 1
      last += texts.length
      emit('sent', {
        alias: `publisher.${p.as ?? 'first'}`,
        topic,
        table: error ? 'error' : iid,
        subTopic: error ? iid : (p.subTopic ?? null),
        kept: p.kept,
        first,
        texts: texts.map((t) => kept(t)),
      })
      await acknowledged(client, topic, qos, texts, (from, to) =>
        emit('seen', { alias: 'publisher.acknowledged', from: first + from, to: first + to }),
      )
    }
  }
}

/** Publishes them all and tells of unbroken runs of acknowledged ones; what is not acknowledged in time is left unknown. */
async function acknowledged(
  client: Client,
  topic: string,
  qos: 1 | 2,
  texts: readonly string[],
  tell: (from: number, to: number) => void,
): Promise<void> {
  const done = new Set<number>()
  const all = Promise.all(texts.map(async (t, i) => client.publish(topic, t, qos).then(() => done.add(i))))
  const late = Promise.withResolvers<void>()
  const timer = setTimeout(() => late.resolve(), patience)
  await Promise.race([all.catch(() => undefined), late.promise])
  clearTimeout(timer)
  for (let i = 0; i < texts.length; i++) {
    if (!done.has(i)) continue
    const from = i
    while (done.has(i + 1)) i++
    tell(from, i)
  }
}
