/** Makes what stands between a rig's platform and its servers, and these. */
import { mkdtempSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { GridproofError } from '../../drivers/errors.ts'
import type { CentreOptions, Emit } from '../../sim/faces.ts'
import type { Centre, MqttPair, PeerEnd, TusLibrary } from '../faces.ts'
import type { DevicePlaces } from '../platforms/apps.ts'
import { playCentre } from '../platforms/centre.ts'
import { drawPassword } from '../platforms/laptop.ts'
import { playLink } from '../platforms/link.ts'
import type { PlayedLink } from '../platforms/link.ts'
import { playManagement } from '../platforms/management.ts'
import type { PlayedManagement } from '../platforms/management.ts'
import { playMqttPair } from '../platforms/mqtt-pair.ts'
import { playPeers } from '../platforms/peers.ts'
import type { PlayedPeers } from '../platforms/peers.ts'
import { playTusLibrary } from '../platforms/tus-library.ts'
import type { Suffix } from './pair.ts'
import type { Setting } from './setting.ts'

/** The link of a substation to all servers; `reset` takes the power of its computer, which is yet to be there. */
export async function startLink(s: Setting, side: Suffix, reset: () => Promise<void>): Promise<PlayedLink> {
  const { world, makeLink } = s.o
  const entry = s.file.roles[`link${side}`]
  const host = side === '' ? s.file.platform : s.file.roles.platform2
  if (entry === undefined || host === undefined || makeLink === undefined) throw s.lacks(`link${side}`)
  return s.keep(
    await playLink({
      world,
      side,
      realm: s.realm(`link${side}`, entry.at),
      router: {
        realm: s.realm(`router${side}`, entry.router.at),
        port: entry.router.port,
        password: drawPassword(() => world.random(`router${side}/password`)),
      },
      host: s.address(host.at),
      profile: entry.profile,
      makeLink,
      emitAs: (src) => s.o.emitAs(src),
      resetComputer: reset,
    }),
  )
}

/** A library on a disk that loses what was not flushed. */
export async function startTus(s: Setting): Promise<TusLibrary> {
  const entry = s.file.roles.tus
  if (entry === undefined) throw s.lacks('tus')
  const host = await s.o.world.host({ name: 'tus', address: s.address(entry.at), durable: true })
  if (!host.can.has('durability'))
    throw new GridproofError('rig-lacks', 'it takes a disk that loses at a cut what was not flushed')
  return playTusLibrary({ host, port: entry.port, realm: s.bench, emit: s.o.emitAs('tus') })
}

/** Two libraries, in the platform's place and behind the link. */
export async function startMqttPair(s: Setting, link: PlayedLink | undefined): Promise<MqttPair> {
  const entry = s.file.roles.mqtt
  if (entry === undefined) throw s.lacks('mqtt')
  const site = await s.o.world.host({ name: 'site', address: s.address(s.file.platform.at) })
  const server = await s.o.world.host({ name: 'server', address: s.address(entry.at) })
  return playMqttPair({ site, server, port: entry.port, link, emitAs: (src) => s.o.emitAs(src) })
}

/** Where a server is for the platform: behind the link, where there is one. */
async function placed(
  name: string,
  server: { readonly address: string; readonly port: number },
  link: PlayedLink | undefined,
): Promise<{ readonly address: string; readonly port: number }> {
  const { address, port } = server
  return link === undefined ? { address, port } : await link.reach({ name, address, port })
}

/** A folder for what a server keeps; gone when the rig is. */
function ownFolder(s: Setting, name: string): string {
  const folder = mkdtempSync(join(dirname(s.o.pki), `${name}-`))
  s.keep({
    async [Symbol.asyncDispose]() {
      rmSync(folder, { recursive: true, force: true })
    },
  })
  return folder
}

/** A server's entry in the rig file, what starts it, and what both are played with. Throws `rig-lacks`: `what` there is none. */
function served<N extends 'centre' | 'management', F>(
  s: Setting,
  name: N,
  what: string,
  start: F | undefined,
  emit: Emit,
) {
  const entry = s.file.roles[name]
  if (start === undefined || entry === undefined) throw s.lacks(what)
  const site = {
    realm: s.realm(name, entry.at),
    port: entry.port,
    pki: s.o.pki,
    folder: ownFolder(s, name),
    emit,
    now: () => s.o.world.now(),
  }
  return { start, entry, site }
}

/** A server's options with the defects of this run that are of such a server. */
function broken<O extends Omit<CentreOptions, 'tell'>>(s: Setting, name: string, o: O): O {
  const defect = s.o.emitAs('defect')
  const note = (phase: 'applied' | 'reached', which: string): void =>
    void defect('note', { event: 'defect', phase, defect: which, proc: name })
  return s.o.breakServer?.(o, s.o.defects, note) ?? o
}

export async function startDataCentre(s: Setting, sides: readonly Side[], emit: Emit): Promise<Centre> {
  const { start, entry, site } = served(s, 'centre', 'data centre', s.o.startCentre, emit)
  const { window, backlog } = entry
  const centre = s.keep(
    await playCentre({ start: (o) => start(broken(s, 'centre', o)), ...site, window, backlog }),
  )
  for (const at of sides) at.places.centre = await placed('centre', centre, at.link)
  return s.faulty(centre)
}

export async function startManagementServer(
  s: Setting,
  sides: readonly Side[],
  emit: Emit,
): Promise<PlayedManagement> {
  const { start, entry, site } = served(s, 'management', 'management server', s.o.startManagement, emit)
  const { piece, large } = entry
  const management = s.keep(
    await playManagement({
      start: (o) => start(broken(s, 'management', o)),
      ...site,
      piece,
      large,
      random: () => s.o.world.random('management'),
    }),
  )
  const hears = { name: 'calls', address: s.address(s.file.platform.at), port: management.callPort }
  management.calledAt((await sides[0]?.link?.admit(hears)) ?? hears)
  for (const at of sides) at.places.management = await placed('management', management, at.link)
  return management
}

/** A substation: its devices, and its modem where that is played. */
export interface Side {
  readonly places: DevicePlaces
  readonly link: PlayedLink | undefined
}

/** What lies between two platforms: before their apps, which are told of it. */
export async function startPeers(s: Setting, sides: Readonly<Record<PeerEnd, Side>>): Promise<PlayedPeers> {
  const { makeRelay, world } = s.o
  const { peers: entry, platform2 } = s.file.roles
  if (entry === undefined || platform2 === undefined || makeRelay === undefined)
    throw s.lacks('link between two platforms')
  const listens = { name: 'partner', address: s.address(platform2.at), port: entry.port }
  const called = (await sides.b.link?.admit(listens)) ?? listens
  const peers = s.keep(
    await playPeers({
      realm: s.realm('peers', entry.at),
      // It shares no address with the relay: what comes from there comes by the link.
      sources: s.bench,
      pki: s.o.pki,
      emit: s.o.emitAs('peers'),
      topics: s.file.platform.topics,
      called: { address: called.address, port: called.port },
      random: () => world.random('peers'),
      makeRelay,
    }),
  )
  for (const [end, { places, link }] of Object.entries(sides) as [PeerEnd, Side][]) {
    const { crossing, relay } = peers.places
    const found =
      link === undefined
        ? peers.places
        : {
            ...peers.places,
            crossing: await link.reach({ name: 'partner', ...crossing }),
            relay: await link.reach({ name: 'relay', ...relay }),
          }
    places.peers = found
    peers.found(end, found)
  }
  return peers
}
