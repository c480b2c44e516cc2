/**
 * A server of resumable uploads is asked by the book and against it, request by request: statuses, headers, and that what it
 * refuses has changed nothing. What it does not offer (checksums, expiry, an end) is told as that, and not held against it.
 */
import { scenario, uploadsOwe } from '../../bench/index.ts'
import { offering, refused, stands, status, unchanged } from './_due.ts'

export default scenario({
  title: 'A server of resumable uploads answers each request of tus 1.0.0 as the protocol says',
  verifies: [
    'TUS:options',
    'TUS:version',
    'TUS:head',
    'TUS:unknown',
    'TUS:patch/acknowledged',
    'TUS:patch/other-offset',
    'TUS:patch/empty',
    'TUS:type',
    'TUS:length',
    'TUS:create',
    'TUS:sums',
    'TUS:expiry',
    'TUS:expired',
    'TUS:end',
  ],
  needs: ['uploads'],
  catches: {
    'upload-server/tells-no-version': 'TUS:options/versions',
    'upload-server/takes-any-version': 'TUS:version/other-refused',
    'upload-server/tells-no-length': 'TUS:head/where-it-stands',
    'upload-server/lets-answers-be-cached': 'TUS:head/not-cached',
    'upload-server/finds-every-upload': 'TUS:unknown/refused',
    'upload-server/begins-with-200': 'TUS:create/begun',
    'upload-server/takes-any-size': 'TUS:create/too-large',
    'upload-server/tells-no-new-offset': 'TUS:patch/acknowledged',
    'upload-server/takes-a-wrong-offset': 'TUS:patch/other-offset',
    'upload-server/takes-any-content-type': 'TUS:type/refused',
    'upload-server/takes-an-overrun': 'TUS:length/overrun',
    'upload-server/hangs-on-an-empty-append': 'TUS:patch/empty',
    'upload-server/ignores-a-checksum': 'TUS:sums/mismatch',
    'upload-server/ends-nothing': 'TUS:end/gone',
    'upload-server/tells-no-expiry': 'TUS:expiry/told',
    'upload-server/never-expires': 'TUS:expired/gone',
  },
  horizon: '2 min',
  short: '80 s',
  async run({ uploads, time, check }) {
    const begin = time.now()
    check(
      uploadsOwe(uploads.series('server', 'options'), {
        id: 'versions',
        verifies: ['TUS:options/versions'],
        limit: 'OPTIONS is answered 200 or 204, with 1.0.0 among Tus-Version',
        due: (x) =>
          status(x, 200, 204) ??
          (list(x.answer?.versions).includes('1.0.0') ? undefined : 'Tus-Version does not name 1.0.0'),
      }),
    )
    check(
      uploadsOwe(uploads.series('*'), {
        id: 'named',
        verifies: ['TUS:version/named'],
        limit: 'each answer but those to OPTIONS has Tus-Resumable: 1.0.0',
        due: (x) =>
          x.answer === null || x.asked === 'options' || x.answer.resumable === '1.0.0'
            ? undefined
            : `answered ${x.answer.status} with Tus-Resumable ${x.answer.resumable ?? 'missing'}`,
      }),
    )
    check(
      uploadsOwe(uploads.series('version'), {
        id: 'other-version',
        verifies: ['TUS:version/other-refused'],
        limit: 'a request of another version: 412 with Tus-Version, and nothing is done',
        due(x) {
          if (x.says === undefined) return unchanged(x)
          return status(x, 412) ?? (x.answer?.versions === null ? '412 without Tus-Version' : undefined)
        },
      }),
    )
    check(
      uploadsOwe(uploads.series('plain', 'offset'), {
        id: 'where-it-stands',
        verifies: ['TUS:head/where-it-stands'],
        limit:
          'HEAD tells Upload-Offset as acknowledged and Upload-Length, at the beginning, in the midst and at the end',
        due: (x) =>
          stands(x, x['told before [B]']) ??
          (x.answer?.['length [B]'] === x['length [B]']
            ? undefined
            : `Upload-Length is ${x.answer?.['length [B]'] ?? 'missing'}, where ${x['length [B]']} was due`),
      }),
    )
    check(
      uploadsOwe(uploads.series('plain', 'offset'), {
        id: 'not-cached',
        verifies: ['TUS:head/not-cached'],
        limit: 'HEAD is answered with Cache-Control: no-store',
        due: (x) =>
          /\bno-store\b/i.test(x.answer?.cache ?? '')
            ? undefined
            : `Cache-Control is ${x.answer?.cache ?? 'missing'}`,
      }),
    )
    check(
      uploadsOwe(uploads.series('unknown'), {
        id: 'unknown',
        verifies: ['TUS:unknown/refused'],
        limit: 'an upload that was never begun: 404 or 410 (HEAD: or 403), and no Upload-Offset',
        due: (x) =>
          status(x, 404, 410, ...(x.asked === 'offset' ? [403] : [])) ??
          (x.answer?.['offset [B]'] === null ? undefined : 'it tells an Upload-Offset'),
      }),
    )
    check(
      uploadsOwe(uploads.series('plain', 'create'), {
        id: 'begun',
        verifies: ['TUS:create/begun'],
        limit: 'a new upload: 201 with Location',
        due: (x) => status(x, 201) ?? (x.answer?.located === true ? undefined : '201 without Location'),
      }),
    )
    check(
      uploadsOwe(uploads.series('too-large', 'create'), {
        id: 'too-large',
        verifies: ['TUS:create/too-large'],
        limit: 'an upload of more than Tus-Max-Size: 413',
        due: (x) => status(x, 413),
        unless: (o) =>
          o['most [B]'] === null ? 'the server tells no Tus-Max-Size: there is nothing to judge' : undefined,
      }),
    )
    check(
      uploadsOwe(uploads.series('plain', 'append'), {
        id: 'acknowledged',
        verifies: ['TUS:patch/acknowledged'],
        limit: 'appended bytes: 204, and Upload-Offset is the offset before and their number',
        due(x) {
          const wrong = status(x, 204)
          if (wrong !== undefined) return wrong
          const after = (x['claimed [B]'] ?? 0) + x['sent [B]']
          return stands(x, after)
        },
      }),
    )
    check(
      uploadsOwe(uploads.series('other-offset'), {
        id: 'other-offset',
        verifies: ['TUS:patch/other-offset'],
        limit: 'bytes for a greater offset, or for a lower one: 409, and nothing is changed',
        due: (x) => (x.asked === 'append' ? status(x, 409) : unchanged(x)),
      }),
    )
    check(
      uploadsOwe(uploads.series('type'), {
        id: 'other-type',
        verifies: ['TUS:type/refused'],
        limit: 'a body of another content type: 415, and nothing is changed',
        due: (x) => (x.asked === 'append' ? status(x, 415) : unchanged(x)),
      }),
    )
    check(
      uploadsOwe(uploads.series('overrun'), {
        id: 'overrun',
        verifies: ['TUS:length/overrun'],
        limit: 'bytes beyond Upload-Length are refused, and no offset beyond it is told',
        due: (x) => (x.asked === 'append' ? refused(x) : stands(x, 0, x['length [B]'])),
      }),
    )
    check(
      uploadsOwe(uploads.series('empty'), {
        id: 'empty',
        verifies: ['TUS:patch/empty'],
        limit: 'an append of no bytes, in the midst and at the end, is answered, and nothing is changed',
        due(x) {
          if (x.asked === 'offset') return unchanged(x)
          if (x.answer === null) return x.why ?? 'no answer'
          return x.answer.status === 204 ? unchanged(x) : refused(x)
        },
      }),
    )
    check(
      uploadsOwe(uploads.series('checksum'), {
        id: 'mismatch',
        verifies: ['TUS:sums/mismatch'],
        limit: 'bytes whose checksum does not agree: 460, and none of them counts; with the right one 204',
        due: (x) => (x.asked === 'append' ? status(x, x['claimed [B]'] === 0 ? 460 : 204) : unchanged(x)),
        unless: offering('checksum'),
      }),
    )
    check(
      uploadsOwe(uploads.series('algorithm'), {
        id: 'algorithm',
        verifies: ['TUS:sums/unknown-algorithm'],
        limit: 'a checksum by an algorithm that the server does not have: 400, and none of the bytes counts',
        due: (x) => (x.asked === 'append' ? status(x, 400) : unchanged(x)),
        unless: offering('checksum'),
      }),
    )
    check(
      uploadsOwe(uploads.series('expiry', 'append'), {
        id: 'expiry-told',
        verifies: ['TUS:expiry/told'],
        limit:
          'the answer to each append of an upload that expires, and is not complete, tells Upload-Expires',
        due(x) {
          if (x.answer?.expires !== null) return undefined
          return x['expires, told before'] === null
            ? { hidden: 'the server has not told that the upload expires, which it need not' }
            : 'Upload-Expires is missing, or no date, and was told at the beginning'
        },
        unless: offering('expiration'),
      }),
    )
    check(
      uploadsOwe(uploads.series('expired'), {
        id: 'expired',
        verifies: ['TUS:expired/gone'],
        limit: '5 s after Upload-Expires the upload is gone: 404 or 410',
        due: (x) => status(x, 404, 410),
        unless: offering('expiration'),
        takes: 'expiry',
      }),
    )
    check(
      uploadsOwe(uploads.series('ended'), {
        id: 'ended',
        verifies: ['TUS:end/gone'],
        limit: 'DELETE: 204, and the upload is gone: 404 or 410',
        due: (x) => (x.asked === 'end' ? status(x, 204) : status(x, 404, 410)),
        unless: offering('termination'),
      }),
    )

    const offers = await uploads.look()
    const has = (extension: string): boolean => offers.extensions.includes(extension)

    const left = await uploads.begin('expiry', { length: 10_000 })
    await left.append('expiry', { bytes: 4_000 })

    const plain = await uploads.begin('plain', { length: 100_000 })
    await plain.ask('plain')
    await plain.append('plain', { bytes: 40_000 })
    await plain.ask('plain')
    await plain.append('plain', { bytes: 60_000 })
    await plain.ask('plain')
    await (await uploads.begin('plain', { length: 0 })).ask('plain')

    const version = await uploads.begin('given', { length: 10_000 })
    await version.append('given', { bytes: 1_000 })
    await version.append('version', { bytes: 1_000, version: '0.2.2' })
    await version.ask('version')
    await uploads.begin('version', { length: 10_000, version: '0.2.2' })

    const unknown = uploads.unknown()
    await unknown.ask('unknown')
    await unknown.append('unknown', { bytes: 1_000 })
    if (offers['most [B]'] !== null) await uploads.begin('too-large', { length: offers['most [B]'] + 1 })

    const other = await uploads.begin('given', { length: 10_000 })
    await other.append('given', { bytes: 4_000 })
    await other.append('other-offset', { claims: 5_000, bytes: 1_000 })
    await other.ask('other-offset')
    await other.append('other-offset', { claims: 3_000, bytes: 1_000 })
    await other.ask('other-offset')
    await other.append('type', { bytes: 1_000, type: 'application/octet-stream' })
    await other.ask('type')
    await other.append('empty', { bytes: 0 })
    await other.ask('empty')
    await other.append('given')
    await other.append('empty', { bytes: 0 })
    await other.ask('empty')

    const overrun = await uploads.begin('given', { length: 10_000 })
    await overrun.append('given', { bytes: 4_000 })
    await overrun.append('overrun', { beyond: 5_000 })
    await overrun.ask('overrun')

    if (has('checksum')) {
      const sums = await uploads.begin('given', { length: 10_000 })
      await sums.append('checksum', { bytes: 4_000, checksum: 'wrong' })
      await sums.ask('checksum')
      await sums.append('algorithm', { bytes: 4_000, checksum: 'unknown' })
      await sums.ask('algorithm')
      await sums.append('given', { bytes: 4_000 })
      await sums.append('checksum', { bytes: 4_000, checksum: 'right' })
      await sums.ask('checksum')
    }
    if (has('termination')) {
      const ended = await uploads.begin('given', { length: 10_000 })
      await ended.append('given', { bytes: 4_000 })
      await ended.end('ended')
      await ended.ask('ended')
      await ended.append('ended', { bytes: 1_000 })
    }
    const most = Math.max(1_000, begin + time.horizon - time.now())
    if (has('expiration') && (await uploads.outlast(left, `${most} ms`))) await left.ask('expired')
  },
})

function list(text: string | null | undefined): readonly string[] {
  return (text ?? '').split(',').map((v) => v.trim())
}
