/**
 * The data centre to which the platform's Data Upload app sends, played by the bench (OpenLV 3.11.4). As faults it can be
 * away, lose its answers on the way, forget uploads that are not finished, take nothing, or show a certificate that proves
 * nothing. What it has acknowledged is on its disk.
 */
import { readFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { z } from 'zod'
import { GridproofError, messageOf } from '../../drivers/errors.ts'
import type { Json, Realm } from '../../drivers/faces.ts'
import type { CentreEvent, Emit, Fault, StartCentre } from '../../sim/faces.ts'
import type { Centre } from '../faces.ts'
import { kept } from './json-text.ts'

/** Common name of the data centre, and file name of its certificate. */
export const centreName = 'data-centre'

/** The Data Upload app: who it is, what its platform is called at the data centre, and bytes that it sends at a time (ours). */
export const uploadApp = {
  apid: 'lucy_dataupload_1.0',
  iid: 'lucy_dataupload_01',
  entry: 'sim/reference/lvcap/apps/upload/main.ts',
} as const
export const platformRtu = 'site-1'
export const uploadWindow = 4096

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

export async function playCentre(o: PlayedCentreOptions): Promise<PlayedCentre> {
  const { realm, emit } = o
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

  const tell = (e: CentreEvent): void => {
    switch (e.kind) {
      case 'batch': {
        const { rows, ...rest } = e
        emit('seen', {
          alias: 'centre.batch',
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
          alias: `centre.upload.${e.event.what}`,
          shows: shown(),
          payload: { ...e.event },
        })
        return
      case 'gone':
        emit('seen', {
          alias: 'centre.connection',
          by: e.by,
          shows: shown(),
          'read [B]': e.read,
          'written [B]': e.written,
        })
        return
      case 'rejected':
        emit('seen', { alias: 'centre.rejected', by: e.by, why: e.why })
        return
      case 'no-tls':
        emit('seen', {
          alias: 'centre.connection',
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
      mayUpload: (name, rtu) => name === uploadApp.apid && rtu === platformRtu,
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

  let turn: Promise<void> = Promise.resolve()
  const change = (): void => {
    turn = turn
      .then(() =>
        realm.run(async () => {
          await server.shut()
          if (![...inForce.values()].some((f) => f.name === 'away')) await server.open()
        }),
      )
      .catch((e: unknown) => void emit('note', { what: 'trouble at the data centre', text: messageOf(e) }))
  }

  const kinds = { away: nothing, 'wrong-certificate': impostor, 'loses-answers': losing } as const
  const inflict = (name: string, params: Json = {}): Fault => {
    if (!Object.hasOwn(kinds, name))
      throw new GridproofError('no-such', `the data centre knows no fault '${name}'`)
    const r = kinds[name as keyof typeof kinds].safeParse(params ?? {})
    if (!r.success) throw new GridproofError('bad-value', `${name}: ${z.prettifyError(r.error)}`)
    const id = `${name}-${++faults}`
    emit('fault', { phase: 'on', id, name, params: r.data })
    inForce.set(id, { name, params: r.data })
    if (name === 'loses-answers') lose += losing.parse(params ?? {}).answers
    else change()
    return {
      id,
      params: r.data,
      lift() {
        if (!inForce.delete(id)) return
        emit('fault', { phase: 'lifted', id })
        if (name === 'loses-answers') lose = 0
        else change()
      },
    }
  }

  const fetchAs = (as: 'entitled' | 'colleague' | 'nobody'): Promise<Json> =>
    new Promise((resolve) => {
      const file = { entitled, colleague: 'operator', nobody: undefined }[as]
      const q = request(
        {
          host: realm.address,
          port: server.port,
          path: '/rtus',
          agent: false,
          ca: read('ca.crt'),
          servername: centreName,
          ...(file === undefined ? {} : { cert: read(`${file}.crt`), key: read(`${file}.key`) }),
        },
        (r) => {
          r.resume()
          r.on('end', () => resolve({ as, status: r.statusCode ?? 0 }))
        },
      )
      q.on('error', (e) => resolve({ as, stage: 'tls', reason: 'code' in e ? String(e.code) : e.name }))
      q.end()
    })

  return {
    address: realm.address,
    get port() {
      return server.port
    },
    batches: { src: 'centre', kind: 'seen', select: 'centre.batch' },
    uploads: { src: 'centre', kind: 'seen', select: 'centre.upload.*' },
    connections: { src: 'centre', kind: 'seen', select: 'centre.connection' },
    doors: { src: 'centre', kind: 'seen', select: 'centre.door' },
    reports: { src: 'marketplace', kind: 'seen', select: 'upload.reported' },
    rtu: platformRtu,
    name: centreName,
    window: uploadWindow,
    faults: Object.keys(kinds),
    inflict,
    knock: (as) =>
      realm.run(async () => void emit('seen', { alias: 'centre.door', payload: await fetchAs(as) })),
    async [Symbol.asyncDispose]() {
      await turn
      await realm.run(() => server[Symbol.asyncDispose]())
    },
  }
}

/** What rehearsals are given: it does nothing. */
export function idleCentre(): Centre {
  const of = (select: string) => ({ src: 'centre', kind: 'seen', select }) as const
  return {
    batches: of('centre.batch'),
    uploads: of('centre.upload.*'),
    connections: of('centre.connection'),
    doors: of('centre.door'),
    reports: { src: 'marketplace', kind: 'seen', select: 'upload.reported' },
    rtu: platformRtu,
    name: centreName,
    window: uploadWindow,
    faults: [],
    inflict: (_, params = null) => ({ id: 'rehearsal', params, lift: () => undefined }),
    knock: async () => undefined,
  }
}
