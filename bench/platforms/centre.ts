/**
 * The data centre to which the platform's Data Upload app sends, played by the bench (OpenLV 3.11.4). As faults it can be
 * away, lose its answers on the way, forget uploads that are not finished, take nothing, or show a certificate that proves
 * nothing. What it has acknowledged is on its disk.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { GridproofError, messageOf } from '../../drivers/errors.ts'
import type { Json, Realm } from '../../drivers/faces.ts'
import type { CentreEvent, CentreOptions, CentreServer, Emit, Fault, StartCentre } from '../../sim/faces.ts'
import type { Centre, Series } from '../faces.ts'
import { kept } from './json-text.ts'
import { tryDoor } from './upload-door.ts'

/** Common name of the data centre, and file name of its certificate. */
export const centreName = 'data-centre'

/** The Data Upload app: who it is, what its platform is called at the data centre, and bytes that it sends at a time (ours). */
export const uploadApp = {
  apid: 'lucy_dataupload_1.0',
  iid: 'lucy_dataupload_01',
  entry: 'sim/reference/lvcap/apps/upload/main.ts',
} as const
export const platformRtu = 'site-1'
/** The second substation's platform at the servers; and by which certificates its apps are known there. */
export const secondRtu = 'site-2'
export const secondUploader = 'site-2-dataupload'
export const uploadWindow = 4096
/** Bytes of a long backlog where no rig says. Ours. */
export const longBacklog = 1_500_000

/** Who may read what it keeps. */
const entitled = 'observer'

export interface PlayedCentreOptions {
  readonly start: StartCentre
  readonly realm: Realm
  readonly port: number
  readonly pki: string
  /** A folder of its own. */
  readonly folder: string
  readonly emit: Emit
  /** Bytes that the app sends at a time, and of a long backlog; `uploadWindow` and 1.5 MB unless given. */
  readonly window?: number
  readonly backlog?: number
  now(): number
}

export interface PlayedCentre extends Centre, AsyncDisposable {
  readonly address: string
  readonly port: number
}

const nothing = z.strictObject({})
const impostor = z.strictObject({
  is: z.enum(['foreign-ca', 'self-signed', 'expired', 'wrong-name', 'revoked']).default('foreign-ca'),
})
const losing = z.strictObject({
  /** Answers to appended bytes in a row that are lost; the bytes are kept. */
  answers: z.int().min(1).max(1_000_000).default(1),
})

export function playCentre(o: PlayedCentreOptions): Promise<PlayedCentre> {
  return playTaker({
    ...o,
    src: 'centre',
    name: centreName,
    apid: uploadApp.apid,
    second: secondUploader,
    app: 'upload',
  })
}

/** A server to which one app of the platform uploads: the data centre, or another that does more beside. */
export interface TakerOptions<S extends CentreServer> extends Omit<PlayedCentreOptions, 'start'> {
  /** Of its evidence. */
  readonly src: string
  /** Common name, and file name of its certificate. */
  readonly name: string
  /** Whose uploads it takes, and that app's name in aliases. */
  readonly apid: string
  /** Common name of the second substation's. */
  readonly second: string
  readonly app: string
  start(common: CentreOptions): Promise<S>
  /** Faults that it knows beside: what stands in `params`, and what to do; what that gives back lifts it. */
  readonly more?: Readonly<Record<string, { readonly params: z.ZodType; on(params: Json): () => void }>>
  started?(server: S): void
}

export async function playTaker<S extends CentreServer>(o: TakerOptions<S>): Promise<PlayedCentre> {
  const { realm, emit, src } = o
  const { name: centreName } = o
  const read = (file: string): string => readFileSync(join(o.pki, file), 'utf8')
  const inForce = new Map<string, { readonly name: string; readonly params: Json }>()
  let faults = 0
  let lose = 0
  const shown = (): string => {
    const wrong = [...inForce.values()].find((f) => f.name === 'wrong-certificate')
    return wrong === undefined ? centreName : `intruder/${centreName}-${impostor.parse(wrong.params).is}`
  }
  const material = () => {
    const name = shown()
    return { ca: read('ca.crt'), crl: read('ca.crl'), cert: read(`${name}.crt`), key: read(`${name}.key`) }
  }

  // A connection may be told of as gone when nobody listens any more.
  let disposed = false
  const tell = (e: CentreEvent): void => {
    if (disposed) return
    switch (e.kind) {
      case 'batch': {
        const { rows, ...rest } = e
        emit('seen', {
          alias: `${src}.batch`,
          ...rest,
          rows: rows.map((r) => ({
            table: r.table,
            id: r.id,
            subTopic: r.subTopic,
            text: kept(r.data),
          })),
        })
        return
      }
      case 'upload':
        emit('seen', {
          alias: `${src}.upload.${e.event.what}`,
          shows: shown(),
          payload: { ...e.event },
        })
        return
      case 'gone':
        emit('seen', {
          alias: `${src}.connection`,
          by: e.by,
          shows: shown(),
          'read [B]': e.read,
          'written [B]': e.written,
        })
        return
      case 'rejected':
        emit('seen', { alias: `${src}.rejected`, by: e.by, why: e.why })
        return
      case 'no-tls':
        emit('seen', {
          alias: `${src}.connection`,
          shows: shown(),
          refused: e.why,
          clear: e.why === 'ERR_SSL_HTTP_REQUEST',
        })
        return
    }
  }

  const server = await realm.run(() =>
    o.start({
      address: realm.address,
      port: o.port,
      folder: o.folder,
      tls: material,
      mayUpload: (name, rtu) => rtu === (name === o.apid ? platformRtu : name === o.second ? secondRtu : ''),
      mayRead: (name) => name === entitled,
      now: () => o.now(),
      tell,
      seams: {
        answers(asked) {
          if (asked !== 'append' || lose === 0) return true
          lose--
          return false
        },
      },
    }),
  )

  o.started?.(server)
  let turn: Promise<void> = Promise.resolve()
  const change = (): void => {
    turn = turn
      .then(() =>
        realm.run(async () => {
          await server.shut()
          if (![...inForce.values()].some((f) => f.name === 'away')) await server.open()
        }),
      )
      .catch((e: unknown) => void emit('note', { what: `trouble at the ${centreName}`, text: messageOf(e) }))
  }

  const kinds: Readonly<Record<string, z.ZodType>> = {
    away: nothing,
    'wrong-certificate': impostor,
    'loses-answers': losing,
    ...Object.fromEntries(Object.entries(o.more ?? {}).map(([name, f]) => [name, f.params])),
  }
  const inflict = (name: string, params: Json = {}): Fault => {
    const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined
    if (kind === undefined) throw new GridproofError('no-such', `the ${centreName} knows no fault '${name}'`)
    const r = kind.safeParse(params ?? {})
    if (!r.success) throw new GridproofError('bad-value', `${name}: ${z.prettifyError(r.error)}`)
    const asked = r.data as Json
    const id = `${name}-${++faults}`
    emit('fault', { phase: 'on', id, name, params: asked })
    inForce.set(id, { name, params: asked })
    const lifted = o.more?.[name]?.on(asked)
    if (name === 'loses-answers') lose += losing.parse(asked).answers
    else if (lifted === undefined) change()
    return {
      id,
      params: asked,
      lift() {
        if (!inForce.delete(id)) return
        emit('fault', { phase: 'lifted', id, name })
        if (name === 'loses-answers') lose = 0
        else if (lifted === undefined) change()
        else lifted()
      },
    }
  }

  return {
    address: realm.address,
    get port() {
      return server.port
    },
    ...seriesOf(src, o.app),
    rtu: platformRtu,
    rtu2: secondRtu,
    name: centreName,
    window: o.window ?? uploadWindow,
    backlog: o.backlog ?? longBacklog,
    faults: Object.keys(kinds),
    inflict,
    knock: (t) =>
      realm.run(async () => {
        const { address } = realm
        const { pki, apid } = o
        const door = { pki, address, port: server.port, name: centreName, apid, rtu: platformRtu }
        emit('seen', { alias: `${src}.door`, payload: { ...(await tryDoor(door, t)) } })
      }),
    async [Symbol.asyncDispose]() {
      await turn
      disposed = true
      await realm.run(() => server[Symbol.asyncDispose]())
    },
  }
}

/** What a server that takes uploads shows, and what the app that uploads says at the marketplace. */
export function seriesOf(
  src: string,
  app: string,
): Pick<Centre, 'batches' | 'uploads' | 'connections' | 'doors' | 'reports' | 'queue'> {
  const of = (select: string): Series => ({ src, kind: 'seen', select: `${src}.${select}` })
  return {
    batches: of('batch'),
    uploads: of('upload.*'),
    connections: of('connection'),
    doors: of('door'),
    reports: { src: 'marketplace', kind: 'seen', select: `${app}.reported` },
    queue: { src: 'marketplace', kind: 'seen', select: `${app}.queue` },
  }
}

/** What rehearsals are given: it does nothing. */
export function idleCentre(): Centre {
  return {
    ...seriesOf('centre', 'upload'),
    rtu: platformRtu,
    rtu2: secondRtu,
    name: centreName,
    window: uploadWindow,
    backlog: longBacklog,
    faults: [],
    inflict: (_, params = null) => ({ id: 'rehearsal', params, lift: () => undefined }),
    knock: async () => undefined,
  }
}
