/**
 * The reference platform as the system under test: builds its configuration from the rig, starts it on a host, and
 * shows what it does through an observer at its marketplace and through its log.
 */
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { GridproofError } from '../../drivers/errors.ts'
import type { Host, Json, Program, Realm, SerialSettings, World } from '../../drivers/faces.ts'
import { duration } from '../../drivers/units.ts'
import type { Emit } from '../../sim/faces.ts'
import type { Platform } from '../faces.ts'
import { addressOf } from '../rigs/address.ts'
import { deviceRoles } from '../rigs/parts.ts'
import type { ReferenceRig } from '../rigs/schema.ts'
import { aliasTable } from './aliases.ts'
import { readerName } from './cloud.ts'
import { hasDisk, startMachine } from './machine.ts'
import { observe } from './observer.ts'
import type { OperatorRequest } from './operate.ts'
import { operatorRequest } from './operate.ts'
import { scriptedApps, scriptedEntry } from './scripted.ts'
import { makeRecorder, recorderApp } from './recorder.ts'
import type { PlayedRecorder } from './recorder.ts'
import {
  guests,
  playStorage,
  publisherApid,
  shownAtMarketplace,
  storageApp,
  storageConfig,
  uploaderApid,
} from './storage.ts'
import type { PlayedStorage } from './storage.ts'
import type { Observer } from './observer.ts'

/** The sensor apps that stand behind the roles: certificate name (APID) and instance (IID). */
export const sensorApps = {
  gridkey: {
    apid: 'lucy_gridkeysensor_1.0',
    iid: 'lucy_gridkeysensor_01',
    entry: 'sim/reference/lvcap/apps/gridkey/main.ts',
  },
  thermocouple: {
    apid: 'eatl_modbusrtusensor_1.0',
    iid: 'eatl_modbusrtusensor_01',
    entry: 'sim/reference/lvcap/apps/temperature/main.ts',
  },
} as const

/** A second instance of the temperature app, for a module of another make; of a version of its own, as identity goes by APID. */
const adamApp = {
  apid: 'eatl_adamsensor_1.0',
  iid: 'eatl_adamsensor_01',
  entry: sensorApps.thermocouple.entry,
} as const

/** Apps that read devices, by role. */
const readers = { ...sensorApps, adam: adamApp } as const

/** An enrolled app that does nothing but let the intruder borrow its certificate; and whom the intruder claims to be. */
export const intruderApp = {
  apid: 'thirdparty_visitor_1.0',
  iid: 'thirdparty_visitor_01',
  claims: 'lucy_gridkeysensor_1.0',
  /** An older version of the visitor, whose certificate the operator has revoked. */
  revoked: 'thirdparty_visitor_0.9',
} as const

/** Common names for which the platform's authority must issue certificates. The first is whom intruders claim to be. */
export const enrolled: readonly string[] = [
  sensorApps.gridkey.apid,
  sensorApps.thermocouple.apid,
  adamApp.apid,
  intruderApp.apid,
  intruderApp.revoked,
  recorderApp.apid,
  storageApp.apid,
  publisherApid,
  uploaderApid,
  readerName,
  ...Object.values(scriptedApps).map((a) => a.apid),
]

/** Those of them that keep sessions beside their first one. */
export const withSessions: readonly string[] = [recorderApp.apid, storageApp.apid]

/** Where the devices are that the apps read. Filled as they start. */
export interface DevicePlaces {
  gridkey?: DevicePlace
  thermocouple?: DevicePlace
  adam?: DevicePlace
  /** Where the bench waits for the scripted apps. */
  scripted?: { readonly address: string; readonly port: number }
}

export type DevicePlace =
  | { readonly address: string; readonly port: number }
  | { readonly path: string; readonly settings: SerialSettings }

export interface ReferenceOptions {
  readonly file: ReferenceRig
  readonly world: World
  readonly network: string
  readonly pki: string
  readonly bench: Realm
  readonly places: DevicePlaces
  readonly defects: readonly string[]
  /** Whether the CSV recorder is installed. */
  readonly recorder: boolean
  /** Where the apps stand that the bench plays at Data Storage, where that is installed. */
  readonly storage?: { readonly realm: Realm; readonly maxBytes: number } | undefined
  /** Whether somebody tries the certificate of an app that runs elsewhere. */
  readonly intruder: boolean
  /** The maintenance service, where it is wanted: its port, and the hash of its password. */
  readonly maintenance?: { readonly port: number; readonly password: string }
  emitAs(src: string): Emit
}

export type ReferencePlatform = Platform &
  AsyncDisposable & {
    /** The role, where it is installed. */
    readonly recorder: PlayedRecorder | undefined
    readonly storage: PlayedStorage | undefined
  }

/** Starts the platform with an app for each device that is there. Resolves when its processes have been started. */
export async function referencePlatform(o: ReferenceOptions): Promise<ReferencePlatform> {
  const { file, world } = o
  const host = await world.host({ name: 'platform', address: addressOf(o.network, file.platform.at) })
  const apps = appEntries(o)
  const door = {
    address: host.address,
    port: file.platform.port,
    serverName: 'marketplace',
    pki: o.pki,
  }

  const log = o.emitAs('log')
  const defect = o.emitAs('defect')
  let up = false
  let failures = 0
  const died = Promise.withResolvers<never>()
  died.promise.catch(() => undefined)
  host.onLog((proc, entry) => {
    const named = typeof entry === 'object' && entry !== null && 'event' in entry ? entry['event'] : undefined
    const event = typeof named === 'string' ? named : 'line'
    if (event === 'defect') defect('note', { ...(entry as { [k: string]: Json }), proc })
    else log('seen', { alias: `log.${event}`, payload: entry, proc })
    if (event === 'failed' && !up && ++failures === patience) {
      const text = (entry as { readonly text?: Json }).text
      died.reject(
        new GridproofError('rig-broke', `the platform does not come up: ${proc}: ${JSON.stringify(text)}`),
      )
    }
  })

  let closing = false
  const program: Program = {
    entry: 'sim/defects/launch.ts',
    config: {
      app: 'sim/reference/lvcap/platform.ts',
      config: {
        pki: o.pki,
        marketplace: {
          address: host.address,
          port: file.platform.port,
          revoked: revokedSerials(o.pki),
          broker: file.platform.broker,
          ...(o.storage === undefined && !o.intruder ? {} : { guests }),
        },
        manager: { statusInterval: file.platform.statusSeconds },
        topics: file.platform.topics,
        ...(o.maintenance === undefined ? {} : { maintenance: o.maintenance }),
        apps: apps as unknown as Json,
      },
    },
    defects: o.defects,
  }
  const machine = await startMachine({
    host,
    program,
    emit: o.emitAs('platform'),
    ended(how) {
      // A power cut is the bench's own doing.
      if (closing || how === 'cut') return
      o.emitAs('platform')('host', { what: 'the platform ended', how })
      died.reject(
        up
          ? new GridproofError('timeout', `the platform ended by itself (${how}); its log says why`)
          : new GridproofError('rig-broke', `the platform ended (${how}) before it was up; its log says why`),
      )
    },
  })

  const aliasOf = aliasTable({
    gridkey: sensorApps.gridkey.iid,
    thermocouple: sensorApps.thermocouple.iid,
    adam: adamApp.iid,
  })
  const csv = file.roles.recorder
  const recorder =
    o.recorder && csv !== undefined
      ? makeRecorder({
          host,
          realm: o.bench,
          export: csv,
          emit: o.emitAs('csv'),
          aliasOf,
          now: () => world.now(),
        })
      : undefined
  const storage =
    o.storage === undefined
      ? undefined
      : playStorage({
          door,
          host,
          subscriber: intruderApp.apid,
          ...o.storage,
          emitAs: (src) => o.emitAs(src),
        })
  const seenAtMarketplace = o.emitAs('marketplace')
  const healthy = watchHealth(apps.filter((a) => a.config !== null).map((a) => a.iid))
  const observer = observe({
    door: { ...door, name: 'observer' },
    realm: o.bench,
    emit(kind, data, more) {
      const seq = seenAtMarketplace(kind, shownAtMarketplace(data), more)
      recorder?.see({ seq, at: world.now(), src: 'marketplace', kind, data })
      return seq
    },
    aliasOf,
    onMessage: (topic, payload) => healthy.see(topic, payload),
    ...(file.observer.topics === undefined ? {} : { topics: file.observer.topics }),
  })
  const operator = operatorAt({ ...door, name: 'operator' }, o.bench, o.emitAs('operator'))

  return {
    can: new Set([
      'marketplace',
      'host',
      'log',
      'config',
      'operator',
      // Its log says until when a certificate is good, and what a last will would say; mosquitto does not tell.
      ...(file.platform.broker === 'mosquitto' ? [] : ['certificates', 'last-wills']),
      'tls',
      'machine',
      ...(hasDisk(host, world) ? ['disk'] : []),
      ...(host.can.has('skew') ? ['clock'] : []),
      ...(recorder === undefined ? [] : ['csv']),
      ...(storage === undefined ? [] : ['storage', 'upload', ...storage.can]),
      ...(o.maintenance === undefined ? [] : ['maintenance']),
    ]),
    hosts: [host],
    recorder,
    storage,
    async ready(within) {
      const limit = duration(within)
      const timer = Promise.withResolvers<never>()
      const goesOn = Promise.withResolvers<void>()
      const t = setTimeout(() => {
        const missing = healthy.missing()
        // Whoever was heard runs: that it does not say so is the product's affair, and checks judge it.
        if (missing.length > 0 && missing.every((iid) => healthy.heard(iid))) {
          o.emitAs('platform')('note', { what: `not all apps say that they run after ${within}`, missing })
          goesOn.resolve()
          return
        }
        const what =
          missing.length > 0 ? `no status OK of ${missing.join(', ')}` : 'no connection to its marketplace'
        timer.reject(new GridproofError('rig-broke', `the platform was not up within ${within}: ${what}`))
      }, limit)
      try {
        const all = Promise.all([observer.watching, operator.ready]).then(() =>
          healthReported(healthy, operator),
        )
        await Promise.race([all, goesOn.promise, timer.promise, died.promise])
        up = true
      } finally {
        clearTimeout(t)
      }
    },
    watch(port, select) {
      return { src: port, kind: 'seen', select }
    },
    async ask(port, request) {
      if (storage !== undefined && (port === 'upload' || port === 'storage'))
        return Promise.race([storage.ask(port, request), died.promise])
      if (port === 'machine') return Promise.race([machine.ask(request), died.promise])
      if (port !== 'config' && port !== 'operator')
        throw new GridproofError('not-capable', `the reference platform cannot be asked at '${port}'`)
      const answer = port === 'config' ? configure(request, operator, o) : operate(request, operator)
      return Promise.race([answer, died.promise])
    },
    async [Symbol.asyncDispose]() {
      closing = true
      await storage?.[Symbol.asyncDispose]()
      await observer[Symbol.asyncDispose]()
      await operator[Symbol.asyncDispose]()
      await stop(host, machine.proc())
    },
  }
}

/** Serial numbers, hexadecimal, of the certificates that the operator has revoked. */
function revokedSerials(pki: string): string[] {
  return [new X509Certificate(readFileSync(join(pki, `${intruderApp.revoked}.crt`))).serialNumber]
}

interface AppEntry {
  readonly apid: string
  readonly iid: string
  readonly entry: string
  readonly config: { readonly [k: string]: Json } | null
  /** What is built into its image beside the program. */
  readonly image?: Json
  readonly service?: 'storage'
}

function appEntries(o: ReferenceOptions): readonly AppEntry[] {
  const interval = o.file.platform.intervalSeconds
  const entries: AppEntry[] = []
  if (o.storage !== undefined) {
    const config = { ...storageConfig, maxBytes: o.storage.maxBytes }
    entries.push({ ...storageApp, config, service: 'storage' })
  }
  // The first to be installed is the first to be started: what the others say at their start is recorded too.
  if (o.recorder) entries.push({ ...recorderApp, config: o.file.roles.recorder?.options ?? {} })
  for (const role of deviceRoles) {
    const place = o.places[role]
    if (place === undefined) continue
    const where =
      'address' in place
        ? { address: place.address, port: place.port }
        : { serial: { path: place.path, ...place.settings } }
    entries.push({ ...readers[role], config: { ...where, interval, ...o.file.roles[role]?.app } })
  }
  if (o.places.scripted !== undefined)
    for (const app of Object.values(scriptedApps))
      entries.push({ ...app, entry: scriptedEntry, image: { control: o.places.scripted } })
  return entries
}

/** So often a part of the platform may fail before it is up: its manager tries again, but a port that is taken stays so. Ours. */
const patience = 3

/** An app that told its status before the observer stood at the door tells it next in two minutes: ours, in ms. */
const nudgeEvery = 3000

/**
 * Waits until each app has told that it runs. One that has not, after a while, is given its configuration once more:
 * an app answers that with its status (LV-CAP API 5.2).
 */
async function healthReported(healthy: ReturnType<typeof watchHealth>, operator: Operator): Promise<void> {
  const nudge = setInterval(() => {
    for (const iid of healthy.missing()) operator.request('change', iid, {}).catch(() => undefined)
  }, nudgeEvery)
  try {
    await healthy.all
  } finally {
    clearInterval(nudge)
  }
}

/** Topics that carry an instance's ID, and on which the Container Manager speaks. */
const fromManager = /^(config\/response|command)\//

/** Waits until each instance has reported that it runs (status 1, LV-CAP API table 7). */
function watchHealth(iids: readonly string[]): {
  see(topic: string, payload: Json): void
  missing(): readonly string[]
  /** Whether an instance has published anything at all. */
  heard(iid: string): boolean
  readonly all: Promise<void>
} {
  const waiting = new Set(iids)
  const heard = new Set<string>()
  const all = Promise.withResolvers<void>()
  if (waiting.size === 0) all.resolve()
  return {
    see(topic, payload) {
      if (waiting.size === 0) return
      const speaker = topic
        .split('/')
        .slice(1)
        .find((part) => waiting.has(part))
      if (speaker !== undefined && !fromManager.test(topic)) heard.add(speaker)
      if (!topic.startsWith('status/response/')) return
      const ok =
        typeof payload === 'object' && payload !== null && 'Status' in payload && payload['Status'] === 1
      if (ok) waiting.delete(topic.slice('status/response/'.length))
      if (waiting.size === 0) all.resolve()
    },
    missing: () => [...waiting],
    heard: (iid) => heard.has(iid),
    all: all.promise,
  }
}

interface Operator extends AsyncDisposable {
  readonly ready: Promise<void>
  request(what: string, iid: string, config: Json): Promise<Json>
}

/** The system operator's own connection: requests to the Container Manager, and its answers. */
function operatorAt(door: Parameters<typeof observe>[0]['door'], realm: Realm, emit: Emit): Operator {
  const waiting = new Map<string, (answer: Json) => void>()
  let last = 0
  const client: Observer = observe({
    door,
    realm,
    emit,
    aliasOf: () => 'operator.answer',
    topics: ['manager/response'],
    record: false,
    onMessage(_, payload) {
      if (typeof payload !== 'object' || payload === null || !('Id' in payload)) return
      const id = payload['Id']
      if (typeof id !== 'string') return
      waiting.get(id)?.(payload)
      waiting.delete(id)
    },
  })
  return {
    ready: client.watching,
    async request(what, iid, config) {
      const id = `bench-${++last}`
      const answer = Promise.withResolvers<Json>()
      waiting.set(id, answer.resolve)
      const request = { Id: id, Do: what, IID: iid, ContainerConfig: config }
      emit('sent', { alias: 'operator.request', payload: request })
      await client.publish('manager/request', request)
      return answer.promise
    },
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  }
}

/** How long the Container Manager may take to answer its operator. Ours. */
const answerWithin = 10_000

const configRequest = z.strictObject({
  app: z.enum(['gridkey', 'thermocouple', 'adam']),
  intervalSeconds: z.number().positive().optional(),
  /** Where the app looks for its device: at the device, or at an address where nothing is. */
  deviceAt: z.enum(['device', 'nowhere']).optional(),
  topics: z.enum(['spec', 'openlv-2018']).optional(),
  /** Feeders that the app reads and publishes. */
  feeders: z.array(z.int().min(1).max(5)).min(1).optional(),
  /** What the app tells beside its readings (LV-CAP API 8.3.2, 9.2 to 9.4). */
  metadata: z.boolean().optional(),
  profile: z.strictObject({ quantities: z.array(z.string()).min(1), outputs: z.int().min(2) }).optional(),
  site: z.strictObject({ coordinates: z.array(z.number()).min(1), system: z.string() }).optional(),
})

/** Last number of an address in the rig's network at which nothing stands: rig files end at 250. */
const nowhere = 251

/** `{ app: 'gridkey', intervalSeconds: 10 }`: changes an app's configuration, and waits for the answer. */
async function configure(request: Json, operator: Operator, o: ReferenceOptions): Promise<Json> {
  const r = configRequest.safeParse(request)
  if (!r.success)
    throw new GridproofError('bad-value', `a change of configuration: ${z.prettifyError(r.error)}`)
  const { app: name, intervalSeconds, deviceAt, ...others } = r.data
  const app = readers[name]
  const place = o.places[name]
  if (deviceAt !== undefined && (place === undefined || !('address' in place)))
    throw new GridproofError('bad-value', `the ${name} app reaches its device by no address`)
  const own = place !== undefined && 'address' in place ? place.address : ''
  const change = {
    ...(intervalSeconds === undefined ? {} : { interval: intervalSeconds }),
    ...(deviceAt === undefined
      ? {}
      : { address: deviceAt === 'device' ? own : addressOf(o.network, nowhere) }),
    ...(others as { [k: string]: Json }),
  }
  return answerOf(operator, { what: 'change', iid: app.iid, config: change })
}

/** `{ do: 'restart', app: 'first' }`: asks the Container Manager, and waits for the answer. */
async function operate(request: Json, operator: Operator): Promise<Json> {
  const iids: Readonly<Record<string, { readonly iid: string }>> = {
    ...readers,
    ...scriptedApps,
    storage: storageApp,
  }
  return answerOf(
    operator,
    operatorRequest(request, (app) => iids[app]?.iid),
  )
}

async function answerOf(operator: Operator, r: OperatorRequest): Promise<Json> {
  const late = Promise.withResolvers<never>()
  const t = setTimeout(() => {
    late.reject(
      new GridproofError('timeout', `the Container Manager did not answer within ${answerWithin / 1000} s`),
    )
  }, answerWithin)
  try {
    return await Promise.race([operator.request(r.what, r.iid, r.config), late.promise])
  } finally {
    clearTimeout(t)
  }
}

/** Asks the platform to finish, and ends it where it does not (LV-CAP API 6 gives an app 60 s; a bench has not so long). */
async function stop(
  host: Host,
  proc: { readonly ended: Promise<unknown>; signal(s: 'TERM' | 'KILL'): void },
): Promise<void> {
  proc.signal('TERM')
  const t = setTimeout(() => proc.signal('KILL'), 5000)
  await proc.ended
  clearTimeout(t)
  if (host.can.has('cut')) host.cut()
}
