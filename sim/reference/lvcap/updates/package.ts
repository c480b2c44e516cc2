/**
 * An update of the platform as it arrives: one file, whose first line is an envelope (JSON) with the manifest as text, the
 * signature over that text and the signer's certificate; then the payload, whose digest the manifest has. It is taken as a
 * whole or not at all. The format is ours.
 */
import { createHash, verify, X509Certificate } from 'node:crypto'
import { closeSync, openSync, readSync } from 'node:fs'
import { z } from 'zod'
import { iidPattern, sameJson } from '../api.ts'
import { apidPattern, type AppEntry } from '../config.ts'
import { textOf } from '../errors.ts'

const json = z.json()
const iid = z.string().regex(iidPattern)

const change = z.strictObject({
  iid,
  /** A version other than the one that is installed; of one that is not installed, the first. */
  apid: z.string().regex(apidPattern).optional(),
  /** Module path from the root of the installation; without it the program stays the same. */
  entry: z.string().min(1).optional(),
  /** Settings built into its image; without it, as before. */
  image: json.optional(),
  /** Its whole ContainerConfig; without it, as before. */
  config: z.record(z.string(), json).optional(),
})

const manifestSchema = z.strictObject({
  id: z.string().regex(/^[\w-][\w.-]{0,99}$/),
  /** The kind of platform that it is made for. */
  platform: z.string().min(1),
  apps: z.array(change).default([]),
  /** Instances to be taken off the platform. */
  remove: z.array(iid).default([]),
  payload: z.strictObject({
    /** Bytes after the first line. */
    size: z.int().min(0),
    /** Hexadecimal. */
    sha256: z.string().regex(/^[0-9a-f]{64}$/),
  }),
})
export type Manifest = Readonly<z.infer<typeof manifestSchema>>

const envelopeSchema = z.strictObject({
  lvcap: z.literal('update'),
  manifest: z.string(),
  /** PEM. */
  certificate: z.string(),
  /** Base64, SHA-256 with the key of the certificate. */
  signature: z.string(),
})
export type Envelope = Readonly<z.infer<typeof envelopeSchema>>

/** Longest first line, in bytes. Ours. */
const longestEnvelope = 1_048_576

/** What an update is judged by. */
export interface Trust {
  /** Certificate of the platform's authority, PEM. */
  readonly ca: string
  /** Common name of whoever may sign updates. */
  readonly signer: string
  /** Serial numbers (hexadecimal) of revoked certificates. */
  readonly revoked: readonly string[]
  /** What this platform is. */
  readonly platform: string
  /** ms since 1970. */
  readonly now: number
}

/** How an update is judged, in parts: each gives a reason to refuse it, or undefined. */
export interface JudgingParts {
  judgeSignature(e: Envelope, trust: Trust): string | undefined
  judgePayload(m: Manifest, found: Manifest['payload']): string | undefined
  judgePlatform(m: Manifest, trust: Trust): string | undefined
  /** Whether it can be applied to what is installed. */
  judgeChanges(m: Manifest, installed: readonly AppEntry[]): string | undefined
}

export const soundJudging: JudgingParts = {
  judgeSignature,
  judgePayload: (m, found) =>
    m.payload.size === found.size && m.payload.sha256 === found.sha256
      ? undefined
      : 'its payload is not the one that was signed',
  judgePlatform: (m, trust) =>
    m.platform === trust.platform
      ? undefined
      : `it is for ${JSON.stringify(m.platform)}, not for ${trust.platform}`,
  judgeChanges,
}

export type Judged =
  | { readonly ok: true; readonly manifest: Manifest }
  | { readonly ok: false; readonly why: string }

/** Judges a file as it lies on the disk; reads it in parts. Never throws for what stands in it. */
export function judgePackage(
  p: JudgingParts,
  file: string,
  trust: Trust,
  installed: readonly AppEntry[],
): Judged {
  const read = readPackage(file)
  if (typeof read === 'string') return { ok: false, why: read }
  const { envelope, manifest, payload } = read
  const why =
    p.judgeSignature(envelope, trust) ??
    p.judgePayload(manifest, payload) ??
    p.judgePlatform(manifest, trust) ??
    p.judgeChanges(manifest, installed)
  return why === undefined ? { ok: true, manifest } : { ok: false, why }
}

/** How each begins: whatever does not is somebody else's. */
const beginning = '{"lvcap":"update"'

/** Whether a file says that it is an update. */
export function isUpdate(file: string): boolean {
  const buffer = Buffer.alloc(beginning.length)
  const fd = openSync(file, 'r')
  try {
    return buffer.toString('latin1', 0, readSync(fd, buffer)) === beginning
  } finally {
    closeSync(fd)
  }
}

/** What stands in a file; a reason where it is no update. */
function readPackage(
  file: string,
):
  | { readonly envelope: Envelope; readonly manifest: Manifest; readonly payload: Manifest['payload'] }
  | string {
  const hash = createHash('sha256')
  const head: Buffer[] = []
  let headSize = 0
  let inPayload = false
  let size = 0
  const buffer = Buffer.alloc(65_536)
  const fd = openSync(file, 'r')
  try {
    for (let n = readSync(fd, buffer); n > 0; n = readSync(fd, buffer)) {
      let rest: Uint8Array = buffer.subarray(0, n)
      if (!inPayload) {
        const end = rest.indexOf(10)
        head.push(Buffer.from(end < 0 ? rest : rest.subarray(0, end)))
        headSize += end < 0 ? n : end
        if (headSize > longestEnvelope) return 'it is no update'
        if (end < 0) continue
        inPayload = true
        rest = rest.subarray(end + 1)
      }
      hash.update(rest)
      size += rest.length
    }
  } finally {
    closeSync(fd)
  }
  const envelope = envelopeSchema.safeParse(parsed(Buffer.concat(head).toString('utf8')))
  if (!envelope.success) return 'it is no update'
  const manifest = manifestSchema.safeParse(parsed(envelope.data.manifest))
  if (!manifest.success) return 'its manifest cannot be read'
  return {
    envelope: envelope.data,
    manifest: manifest.data,
    payload: { size, sha256: hash.digest('hex') },
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function judgeSignature(e: Envelope, trust: Trust): string | undefined {
  try {
    const ca = new X509Certificate(trust.ca)
    const by = new X509Certificate(e.certificate)
    if (!by.checkIssued(ca) || !by.verify(ca.publicKey)) return 'it is signed by somebody unknown'
    const name = /^CN=(.*)$/m.exec(by.subject)?.[1]
    if (name !== trust.signer) return `it is signed by ${JSON.stringify(name ?? '')}, who may not`
    if (trust.revoked.some((s) => s.toUpperCase() === by.serialNumber)) return 'its signer has been revoked'
    if (trust.now < Date.parse(by.validFrom) || trust.now > Date.parse(by.validTo))
      return 'the certificate of its signer is not valid now'
    const good = verify(
      'sha256',
      Buffer.from(e.manifest, 'utf8'),
      by.publicKey,
      Buffer.from(e.signature, 'base64'),
    )
    return good ? undefined : 'its signature is not right'
  } catch (error) {
    return `its signature cannot be read: ${textOf(error)}`
  }
}

/** Vendor and name: an APID without its version (API section 4.2). */
function nameOf(apid: string): string {
  return apid.slice(0, Math.max(0, apid.lastIndexOf('_')))
}

function judgeChanges(m: Manifest, installed: readonly AppEntry[]): string | undefined {
  const touched = [...m.apps.map((a) => a.iid), ...m.remove]
  if (touched.length === 0) return 'it changes nothing'
  if (new Set(touched).size !== touched.length) return 'it names an instance twice'
  const apids = new Set(installed.map((a) => a.apid))
  for (const a of m.apps) {
    const before = installed.find((x) => x.iid === a.iid)
    if (before === undefined) {
      if (a.apid === undefined || a.entry === undefined)
        return `${a.iid} is not installed, and it brings no program for it`
      continue
    }
    if (before.service !== undefined) return `${a.iid} is a core service`
    if (a.apid !== undefined) {
      // Section 4.2: a version that differs from the one that is there, of the same application.
      if (apids.has(a.apid)) return `${a.apid} is installed already`
      if (nameOf(a.apid) !== nameOf(before.apid)) return `${a.apid} is no version of ${before.apid}`
    }
    if (a.apid === undefined && (a.entry !== undefined || a.image !== undefined))
      return `${a.iid} would be another program of the same version`
    if (a.apid === undefined && (a.config === undefined || sameJson(a.config, before.config)))
      return `it changes nothing of ${a.iid}`
  }
  for (const one of m.remove) {
    const before = installed.find((x) => x.iid === one)
    if (before === undefined) return `${one} is not installed`
    if (before.service !== undefined) return `${one} is a core service`
  }
  return undefined
}

/** What is installed when an update has been applied. */
export function changedBy(m: Manifest, installed: readonly AppEntry[]): readonly AppEntry[] {
  const kept = installed.filter((a) => !m.remove.includes(a.iid))
  const next = kept.map((a) => {
    const c = m.apps.find((x) => x.iid === a.iid)
    return c === undefined ? a : { ...a, ...given(c) }
  })
  const fresh = m.apps.flatMap((c) => {
    if (installed.some((a) => a.iid === c.iid)) return []
    const { apid, entry } = c
    if (apid === undefined || entry === undefined) return []
    return [{ config: null, ...given(c), iid: c.iid, apid, entry }]
  })
  return [...next, ...fresh]
}

function given(c: Manifest['apps'][number]): Partial<AppEntry> {
  return {
    ...(c.apid === undefined ? {} : { apid: c.apid }),
    ...(c.entry === undefined ? {} : { entry: c.entry }),
    ...(c.image === undefined ? {} : { image: c.image }),
    ...(c.config === undefined ? {} : { config: c.config }),
  }
}
