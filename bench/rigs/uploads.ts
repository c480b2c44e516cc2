/** Makes the server of resumable uploads that stands as the subject, and the bench's client before it. */
import type { World, Realm } from '../../drivers/faces.ts'
import type { Emit } from '../../sim/faces.ts'
import { uploadClient, type PlayedUploads } from '../platforms/upload-client.ts'
import { hostedSite, remoteSite } from '../platforms/upload-sites.ts'
import type { LabUploads } from './lab-uploads.ts'
import type { Setting } from './setting.ts'

/** On a host of its own, where the machine can: with a disk that loses at a cut what was not flushed. */
export async function startUploads(s: Setting): Promise<PlayedUploads> {
  const entry = s.file.roles.uploads
  if (entry === undefined) throw s.lacks('server of resumable uploads')
  const { world } = s.o
  const host = await world.host({ name: 'uploads', address: s.address(entry.at), durable: true })
  const site = await hostedSite({
    host,
    port: entry.port,
    server: entry.server,
    pki: s.o.pki,
    defects: s.o.defects,
    emitAs: (src) => s.o.emitAs(src),
  })
  return s.keep(clientOf(world, s.bench, s.o.emitAs('uploads'), site))
}

/** Somebody's, at an address. */
export async function reachUploads(
  spec: LabUploads,
  o: {
    readonly world: World
    readonly realm: Realm
    readonly armed: boolean
    emitAs(src: string): Emit
  },
): Promise<PlayedUploads> {
  const site = await remoteSite(spec, o)
  return clientOf(o.world, o.realm, o.emitAs('uploads'), site)
}

function clientOf(
  world: World,
  realm: Realm,
  emit: Emit,
  site: Parameters<typeof uploadClient>[0]['site'],
): PlayedUploads {
  return uploadClient({
    site,
    realm,
    emit,
    now: () => world.now(),
    random: (stream) => world.random(`uploads/${stream}`),
  })
}
