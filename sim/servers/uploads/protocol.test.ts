import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { agrees, metadataText, readMetadata, readRequest } from './protocol.ts'

const limits = { maxSize: 1000 }
const ask = (method: string, path: string, headers: Record<string, string> = {}) =>
  readRequest({ method, path, headers: { 'tus-resumable': '1.0.0', ...headers } }, '/files', limits)
const id = '0123456789abcdef0123456789abcdef'

describe('a request of tus 1.0.0', () => {
  test('creates an upload, with its length and metadata', () => {
    const headers = { 'upload-length': '100', 'upload-metadata': 'rtu c2l0ZS0x,encoding Z3ppcA==,plain' }
    expect(ask('POST', '/files', headers)).toEqual({
      is: 'create',
      length: 100,
      metadata: { rtu: 'site-1', encoding: 'gzip', plain: '' },
    })
  })
  test('asks for the offset, appends, ends', () => {
    expect(ask('HEAD', `/files/${id}`)).toEqual({ is: 'offset', id })
    expect(ask('DELETE', `/files/${id}`)).toEqual({ is: 'end', id })
    const headers = { 'content-type': 'application/offset+octet-stream', 'upload-offset': '7' }
    expect(ask('PATCH', `/files/${id}`, headers)).toEqual({ is: 'append', id, offset: 7 })
    expect(ask('POST', `/files/${id}`, { ...headers, 'x-http-method-override': 'PATCH' })).toEqual({
      is: 'append',
      id,
      offset: 7,
    })
  })
  test.each([
    ['another version', 412, { 'tus-resumable': '0.2.2' }, 'HEAD', `/files/${id}`],
    [
      'another content type',
      415,
      { 'content-type': 'text/plain', 'upload-offset': '0' },
      'PATCH',
      `/files/${id}`,
    ],
    ['no offset', 400, { 'content-type': 'application/offset+octet-stream' }, 'PATCH', `/files/${id}`],
    ['no length', 400, {}, 'POST', '/files'],
    ['too long', 413, { 'upload-length': '1001' }, 'POST', '/files'],
    [
      'a length to be told later',
      400,
      { 'upload-defer-length': '1', 'upload-length': '1' },
      'POST',
      '/files',
    ],
    ['an ID that is none of ours', 404, {}, 'HEAD', '/files/../../etc/passwd'],
    ['another method', 405, {}, 'PUT', `/files/${id}`],
  ] as const)('with %s is refused with %i', (_what, status, headers, method, path) => {
    const r = ask(method, path, headers)
    expect(r).toMatchObject({ is: 'refused', answer: { status } })
    if (status === 412) expect(r).toMatchObject({ answer: { headers: { 'tus-version': '1.0.0' } } })
  })
  test('elsewhere is none of its own', () => {
    expect(ask('GET', '/rtus')).toBeUndefined()
  })
  test('is read or refused, whatever it is', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('POST', 'HEAD', 'PATCH', 'DELETE', 'GET'),
        fc.constantFrom('/files', `/files/${id}`, '/files/', '/files/x'),
        fc.dictionary(
          fc.constantFrom(
            'upload-length',
            'upload-offset',
            'upload-metadata',
            'upload-checksum',
            'content-type',
          ),
          fc.string(),
        ),
        (method, path, headers) => {
          expect(ask(method, path, headers)).toBeDefined()
        },
      ),
    )
  })
})

test('metadata is written and read again', () => {
  const key = fc.stringMatching(/^[a-z][a-z0-9_-]{0,20}$/)
  fc.assert(
    fc.property(
      fc.dictionary(
        key,
        fc.string({ unit: 'grapheme' }).filter((s) => s.isWellFormed()),
        { noNullPrototype: true },
      ),
      (m) => {
        expect(readMetadata(metadataText(m))).toEqual(m)
      },
    ),
  )
})

test('a checksum agrees with its own bytes alone', () => {
  const digest = Buffer.from('Kq5sNclPz7QV2+lfQIuc6R7oRu0=', 'base64')
  expect(agrees([Buffer.from('hello '), Buffer.from('world')], { algorithm: 'sha1', digest })).toBe(true)
  expect(agrees([Buffer.from('hello World')], { algorithm: 'sha1', digest })).toBe(false)
})
