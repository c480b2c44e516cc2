/**
 * The management server to which the platform's Management Comms app speaks, played by the bench (OpenLV 3.11.3). It does
 * what the data centre does, and its faults; it has downloads for the platform, takes notices, and raises alerts about
 * silence. What the app installs is read from the platform's disk, as an engineer would copy it.
 */
import { closeSync, fstatSync, openSync, readSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { GridproofError } from '../../drivers/errors.ts'
import type { Host, Json } from '../../drivers/faces.ts'
import type {
  CentreEvent,
  Emit,
  ManagementEvent,
  ManagementServer,
  StartManagement,
} from '../../sim/faces.ts'
import type { Management, Offer, Update } from '../faces.ts'
import { digestOf, fileOf, type FileToRead } from './file-to-read.ts'
import { longBacklog, platformRtu, secondRtu, playTaker, seriesOf, uploadWindow } from './centre.ts'
import { callAt } from './management-call.ts'
import type { PlayedCentre, PlayedCentreOptions } from './centre.ts'
import { packUpdate } from './updates.ts'
import type { UpdateSite } from './updates.ts'

/** Common name of the management server, and file name of its certificate. */
export const managementName = 'management-server'

/** The Management Comms app: who it is. */
export const commsApp = {
  apid: 'nortech_commscontainer_1.0',
  iid: 'nortech_commscontainer_01',
  entry: 'sim/reference/lvcap/apps/comms/main.ts',
} as const

/** On which the app can be called: ours. */
export const callPort = 8447

/** By which certificate that of the second substation is known. */
export const secondComms = 'site-2-comms'

/** Where the trial equipment stands and which it is: ours. */
export const commsSite = { serial: 'ISD-0042', location: 'Substation 1, Example Road' } as const
/** Seconds between the app's signs of life: ours. */
export const lifeSeconds = 5
/** A platform that was taken out of service long ago, and never speaks: ours. */
const retired = 'site-0'

/** The app's folder on the platform's disk in which installed downloads stand: its default. */
const folder = 'comms/downloads'

export interface PlayedManagementOptions extends Omit<PlayedCentreOptions, 'start'> {
  readonly start: StartManagement
  /** Bytes of a download that the app asks for at a time, and of a large file. */
  readonly piece: number
  readonly large: number
  /** A number in [0, 1). */
  random(): number
}

export interface PlayedManagement extends Management, PlayedCentre {
  /** Where the platform can be called. */
  calledAt(place: { readonly address: string; readonly port: number }): void
  /** The host on which the platform runs, as soon as there is one. */
  at(host: Pick<Host, 'disk'>, site: UpdateSite): void
}

const nothing = z.strictObject({})
const cutting = z.strictObject({
  /** Answers in a row that break off. */
  answers: z.int().min(1).max(1_000_000).default(1),
  /** Answers that come through before those. */
  passing: z.int().min(0).default(0),
  /** Bytes of each body that leave before; without it, as many as chance has it, up to the size of a piece. */
  after: z.int().min(0).optional(),
})

export async function playManagement(o: PlayedManagementOptions): Promise<PlayedManagement> {
  const { emit, realm } = o
  let server: ManagementServer | undefined
  let cuts = 0
  let passing = 0
  let after: number | undefined
  let spoils = false
  let host: Pick<Host, 'disk'> | undefined
  let called: { readonly address: string; readonly port: number } | undefined
  let site: UpdateSite = { apps: {} }
  const centre = await playTaker<ManagementServer>({
    ...o,
    src: 'management',
    name: managementName,
    apid: commsApp.apid,
    second: secondComms,
    app: 'comms',
    async start(common) {
      const tell: typeof common.tell = (e) => common.tell(e)
      return o.start({
        ...common,
        rtuOf: (name) =>
          name === commsApp.apid ? platformRtu : name === secondComms ? secondRtu : undefined,
        deployed: [platformRtu, retired],
        tell: (e) => {
          const rest = told(e, emit)
          if (rest !== undefined) tell(rest)
        },
        downloads: {
          cut() {
            if (cuts === 0 || passing-- > 0) return undefined
            cuts--
            return after ?? Math.floor(o.random() * o.piece)
          },
          spoils: () => spoils,
        },
      })
    },
    started: (s) => {
      server = s
      s.decommission(retired)
    },
    more: {
      'cuts-downloads': {
        params: cutting,
        on(params) {
          const p = cutting.parse(params)
          cuts = p.answers
          passing = p.passing
          after = p.after
          return () => {
            cuts = 0
          }
        },
      },
      'wrong-bytes': {
        params: nothing,
        on() {
          spoils = true
          return () => {
            spoils = false
          }
        },
      },
    },
  })
  return Object.assign(centre, {
    ...downloadSeries,
    serial: commsSite.serial,
    location: commsSite.location,
    piece: o.piece,
    large: o.large,
    life: lifeSeconds,
    at: (h: Pick<Host, 'disk'>, s: UpdateSite) => {
      host = h
      site = s
    },
    update(u: Update) {
      const payload = fileOf(u.size, o.random())
      const { file, sha256, told: update } = packUpdate(u, { ...site, pki: o.pki, payload })
      const { id, kind } = u
      const offer = { id, kind, name: `${id}.update`, size: file.size, sha256 }
      emit('sent', { alias: 'management.offered', ...offer, update: update as unknown as Json })
      server?.offer(platformRtu, { ...offer, read: (from, to) => file.read(from, to) })
    },
    offer(offer: Offer) {
      const file = fileOf(offer.size, o.random())
      const sha256 = digestOf(file)
      emit('sent', { alias: 'management.offered', ...offer, sha256 })
      server?.offer(platformRtu, { ...offer, sha256, read: (from, to) => file.read(from, to) })
    },
    withdraw(id: string) {
      emit('sent', { alias: 'management.withdrawn', id })
      server?.withdraw(platformRtu, id)
    },
    decommission() {
      emit('sent', { alias: 'management.decommissioned', rtu: platformRtu })
      server?.decommission(platformRtu)
    },
    callPort,
    calledAt: (place: { readonly address: string; readonly port: number }) => {
      called = place
    },
    call: (what: Parameters<Management['call']>[0]) =>
      realm.run(async () => {
        if (called === undefined) throw new GridproofError('internal', 'nobody is there to be called')
        const outcome = await callAt({ pki: o.pki, ...called }, what)
        emit('seen', { alias: 'management.call', payload: { ...outcome } })
      }),
    collect: () =>
      realm.run(async () => {
        const files = host === undefined ? [] : filesIn(join(host.disk, folder))
        emit('seen', { alias: 'management.files', payload: files })
      }),
  })
}

const of = (select: string) => ({ src: 'management', kind: 'seen', select: `management.${select}` }) as const

const downloadSeries = {
  offers: { src: 'management', kind: 'sent', select: 'management.offered' },
  served: of('served'),
  installed: of('reported'),
  notices: of('notice'),
  contacts: of('contact'),
  alerts: of('alert'),
  files: of('files'),
  calls: of('call'),
} as const

/** Writes what only a management server does. What is left is as at a data centre. */
function told(e: ManagementEvent, emit: Emit): CentreEvent | undefined {
  switch (e.kind) {
    case 'contact':
    case 'alert':
    case 'served':
    case 'reported':
    case 'notice': {
      const { kind, ...rest } = e
      emit('seen', { alias: `management.${kind}`, ...(rest as unknown as { [k: string]: Json }) })
      return undefined
    }
    case 'upload':
    case 'batch':
    case 'rejected':
    case 'no-tls':
    case 'gone':
      return e
    default:
      return e satisfies never
  }
}

function filesIn(root: string): { name: string; kind: string; size: number; sha256: string }[] {
  const names = (at: string): string[] => {
    try {
      return readdirSync(at)
    } catch {
      // Nothing was ever installed, or it has no power.
      return []
    }
  }
  return names(root).flatMap((kind) =>
    names(join(root, kind)).flatMap((name) => {
      const file = join(root, kind, name)
      try {
        if (!statSync(file).isFile()) return []
        const opened = openFile(file)
        try {
          return [{ name, kind, size: opened.size, sha256: digestOf(opened) }]
        } finally {
          opened.close()
        }
      } catch {
        return []
      }
    }),
  )
}

/** A file of the disk as something to read from. Throws what `fs` throws. */
function openFile(path: string): FileToRead & { close(): void } {
  const fd = openSync(path, 'r')
  return {
    size: fstatSync(fd).size,
    read(from, to) {
      const bytes = Buffer.alloc(to - from)
      const n = readSync(fd, bytes, 0, bytes.length, from)
      if (n < bytes.length) throw new GridproofError('rig-broke', `${path} became shorter while it was read`)
      return bytes
    },
    close: () => closeSync(fd),
  }
}

/** What rehearsals are given: it does nothing. */
export function idleManagement(): Management {
  return {
    ...seriesOf('management', 'comms'),
    ...downloadSeries,
    rtu: platformRtu,
    rtu2: secondRtu,
    name: managementName,
    window: uploadWindow,
    backlog: longBacklog,
    serial: commsSite.serial,
    location: commsSite.location,
    piece: 16_384,
    large: 5_000_000,
    life: lifeSeconds,
    faults: [],
    inflict: (_, params = null) => ({ id: 'rehearsal', params, lift: () => undefined }),
    knock: async () => undefined,
    offer: () => undefined,
    update: () => undefined,
    withdraw: () => undefined,
    decommission: () => undefined,
    callPort,
    call: async () => undefined,
    collect: async () => undefined,
  }
}
