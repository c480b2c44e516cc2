/**
 * A data centre to which platforms upload (OpenLV 3.11.4 and 3.12.4; the management server takes data the same way): tus
 * over mutual TLS, a virtual RTU for each platform, and a door at which those entitled read it back. It listens on one
 * TCP port; who speaks is told by the certificate.
 *
 *   POST/HEAD/PATCH/DELETE /files...   uploads; Upload-Metadata: rtu, batch, sha256, encoding=gzip
 *   GET /rtus                          names, for those entitled
 *   GET /rtus/<name>                   rows, one JSON a line, for those entitled
 */
import { mkdirSync } from 'node:fs'
import { createServer as createWeb, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { join } from 'node:path'
import { createServer as createTlsServer, type TLSSocket, type TlsOptions } from 'node:tls'
import type { CentreOptions, CentreServer } from '../../faces.ts'
import { answerOf } from '../uploads/protocol.ts'
import { serveUploads, type UploadSeams } from '../uploads/serve.ts'
import { openUploads, soundIo, type StoreIo, type Upload } from '../uploads/store.ts'
import { openRtus, unpack, type Rtus } from './rtus.ts'

export interface CentreSeams extends UploadSeams {
  door?(sound: TlsOptions): TlsOptions
  keptFor?(rtu: string): string
  readonly io?: StoreIo
}

/** What a server of another kind does beside; true: the request is answered, or will be. */
export type Beside = (name: string, request: IncomingMessage, response: ServerResponse) => boolean

/** Largest upload: an image of 300 MB (OpenLV Appendix B 2.4), and room. */
const maxSize = 400_000_000
/** An upload that nobody goes on with is forgotten after so long, ms: ten days, as the longest outage and more. Ours. */
const expiresAfter = 10 * 86_400_000
/** How often it looks for those, ms. Ours. */
const expiryEvery = 3_600_000

/** Starts it. `beside` is asked first, about each request of somebody who has proven who he is. Throws what `listen` throws. */
export async function startCentre(
  o: CentreOptions & { readonly seams?: CentreSeams },
  beside: Beside = () => false,
): Promise<CentreServer & { readonly rtus: Rtus }> {
  mkdirSync(o.folder, { recursive: true })
  const rtus = openRtus(join(o.folder, 'rtus'))
  const store = openUploads(join(o.folder, 'uploads'), o.seams?.io ?? soundIo)

  const complete = (u: Upload) => {
    const { batch = '', sha256 = '' } = u.metadata
    const came = u.metadata['rtu'] ?? ''
    const rtu = o.seams?.keptFor?.(came) ?? came
    const told = { kind: 'batch', rtu, batch, by: u.owner, bytes: u.length } as const
    // A client asks how far an upload is as often as it likes: one that is done is not worked on once more.
    if (rtus.has({ rtu, batch, sha256 })) {
      o.tell({ ...told, rows: [], again: true })
      return answerOf(204)
    }
    const packed = store.read(u.id)
    const unpacked = unpack(packed, sha256)
    if (!unpacked.ok) {
      o.tell({ kind: 'rejected', by: u.owner, why: unpacked.why })
      store.remove(u.id)
      // Gone: the client begins anew, from its own copy.
      return answerOf(410, {}, unpacked.why)
    }
    const taken = rtus.take({ rtu, batch, sha256, rows: unpacked.rows })
    o.tell({ ...told, rows: taken ? unpacked.rows : [], again: !taken })
    return answerOf(204)
  }

  const uploads = serveUploads({
    store,
    base: '/files',
    limits: { maxSize },
    expiresAfter,
    now: () => o.now(),
    admits(owner, m) {
      if (m['rtu'] === undefined || m['batch'] === undefined || m['sha256'] === undefined)
        return 'Upload-Metadata must name rtu, batch and sha256.'
      if (m['encoding'] !== 'gzip') return 'Uploads are packed by gzip.'
      return o.mayUpload(owner, m['rtu']) ? true : `${owner} may not upload for ${m['rtu']}.`
    },
    complete,
    tell: (event) => o.tell({ kind: 'upload', event }),
    ...(o.seams === undefined ? {} : { seams: o.seams }),
  })

  const web = createWeb((request, response) => {
    const name = nameOf(request)
    if (beside(name, request, response)) return
    if (!uploads.handle(request, response, name)) read(name, request, response)
  })
  web.keepAliveTimeout = 120_000
  web.requestTimeout = 0
  web.headersTimeout = 60_000
  web.on('clientError', (_e, socket) => socket.destroy())

  const read = (name: string, request: IncomingMessage, response: ServerResponse): void => {
    const path = (request.url ?? '').split('?')[0] ?? ''
    const m = /^\/rtus(?:\/([\w.-]{1,100}))?$/.exec(path)
    if (m === null || request.method !== 'GET') return void response.writeHead(404).end()
    if (!o.mayRead(name)) return void response.writeHead(403).end()
    const rtu = m[1]
    if (rtu === undefined) {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(rtus.names))
      return
    }
    response.writeHead(200, { 'content-type': 'application/x-ndjson' })
    response.end(
      rtus
        .rows(rtu)
        .map((r) => `${JSON.stringify(r)}\n`)
        .join(''),
    )
  }

  const sockets = new Map<Socket, string>()
  let server: Server | undefined
  let port = o.port

  const open = async (): Promise<void> => {
    if (server !== undefined) return
    const sound: TlsOptions = {
      ...o.tls(),
      requestCert: true,
      rejectUnauthorized: true,
      minVersion: 'TLSv1.2',
    }
    const tls = createTlsServer(o.seams?.door?.(sound) ?? sound)
    const carriers = new Map<number | undefined, Socket>()
    tls.on('secureConnection', (s) => {
      s.on('error', () => undefined)
      const carrier = carriers.get(s.remotePort)
      if (carrier !== undefined) sockets.set(carrier, commonName(s))
      web.emit('connection', s)
    })
    tls.on('tlsClientError', (e, s) => {
      o.tell({ kind: 'no-tls', why: 'code' in e ? String(e.code) : e.message })
      s.destroy()
    })
    const next = createServer((s) => {
      sockets.set(s, '')
      carriers.set(s.remotePort, s)
      const from = s.remotePort
      s.on('error', () => undefined)
      s.on('close', () => {
        const by = sockets.get(s) ?? ''
        if (sockets.delete(s)) o.tell({ kind: 'gone', by, read: s.bytesRead, written: s.bytesWritten })
        carriers.delete(from)
      })
      tls.emit('connection', s)
    })
    await new Promise<void>((resolve, reject) => {
      next.once('error', reject)
      next.listen(port, o.address, () => {
        next.off('error', reject)
        next.on('error', () => undefined)
        resolve()
      })
    })
    server = next
    port = (next.address() as AddressInfo).port
  }
  const shut = async (): Promise<void> => {
    const old = server
    server = undefined
    for (const s of sockets.keys()) s.destroy()
    if (old !== undefined) await new Promise<void>((resolve) => old.close(() => resolve()))
  }

  await open()
  const timer = setInterval(() => uploads.expire(), expiryEvery)
  return {
    get port() {
      return port
    },
    rtus,
    open,
    shut,
    async [Symbol.asyncDispose]() {
      clearInterval(timer)
      await shut()
      store.close()
      rtus.close()
    },
  }
}

function nameOf(request: IncomingMessage): string {
  return commonName(request.socket as TLSSocket)
}

/** Common name of whoever is at the other end; empty where there is no certificate. */
function commonName(s: TLSSocket): string {
  const cn: unknown = s.getPeerCertificate().subject?.CN
  return typeof cn === 'string' ? cn : ''
}
