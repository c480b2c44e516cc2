/** Who knocks at the Data Marketplace's door, and whether the certificate shown is good (API section 8.1). */
import type { Socket } from 'node:net'
import type { DetailedPeerCertificate, PeerCertificate, TLSSocket } from 'node:tls'

/** Why somebody or something was refused. The log and the error topic use these words. */
export type RefusalReason =
  | 'plain-tcp'
  | 'tls-version'
  | 'handshake'
  | 'no-certificate'
  | 'expired'
  | 'not-yet-valid'
  | 'foreign-ca'
  | 'self-signed'
  | 'bad-certificate'
  | 'revoked'
  | 'will-topic'
  | 'publish-topic'

/** What is known of a peer once TLS has been agreed. */
export interface Peer {
  /** IP address and port. */
  readonly address: string
  /** Whether the chain leads to our authority, by OpenSSL's judgement and the machine's clock. */
  readonly authorized: boolean
  /** OpenSSL's word for what is wrong. */
  readonly authorizationError?: string
  /** Common name of the certificate shown, good or not. */
  readonly commonName?: string
  /** Serial number, hexadecimal, upper case. */
  readonly serial?: string
  /** Validity, ms since 1970. */
  readonly validFrom?: number
  readonly validTo?: number
  /** Such as `TLSv1.3`. */
  readonly protocol?: string
}

export type PeerJudgement =
  | { readonly ok: true; readonly identity: string }
  | { readonly ok: false; readonly reason: RefusalReason }

/**
 * Whether a peer may enter: a certificate of our authority, within its dates by OpenSSL and by our own clock (which
 * may be right where the machine's is not), and not revoked by the system operator. `now` in ms since 1970.
 */
export function judgePeer(peer: Peer, now: number, revoked: readonly string[]): PeerJudgement {
  const refuse = (reason: RefusalReason): PeerJudgement => ({ ok: false, reason })
  if (peer.commonName === undefined) return refuse('no-certificate')
  if (!peer.authorized) return refuse(reasonOfVerification(peer.authorizationError))
  const { validFrom = Number.NaN, validTo = Number.NaN } = peer
  if (Number.isNaN(validFrom) || Number.isNaN(validTo)) return refuse('bad-certificate')
  if (now > validTo) return refuse('expired')
  if (now < validFrom) return refuse('not-yet-valid')
  const serial = bareSerial(peer.serial ?? '')
  if (revoked.some((r) => bareSerial(r) === serial)) return refuse('revoked')
  return { ok: true, identity: peer.commonName }
}

function bareSerial(text: string): string {
  return text.toUpperCase().replace(/^0+/, '')
}

/** OpenSSL's verification results, X509_verify_cert_error_string(3), as Node names them. */
function reasonOfVerification(error = ''): RefusalReason {
  switch (error) {
    case 'CERT_HAS_EXPIRED':
      return 'expired'
    case 'CERT_NOT_YET_VALID':
      return 'not-yet-valid'
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
      return 'self-signed'
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'CERT_SIGNATURE_FAILURE':
      return 'foreign-ca'
    default:
      return 'bad-certificate'
  }
}

/** What went wrong before TLS was agreed. Plain MQTT, HTTP or noise is no TLS record: OpenSSL says so in several ways. */
export function reasonOfHandshake(error: unknown): RefusalReason {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  switch (code) {
    case 'ERR_SSL_UNSUPPORTED_PROTOCOL':
    case 'ERR_SSL_VERSION_TOO_LOW':
    case 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION':
      return 'tls-version'
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
    case 'ERR_SSL_HTTP_REQUEST':
    case 'ERR_SSL_HTTPS_PROXY_REQUEST':
    case 'ERR_SSL_PACKET_LENGTH_TOO_LONG':
    case 'ERR_SSL_RECORD_TOO_SMALL':
    case 'ERR_SSL_BAD_RECORD_TYPE':
    case 'ERR_SSL_UNEXPECTED_MESSAGE':
      return 'plain-tcp'
    default:
      return 'handshake'
  }
}

/** What a TLS socket says of its peer. */
export function peerOf(socket: TLSSocket): Peer {
  const cert: PeerCertificate | DetailedPeerCertificate | undefined = socket.getPeerCertificate()
  const shown = cert !== undefined && cert.valid_to !== undefined
  const commonName = shown ? firstOf(cert.subject?.CN) : undefined
  const error = verificationError(socket.authorizationError)
  return {
    address: addressOf(socket),
    authorized: socket.authorized,
    ...(error === undefined ? {} : { authorizationError: error }),
    ...(shown
      ? {
          commonName: commonName ?? '',
          serial: cert.serialNumber,
          validFrom: Date.parse(cert.valid_from),
          validTo: Date.parse(cert.valid_to),
        }
      : {}),
    protocol: socket.getProtocol() ?? 'unknown',
  }
}

export function addressOf(socket: Socket): string {
  return socket.remoteAddress === undefined ? 'unknown' : `${socket.remoteAddress}:${socket.remotePort ?? 0}`
}

function firstOf(v: string | string[] | undefined): string | undefined {
  return Array.isArray(v) ? v[0] : v
}

/** Node gives the code as a string, and types it as an Error. */
function verificationError(error: unknown): string | undefined {
  if (error instanceof Error) return error.message
  return typeof error === 'string' ? error : undefined
}
