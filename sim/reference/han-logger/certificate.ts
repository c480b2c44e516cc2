/** The certificate of the configuration page, where the installer gave none: made once, signed by itself, kept on the disk. */
import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { certificatePem } from '../lvcap/x509.ts'
import type { WebConfig } from './config.ts'

export interface Shown {
  readonly cert: string
  readonly key: string
  /** SHA-256 of the certificate, as browsers show it: by it an installer knows the reader. */
  readonly fingerprint: string
}

/** Reads what the installer gave, or what was made before; makes it else. Throws what the disk says. */
export function certificateOf(web: WebConfig, address: string, disk: string): Shown {
  const certFile = web.cert ?? join(disk, 'web.crt')
  const keyFile = web.key ?? join(disk, 'web.key')
  if (web.cert === undefined && web.key === undefined && !(existsSync(certFile) && existsSync(keyFile))) {
    mkdirSync(disk, { recursive: true })
    // RSA: browsers take no Ed25519.
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const cert = certificatePem({
      subject: 'HAN reader',
      issuer: 'HAN reader',
      publicKey,
      issuerPublicKey: publicKey,
      issuerPrivateKey: privateKey,
      // The reader may not know the time when it makes it.
      notBefore: new Date('1970-01-01T00:00:00Z'),
      notAfter: new Date('9999-12-31T23:59:59Z'),
      use: 'server',
      names: [...new Set(['localhost', '127.0.0.1', address])],
    })
    writeFileSync(keyFile, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
    writeFileSync(certFile, cert)
  }
  const cert = readFileSync(certFile, 'utf8')
  return { cert, key: readFileSync(keyFile, 'utf8'), fingerprint: new X509Certificate(cert).fingerprint256 }
}
