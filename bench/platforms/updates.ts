/**
 * Updates for the reference platform, packed and signed as its README has it: what an operator would have his management
 * server hand out. Some are wrong on purpose.
 */
import { createHash, sign } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { GridproofError } from '../../drivers/errors.ts'
import type { Json } from '../../drivers/faces.ts'
import type { Update, UpdateFate } from '../faces.ts'
import { digestOf, type FileToRead } from './file-to-read.ts'
import { scriptedEntry } from './scripted.ts'

/** What the platform is told that it is; and how soon an update has to have proven itself. Figures are ours. */
export const platformKind = 'lvcap-trial'
export const updateSettings = { platform: platformKind, look: 1, settle: 3, patience: 20 } as const

/** Whoever signs updates: the platform's own default. */
const signer = 'operator'
/** Somebody with a good certificate, who may not. */
const stranger = 'observer'

/** What is known of an update beside its bytes: what it is to come to. */
export interface Told {
  readonly fate: UpdateFate
  readonly apps: readonly {
    readonly iid: string
    readonly apid: string | null
    readonly config: Json
    /** As the rig installs it. */
    readonly was: Was
  }[]
  readonly remove: readonly { readonly iid: string; readonly was: Was }[]
}

interface Was {
  readonly apid: string
  readonly config: Json
}

export interface PackedUpdate {
  readonly file: FileToRead
  readonly sha256: string
  readonly told: Told
}

/** What updates are made for. */
export interface UpdateSite {
  /** Apps by their names here. */
  readonly apps: Readonly<
    Record<string, { readonly apid: string; readonly iid: string; readonly config?: unknown }>
  >
  /** Where the bench waits for apps that it scripts. */
  readonly control?: { readonly address: string; readonly port: number } | undefined
}

/** @throws GridproofError `bad-value` for an app that there is not. */
export function packUpdate(
  u: Update,
  o: UpdateSite & { readonly pki: string; readonly payload: FileToRead },
): PackedUpdate {
  const apps = Object.entries(u.apps ?? {}).map(([name, change]) => {
    const { apid, iid } = named(o, name)
    return {
      iid,
      ...(change.version === undefined ? {} : { apid: versionOf(apid, change.version) }),
      ...(change.program === true
        ? {
            apid: versionOf(apid, change.version),
            entry: scriptedEntry,
            ...(o.control === undefined ? {} : { image: { control: o.control } }),
          }
        : {}),
      ...(change.config === undefined ? {} : { config: change.config }),
    }
  })
  const remove = (u.remove ?? []).map((name) => named(o, name))
  const wasOf = (iid: string): Was => {
    const a = Object.values(o.apps).find((x) => x.iid === iid)
    return { apid: a?.apid ?? '', config: (typeof a?.config === 'object' ? a.config : null) as Json }
  }
  const payload = readAll(o.payload)
  const manifest = JSON.stringify({
    id: u.id,
    platform: u.wrong === 'other-platform' ? 'lvcap-elsewhere' : platformKind,
    apps,
    remove: remove.map((a) => a.iid),
    payload: { size: payload.length, sha256: createHash('sha256').update(payload).digest('hex') },
  })
  const by = u.wrong === 'wrong-signer' ? stranger : signer
  const certificate = readFileSync(join(o.pki, `${by}.crt`), 'utf8')
  const signature =
    u.wrong === 'unsigned'
      ? Buffer.alloc(0)
      : sign('sha256', Buffer.from(manifest), readFileSync(join(o.pki, `${by}.key`)))
  // Whoever alters what was signed, alters what would do harm.
  const shown = u.wrong === 'altered' ? manifest.replace(`"id":"${u.id}"`, `"id":"${u.id}-x"`) : manifest
  const head = JSON.stringify({
    lvcap: 'update',
    manifest: shown,
    certificate,
    signature: signature.toString('base64'),
  })
  if (u.wrong === 'damaged' && payload.length > 0)
    payload[payload.length >> 1] = 1 ^ (payload[payload.length >> 1] ?? 0)
  const bytes = Buffer.concat([Buffer.from(`${head}\n`), payload])
  const file: FileToRead = { size: bytes.length, read: (from, to) => bytes.subarray(from, to) }
  return {
    file,
    sha256: digestOf(file),
    told: {
      fate: u.wrong === undefined ? 'applied' : u.wrong === 'never-runs' ? 'returned' : 'refused',
      apps: apps.map((a) => ({
        iid: a.iid,
        apid: a.apid ?? null,
        config: a.config ?? null,
        was: wasOf(a.iid),
      })),
      remove: remove.map(({ iid }) => ({ iid, was: wasOf(iid) })),
    },
  }
}

function named({ apps }: UpdateSite, name: string): UpdateSite['apps'][string] {
  const found = Object.hasOwn(apps, name) ? apps[name] : undefined
  if (found === undefined) throw new GridproofError('bad-value', `there is no app '${name}' to be updated`)
  return found
}

/** The APID of another version (LV-CAP API 4.2); of an app of the old form there is only one. */
export function versionOf(apid: string, version: string | undefined): string {
  const end = apid.lastIndexOf('_')
  return version === undefined || end < 0 ? apid : `${apid.slice(0, end)}_${version}`
}

function readAll(file: FileToRead): Buffer {
  return Buffer.from(file.read(0, file.size))
}
