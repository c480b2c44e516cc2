/**
 * Servers of resumable uploads that stand at the other end of the bench's client (./upload-client.ts): the data centre's
 * upload server or a library as released, each on a host of its own with a disk that loses at a cut what was not flushed;
 * and somebody's, at an address.
 */
import { execFile } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { GridproofError, messageOf } from '../../drivers/errors.ts'
import type { Host, Json, Realm } from '../../drivers/faces.ts'
import type { Emit } from '../../sim/faces.ts'
import { centreName } from './centre.ts'
import { openRaw } from './raw-http.ts'
import type { LabUploads } from '../rigs/lab-uploads.ts'
import type { UploadSite } from './upload-client.ts'

/** Largest upload that our own takes, bytes; how long it keeps what nobody goes on with, ms: short, for one run sees it. Ours. */
const maxSize = 4_000_000
const expiresAfter = 30_000
/** A server that begins to listen may take so long, ms. Ours. */
const upWithin = 30_000

export interface HostedOptions {
  readonly host: Host
  readonly port: number
  readonly server: 'own' | '@tus/server'
  readonly pki: string
  readonly defects: readonly string[]
  emitAs(src: string): Emit
}

/** Starts a server on its host; resolves when it listens. Throws `rig-broke` where it does not. */
export async function hostedSite(o: HostedOptions): Promise<UploadSite> {
  const { host, port } = o
  const own = o.server === 'own'
  const log = o.emitAs('log')
  const defect = o.emitAs('defect')
  let up = Promise.withResolvers<void>()
  host.onLog((proc, entry) => {
    const said = (entry ?? {}) as { readonly event?: Json; readonly what?: Json }
    if (said.event === 'defect') {
      defect('note', { ...(entry as { [k: string]: Json }), proc })
      return
    }
    const event = typeof said.event === 'string' ? said.event : 'line'
    log('seen', { alias: `log.${event}`, payload: entry, proc })
    if (said.event === 'listening' || said.what === 'listening') up.resolve()
  })
  const listening = async (): Promise<void> => {
    const late = Promise.withResolvers<never>()
    const t = setTimeout(
      () =>
        late.reject(
          new GridproofError('rig-broke', `the upload server did not listen within ${upWithin / 1000} s`),
        ),
      upWithin,
    )
    try {
      await Promise.race([up.promise, late.promise])
    } finally {
      clearTimeout(t)
    }
  }
  const ended = async (): Promise<never> => {
    const proc = await host.start(
      'uploads',
      own
        ? {
            entry: 'sim/defects/launch.ts',
            config: {
              app: 'sim/servers/uploads/main.ts',
              config: {
                port,
                ca: join(o.pki, 'ca.crt'),
                cert: join(o.pki, `${centreName}.crt`),
                key: join(o.pki, `${centreName}.key`),
                maxSize,
                expiresAfter,
              },
            },
            defects: o.defects,
          }
        : {
            entry: 'sim/demonstrations/tus-server.ts',
            config: { port, limits: { maxSize, expiresAfter } },
            defects: [],
          },
    )
    const how = await proc.ended
    throw new GridproofError('rig-broke', `the upload server ended (${how}); its log says why`)
  }
  const early = ended()
  early.catch(() => undefined)
  await Promise.race([listening(), early])
  const read = (file: string): string => readFileSync(join(o.pki, file), 'utf8')
  return {
    door: {
      host: host.address,
      port,
      ...(own
        ? {
            tls: {
              ca: read('ca.crt'),
              cert: read('observer.crt'),
              key: read('observer.key'),
              serverName: centreName,
            },
          }
        : {}),
    },
    path: '/files',
    headers: {},
    metadata: {},
    power: host.can.has('durability')
      ? {
          cut() {
            up = Promise.withResolvers()
            host.cut()
            return Promise.resolve()
          },
          async restore() {
            await host.restore()
            await listening()
          },
        }
      : {
          why: "this machine has no disk to give the server's host that loses at a cut what was not flushed (gridproof doctor)",
        },
    // What there is stands on its disk; nothing of it is the server's own word.
    objects(path) {
      const folder = join(host.disk, own ? 'objects' : 'files')
      const id = path.slice(path.lastIndexOf('/') + 1)
      const names = readdirSync(folder).filter((f) => f.startsWith(id) && !f.endsWith('.json'))
      const first = names.sort()[0]
      return Promise.resolve({
        count: names.length,
        first: first === undefined ? undefined : readFileSync(join(folder, first)),
      })
    },
  }
}

/** A command that cuts or restores power may take so long, ms. Ours. */
const commandWithin = 60_000

/** Looks whether it is there. Throws `rig-broke` where it is not, `rig-lacks` for a file that cannot be read. */
export async function remoteSite(
  spec: LabUploads,
  o: { readonly realm: Realm; readonly armed: boolean },
): Promise<UploadSite> {
  const url = new URL(spec.url)
  const secure = url.protocol === 'https:'
  const read = (file: string): string => {
    try {
      return readFileSync(file, 'utf8')
    } catch (e) {
      throw new GridproofError('rig-lacks', `the rig names a file that cannot be read: ${messageOf(e)}`, {
        cause: e,
      })
    }
  }
  const { tls = {}, power } = spec
  const door = {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? (secure ? 443 : 80) : Number(url.port),
    ...(secure
      ? {
          tls: {
            ...(tls.ca === undefined ? {} : { ca: read(tls.ca) }),
            ...(tls.cert === undefined ? {} : { cert: read(tls.cert) }),
            ...(tls.key === undefined ? {} : { key: read(tls.key) }),
            ...(tls.serverName === undefined ? {} : { serverName: tls.serverName }),
          },
        }
      : {}),
  }
  const knock = async (within: number): Promise<void> => {
    const until = performance.now() + within
    for (;;)
      try {
        const c = await o.realm.run(() => openRaw(door, 5_000))
        c.close()
        return
      } catch (e) {
        if (performance.now() > until)
          throw new GridproofError('rig-broke', `nobody answers at ${spec.url}: ${messageOf(e)}`, {
            cause: e,
          })
        await new Promise((resolve) => setTimeout(resolve, 500))
      }
  }
  await knock(0)
  return {
    door,
    path: `${url.pathname}${url.search}`,
    headers: headersIn(spec.headersFile === undefined ? '' : read(spec.headersFile)),
    metadata: spec.metadata,
    power:
      power === undefined
        ? { why: 'the rig declares nothing that cuts the power of its upload server' }
        : !o.armed
          ? { why: 'the power of somebody’s server is cut with --arm alone' }
          : {
              cut: async () => void (await command(power.cut)),
              async restore() {
                await command(power.restore)
                await knock(power.upWithinSeconds * 1000)
              },
            },
    async objects(path, get) {
      const count = spec.lists === undefined ? null : linesWith(path, await command(spec.lists))
      if (spec.reads === 'none')
        return { count, why: 'the rig declares no way to read back what the server has made of an upload' }
      const answer = await get(path)
      return answer === undefined
        ? { count, first: undefined, why: 'GET at its address gives nothing' }
        : { count, first: answer.body }
    },
  }
}

/** `Name: value`, one a line. Throws `bad-file`. */
function headersIn(text: string): Readonly<Record<string, string>> {
  const lines = text.split(/\r?\n/).filter((l) => l.trim() !== '')
  return Object.fromEntries(
    lines.map((line, i) => {
      const m = /^([!#$%&'*+.^_`|~\w-]+):\s*(.*)$/.exec(line)
      if (m?.[1] === undefined)
        throw new GridproofError('bad-file', `expected 'Name: value' in line ${i + 1} of the file of headers`)
      return [m[1], m[2] ?? '']
    }),
  )
}

/** Lines that have the last part of an upload's address in them. */
function linesWith(path: string, text: string): number {
  const id = path.slice(path.lastIndexOf('/') + 1)
  return text.split('\n').filter((line) => line.includes(id)).length
}

/** What it prints. Throws `rig-broke` where it fails. */
function command([program = '', ...args]: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(program, args, { timeout: commandWithin }, (e, out, said) => {
      if (e === null) resolve(out)
      else
        reject(
          new GridproofError(
            'rig-broke',
            `the command '${[program, ...args].join(' ')}' failed: ${said.trim() || e.message}`,
            {
              cause: e,
            },
          ),
        )
    })
  })
}
