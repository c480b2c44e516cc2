/** Makes the roles that a scenario asks for, from a rig file, on a world. All or none. */
import { mkdtempSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { GridproofError, messageOf } from '../../drivers/errors.ts'
import type { Json, Outlet, Realm, World } from '../../drivers/faces.ts'
import type {
  Device,
  Emit,
  Fault,
  MainsModel,
  MakeLink,
  StartCentre,
  StartManagement,
  MakeRelay,
} from '../../sim/faces.ts'
import { makeAutomation } from '../platforms/automation.ts'
import { playClock } from '../platforms/clock.ts'
import { playPeers } from '../platforms/peers.ts'
import type { PlayedPeers } from '../platforms/peers.ts'
import { playScripted } from '../platforms/scripted.ts'
import { drawPassword, hashOf, makeLaptop } from '../platforms/laptop.ts'
import { makeIntruder } from '../platforms/intruder.ts'
import { playAdvisers } from '../platforms/advisers.ts'
import { listenAtEmptyLine, makeCommander } from '../platforms/commander.ts'
import { automationApps, intruderApp, speakersFor } from '../platforms/apps.ts'
import type { DevicePlaces } from '../platforms/apps.ts'
import { referencePlatform } from '../platforms/reference.ts'
import type { ReferenceOptions } from '../platforms/reference.ts'
import { publisherApid } from '../platforms/storage.ts'
import type { Centre, Cast, MqttPair, Platform, Rig, Roles, Scripted, TusLibrary } from '../faces.ts'
import { addressOf } from './address.ts'
import { liftEach, rememberFaults } from './faults.ts'
import type { LabPower } from './lab.ts'
import { buildLab } from './lab-cast.ts'
import { playCentre } from '../platforms/centre.ts'
import { playManagement } from '../platforms/management.ts'
import type { PlayedManagement } from '../platforms/management.ts'
import { playCloud, readerName, readingsTopic } from '../platforms/cloud.ts'
import type { PlayedCloud } from '../platforms/cloud.ts'
import { makeForecaster } from '../platforms/forecaster.ts'
import { makeInstaller } from '../platforms/installer.ts'
import { playLink } from '../platforms/link.ts'
import type { PlayedLink } from '../platforms/link.ts'
import { playMains } from '../platforms/mains.ts'
import type { PlayedMains } from '../platforms/mains.ts'
import { playMqttPair } from '../platforms/mqtt-pair.ts'
import { playTusLibrary } from '../platforms/tus-library.ts'
import { playModem } from '../platforms/modem.ts'
import type { PlayedModem } from '../platforms/modem.ts'
import { referenceReader } from '../platforms/reader.ts'
import { meterAtLine } from './meters.ts'
import type { MeterAtLine } from './meters.ts'
import { bothOf, emitFor, wantedAt } from './pair.ts'
import type { MakeNetwork } from './pair.ts'
import { deviceRoles, meterRoles, placeOfRole } from './parts.ts'
import type { DeviceRole, MeterRole } from './parts.ts'
import { isLab } from './schema.ts'
import type { DeviceEntry, ReferenceRig, RigFile } from './schema.ts'

/** Makes a device of sim/devices by name. Throws `bad-file` or `bad-value` for options that do not fit. */
export type MakeDevice = (name: string, role: string, options: Json) => Device

/** Where a setting comes from: the rest of the program, wired together at the top. */
export interface RigOptions {
  readonly file: RigFile
  readonly world: World
  /** First three numbers of the rig's network. */
  readonly network: string
  /** Folder with certificates and keys. */
  readonly pki: string
  readonly makeDevice: MakeDevice
  /** Absent: there is no network to be had. */
  readonly makeNetwork?: MakeNetwork
  readonly mains?: MainsModel
  /** Takes hold of what switches the power of a lab's platform. */
  openOutlet?(spec: LabPower): Promise<Outlet>
  /** Absent: there is no data centre to be had. */
  readonly startCentre?: StartCentre
  /** Absent: there is no management server to be had. */
  readonly startManagement?: StartManagement
  /** Absent: there is no link to be had. */
  readonly makeLink?: MakeLink
  /** Absent: two platforms cannot meet. */
  readonly makeRelay?: MakeRelay
  readonly defects: readonly string[]
  /** The operator allows what is played to lead to operations of real breakers; where those of this run are counted. */
  readonly armed?: { readonly operations: string }
  /** Writes to the evidence log in the name of a source. */
  emitAs(src: string): Emit
}

/** A rig with what the runner needs of it beyond the face. */
export interface BuiltRig extends Rig {
  readonly platform: (Platform & AsyncDisposable) | undefined
  /** Whether its file declares what it has: what it then lacks is known beforehand, and no trouble of the rig. */
  readonly declared: boolean
  /** The realm in which scenarios run. */
  readonly bench: Realm
  /** Why the run has to stop, as soon as it has. */
  readonly halted?: Promise<string>
  /** Lifts every fault still in force; returns how many. */
  liftAll(): number
}

/** Builds a rig. Nothing is started before `cast`. */
export function buildRig(o: RigOptions): BuiltRig {
  const { file } = o
  return isLab(file) ? buildLab({ ...o, file }) : buildReference({ ...o, file })
}

/** The line of breakers that are not fitted, where the rig has none that could be. The default of Modbus. */
const breakersLine = { baudRate: 19_200, dataBits: 8, parity: 'even', stopBits: 1 } as const

function mainsIn(o: RigOptions): MainsModel {
  if (o.mains === undefined)
    throw new GridproofError('rig-lacks', 'this bench was built without a model of the mains')
  return o.mains
}

/** Writes in the name of a source; mains may go at any such event. */
function seenByMains(o: RigOptions, mains: PlayedMains | undefined, src: string): Emit {
  const emit = o.emitAs(src)
  if (mains === undefined) return emit
  return (kind, data, more) => {
    const seq = emit(kind, data, more)
    mains.see({ seq, at: o.world.now(), src, kind, data, ...more })
    return seq
  }
}

function buildReference(o: RigOptions & { readonly file: ReferenceRig }): BuiltRig {
  const { file, world } = o
  const bench = world.realm({ name: 'bench', address: addressOf(o.network, file.observer.at) })
  const inForce = new Map<string, Fault>()
  const open: AsyncDisposable[] = []
  let platform: (Platform & AsyncDisposable) | undefined

  function deviceEntry(role: DeviceRole | MeterRole): DeviceEntry {
    const e = file.roles[role]
    if (e === undefined) throw new GridproofError('rig-lacks', `the rig '${file.name}' has no ${role}`)
    return e
  }

  async function startDevice(
    role: DeviceRole,
    at: { readonly first: DevicePlaces; readonly second: DevicePlaces },
    network: ReturnType<MakeNetwork> | undefined,
  ): Promise<Device> {
    const place = placeOfRole(role)
    const places = place.second ? at.second : at.first
    const entry = deviceEntry(role)
    const realm = world.realm({ name: role, address: addressOf(o.network, entry.at) })
    const made = realm.run(() => o.makeDevice(entry.device, role, entry.options ?? {}))
    network?.feed(made, (f) => realm.run(f))
    const device = realm.bind(made)
    const emit = o.emitAs(role)
    const env = { now: () => world.now(), random: (s: string) => world.random(`${role}/${s}`), emit }
    if (entry.serial === undefined) {
      const { wire, port } = await world.tcp({ name: `${role}/tcp`, realm, port: entry.port ?? 0 })
      places[place.role] = { address: realm.address, port }
      await device.start(wire, env)
    } else {
      const line = await world.serial({ name: `${role}/serial`, realm, settings: entry.serial })
      open.push(line)
      places[place.role] = { path: line.path, settings: entry.serial }
      await device.start(line.wire, env)
    }
    open.push(device)
    return rememberFaults(device, inForce)
  }

  /** The network between two substations: before the devices that stand in it. */
  function startNetwork(): ReturnType<MakeNetwork> {
    const entry = file.roles.network
    if (entry === undefined || o.makeNetwork === undefined)
      throw new GridproofError('rig-lacks', `the rig '${file.name}' has no network`)
    const { makeNetwork } = o
    const realm = world.realm({ name: 'network', address: addressOf(o.network, entry.at) })
    const network = realm.run(() =>
      makeNetwork(entry.options ?? {}, {
        now: () => world.now(),
        random: (s) => world.random(`network/${s}`),
        emit: o.emitAs('network'),
      }),
    )
    open.push(network.role)
    return network
  }

  /** The link to all servers; `reset` takes the power of the computer, which is yet to be there. */
  async function startLink(reset: () => Promise<void>): Promise<PlayedLink> {
    const entry = file.roles.link
    if (entry === undefined || o.makeLink === undefined)
      throw new GridproofError('rig-lacks', `the rig '${file.name}' has no link`)
    const link = await playLink({
      world,
      realm: world.realm({ name: 'link', address: addressOf(o.network, entry.at) }),
      router: {
        realm: world.realm({ name: 'router', address: addressOf(o.network, entry.router.at) }),
        port: entry.router.port,
        password: drawPassword(() => world.random('router/password')),
      },
      host: addressOf(o.network, file.platform.at),
      profile: entry.profile,
      makeLink: o.makeLink,
      emitAs: (src) => o.emitAs(src),
      resetComputer: reset,
    })
    open.push(link)
    return link
  }

  /** A library on a disk that loses what was not flushed. */
  async function startTus(): Promise<TusLibrary> {
    const entry = file.roles.tus
    if (entry === undefined) throw new GridproofError('rig-lacks', `the rig '${file.name}' has no tus`)
    const host = await world.host({ name: 'tus', address: addressOf(o.network, entry.at), durable: true })
    if (!host.can.has('durability'))
      throw new GridproofError('rig-lacks', 'it takes a disk that loses at a cut what was not flushed')
    return playTusLibrary({ host, port: entry.port, realm: bench, emit: o.emitAs('tus') })
  }

  /** Two libraries, in the platform's place and behind the link. */
  async function startMqttPair(link: PlayedLink | undefined): Promise<MqttPair> {
    const entry = file.roles.mqtt
    if (entry === undefined) throw new GridproofError('rig-lacks', `the rig '${file.name}' has no mqtt`)
    const site = await world.host({ name: 'site', address: addressOf(o.network, file.platform.at) })
    const server = await world.host({ name: 'server', address: addressOf(o.network, entry.at) })
    return playMqttPair({ site, server, port: entry.port, link, emitAs: (src) => o.emitAs(src) })
  }

  async function startDataCentre(
    places: DevicePlaces,
    link: PlayedLink | undefined,
    emit: Emit,
  ): Promise<Centre> {
    const entry = file.roles.centre
    if (entry === undefined || o.startCentre === undefined)
      throw new GridproofError('rig-lacks', `the rig '${file.name}' has no data centre`)
    const realm = world.realm({ name: 'centre', address: addressOf(o.network, entry.at) })
    const centre = await playCentre({
      start: o.startCentre,
      realm,
      port: entry.port,
      pki: o.pki,
      folder: mkdtempSync(join(dirname(o.pki), 'centre-')),
      emit,
      now: () => world.now(),
    })
    open.push(centre)
    places.centre = { address: centre.address, port: centre.port }
    if (link !== undefined) places.centre = await link.reach({ name: 'centre', ...places.centre })
    return rememberFaults(centre, inForce)
  }

  async function startManagementServer(
    places: DevicePlaces,
    link: PlayedLink | undefined,
    emit: Emit,
  ): Promise<PlayedManagement> {
    const entry = file.roles.management
    if (entry === undefined || o.startManagement === undefined)
      throw new GridproofError('rig-lacks', `the rig '${file.name}' has no management server`)
    const management = await playManagement({
      start: o.startManagement,
      realm: world.realm({ name: 'management', address: addressOf(o.network, entry.at) }),
      port: entry.port,
      pki: o.pki,
      folder: mkdtempSync(join(dirname(o.pki), 'management-')),
      emit,
      now: () => world.now(),
      random: () => world.random('management'),
    })
    open.push(management)
    places.management = { address: management.address, port: management.port }
    if (link !== undefined) places.management = await link.reach({ name: 'management', ...places.management })
    return management
  }

  /** What lies between two platforms: before their apps, which are told of it. */
  async function startPeers(places: readonly DevicePlaces[]): Promise<PlayedPeers> {
    const entry = file.roles.peers
    const { platform2 } = file.roles
    if (entry === undefined || platform2 === undefined || o.makeRelay === undefined)
      throw new GridproofError('rig-lacks', `the rig '${file.name}' has no link between two platforms`)
    const peers = await playPeers({
      realm: world.realm({ name: 'peers', address: addressOf(o.network, entry.at) }),
      pki: o.pki,
      emit: o.emitAs('peers'),
      topics: file.platform.topics,
      called: { address: addressOf(o.network, platform2.at), port: entry.port },
      random: () => world.random('peers'),
      makeRelay: o.makeRelay,
    })
    open.push(peers)
    for (const p of places) p.peers = peers.places
    return peers
  }

  async function startScripted(places: DevicePlaces): Promise<Scripted> {
    const { at = 0, port: wanted = 0 } = file.roles.scripted ?? {}
    const realm = world.realm({ name: 'scripted', address: addressOf(o.network, at) })
    const { wire, port } = await world.tcp({ name: 'scripted/tcp', realm, port: wanted })
    const played = await realm.run(() =>
      playScripted({
        wire,
        now: () => world.now(),
        emit: o.emitAs('scripted'),
        run: (f) => realm.run(f),
      }),
    )
    places.scripted = { address: realm.address, port }
    open.push(played)
    return played.role
  }

  const playedAt = (s: NonNullable<ReferenceRig['roles']['storage']>): ReferenceOptions['storage'] => ({
    realm: world.realm({ name: 'storage', address: addressOf(o.network, s.at) }),
    maxBytes: s.maxBytes,
  })

  /** The meters, the cloud, and the reader between them. */
  async function startReading(
    wanted: ReadonlySet<keyof Roles>,
    made: Partial<Record<keyof Roles, unknown>>,
  ): Promise<void> {
    const meters = new Map<MeterRole, MeterAtLine>()
    for (const role of meterRoles) {
      if (!wanted.has(role)) continue
      const entry = deviceEntry(role)
      const m = await meterAtLine({ ...o, role, entry, address: addressOf(o.network, entry.at) })
      open.push(m)
      meters.set(role, m)
      made[role] = rememberFaults(m.role, inForce)
    }
    let cloud: PlayedCloud | undefined
    if (wanted.has('cloud')) {
      // Certificates name addresses: in real time that of this machine alone.
      const address = world.time === 'real' ? '127.0.0.1' : addressOf(o.network, file.roles.cloud?.at ?? 0)
      cloud = await playCloud({
        address,
        realm: world.realm({ name: 'cloud', address }),
        pki: o.pki,
        emit: o.emitAs('cloud'),
      })
      open.push(cloud)
      made.cloud = rememberFaults(cloud, inForce)
    }
    const fitted = wanted.has('modem') ? file.roles.modem : undefined
    let modem: PlayedModem | undefined
    if (fitted !== undefined) {
      modem = await playModem({
        world,
        realm: world.realm({ name: 'modem', address: addressOf(o.network, fitted.at) }),
        settings: fitted.serial,
        emit: o.emitAs('modem'),
      })
      open.push(modem)
      made.modem = rememberFaults(modem.role, inForce)
    }
    if (!wanted.has('reader')) return
    const visited = wanted.has('installer') ? file.roles.installer : undefined
    const password = drawPassword(() => world.random('installer/password'))
    const reader = await referenceReader({
      ...o,
      ...(visited === undefined ? {} : { page: { port: visited.port, password: hashOf(password) } }),
      address: addressOf(o.network, file.roles.reader?.at ?? 0),
      bench,
      cloud,
      modem: () => modem?.line,
      lines: () => [...meters.values()].map((m) => m.line),
      async rewire(change) {
        for (const [role, m] of meters) if (change[role] !== undefined) await m.off()
        for (const [role, m] of meters) if (change[role] !== undefined) await m.on(change[role])
        if (change.modem !== undefined) await modem?.rewire(change.modem)
      },
      emitAs: (src) => o.emitAs(src),
    })
    open.push(reader)
    platform = reader
    made.reader = reader
    if (visited !== undefined)
      made.installer = makeInstaller({
        address: reader.hosts[0]?.address ?? '',
        port: visited.port,
        pki: o.pki,
        realm: world.realm({ name: 'installer', address: addressOf(o.network, visited.at) }),
        emit: o.emitAs('installer'),
        password,
        cloud: {
          broker: cloud?.address ?? '127.0.0.1',
          port: String(cloud?.port ?? 1),
          clientId: readerName,
          publishTopic: readingsTopic,
          certificate: readFileSync(join(o.pki, 'ca.crt'), 'utf8'),
          meterType0: 'kaifa',
        },
      })
  }

  return {
    name: file.name,
    declared: false,
    bench,
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
      const wanted = new Set<keyof Roles>(needs)
      const made: Partial<Record<keyof Roles, unknown>> = {}
      const places: DevicePlaces = {}
      const second: DevicePlaces = {}
      try {
        const network = wanted.has('network') ? startNetwork() : undefined
        if (network !== undefined) made.network = rememberFaults(network.role, inForce)
        for (const role of deviceRoles)
          if (wanted.has(role)) made[role] = await startDevice(role, { first: places, second }, network)
        if (wanted.has('commander') && !wanted.has('alvin')) {
          const settings = file.roles.alvin?.serial ?? breakersLine
          const realm = world.realm({
            name: 'line',
            address: addressOf(o.network, file.roles.alvin?.at ?? 0),
          })
          const line = await world.serial({ name: 'alvin/serial', realm, settings })
          open.push(line, await realm.run(() => listenAtEmptyLine(line, o.emitAs('line'))))
          places.alvin = { path: line.path, settings }
        }
        const mains = wanted.has('mains')
          ? playMains({
              model: mainsIn(o),
              now: () => world.now(),
              random: () => world.random('mains'),
              emit: o.emitAs('mains'),
            })
          : undefined
        if (mains !== undefined) {
          open.push(mains)
          made.mains = rememberFaults(mains, inForce)
        }
        await startReading(wanted, made)
        const link = wanted.has('link')
          ? await startLink(async () => {
              if (mains !== undefined) await mains.cut({ for: '5 s' })
              else await platform?.ask('machine', { do: 'restart' })
            })
          : undefined
        if (link !== undefined) {
          made.link = Object.assign(rememberFaults(link, inForce), {
            router: rememberFaults(link.router, inForce),
          })
        }
        if (wanted.has('tus')) made.tus = await startTus()
        if (wanted.has('mqtt')) made.mqtt = await startMqttPair(link)
        if (wanted.has('centre'))
          made.centre = await startDataCentre(places, link, seenByMains(o, mains, 'centre'))
        const management = wanted.has('management')
          ? await startManagementServer(places, link, seenByMains(o, mains, 'management'))
          : undefined
        if (management !== undefined) made.management = rememberFaults(management, inForce)
        if (wanted.has('scripted')) made.scripted = await startScripted(places)
        const peers =
          wanted.has('peers') || wanted.has('automation') ? await startPeers([places, second]) : undefined
        const laptop = wanted.has('laptop') ? file.roles.laptop : undefined
        const password = drawPassword(() => world.random('laptop/password'))
        const advised = wanted.has('advisers')
        const speakers = advised
          ? speakersFor({ side: '', file, interval: 60, wanted: wantedAt('', wanted), places, pki: o.pki })
          : undefined
        if (wanted.has('platform')) {
          const lvcap = await referencePlatform({
            ...o,
            bench,
            side: '',
            places,
            wanted: wantedAt('', wanted),
            recorder: wanted.has('recorder'),
            intruder: wanted.has('intruder'),
            ...(wanted.has('storage') && file.roles.storage !== undefined
              ? { storage: playedAt(file.roles.storage) }
              : {}),
            ...(laptop === undefined
              ? {}
              : { maintenance: { port: laptop.port, password: hashOf(password) } }),
            mains,
            speakers,
            emitAs: (src) => seenByMains(o, mains, src),
          })
          platform = lvcap
          open.push(lvcap)
          made.platform = lvcap satisfies Platform
          if (lvcap.storage !== undefined) made.storage = rememberFaults(lvcap.storage, inForce)
          if (lvcap.recorder !== undefined) made.recorder = lvcap.recorder
          const host = lvcap.hosts[0]
          if (host !== undefined) management?.at(host)
          if (wanted.has('forecaster') && host !== undefined)
            made.forecaster = makeForecaster({
              host,
              iid: automationApps.predictor.iid,
              realm: bench,
              emit: o.emitAs('forecaster'),
              seed: Math.floor(world.random('forecaster/past') * 2 ** 31),
              now: () => world.now(),
              operate: (request) => lvcap.ask('operator', request),
            })
        }
        if (wanted.has('platform2')) {
          const lvcap = await referencePlatform({
            ...o,
            side: '2',
            bench,
            places: second,
            wanted: wantedAt('2', wanted),
            recorder: false,
            intruder: false,
            mains,
            emitAs: emitFor('2', (src) => seenByMains(o, mains, src)),
          })
          open.push(lvcap)
          platform = platform === undefined ? lvcap : bothOf(platform, lvcap)
          made.platform2 = lvcap satisfies Platform
        }
        if (peers !== undefined) {
          const ends = { a: made.platform, b: made.platform2 } as { readonly [k in 'a' | 'b']?: Platform }
          const doorOf = (
            at: 'a' | 'b',
          ): { address: string; port: number; serverName: string; pki: string } => ({
            address: ends[at]?.hosts[0]?.address ?? '',
            port: file.platform.port,
            serverName: 'marketplace',
            pki: o.pki,
          })
          peers.meet({
            doors: { a: doorOf('a'), b: doorOf('b') },
            operate: async (at, request) => (await ends[at]?.ask('operator', request)) ?? null,
          })
          if (wanted.has('peers')) made.peers = rememberFaults(peers, inForce)
        }
        if (wanted.has('automation')) {
          if (network === undefined) throw new GridproofError('bad-value', 'automation needs the network too')
          const sides = [
            { side: 'a', of: made.platform as Platform | undefined },
            { side: 'b', of: made.platform2 as Platform | undefined },
          ] as const
          made.automation = makeAutomation({
            sides: sides.flatMap(({ side, of }) => {
              const host = of?.hosts[0]
              return of === undefined || host === undefined
                ? []
                : [{ side, host, operate: (request: Json) => of.ask('operator', request) }]
            }),
            predictor: automationApps.predictor.iid,
            network: network.role,
            realm: bench,
            emit: o.emitAs('automation'),
            now: () => world.now(),
          })
        }
        if (wanted.has('clock')) {
          const host = platform?.hosts[0]
          if (host === undefined)
            throw new GridproofError('rig-lacks', `the clock of the platform's host is not ours to set`)
          made.clock = rememberFaults(
            playClock(host, () => world.now(), o.emitAs('clock')),
            inForce,
          )
        }
        if (laptop !== undefined)
          made.laptop = makeLaptop({
            address: platform?.hosts[0]?.address ?? addressOf(o.network, file.platform.at),
            port: laptop.port,
            pki: o.pki,
            realm: world.realm({ name: 'laptop', address: addressOf(o.network, laptop.at) }),
            emit: o.emitAs('laptop'),
            password,
          })
        if (speakers !== undefined) {
          const advisers = playAdvisers({
            door: {
              address: platform?.hosts[0]?.address ?? addressOf(o.network, file.platform.at),
              port: file.platform.port,
              serverName: 'marketplace',
              pki: o.pki,
            },
            realm: world.realm({
              name: 'advisers',
              address: addressOf(o.network, file.roles.advisers?.at ?? 0),
            }),
            emit: o.emitAs('advisers'),
            now: () => world.now(),
            topics: file.platform.topics,
            speakers,
            obeys: automationApps.loadsense.iid,
          })
          open.push(advisers)
          made.advisers = advisers
        }
        const host = platform?.hosts[0]
        if (wanted.has('commander') && host !== undefined) {
          const commander = makeCommander({
            door: { address: host.address, port: file.platform.port, serverName: 'marketplace', pki: o.pki },
            host,
            realm: world.realm({
              name: 'commander',
              address: addressOf(o.network, file.roles.commander?.at ?? 0),
            }),
            emit: o.emitAs('commander'),
            now: () => world.now(),
          })
          open.push(commander)
          made.commander = commander
        }
        if (wanted.has('intruder')) {
          const at = file.roles.intruder?.at ?? 0
          made.intruder = makeIntruder({
            door: {
              // Where the platform really is: a world may have had to give it another address than the rig names.
              address: platform?.hosts[0]?.address ?? addressOf(o.network, file.platform.at),
              port: file.platform.port,
              serverName: 'marketplace',
              pki: o.pki,
              name: intruderApp.claims,
            },
            realm: world.realm({ name: 'intruder', address: addressOf(o.network, at) }),
            emit: o.emitAs('intruder'),
            own: intruderApp.apid,
            installed: publisherApid,
            revoked: intruderApp.revoked,
          })
        }
      } catch (e) {
        await this[Symbol.asyncDispose]()
        if (e instanceof GridproofError) throw e
        throw new GridproofError('rig-broke', `the rig could not be set up: ${messageOf(e)}`, { cause: e })
      }
      return made as Cast<K>
    },
    liftAll: () => liftEach(inForce),
    async [Symbol.asyncDispose]() {
      // The platform first: devices that vanish under it would only fill the log with its complaints.
      for (const d of open.splice(0).toReversed()) await d[Symbol.asyncDispose]()
    },
  }
}
