/**
 * Certificates for tests of TLS in virtual time (RFC 5280, signed with Ed25519 as in RFC 8410: signatures of fixed
 * length, so that lengths of TLS records repeat).
 */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'

/** PEM texts. */
export interface Identity {
  readonly cert: string
  readonly key: string
}

export interface TestPki {
  readonly ca: string
  readonly server: Identity
  readonly client: Identity
}

interface Keys {
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
}

/** A DER element: tag, length, content. */
function der(tag: number, ...parts: Uint8Array[]): Buffer {
  const body = Buffer.concat(parts)
  const n = body.length
  const head = n < 128 ? [tag, n] : n < 256 ? [tag, 0x81, n] : [tag, 0x82, n >> 8, n & 255]
  return Buffer.concat([Buffer.from(head), body])
}

const sequence = (...parts: Uint8Array[]): Buffer => der(0x30, ...parts)
const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'))
const yes = der(0x01, Buffer.from([0xff]))
/** id-Ed25519, 1.3.101.112 */
const ed25519 = sequence(oid('2b6570'))
/** OpenSSL reads the machine's clock whatever Date says: valid from 2000 to 9999. */
const validity = sequence(der(0x17, Buffer.from('000101000000Z')), der(0x18, Buffer.from('99991231235959Z')))

function name(text: string): Buffer {
  // commonName, 2.5.4.3
  return sequence(der(0x31, sequence(oid('550403'), der(0x0c, Buffer.from(text)))))
}

function certificate(subject: string, serial: number, keys: Keys, root: Keys, extensions: Buffer[]): string {
  const tbs = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([serial])),
    ed25519,
    name('root'),
    validity,
    name(subject),
    keys.publicKey.export({ type: 'spki', format: 'der' }),
    ...(extensions.length === 0 ? [] : [der(0xa3, sequence(...extensions))]),
  )
  const signature = der(0x03, Buffer.from([0]), sign(null, tbs, root.privateKey))
  const base64 = sequence(tbs, ed25519, signature).toString('base64')
  return `-----BEGIN CERTIFICATE-----\n${base64.replaceAll(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`
}

/** A root, a server for localhost, 127.0.0.1, marketplace and 10.0.0.2, and a client. */
export function makeTestPki(): TestPki {
  const root = generateKeyPairSync('ed25519')
  const identity = (subject: string, serial: number, extensions: Buffer[]): Identity => {
    const own = generateKeyPairSync('ed25519')
    return {
      cert: certificate(subject, serial, own, root, extensions),
      key: String(own.privateKey.export({ type: 'pkcs8', format: 'pem' })),
    }
  }
  const dns = (text: string): Buffer => der(0x82, Buffer.from(text))
  const ip = (...numbers: number[]): Buffer => der(0x87, Buffer.from(numbers))
  // subjectAltName, 2.5.29.17; basicConstraints, 2.5.29.19
  const names = sequence(dns('localhost'), dns('marketplace'), ip(127, 0, 0, 1), ip(10, 0, 0, 2))
  const authority = sequence(oid('551d13'), yes, der(0x04, sequence(yes)))
  return {
    ca: certificate('root', 1, root, root, [authority]),
    server: identity('server', 2, [sequence(oid('551d11'), der(0x04, names))]),
    client: identity('client', 3, []),
  }
}
