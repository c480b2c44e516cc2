/**
 * The cloud behind a meter reader, played by the bench: an MQTT broker behind TLS that keeps what it has acknowledged, and
 * a door at which those entitled fetch it again (HAN thesis 5.3, 6.2.5). Both ask for a certificate of the bench's
 * authority. As faults it can be away, take everything and acknowledge nothing, or show a certificate that proves nothing.
 */
import { readFileSync } from 'node:fs'
import { createServer as createWeb } from 'node:http'
import { request } from 'node:https'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { createServer as createTlsServer, type TlsOptions, type TLSSocket } from 'node:tls'
import { Aedes } from 'aedes'
import { z } from 'zod'
import { GridproofError, messageOf } from '../../drivers/errors.ts'
import type { Json, Realm } from '../../drivers/faces.ts'
import type { Emit, Fault, Faulty } from '../../sim/faces.ts'
import type { Cloud } from '../faces.ts'
import { sourceText } from './reader-json.ts'

/** Common name of the reader's certificate, and the topic on which it may publish. */
export const readerName = 'han-reader'
export const readingsTopic = `readings/${readerName}`
/** Who may fetch what the reader sent. */
const entitled = 'observer'

export interface CloudOptions {
  readonly address: string
  readonly realm: Realm
  readonly pki: string
  readonly emit: Emit
}

export interface PlayedCloud extends Cloud, AsyncDisposable {
  readonly address: string
  /** Of its broker; the same for as long as it lives. */
  readonly port: number
}

const certificates = z.strictObject({
  is: z.enum(['foreign-ca', 'other-host', 'self-signed']).default('foreign-ca'),
})
const nothing = z.strictObject({})

/** A handshake through a modem at 300 baud takes minutes, ms. Ours. */
const patience = 600_000
/** Longest part of a message that the evidence keeps, in characters. Ours. */
const longestKept = 8_192

/** Starts it. Throws `rig-broke` where it cannot listen. */
export async function playCloud(o: CloudOptions): Promise<PlayedCloud> {
  const { realm, emit } = o
  const read = (file: string): string => readFileSync(join(o.pki, file), 'utf8')
  const material = (name: string): TlsOptions => ({
    ca: read('ca.crt'),
    cert: read(`${name}.crt`),
    key: read(`${name}.key`),
    requestCert: true,
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
    handshakeTimeout: patience,
  })
  const stored: string[] = []
  const sockets = new Set<Socket>()
  const inForce = new Map<string, string>()
  let server: Server | undefined
  let web: Server | undefined
  let port = 0
  let webPort = 0
  let faults = 0
  let turn: Promise<void> = Promise.resolve()

  const broker = await realm.run(() =>
    Aedes.createBroker({
      id: 'cloud',
      concurrency: 1_000,
      connectTimeout: patience,
      authorizePublish: (client, packet, done) => {
        if (client === null || packet.topic !== readingsTopic) return done(new Error('not authorized'))
        // It has heard, and says nothing: whoever believes that this is enough loses it.
        if ([...inForce.values()].includes('silent')) return
        const text = Buffer.from(packet.payload).toString('utf8')
        stored.push(text)
        emit('seen', {
          alias: 'cloud.reading',
          topic: packet.topic,
          qos: packet.qos,
          ...sourceText(text.slice(0, longestKept)),
        })
        done(null)
      },
      authorizeSubscribe: (_client, _subscription, done) => done(new Error('not authorized'), null),
    }),
  )
  const quiet = (e: unknown): void => void emit('note', { what: 'trouble at the cloud', text: messageOf(e) })
  broker.on('clientError', (_, e) => quiet(e))
  broker.on('connectionError', (_, e) => quiet(e))
  ;(broker as NodeJS.EventEmitter).on('error', quiet)

  const listen = (s: Server, wanted: number): Promise<number> =>
    new Promise((resolve, reject) => {
      s.once('error', reject)
      s.listen(wanted, o.address, () => {
        s.off('error', reject)
        s.on('error', quiet)
        resolve((s.address() as AddressInfo).port)
      })
    })

  /** A TLS server whose connections are all known. `ended` hears how many bytes a peer has given inside TLS. */
  const door = (tls: TlsOptions, inside: (s: TLSSocket) => void, ended?: (given: number) => void): Server => {
    const secure = createTlsServer(tls)
    const given = new Map<number | undefined, number>()
    secure.on('secureConnection', (s) => {
      s.on('error', () => undefined)
      const peer = s.remotePort
      if (ended !== undefined) s.on('data', (b: Buffer) => given.set(peer, (given.get(peer) ?? 0) + b.length))
      inside(s)
    })
    secure.on('tlsClientError', (_, s) => s.destroy())
    return createServer((s) => {
      const peer = s.remotePort
      sockets.add(s)
      s.on('error', () => undefined)
      s.on('close', () => {
        sockets.delete(s)
        ended?.(given.get(peer) ?? 0)
        given.delete(peer)
      })
      secure.emit('connection', s)
    })
  }

  /** By what it is at this moment: itself, an impostor, or nothing. */
  const stand = async (): Promise<void> => {
    const old = server
    server = undefined
    old?.close()
    for (const s of sockets) s.destroy()
    const states = [...inForce.values()]
    if (states.includes('away')) return
    const impostor = states.find((x) => x.startsWith('as-'))
    const next =
      impostor === undefined
        ? door(material('cloud'), (s) => void broker.handle(s))
        : door(
            { ...material(`intruder/cloud-${impostor.slice(3)}`), requestCert: false },
            () => undefined,
            (bytes) => emit('seen', { alias: 'cloud.impostor', payload: { 'given [B]': bytes } }),
          )
    server = next
    port = await listen(next, port)
  }
  const change = (): void => {
    turn = turn.then(() => realm.run(stand)).catch(quiet)
  }

  const pages = createWeb((req, res) => {
    const name = (req.socket as TLSSocket).getPeerCertificate().subject?.CN
    if (name !== entitled || req.url !== '/readings') {
      res.writeHead(name === entitled ? 404 : 403).end()
      return
    }
    res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(stored))
  })

  await realm.run(async () => {
    await stand()
    web = door(material('cloud'), (s) => pages.emit('connection', s))
    webPort = await listen(web, 0)
  })

  /** Asks for everything that is kept, as somebody. */
  const fetchAs = (as: Parameters<Cloud['retrieve']>[0]): Promise<Json> =>
    new Promise((resolve) => {
      const file = { entitled, colleague: readerName, stranger: 'intruder/foreign-ca', nobody: undefined }[as]
      const req = request(
        {
          host: o.address,
          port: webPort,
          path: '/readings',
          agent: false,
          ca: read('ca.crt'),
          servername: 'cloud',
          ...(file === undefined ? {} : { cert: read(`${file}.crt`), key: read(`${file}.key`) }),
        },
        (res) => {
          const parts: Buffer[] = []
          res.on('data', (b: Buffer) => parts.push(b))
          res.on('error', (e) => resolve({ as, stage: 'tls', reason: messageOf(e) }))
          res.on('end', () => {
            if (res.statusCode !== 200) return resolve({ as, stage: 'refused', status: res.statusCode ?? 0 })
            const texts = JSON.parse(Buffer.concat(parts).toString('utf8')) as unknown[]
            return resolve({ as, stage: 'inside', 'readings [1]': texts.length, 'kept [1]': stored.length })
          })
        },
      )
      // The code: OpenSSL's text begins with the address of a thread.
      req.on('error', (e) => resolve({ as, stage: 'tls', reason: 'code' in e ? String(e.code) : e.name }))
      req.end()
    })

  const kinds: Readonly<Record<string, (params: Json) => { params: Json; state: string }>> = {
    away: (params) => ({ params: fit(nothing, params), state: 'away' }),
    silent: (params) => ({ params: fit(nothing, params), state: 'silent' }),
    'wrong-certificate': (params) => {
      const p = fit(certificates, params)
      return { params: p, state: `as-${p.is}` }
    },
  }
  const inflict: Faulty['inflict'] = (name, given = {}): Fault => {
    const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined
    if (kind === undefined) throw new GridproofError('no-such', `the cloud has no fault '${name}'`)
    const { params, state } = kind(given)
    const id = `cloud-${++faults}`
    inForce.set(id, state)
    emit('fault', { phase: 'on', id, name, params })
    change()
    return {
      id,
      params,
      lift() {
        if (!inForce.delete(id)) return
        emit('fault', { phase: 'lifted', id, name, params })
        change()
      },
    }
  }

  return {
    address: o.address,
    port,
    faults: Object.keys(kinds),
    inflict,
    readings: { src: 'cloud', kind: 'seen', select: 'cloud.reading' },
    impostor: { src: 'cloud', kind: 'seen', select: 'cloud.impostor' },
    retrieved: { src: 'cloud', kind: 'seen', select: 'cloud.retrieved' },
    async retrieve(as) {
      const payload = await realm.run(() => fetchAs(as))
      emit('seen', { alias: 'cloud.retrieved', payload })
    },
    async [Symbol.asyncDispose]() {
      await turn
      await realm.run(async () => {
        server?.close()
        web?.close()
        for (const s of sockets) s.destroy()
        await new Promise<void>((resolve) => broker.close(resolve))
      })
    },
  }
}

function fit<T extends Json>(schema: z.ZodType<T>, params: Json): T {
  const r = schema.safeParse(params)
  if (r.success) return r.data
  throw new GridproofError('bad-value', `a fault of the cloud: ${z.prettifyError(r.error)}`)
}
