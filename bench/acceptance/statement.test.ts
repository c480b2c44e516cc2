import { spawnSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { keyidOf, makeKeys, publicPem, readPublicKey, readSecretKey } from './keys.ts'
import { opened, preAuthentication, signed } from './statement.ts'
import type { Statement } from './statement.ts'

const folder = mkdtempSync(join(tmpdir(), 'keys-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const openssl = spawnSync('openssl', ['version']).status === 0
if (!openssl) process.stderr.write('no signature is verified by openssl: there is none on this machine\n')
const pair = generateKeyPairSync('ed25519')
const statement: Statement = {
  _type: 'https://in-toto.io/Statement/v1',
  subject: [{ name: 'log.jsonl', digest: { sha256: 'a'.repeat(64) } }],
  predicateType: 'https://in-toto.io/attestation/test-result/v0.1',
  predicate: {
    result: 'PASSED',
    configuration: [],
    passedTests: ['M:005'],
    warnedTests: [],
    failedTests: [],
  },
}

describe('keys', () => {
  test('are made once, readable by their owner alone, and read again', () => {
    const made = makeKeys(join(folder, 'sub/operator'), undefined)
    expect(statSync(made.secret).mode & 0o777).toBe(0o600)
    expect(keyidOf(readSecretKey(made.secret, undefined))).toBe(made.keyid)
    expect(keyidOf(readPublicKey(made.open))).toBe(made.keyid)
    expect(() => makeKeys(join(folder, 'sub/operator.pem'), undefined)).toThrow(/never overwritten/)
    expect(() => readPublicKey(made.secret)).toThrow(/private key, which nobody needs/)
    expect(() => readSecretKey(made.open, undefined)).toThrow(/holds no private key/)
  })

  test('can have a passphrase', () => {
    const made = makeKeys(join(folder, 'locked'), 'open sesame')
    expect(readFileSync(made.secret, 'utf8')).toContain('ENCRYPTED')
    expect(keyidOf(readSecretKey(made.secret, 'open sesame'))).toBe(made.keyid)
    expect(() => readSecretKey(made.secret, 'wrong')).toThrow(/does not open it/)
    expect(() => readSecretKey(made.secret, undefined)).toThrow(/passphrase/)
  })

  test('of another kind, and files that are none, are refused in a sentence', () => {
    const rsa = join(folder, 'ec.pem')
    const other = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
    writeFileSync(rsa, other.privateKey.export({ type: 'pkcs8', format: 'pem' }))
    expect(() => readSecretKey(rsa, undefined)).toThrow(/must be Ed25519/)
    writeFileSync(rsa, publicPem(other.publicKey))
    expect(() => readPublicKey(rsa)).toThrow(/must be Ed25519/)
    writeFileSync(rsa, 'no key')
    expect(() => readPublicKey(rsa)).toThrow(/cannot be used as a public key/)
    expect(() => readSecretKey(join(folder, 'none'), undefined)).toThrow(/cannot be read/)
  })
})

describe('an envelope', () => {
  test('is what DSSE signs', () => {
    // Example of protocol.md of secure-systems-lab/dsse.
    expect(preAuthentication('http://example.com/HelloWorld', Buffer.from('hello world')).toString()).toBe(
      'DSSEv1 29 http://example.com/HelloWorld 11 hello world',
    )
  })

  test('opens with its own key and with no other', () => {
    const text = signed(statement, pair.privateKey)
    expect(opened(text, 'f', pair.publicKey)).toEqual({ statement, keyid: keyidOf(pair.publicKey) })
    const other = generateKeyPairSync('ed25519')
    expect(opened(text, 'f', other.publicKey).problem).toMatch(/another key/)
    const claimed = text.replace(keyidOf(pair.publicKey), keyidOf(other.publicKey))
    expect(opened(claimed, 'f', other.publicKey).problem).toMatch(/does not fit/)
  })

  test.skipIf(!openssl)('is verified by openssl, which knows nothing of us', () => {
    const e = JSON.parse(signed(statement, pair.privateKey)) as {
      payload: string
      payloadType: string
      signatures: { sig: string }[]
    }
    const payload = Buffer.from(e.payload, 'base64')
    const head = `DSSEv1 ${e.payloadType.length} ${e.payloadType} ${payload.length} `
    const [message, sig, key] = ['message', 'sig', 'key'].map((n) => join(folder, n)) as [
      string,
      string,
      string,
    ]
    writeFileSync(message, Buffer.concat([Buffer.from(head), payload]))
    writeFileSync(sig, Buffer.from(e.signatures[0]?.sig ?? '', 'base64'))
    writeFileSync(key, publicPem(pair.publicKey))
    const args = ['pkeyutl', '-verify', '-pubin', '-inkey', key, '-rawin', '-in', message, '-sigfile', sig]
    expect(spawnSync('openssl', args, { encoding: 'utf8' }).stdout).toContain('Verified Successfully')
    writeFileSync(message, 'another')
    expect(spawnSync('openssl', args).status).not.toBe(0)
  })

  test('altered in any one byte does not open', () => {
    const bytes = Buffer.from(signed(statement, pair.privateKey))
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, by) => {
        const altered = Buffer.from(bytes)
        altered[at] = (altered[at] ?? 0) ^ by
        let problem: string | undefined = 'refused'
        try {
          ;({ problem } = opened(altered.toString('utf8'), 'f', pair.publicKey))
        } catch {
          // Not even an envelope.
        }
        expect(problem).toBeDefined()
      }),
      { numRuns: 500 },
    )
  })

  test('of any text is opened or refused in a sentence, never worse', () => {
    const any = fc.oneof(
      fc.string(),
      fc.json(),
      fc.constant('{"payload":"","payloadType":"","signatures":[]}'),
    )
    fc.assert(
      fc.property(any, (text) => {
        expect(() => opened(text, 'f', pair.publicKey)).toThrow(/^f/)
      }),
    )
  })
})
