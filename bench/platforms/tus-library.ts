/**
 * A server of resumable uploads as released, on a host whose disk loses at a cut what was not flushed; and a client at the
 * bench that speaks tus 1.0.0 to it. For demonstrations: what is answered is told as `seen` of src `tus`.
 */
import { request } from 'node:http'
import { GridproofError, messageOf } from '../../drivers/errors.ts'
import type { Host, Json, Realm } from '../../drivers/faces.ts'
import { duration } from '../../drivers/units.ts'
import type { Emit } from '../../sim/faces.ts'
import type { TusLibrary } from '../faces.ts'

export interface TusLibraryOptions {
  readonly host: Host
  readonly port: number
  readonly realm: Realm
  readonly emit: Emit
}

export const tusSeries = {
  acknowledged: { src: 'tus', kind: 'seen', select: 'tus.acknowledged' },
  told: { src: 'tus', kind: 'seen', select: 'tus.told' },
} as const

export function playTusLibrary(o: TusLibraryOptions): TusLibrary {
  let up = Promise.withResolvers<void>()
  let url: string | undefined
  let offset = 0
  o.host.onLog((_, entry) => {
    if ((entry as { readonly what?: Json }).what === 'listening') up.resolve()
  })
  const ask = (
    method: string,
    path: string,
    headers: Readonly<Record<string, string>>,
    body?: Uint8Array,
  ): Promise<{ readonly status: number; readonly headers: Readonly<Record<string, unknown>> }> =>
    new Promise((resolve, reject) => {
      const q = request(
        {
          host: o.host.address,
          port: o.port,
          method,
          path,
          agent: false,
          headers: { 'tus-resumable': '1.0.0', 'content-length': String(body?.length ?? 0), ...headers },
        },
        (r) => {
          r.resume()
          r.on('end', () => resolve({ status: r.statusCode ?? 0, headers: r.headers }))
          r.on('error', reject)
        },
      )
      q.on('error', reject)
      q.end(body)
    })
  const begun = (): string => {
    if (url === undefined) throw new GridproofError('bad-value', 'no upload has been begun yet')
    return url
  }
  return {
    ...tusSeries,
    async start() {
      await o.host.start('tus', {
        entry: 'sim/demonstrations/tus-server.ts',
        config: { port: o.port },
        defects: [],
      })
      await up.promise
    },
    begin: (length) =>
      o.realm.run(async () => {
        const r = await ask('POST', '/files', { 'upload-length': String(length) })
        const { location } = r.headers
        if (typeof location !== 'string')
          throw new GridproofError('rig-broke', `POST was answered ${r.status}`)
        url = location.replace(/^(?:https?:)?\/\/[^/]+/, '')
        offset = 0
      }),
    append: (bytes) =>
      o.realm.run(async () => {
        const r = await ask(
          'PATCH',
          begun(),
          { 'content-type': 'application/offset+octet-stream', 'upload-offset': String(offset) },
          bytes,
        )
        if (r.status !== 204) throw new GridproofError('rig-broke', `PATCH was answered ${r.status}`)
        offset = Number(r.headers['upload-offset'])
        o.emit('seen', { alias: 'tus.acknowledged', status: r.status, 'offset [B]': offset })
      }),
    async cut(lasts) {
      up = Promise.withResolvers<void>()
      o.emit('host', { what: 'the power of the server is cut', host: o.host.name })
      o.host.cut()
      await new Promise((resolve) => setTimeout(resolve, duration(lasts)))
      await o.host.restore()
      o.emit('host', { what: 'the power of the server is back', host: o.host.name })
      await up.promise
    },
    ask: () =>
      o.realm.run(async () => {
        try {
          const r = await ask('HEAD', begun(), {})
          const told = Number(r.headers['upload-offset'] ?? Number.NaN)
          o.emit('seen', {
            alias: 'tus.told',
            status: r.status,
            'offset [B]': Number.isFinite(told) ? told : null,
            'acknowledged [B]': offset,
          })
        } catch (e) {
          o.emit('seen', {
            alias: 'tus.told',
            why: messageOf(e),
            'offset [B]': null,
            'acknowledged [B]': offset,
          })
        }
      }),
  }
}
