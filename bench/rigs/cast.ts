/** Makes the roles that a scenario asks for, from a rig file, on a world. All or none. */
import { GridproofError, messageOf } from '../../drivers/errors.ts'
import type { Json } from '../../drivers/faces.ts'
import type { MainsModel } from '../../sim/faces.ts'
import type { Cast, DiskCache, Platform, Roles } from '../faces.ts'
import { automationApps, speakersFor, updatable } from '../platforms/apps.ts'
import type { DevicePlaces } from '../platforms/apps.ts'
import { makeForecaster } from '../platforms/forecaster.ts'
import { drawPassword, hashOf } from '../platforms/laptop.ts'
import { playMains } from '../platforms/mains.ts'
import type { PlayedMains } from '../platforms/mains.ts'
import { referencePlatform } from '../platforms/reference.ts'
import type { ReferenceOptions, ReferencePlatform } from '../platforms/reference.ts'
import type { PlayedWatchdog } from '../platforms/watchdog.ts'
import {
  advisersAt,
  automationOf,
  clockOf,
  commanderAt,
  intruderAt,
  laptopAt,
  meetPeers,
  type Ends,
} from './callers.ts'
import { buildLab } from './lab-cast.ts'
import type { BuiltRig, RigOptions } from './options.ts'
import { bothOf, emitFor, wantedAt } from './pair.ts'
import { deviceRoles } from './parts.ts'
import { startReading } from './reading.ts'
import { startWatchdog } from './watchdog.ts'
import { isLab } from './schema.ts'
import { startUploads } from './uploads.ts'
import type { ReferenceRig } from './schema.ts'
import { makeSetting, seenByMains } from './setting.ts'
import type { Setting } from './setting.ts'
import { startDevice, startEmptyLine, startNetwork, startScripted } from './substation.ts'
import {
  startDataCentre,
  startLink,
  startManagementServer,
  startMqttPair,
  startPeers,
  startTus,
} from './upstream.ts'

/** Builds a rig. Nothing is started before `cast`. */
export function buildRig(o: RigOptions): BuiltRig {
  const { file } = o
  return isLab(file) ? buildLab({ ...o, file }) : buildReference({ ...o, file })
}

function mainsIn(o: RigOptions): MainsModel {
  if (o.mains === undefined)
    throw new GridproofError('rig-lacks', 'this bench was built without a model of the mains')
  return o.mains
}

/** `told`: each event of the mains. */
function startMains(s: Setting, told: (data: Json) => void): PlayedMains {
  const emit = s.o.emitAs('mains')
  return s.keep(
    playMains({
      model: mainsIn(s.o),
      now: () => s.o.world.now(),
      random: () => s.o.world.random('mains'),
      emit(kind, data, more) {
        const seq = emit(kind, data, more)
        told(data)
        return seq
      },
    }),
  )
}

/** Apps of the bench at Data Storage, where the rig has a place for them. */
function storageAt(
  s: Setting,
  role: 'storage' | 'storage2',
  wanted: boolean,
): Pick<ReferenceOptions, 'storage'> {
  const entry = s.file.roles[role]
  if (!wanted || entry === undefined) return {}
  return { storage: { realm: s.realm(role, entry.at), maxBytes: entry.maxBytes } }
}

function buildReference(o: RigOptions & { readonly file: ReferenceRig }): BuiltRig {
  const { file, world } = o
  const s = makeSetting(o)
  let platform: (Platform & AsyncDisposable) | undefined

  async function make(wanted: ReadonlySet<keyof Roles>): Promise<Partial<Record<keyof Roles, unknown>>> {
    const made: Partial<Record<keyof Roles, unknown>> = {}
    const places: DevicePlaces = {}
    const second: DevicePlaces = {}
    const ends: { a: ReferencePlatform | undefined; b: ReferencePlatform | undefined } = {
      a: undefined,
      b: undefined,
    }
    const network = wanted.has('network') ? startNetwork(s) : undefined
    if (network !== undefined) made.network = s.faulty(network.role)
    for (const role of deviceRoles)
      if (wanted.has(role)) made[role] = await startDevice(s, role, { first: places, second }, network)
    if (wanted.has('commander') && !wanted.has('alvin')) await startEmptyLine(s, places)
    let watchdog: PlayedWatchdog | undefined
    const mains = wanted.has('mains') ? startMains(s, (data) => watchdog?.see(data)) : undefined
    if (mains !== undefined) made.mains = s.faulty(mains)
    platform = await startReading(s, wanted, made)
    const link = wanted.has('link')
      ? await startLink(s, '', async () => {
          if (watchdog !== undefined) await watchdog.cycle('5 s')
          else if (mains !== undefined) await mains.cut({ for: '5 s' })
          else await platform?.ask('machine', { do: 'restart' })
        })
      : undefined
    if (link !== undefined) made.link = Object.assign(s.faulty(link), { router: s.faulty(link.router) })
    const link2 = wanted.has('link2')
      ? await startLink(s, '2', async () => {
          const host = ends.b?.hosts[0]
          if (mains !== undefined && host !== undefined) await mains.cut({ for: '5 s', host: host.name })
          else await ends.b?.ask('machine', { do: 'restart' })
        })
      : undefined
    if (link2 !== undefined) made.link2 = Object.assign(s.faulty(link2), { router: s.faulty(link2.router) })
    if (wanted.has('watchdog')) watchdog = await startWatchdog(s, link, mains)
    const uploading = [{ places, link }, ...(wanted.has('storage2') ? [{ places: second, link: link2 }] : [])]
    if (wanted.has('tus')) made.tus = await startTus(s)
    if (wanted.has('uploads')) made.uploads = await startUploads(s)
    if (wanted.has('mqtt')) made.mqtt = await startMqttPair(s, link)
    if (wanted.has('centre'))
      made.centre = await startDataCentre(s, uploading, seenByMains(o, mains, 'centre'))
    const management = wanted.has('management')
      ? await startManagementServer(s, uploading, seenByMains(o, mains, 'management'))
      : undefined
    if (management !== undefined) made.management = s.faulty(management)
    if (wanted.has('scripted')) made.scripted = await startScripted(s, places)
    const peers =
      wanted.has('peers') || wanted.has('automation')
        ? await startPeers(s, { a: { places, link }, b: { places: second, link: link2 } })
        : undefined
    const laptop = wanted.has('laptop') ? file.roles.laptop : undefined
    const password = drawPassword(() => world.random('laptop/password'))
    const speakers = wanted.has('advisers')
      ? speakersFor({ side: '', file, interval: 60, wanted: wantedAt('', wanted), places, pki: o.pki })
      : undefined
    if (wanted.has('platform')) {
      const lvcap = s.keep(
        await referencePlatform({
          ...o,
          bench: s.bench,
          side: '',
          places,
          wanted: wantedAt('', wanted),
          recorder: wanted.has('recorder'),
          intruder: wanted.has('intruder'),
          ...storageAt(s, 'storage', wanted.has('storage')),
          ...(laptop === undefined ? {} : { maintenance: { port: laptop.port, password: hashOf(password) } }),
          mains,
          watchdog: watchdog?.feed,
          speakers,
          emitAs: (src) => seenByMains(o, mains, src),
        }),
      )
      ends.a = lvcap
      platform = lvcap
      made.platform = lvcap satisfies Platform
      if (lvcap.storage !== undefined) made.storage = s.faulty(lvcap.storage)
      if (lvcap.recorder !== undefined) made.recorder = lvcap.recorder
      const host = lvcap.hosts[0]
      if (watchdog !== undefined && host !== undefined) {
        s.keep(await watchdog.begin(host))
        made.watchdog = s.faulty(watchdog)
      }
      if (host !== undefined) management?.at(host, { apps: updatable, control: places.scripted })
      if (wanted.has('forecaster') && host !== undefined)
        made.forecaster = makeForecaster({
          host,
          iid: automationApps.predictor.iid,
          realm: s.bench,
          emit: o.emitAs('forecaster'),
          seed: Math.floor(world.random('forecaster/past') * 2 ** 31),
          now: () => world.now(),
          operate: (request) => lvcap.ask('operator', request),
        })
    }
    if (wanted.has('platform2')) {
      const lvcap = s.keep(
        await referencePlatform({
          ...o,
          side: '2',
          bench: s.bench,
          places: second,
          wanted: wantedAt('2', wanted),
          recorder: false,
          intruder: false,
          ...storageAt(s, 'storage2', wanted.has('storage2')),
          mains,
          emitAs: emitFor('2', (src) => seenByMains(o, mains, src)),
        }),
      )
      ends.b = lvcap
      platform = platform === undefined ? lvcap : bothOf(platform, lvcap)
      made.platform2 = lvcap satisfies Platform
      if (lvcap.storage !== undefined) made.storage2 = s.faulty(lvcap.storage)
    }
    if (peers !== undefined) {
      meetPeers(s, peers, ends satisfies Ends)
      if (wanted.has('peers')) made.peers = s.faulty(peers)
    }
    if (wanted.has('automation')) made.automation = automationOf(s, ends, network?.role)
    const host = platform?.hosts[0]
    if (wanted.has('cache')) made.cache = { can: host?.can.has('write-cache') === true } satisfies DiskCache
    if (wanted.has('clock')) made.clock = clockOf(s, host)
    if (laptop !== undefined) made.laptop = laptopAt(s, platform, password)
    if (speakers !== undefined) made.advisers = advisersAt(s, platform, speakers)
    if (wanted.has('commander') && host !== undefined) made.commander = commanderAt(s, platform, host)
    if (wanted.has('intruder')) made.intruder = intruderAt(s, platform)
    return made
  }

  return {
    name: file.name,
    declared: false,
    bench: s.bench,
    get platform() {
      return platform
    },
    lacks(needs) {
      const has = new Set<string>(['platform', ...Object.keys(file.roles)])
      if (needs.includes('platform') && needs.includes('mqtt'))
        return ['two libraries stand in the place of a platform: ask for one of them']
      if (needs.includes('platform') && needs.includes('reader'))
        return ['a scenario is of a platform or of a meter reader: ask for one of them']
      return needs.filter((n) => !has.has(n)).map((n) => `the rig '${file.name}' has no ${n}`)
    },
    async cast<K extends keyof Roles>(needs: readonly K[]): Promise<Cast<K>> {
      try {
        return (await make(new Set<keyof Roles>(needs))) as Cast<K>
      } catch (e) {
        await s.close()
        if (e instanceof GridproofError) throw e
        throw new GridproofError('rig-broke', `the rig could not be set up: ${messageOf(e)}`, { cause: e })
      }
    },
    liftAll: () => s.liftAll(),
    [Symbol.asyncDispose]: () => s.close(),
  }
}
