import { describe, expect, test } from 'vitest'
import { judgePeer, reasonOfHandshake, type Peer } from './peers.ts'

const now = Date.parse('2018-03-08T14:30:00Z')
const good: Peer = {
  address: '127.0.0.1:4711',
  authorized: true,
  commonName: 'lucy_gridkeysensor_2.0',
  serial: '0A1B',
  validFrom: Date.parse('2017-01-01'),
  validTo: Date.parse('2019-09-01'),
}
const reason = (peer: Peer, at = now, revoked: string[] = []): string => {
  const j = judgePeer(peer, at, revoked)
  return j.ok ? 'ok' : j.reason
}
const failed = (authorizationError: string): Peer => ({ ...good, authorized: false, authorizationError })

describe('judging a peer', () => {
  test('a good certificate enters as its common name', () => {
    expect(judgePeer(good, now, [])).toEqual({ ok: true, identity: 'lucy_gridkeysensor_2.0' })
  })

  test('no certificate, no entry', () => {
    expect(reason({ address: 'x', authorized: false })).toBe('no-certificate')
  })

  test('what OpenSSL refuses is refused, by name', () => {
    expect(reason(failed('CERT_HAS_EXPIRED'))).toBe('expired')
    expect(reason(failed('CERT_NOT_YET_VALID'))).toBe('not-yet-valid')
    expect(reason(failed('DEPTH_ZERO_SELF_SIGNED_CERT'))).toBe('self-signed')
    expect(reason(failed('UNABLE_TO_VERIFY_LEAF_SIGNATURE'))).toBe('foreign-ca')
    expect(reason(failed('SELF_SIGNED_CERT_IN_CHAIN'))).toBe('foreign-ca')
    expect(reason(failed('INVALID_PURPOSE'))).toBe('bad-certificate')
    expect(reason({ ...good, authorized: false })).toBe('bad-certificate')
  })

  test('the dates are judged by our own clock too, to the millisecond', () => {
    const { validFrom = 0, validTo = 0 } = good
    expect(reason(good, validTo)).toBe('ok')
    expect(reason(good, validTo + 1)).toBe('expired')
    expect(reason(good, validFrom)).toBe('ok')
    expect(reason(good, validFrom - 1)).toBe('not-yet-valid')
    expect(reason({ ...good, validTo: Number.NaN })).toBe('bad-certificate')
  })

  test('revoked serial numbers are found in any case and with leading zeros', () => {
    expect(reason(good, now, ['a1b'])).toBe('revoked')
    expect(reason(good, now, ['000A1B'])).toBe('revoked')
    expect(reason(good, now, ['A1B0'])).toBe('ok')
  })
})

describe('naming what went wrong before TLS was agreed', () => {
  const named = (code: string): string => reasonOfHandshake(Object.assign(new Error('x'), { code }))
  test('old versions, plain text and the rest', () => {
    expect(named('ERR_SSL_UNSUPPORTED_PROTOCOL')).toBe('tls-version')
    expect(named('ERR_SSL_WRONG_VERSION_NUMBER')).toBe('plain-tcp')
    expect(named('ERR_SSL_HTTP_REQUEST')).toBe('plain-tcp')
    expect(named('ECONNRESET')).toBe('handshake')
    expect(reasonOfHandshake(undefined)).toBe('handshake')
  })
})
