/**
 * The reference platform as the system under test: builds its configuration from the rig, starts it on a host, and
 * shows what it does through an observer at its marketplace and through its log.
 */
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { GridproofError } from '../../drivers/errors.ts'
import type { Host, Json, Program, Realm, World } from '../../drivers/faces.ts'
import { duration } from '../../drivers/units.ts'
import type { Emit, SetHost } from '../../sim/faces.ts'
import type { Platform, Roles } from '../faces.ts'
import { addressOf } from '../rigs/address.ts'
import { aliasFor } from '../rigs/pair.ts'
import type { Suffix } from '../rigs/pair.ts'
import type { ReferenceRig } from '../rigs/schema.ts'
import { sourceGuests } from './peer-parties.ts'
import { isolationApp } from './advisers.ts'
import type { Speakers } from './advisers.ts'
import { aliasTable } from './aliases.ts'
import { adamApp, appEntries, automationApps, intruderApp, sensorApps } from './apps.ts'
import type { DevicePlaces } from './apps.ts'
import { healthReported, watchHealth } from './health.ts'
import { hasDisk, startMachine } from './machine.ts'
import { observe } from './observer.ts'
import { configure, operate, operatorAt } from './operator.ts'
import type { PlayedMains } from './mains.ts'
import { makeRecorder } from './recorder.ts'
import type { PlayedRecorder } from './recorder.ts'
import { guests, playStorage, shownAtMarketplace } from './storage.ts'
import { commanderGuests } from './commander.ts'
import { updateSettings } from './updates.ts'
import type { PlayedStorage } from './storage.ts'

export interface ReferenceOptions {
  /** Nothing for the first substation, `2` for the second: of its host's name, its sources and its aliases. */
  readonly side: Suffix
  readonly file: ReferenceRig
  readonly world: World
  readonly network: string
  readonly pki: string
  readonly bench: Realm
  readonly places: DevicePlaces
  readonly defects: readonly string[]
  readonly setHost?: SetHost
  /** Every role that the scenario asks for: some install apps. */
  readonly wanted: ReadonlySet<keyof Roles>
  /** Whether the CSV recorder is installed. */
  readonly recorder: boolean
  /** Where the apps stand that the bench plays at Data Storage, where that is installed. */
  readonly storage?: { readonly realm: Realm; readonly maxBytes: number } | undefined
  /** Whether somebody tries the certificate of an app that runs elsewhere. */
  readonly intruder: boolean
  /** The maintenance service, where it is wanted: its port, and the hash of its password. */
  readonly maintenance?: { readonly port: number; readonly password: string }
  /** Apps that the bench plays to LoadSense, where it does. */
  readonly speakers?: Speakers | undefined
  /** The mains at which its host hangs, where a scenario plays them. */
  readonly mains?: PlayedMains | undefined
  /** The watchdog that it is to feed, where there is one. */
  readonly watchdog?: { readonly address: string; readonly port: number } | undefined
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
  const { file, world, side } = o
  const at = side === '' ? file.platform.at : (file.roles.platform2?.at ?? file.platform.at)
  const defect = o.emitAs('defect')
  const setting = o.setHost?.(
    o.defects,
    (phase, id) => void defect('note', { event: 'defect', phase, defect: id, proc: 'host' }),
  )
  const host = await world.host({
    name: `platform${side}`,
    address: addressOf(o.network, at),
    ...(o.mains === undefined ? {} : { durable: true, diskBytes: file.platform.diskMiB * 1_048_576 }),
    ...(o.wanted.has('cache') ? { cached: true } : {}),
    ...(setting === undefined || setting.mount.length === 0 ? {} : { mount: setting.mount.join(',') }),
  })
  const apps = appEntries({ ...o, interval: file.platform.intervalSeconds, storage: o.storage })
  const door = {
    address: host.address,
    port: file.platform.port,
    serverName: 'marketplace',
    pki: o.pki,
  }

  const log = o.emitAs('log')
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
          guests: [
            ...(o.storage === undefined && !o.intruder ? [] : guests),
            ...(o.wanted.has('peers') ? sourceGuests : []),
            ...Object.values(o.speakers ?? {}),
            ...(o.wanted.has('commander') ? commanderGuests : []),
          ],
        },
        manager: { statusInterval: file.platform.statusSeconds },
        topics: file.platform.topics,
        ...(o.maintenance === undefined ? {} : { maintenance: o.maintenance }),
        ...(o.places.management === undefined ? {} : { updates: updateSettings }),
        ...(o.watchdog === undefined ? {} : { watchdog: o.watchdog }),
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

  const aliasOf = aliasFor(
    side,
    aliasTable({
      gridkey: sensorApps.gridkey.iid,
      thermocouple: sensorApps.thermocouple.iid,
      adam: adamApp.iid,
      automation: new Map([
        ...Object.entries(automationApps).map(([name, app]) => [app.iid, name] as const),
        [isolationApp.iid, 'isolation'],
      ]),
    }),
  )
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
          side,
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
      recorder?.see({ seq, at: world.now(), src: `marketplace${side}`, kind, data })
      return seq
    },
    aliasOf,
    onMessage: (topic, payload) => healthy.see(topic, payload),
    ...(file.observer.topics === undefined ? {} : { topics: file.observer.topics }),
  })
  const operator = operatorAt({ ...door, name: 'operator' }, o.bench, o.emitAs('operator'))
  let lostBefore = 0
  o.mains?.feed(
    host,
    {
      coming() {
        const { lost = 0 } = host.cache?.() ?? {}
        setting?.lost(lost - lostBefore)
        lostBefore = lost
        observer.again()
        operator.again()
        storage?.again()
      },
      restored: (procs) => machine.restored(procs),
    },
    'played',
  )

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
      ...(host.can.has('durability') ? ['durability'] : []),
      ...(host.can.has('write-cache') ? ['write-cache'] : []),
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
      return { src: `${port}${side}`, kind: 'seen', select }
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

/** So often a part of the platform may fail before it is up: its manager tries again, but a port that is taken stays so. Ours. */
const patience = 3

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
