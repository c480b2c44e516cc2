/**
 * X.509 version 3 certificates and version 2 revocation lists (RFC 5280), written as DER with Node's own keys: no more
 * than a small certificate authority needs. Everything is synchronous, and two certificates of one kind have the same length but for names.
 */
import { createHash, sign, type KeyObject } from 'node:crypto'
import { isIPv4, isIPv6 } from 'node:net'

export interface CertificateRequest {
  /** Common names of who is certified and who certifies. */
  readonly subject: string
  readonly issuer: string
  readonly publicKey: KeyObject
  /** The certifier's keys; RSA signs with SHA-256, Ed25519 with itself. */
  readonly issuerPublicKey: KeyObject
  readonly issuerPrivateKey: KeyObject
  readonly notBefore: Date
  readonly notAfter: Date
  /** `broker`: a server that introduces itself to others as a client too. */
  readonly use: 'authority' | 'server' | 'client' | 'broker'
  /** DNS names and IP addresses of a server. */
  readonly names?: readonly string[]
}

const oid = {
  commonName: '2.5.4.3',
  crlNumber: '2.5.29.20',
  subjectKeyId: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyId: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
  sha256WithRsa: '1.2.840.113549.1.1.11',
  ed25519: '1.3.101.112',
} as const

/** The certificate as PEM. */
export function certificatePem(r: CertificateRequest): string {
  const algorithm = algorithmOf(r.issuerPrivateKey)
  const body = seq(
    tag(0xa0, integer(Buffer.from([2]))),
    integer(serialOf(r)),
    algorithm,
    name(r.issuer),
    seq(time(r.notBefore), time(r.notAfter)),
    name(r.subject),
    r.publicKey.export({ type: 'spki', format: 'der' }),
    tag(0xa3, seq(...extensions(r))),
  )
  return pem('CERTIFICATE', signed(body, algorithm, r.issuerPrivateKey))
}

export interface RevocationList {
  /** Common name of who certified and now revokes. */
  readonly issuer: string
  readonly issuerPublicKey: KeyObject
  readonly issuerPrivateKey: KeyObject
  /** When it was made, which is the date of each revocation, and until when it counts. */
  readonly thisUpdate: Date
  readonly nextUpdate: Date
  /** Serial numbers, hexadecimal. */
  readonly serials: readonly string[]
}

/** The revocation list as PEM (RFC 5280, section 5.1). */
export function revocationListPem(r: RevocationList): string {
  const algorithm = algorithmOf(r.issuerPrivateKey)
  const entries = r.serials.map((s) => seq(integer(positive(s)), time(r.thisUpdate)))
  const body = seq(
    integer(Buffer.from([1])),
    algorithm,
    name(r.issuer),
    time(r.thisUpdate),
    time(r.nextUpdate),
    // RFC 5280, 5.1.2.6: no list at all where nothing is revoked.
    ...(entries.length === 0 ? [] : [seq(...entries)]),
    tag(
      0xa0,
      seq(
        extension(oid.authorityKeyId, false, seq(tag(0x80, keyId(r.issuerPublicKey)))),
        extension(oid.crlNumber, false, integer(Buffer.from([1]))),
      ),
    ),
  )
  return pem('X509 CRL', signed(body, algorithm, r.issuerPrivateKey))
}

/** Whether a revocation list in PEM names a serial number (hexadecimal): its DER then holds that INTEGER. */
export function lists(revocationList: string, serial: string): boolean {
  const base64 = revocationList.replace(/-----[^-]+-----|\s/g, '')
  return Buffer.from(base64, 'base64').includes(integer(positive(serial)))
}

/** Bytes of a positive INTEGER: no zeros before it but the one that keeps it positive. */
function positive(hex: string): Buffer {
  const digits = hex.replace(/^0+/, '')
  const bytes = Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex')
  return bytes.length === 0 || (bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes
}

function algorithmOf(key: KeyObject): Buffer {
  return key.asymmetricKeyType === 'rsa'
    ? seq(objectId(oid.sha256WithRsa), tag(0x05, Buffer.alloc(0)))
    : seq(objectId(oid.ed25519))
}

function signed(body: Buffer, algorithm: Buffer, key: KeyObject): Buffer {
  const signature = sign(key.asymmetricKeyType === 'rsa' ? 'sha256' : null, body, key)
  return seq(body, algorithm, bitString(signature, 0))
}

function extensions(r: CertificateRequest): Buffer[] {
  const authority = r.use === 'authority'
  // Key usage, bits from the left: 0 digitalSignature, 2 keyEncipherment, 5 keyCertSign, 6 cRLSign (RFC 5280, 4.2.1.3).
  const usage = authority ? bitString(Buffer.from([0x06]), 1) : bitString(Buffer.from([0xa0]), 5)
  const list = [
    extension(oid.basicConstraints, true, seq(...(authority ? [boolean(true)] : []))),
    extension(oid.keyUsage, true, usage),
    extension(oid.subjectKeyId, false, octets(keyId(r.publicKey))),
    extension(oid.authorityKeyId, false, seq(tag(0x80, keyId(r.issuerPublicKey)))),
  ]
  if (!authority) {
    const purposes = [
      ...(r.use === 'client' ? [] : [oid.serverAuth]),
      ...(r.use === 'server' ? [] : [oid.clientAuth]),
    ]
    list.push(extension(oid.extendedKeyUsage, false, seq(...purposes.map(objectId))))
  }
  if (r.names !== undefined && r.names.length > 0) {
    list.push(extension(oid.subjectAltName, false, seq(...r.names.map(generalName))))
  }
  return list
}

/** 16 bytes in every certificate: the first lies between 0x40 and 0x4f, so DER neither pads nor shortens it. */
function serialOf(r: CertificateRequest): Buffer {
  const keys = [r.publicKey, r.issuerPublicKey].map((k) => keyId(k).toString('hex'))
  const about = [r.subject, r.issuer, r.notAfter.toISOString(), ...keys].join('\n')
  const bytes = createHash('sha256').update(about).digest().subarray(0, 16)
  bytes[0] = 0x40 | ((bytes[0] ?? 0) & 0x0f)
  return bytes
}

/** SHA-1 over the public key, as RFC 5280 section 4.2.1.2 proposes: a name for the key, not a protection. */
function keyId(key: KeyObject): Buffer {
  return createHash('sha1')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest()
}

function generalName(text: string): Buffer {
  if (isIPv4(text)) return tag(0x87, Buffer.from(text.split('.').map(Number)))
  if (isIPv6(text)) return tag(0x87, ipv6Bytes(text))
  return tag(0x82, Buffer.from(text, 'ascii'))
}

function ipv6Bytes(text: string): Buffer {
  const [head = '', tail] = text.split('::')
  const words = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((w) => Number.parseInt(w, 16))
  const left = words(head)
  const right = tail === undefined ? [] : words(tail)
  const all = [...left, ...Array<number>(Math.max(0, 8 - left.length - right.length)).fill(0), ...right]
  return Buffer.from(all.flatMap((w) => [w >> 8, w & 0xff]))
}

function name(commonName: string): Buffer {
  return seq(tag(0x31, seq(objectId(oid.commonName), tag(0x0c, Buffer.from(commonName, 'utf8')))))
}

/** UTCTime up to 2049, GeneralizedTime from 2050 (RFC 5280, 4.1.2.5). */
function time(d: Date): Buffer {
  const digits = d
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replace(/[-:T]/g, '')
  return d.getUTCFullYear() < 2050 ? tag(0x17, Buffer.from(digits.slice(2))) : tag(0x18, Buffer.from(digits))
}

function extension(id: string, critical: boolean, value: Buffer): Buffer {
  return seq(objectId(id), ...(critical ? [boolean(true)] : []), octets(value))
}

function seq(...parts: readonly Uint8Array[]): Buffer {
  return tag(0x30, Buffer.concat(parts))
}

function octets(b: Buffer): Buffer {
  return tag(0x04, b)
}

function integer(bytes: Buffer): Buffer {
  return tag(0x02, bytes)
}

function boolean(value: boolean): Buffer {
  return tag(0x01, Buffer.from([value ? 0xff : 0]))
}

function bitString(bytes: Buffer, unused: number): Buffer {
  return tag(0x03, Buffer.concat([Buffer.from([unused]), bytes]))
}

function objectId(dotted: string): Buffer {
  const [a = 0, b = 0, ...rest] = dotted.split('.').map(Number)
  const bytes = [a * 40 + b]
  for (const part of rest) {
    const septets = [part & 0x7f]
    for (let n = Math.floor(part / 128); n > 0; n = Math.floor(n / 128)) septets.unshift((n % 128) | 0x80)
    bytes.push(...septets)
  }
  return tag(0x06, Buffer.from(bytes))
}

function tag(t: number, content: Buffer): Buffer {
  const n = content.length
  const length = n < 0x80 ? [n] : n < 0x100 ? [0x81, n] : [0x82, n >> 8, n & 0xff]
  return Buffer.concat([Buffer.from([t, ...length]), content])
}

function pem(label: string, der: Buffer): string {
  const text = der.toString('base64').replace(/(.{64})(?=.)/g, '$1\n')
  return `-----BEGIN ${label}-----\n${text}\n-----END ${label}-----\n`
}
