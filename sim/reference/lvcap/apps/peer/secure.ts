/**
 * Mutual TLS over a connection that stands, whoever opened it, and who the other end then is (M:0052, I:00122). Who made
 * the connection, and which relay it passes, proves nothing: the certificate alone does.
 */
import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { connect, createServer, type SecureContextOptions, type TLSSocket } from 'node:tls'
import { LvcapError, textOf } from '../../errors.ts'
import { judgePeer, peerOf, type Peer, type RefusalReason } from '../../marketplace/peers.ts'
import { within } from '../../sdk/schedule.ts'

export interface Secured {
  readonly stream: Duplex
  readonly peer: Peer
}

/** @throws LvcapError `certificate` if a file cannot be read. */
export function materialOf(pki: string, platform: string): SecureContextOptions {
  const read = (file: string): string => {
    try {
      return readFileSync(join(pki, file), 'utf8')
    } catch (cause) {
      throw new LvcapError('certificate', `${file} in ${pki} cannot be read: ${textOf(cause)}`, cause)
    }
  }
  return {
    ca: read('ca.crt'),
    cert: read(`${platform}.crt`),
    key: read(`${platform}.key`),
    minVersion: 'TLSv1.2',
  }
}

/**
 * Agrees on TLS within `ms` milliseconds. The peer is not judged yet: nothing may be said to it before that.
 * @throws LvcapError `link`.
 */
export async function secure(
  socket: Socket,
  as: 'server' | 'client',
  material: SecureContextOptions,
  ms: number,
): Promise<Secured> {
  const agreed = as === 'client' ? asClient(socket, material) : asServer(socket, material)
  const late = (): Error => new LvcapError('link', `TLS was not agreed within ${ms / 1_000} s.`)
  try {
    const stream = await within(ms, agreed, late)
    return { stream, peer: peerOf(stream) }
  } catch (error) {
    // Whatever comes of it later has nobody left to hear it.
    agreed.then(
      (s) => void s.destroy(),
      () => {},
    )
    socket.destroy()
    throw error instanceof LvcapError ? error : new LvcapError('link', `No TLS: ${codeOf(error)}`, error)
  }
}

function asClient(socket: Socket, material: SecureContextOptions): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    // The partner is known by its common name, not by an address; who it is, is judged by us.
    const s = connect({
      socket,
      ...material,
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
    })
    s.on('error', reject)
    s.once('close', () => reject(new LvcapError('link', 'The connection was closed before TLS was agreed.')))
    s.once('secureConnect', () => resolve(s))
  })
}

function asServer(socket: Socket, material: SecureContextOptions): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const server = createServer({ ...material, requestCert: true, rejectUnauthorized: false })
    server.once('secureConnection', (s) => {
      s.on('error', () => {})
      resolve(s)
    })
    server.once('tlsClientError', reject)
    socket.once('close', () =>
      reject(new LvcapError('link', 'The connection was closed before TLS was agreed.')),
    )
    server.emit('connection', socket)
  })
}

/** OpenSSL's text begins with the number of a thread; the code alone says as much. */
function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : textOf(error)
}

/** Why a peer that TLS let in is not the partner. */
export type StrangerReason = RefusalReason | 'wrong-name'

export type PartnerJudgement = { readonly ok: true } | { readonly ok: false; readonly reason: StrangerReason }

/** Whether a peer is the partner: a good certificate (dates by our own clock too), not revoked, and of that name. */
export function judgePartner(
  peer: Peer,
  partner: string,
  now: number,
  revoked: readonly string[],
): PartnerJudgement {
  const j = judgePeer(peer, now, revoked)
  if (!j.ok) return j
  return j.identity === partner ? { ok: true } : { ok: false, reason: 'wrong-name' }
}
