import { createPrivateKey, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { connect, createServer, type SecureVersion, type Server, type TLSSocket } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sessionNames } from './api.ts'
import { intruderIdentities, makePki, platformImpostors, standingIdentities, strangePlatform } from './pki.ts'
import { tempFolder } from './testing.ts'
import { lists } from './x509.ts'

const app = 'lucy_gridkeysensor_2.0'

for (const algorithm of ['rsa', 'ed25519'] as const) {
  describe(`a certificate authority with ${algorithm} keys`, () => {
    const folder = tempFolder()
    const read = (name: string): string => readFileSync(join(folder.path, name), 'utf8')
    beforeAll(() =>
      makePki(folder.path, {
        apps: [app, 'gone_app_1.0'],
        addresses: ['127.0.0.2', 'fd00::7'],
        algorithm,
        revoked: ['gone_app_1.0'],
        withSessions: [app],
        platforms: ['platform-a', 'platform-b'],
      }),
    )
    afterAll(() => folder.remove())

    test('certifies everybody by name, for as long as any run may pretend to last', () => {
      const root = new X509Certificate(read('ca.crt'))
      expect(root.ca).toBe(true)
      for (const name of ['broker', ...standingIdentities, app]) {
        const cert = new X509Certificate(read(`${name}.crt`))
        expect(cert.verify(root.publicKey), name).toBe(true)
        expect(cert.checkIssued(root), name).toBe(true)
        expect(cert.subject).toBe(`CN=${name === 'broker' ? 'marketplace' : name}`)
        expect(cert.validFromDate.toISOString()).toBe('1970-01-01T00:00:00.000Z')
        expect(cert.validToDate.getUTCFullYear()).toBe(9999)
        expect(cert.checkPrivateKey(privateKey(read(`${name}.key`)))).toBe(true)
      }
    })

    test('names the broker by its host names and addresses', () => {
      const cert = new X509Certificate(read('broker.crt'))
      for (const name of ['marketplace', 'localhost']) expect(cert.checkHost(name)).toBe(name)
      for (const ip of ['127.0.0.1', '127.0.0.2', 'fd00::7']) expect(cert.checkIP(ip)).toBe(ip)
      expect(cert.checkHost('elsewhere')).toBeUndefined()
      expect(cert.checkIP('127.0.0.3')).toBeUndefined()
    })

    test('certifies platforms for both ends of TLS, and makes what an impostor would show in the place of each', () => {
      const root = new X509Certificate(read('ca.crt'))
      const of = (name: string): X509Certificate => new X509Certificate(read(`${name}.crt`))
      for (const platform of ['platform-a', 'platform-b']) {
        expect(of(platform).verify(root.publicKey)).toBe(true)
        expect(of(platform).keyUsage).toEqual(['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'])
        const shown = platformImpostors.map((i) => [i, of(`intruder/${platform}-${i}`)] as const)
        for (const [i, c] of shown) {
          expect(c.subject, i).toBe(`CN=${i === 'wrong-name' ? strangePlatform : platform}`)
          expect(c.serialNumber).not.toBe(of(platform).serialNumber)
        }
        const good = shown.filter(([, c]) => c.verify(root.publicKey)).map(([i]) => i)
        expect(good).toEqual(['expired', 'wrong-name', 'revoked'])
      }
    })

    test('gives serial numbers of one length, each its own', () => {
      const names = ['broker', ...standingIdentities, app, ...intruderIdentities.map((i) => `intruder/${i}`)]
      const serials = names.map((n) => new X509Certificate(read(`${n}.crt`)).serialNumber)
      expect(new Set(serials).size).toBe(serials.length)
      expect(serials.every((s) => /^4[0-9A-F]{31}$/.test(s))).toBe(true)
    })

    test('lists whom it has revoked, and OpenSSL refuses whom the list names', async () => {
      const serial = (name: string): string => new X509Certificate(read(`${name}.crt`)).serialNumber
      expect(lists(read('ca.crl'), serial('gone_app_1.0'))).toBe(true)
      expect(lists(read('ca.crl'), `0${serial('gone_app_1.0').toLowerCase()}`)).toBe(true)
      for (const name of [app, 'observer', 'broker'])
        expect(lists(read('ca.crl'), serial(name)), name).toBe(false)
      const server = await serve(folder.path, 'TLSv1.3', read('ca.crl'))
      try {
        expect(await present(server, folder.path, app, 'TLSv1.3')).toBe('authorized')
        expect(await present(server, folder.path, 'gone_app_1.0', 'TLSv1.3')).toBe('CERT_REVOKED')
      } finally {
        server.close()
      }
    })

    test('certifies the further sessions of an application by names of their own', () => {
      for (const session of sessionNames) {
        const cert = new X509Certificate(read(`${app}.${session}.crt`))
        expect(cert.subject).toBe(`CN=${app}.${session}`)
        expect(cert.checkPrivateKey(privateKey(read(`${app}.${session}.key`)))).toBe(true)
      }
      expect(existsSync(join(folder.path, 'gone_app_1.0.records.crt'))).toBe(false)
    })

    test('keeps private keys from others', () => {
      expect(statSync(join(folder.path, `${app}.key`)).mode & 0o077).toBe(0)
    })

    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      test(`is judged rightly by Node under ${version}`, async () => {
        const server = await serve(folder.path, version)
        try {
          expect(await present(server, folder.path, app, version)).toBe('authorized')
          expect(await present(server, folder.path, 'observer', version)).toBe('authorized')
          expect(await present(server, folder.path, 'intruder/expired', version)).toBe('CERT_HAS_EXPIRED')
          expect(await present(server, folder.path, 'intruder/not-yet-valid', version)).toBe(
            'CERT_NOT_YET_VALID',
          )
          expect(await present(server, folder.path, 'intruder/self-signed', version)).toBe(
            'DEPTH_ZERO_SELF_SIGNED_CERT',
          )
          expect(await present(server, folder.path, 'intruder/foreign-ca', version)).toMatch(
            /UNABLE_TO_GET_ISSUER_CERT|UNABLE_TO_VERIFY_LEAF_SIGNATURE|CERT_SIGNATURE_FAILURE/,
          )
        } finally {
          server.close()
        }
      })
    }
  })
}

function privateKey(pem: string): Parameters<X509Certificate['checkPrivateKey']>[0] {
  return createPrivateKey(pem)
}

async function serve(pki: string, version: SecureVersion, crl?: string): Promise<Server> {
  const read = (name: string): Buffer => readFileSync(join(pki, name))
  const server = createServer({
    ca: read('ca.crt'),
    cert: read('broker.crt'),
    key: read('broker.key'),
    requestCert: true,
    rejectUnauthorized: false,
    minVersion: version,
    maxVersion: version,
    ...(crl === undefined ? {} : { crl }),
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

/** What the server says of a client that shows this certificate; the client must accept the server in any case. */
async function present(server: Server, pki: string, name: string, version: SecureVersion): Promise<string> {
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('no address')
  const judged = once(server, 'secureConnection').then((args) => {
    const [socket] = args as [TLSSocket]
    socket.on('error', () => {})
    const error: unknown = socket.authorizationError
    return socket.authorized ? 'authorized' : String(error)
  })
  const client = connect({
    host: '127.0.0.1',
    port: address.port,
    servername: 'marketplace',
    ca: readFileSync(join(pki, 'ca.crt')),
    cert: readFileSync(join(pki, `${name}.crt`)),
    key: readFileSync(join(pki, `${name}.key`)),
    maxVersion: version,
  })
  client.on('error', () => {})
  await once(client, 'secureConnect')
  expect(client.authorized).toBe(true)
  const result = await judged
  client.destroy()
  return result
}
