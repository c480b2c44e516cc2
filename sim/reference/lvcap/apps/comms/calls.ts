/**
 * Calls of the management server (OpenLV M:003): where nothing on the way keeps them out, it need not wait until it is
 * looked for. Whoever calls must prove to be that server; a call brings nothing but the word to look now: POST /look.
 */
import { createServer } from 'node:https'
import type { Socket } from 'node:net'
import type { TlsOptions, TLSSocket } from 'node:tls'
import { wallClock } from '../../env.ts'
import { LvcapError, textOf } from '../../errors.ts'
import { tally, type Tally } from '../../upload/carried.ts'

/** How calls are heard, in parts. */
export interface CallParts {
  /** What TLS asks of whoever calls. */
  callDoor(sound: TlsOptions): TlsOptions
  /** Whether somebody is heard who has proven to be of this name. */
  hears(name: string, server: string): boolean
  /** A call has come: `look` begins at once. */
  called(look: () => void): void
}

export const soundCalls: CallParts = {
  callDoor: (sound) => sound,
  hears: (name, server) => name === server,
  called: (look) => look(),
}

/** Connections at a time, and how long a request may take, ms. Ours. */
const mostCalls = 8
const patience = 10_000

export interface CallOptions {
  readonly address: string
  readonly port: number
  /** Common name of the server that may call. */
  readonly server: string
  readonly tls: Pick<TlsOptions, 'ca' | 'crl' | 'cert' | 'key'>
  look(): void
  trouble(text: string): void
}

export interface Calls extends Pick<Tally, 'volume'> {
  close(): void
}

export function hearCalls(p: CallParts, o: CallOptions): Calls {
  const connections = tally()
  const web = createServer(
    p.callDoor({ ...o.tls, requestCert: true, rejectUnauthorized: true, minVersion: 'TLSv1.2' }),
    (request, response) => {
      const peer = (request.socket as TLSSocket).getPeerCertificate()
      const name: unknown = peer.subject?.CN
      const current = Date.parse(peer.valid_to) >= wallClock()
      request.resume()
      if (!current || typeof name !== 'string' || !p.hears(name, o.server)) response.writeHead(403).end()
      else if (request.method !== 'POST' || request.url !== '/look') response.writeHead(404).end()
      else {
        response.writeHead(202).end()
        p.called(() => o.look())
      }
    },
  )
  web.requestTimeout = patience
  web.headersTimeout = patience
  web.maxConnections = mostCalls
  web.on('connection', (s: Socket) => connections.add(s))
  web.on('tlsClientError', (_e, s) => s.destroy())
  web.on('clientError', (_e, s) => s.destroy())
  web.on('error', (e) =>
    o.trouble(textOf(new LvcapError('link', `calls on port ${o.port} cannot be heard: ${e.message}`, e))),
  )
  web.listen(o.port, o.address)
  return {
    volume: () => connections.volume(),
    close() {
      web.close()
      web.closeAllConnections()
      for (const s of connections.open) s.destroy()
    },
  }
}
