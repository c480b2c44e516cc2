/**
 * The platform's small certificate authority. It stands for the one that API section 8.1 gives to EA Technology: one
 * root, a certificate for the Data Marketplace, and a client certificate for each application whose common name is
 * its APID. It also makes what an intruder would bring, to test that it is refused.
 *
 * Keys are RSA by default, so that even TLS 1.1 could be spoken where a broker wrongly allows it (Ed25519 needs
 * TLS 1.2), and because its signatures have a fixed length. OpenSSL checks dates by the machine's clock, whatever the
 * program's Date says; hence validity from 1970, where a clock begins that has lost its time, to 9999, and expired
 * certificates that ended in 2001.
 *
 * The authority's own key is not written anywhere: it has no place on a platform. So the list of what it has revoked is
 * made here too, signed, and the platform is given it as a file, as it is given certificates.
 */
import { createPublicKey, generateKeyPairSync, X509Certificate, type KeyObject } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { sessionNames } from './api.ts'
import { certificatePem, revocationListPem, type CertificateRequest } from './x509.ts'

export interface PkiOptions {
  /** APIDs of the applications; each gets `<APID>.crt` and `<APID>.key`. The intruder claims to be the first one. */
  readonly apps: readonly string[]
  /** IP addresses by which the Data Marketplace is reached, beside 127.0.0.1, `marketplace` and `localhost`. */
  readonly addresses?: readonly string[]
  readonly algorithm?: 'rsa' | 'ed25519'
  /** APIDs among them whose certificates are revoked: they stand in `ca.crl`. */
  readonly revoked?: readonly string[]
  /**
   * APIDs among them whose own sessions (`sessionNames`) have certificates too, `<APID>.<session>`, with the key of the
   * APID: for a broker that tells sessions apart by the name on the certificate alone.
   */
  readonly withSessions?: readonly string[]
  /**
   * Common names of platforms that talk to each other: each gets `<name>.crt` and `<name>.key`, good at both ends of TLS,
   * and the intruder what would pass for it.
   */
  readonly platforms?: readonly string[]
  /** Whom others pretend to be at servers: for each, `intruder/<name>-` and each of `clientImpostors`. */
  readonly impersonated?: readonly string[]
}

/** Identities that every platform has, beside its applications. */
export const standingIdentities = ['container-manager', 'observer', 'operator'] as const

/** What an intruder can show; each claims to be the first application. */
export const intruderIdentities = ['expired', 'not-yet-valid', 'foreign-ca', 'self-signed'] as const

/** What an intruder can show in the place of a platform `<name>`, as `intruder/<name>-<one of these>`. */
export const platformImpostors = ['expired', 'foreign-ca', 'self-signed', 'wrong-name', 'revoked'] as const

/** What somebody can show in the place of an application that is known at servers. */
export const clientImpostors = [...intruderIdentities, 'revoked'] as const

/** Common name on the certificate of the wrong name: of a platform that is nobody's partner. */
export const strangePlatform = 'platform-elsewhere'

interface Keys {
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject
}

interface Span {
  readonly notBefore: Date
  readonly notAfter: Date
}

const always = { notBefore: new Date('1970-01-01T00:00:00Z'), notAfter: new Date('9999-12-31T23:59:59Z') }
const ended = { notBefore: new Date('2000-01-01T00:00:00Z'), notAfter: new Date('2001-01-01T00:00:00Z') }
const future = { notBefore: new Date('9990-01-01T00:00:00Z'), notAfter: always.notAfter }

const rootName = 'Platform certificate authority'

/**
 * Writes ca.crt and ca.crl; broker, maintenance, cloud, container-manager, observer, operator and `<APID>` as .crt and .key; and
 * intruder/{expired,not-yet-valid,foreign-ca,self-signed}.crt/key and cloud-{foreign-ca,other-host,self-signed}, and for
 * each platform what `platformImpostors` lists, for each whom others pretend to be `clientImpostors`, all PEM, into `folder`, which is made. With RSA it takes a second or two.
 * Synchronous, so it may run anywhere; dates of certificates do not depend on the clock.
 */
export function makePki(folder: string, options: PkiOptions): void {
  const newKeys = (): Keys =>
    options.algorithm === 'ed25519'
      ? generateKeyPairSync('ed25519')
      : generateKeyPairSync('rsa', { modulusLength: 2048 })
  mkdirSync(join(folder, 'intruder'), { recursive: true, mode: 0o700 })
  const put = (name: string, certificate: string, keys: Keys): void => {
    const key = keys.privateKey.export({ type: 'pkcs8', format: 'pem' })
    writeFileSync(join(folder, `${name}.crt`), certificate)
    writeFileSync(join(folder, `${name}.key`), key, { mode: 0o600 })
  }

  const root = newKeys()
  writeFileSync(join(folder, 'ca.crt'), issue(rootName, root, root, 'authority'))
  const broker = newKeys()
  const names = ['marketplace', 'localhost', ...new Set(['127.0.0.1', ...(options.addresses ?? [])])]
  put('broker', issue('marketplace', broker, root, 'broker', { names }), broker)
  const local = newKeys()
  const localNames = ['maintenance', ...names.filter((n) => n !== 'marketplace')]
  put('maintenance', issue('maintenance', local, root, 'server', { names: localNames }), local)
  // What stands behind a meter reader, in the cloud.
  const cloud = newKeys()
  const cloudNames = ['cloud', ...names.filter((n) => n !== 'marketplace')]
  put('cloud', issue('cloud', cloud, root, 'server', { names: cloudNames }), cloud)
  const serials: string[] = []
  for (const name of new Set([...standingIdentities, ...options.apps])) {
    const keys = newKeys()
    const certificate = issue(name, keys, root, 'client')
    put(name, certificate, keys)
    if (options.revoked?.includes(name) === true) serials.push(new X509Certificate(certificate).serialNumber)
    if (options.withSessions?.includes(name) === true)
      for (const s of sessionNames) put(`${name}.${s}`, issue(`${name}.${s}`, keys, root, 'client'), keys)
  }
  const victim = options.apps[0] ?? 'observer'
  const own = newKeys()
  // A root of the same name as ours, as an impostor would choose it.
  const foreign = newKeys()
  put('intruder/expired', issue(victim, own, root, 'client', ended), own)
  put('intruder/not-yet-valid', issue(victim, own, root, 'client', future), own)
  put('intruder/foreign-ca', issue(victim, own, foreign, 'client'), own)
  put('intruder/self-signed', issue(victim, own, own, 'client', { issuer: victim }), own)
  for (const name of options.platforms ?? []) {
    const keys = newKeys()
    put(name, issue(name, keys, root, 'broker'), keys)
    const posing = (as: (typeof platformImpostors)[number], certificate: string): void =>
      put(`intruder/${name}-${as}`, certificate, own)
    posing('expired', issue(name, own, root, 'broker', ended))
    posing('foreign-ca', issue(name, own, foreign, 'broker'))
    posing('self-signed', issue(name, own, own, 'broker', { issuer: name }))
    posing('wrong-name', issue(strangePlatform, own, root, 'broker'))
    const withdrawn = issue(name, own, root, 'broker')
    posing('revoked', withdrawn)
    serials.push(new X509Certificate(withdrawn).serialNumber)
  }
  for (const name of options.impersonated ?? []) {
    const posing = (as: (typeof clientImpostors)[number], certificate: string): void =>
      put(`intruder/${name}-${as}`, certificate, own)
    posing('expired', issue(name, own, root, 'client', ended))
    posing('not-yet-valid', issue(name, own, root, 'client', future))
    posing('foreign-ca', issue(name, own, foreign, 'client'))
    posing('self-signed', issue(name, own, own, 'client', { issuer: name }))
    const withdrawn = issue(name, own, root, 'client')
    posing('revoked', withdrawn)
    serials.push(new X509Certificate(withdrawn).serialNumber)
  }
  // Servers that stand where the cloud should.
  const claimed = { names: cloudNames }
  put('intruder/cloud-foreign-ca', issue('cloud', own, foreign, 'server', claimed), own)
  put('intruder/cloud-other-host', issue('elsewhere', own, root, 'server', { names: ['elsewhere'] }), own)
  put('intruder/cloud-self-signed', issue('cloud', own, own, 'server', { issuer: 'cloud', ...claimed }), own)
  writeFileSync(
    join(folder, 'ca.crl'),
    revocationListPem({
      issuer: rootName,
      issuerPublicKey: root.publicKey,
      issuerPrivateKey: root.privateKey,
      thisUpdate: always.notBefore,
      nextUpdate: always.notAfter,
      serials,
    }),
  )
}

function issue(
  subject: string,
  keys: Keys,
  by: Keys,
  use: CertificateRequest['use'],
  more: Partial<Span> & { issuer?: string; names?: readonly string[] } = {},
): string {
  return certificatePem({
    subject,
    issuer: rootName,
    publicKey: createPublicKey(keys.privateKey),
    issuerPublicKey: createPublicKey(by.privateKey),
    issuerPrivateKey: by.privateKey,
    use,
    ...always,
    ...more,
  })
}
