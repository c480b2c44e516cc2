/** Sends one batch by tus 1.0.0 (tus.io), as often as it takes, from where the server says that it stands. */
import { metadataText } from './metadata.ts'
import type { Line, Reply } from './line.ts'
import type { Spool, Spooled } from './spool.ts'

export interface SendParts {
  /** Bytes to send next: from where to where. */
  piece(offset: number, length: number, window: number): readonly [number, number]
  /** Where to go on, by an answer of the server. Undefined: it does not say. */
  offsetIn(r: Reply): number | undefined
  /** Whether the server has all of it. */
  isComplete(offset: number, length: number): boolean
  /** Where a batch goes on that was announced before. Undefined: it is announced anew. */
  goesOn(b: Spooled): string | undefined
  /** What is told of a batch when it is announced. */
  about(b: Spooled): Readonly<Record<string, string>>
}

export const soundSending: SendParts = {
  piece: (offset, length, window) => [offset, Math.min(length, offset + window)],
  offsetIn(r) {
    const text = r.headers['upload-offset']
    return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined
  },
  isComplete: (offset, length) => offset === length,
  goesOn: (b) => b.url,
  about: (b) => ({ rtu: b.rtu, batch: b.name, sha256: b.sha256, encoding: 'gzip' }),
}

/** One attempt: resolves when the server has all. Rejects where the link or the server does not let it: try again. */
export async function sendOnce(
  p: SendParts,
  line: Line,
  spool: Spool,
  path: string,
  window: number,
): Promise<void> {
  const batch = spool.held
  if (batch === undefined) return
  const { bytes } = batch
  const url = p.goesOn(batch) ?? (await announce(p, line, spool, path, batch))
  let offset = await whereItStands(p, line, spool, url)
  while (!p.isComplete(offset, bytes.length)) {
    const [from, to] = p.piece(offset, bytes.length, window)
    const r = await line.ask(
      'PATCH',
      url,
      { ...tus, 'content-type': 'application/offset+octet-stream', 'upload-offset': String(from) },
      bytes.subarray(from, to),
    )
    const now = p.offsetIn(r)
    if (r.status === 409 || (r.status === 204 && now !== undefined)) {
      offset = now ?? (await whereItStands(p, line, spool, url))
      continue
    }
    if (isGone(r.status)) spool.at(undefined)
    throw new Refused(r)
  }
}

const tus = { 'tus-resumable': '1.0.0' }

async function announce(p: SendParts, line: Line, spool: Spool, path: string, b: Spooled): Promise<string> {
  const r = await line.ask('POST', path, {
    ...tus,
    'upload-length': String(b.bytes.length),
    'upload-metadata': metadataText(p.about(b)),
  })
  const location = r.headers['location']
  if (r.status !== 201 || location === undefined) throw new Refused(r)
  const url = pathOf(location, path)
  spool.at(url)
  return url
}

async function whereItStands(p: SendParts, line: Line, spool: Spool, url: string): Promise<number> {
  const r = await line.ask('HEAD', url, tus)
  const offset = p.offsetIn(r)
  if (r.status === 200 && offset !== undefined) return offset
  // It has forgotten it, or has never kept it: the batch is still here.
  if (isGone(r.status)) spool.at(undefined)
  throw new Refused(r)
}

const isGone = (status: number): boolean => status === 404 || status === 410 || status === 403

/** A location may be a path or a whole address; only the path is followed, on the connection that has proven itself. */
function pathOf(location: string, base: string): string {
  const path = location.replace(/^https?:\/\/[^/]+/, '')
  return path.startsWith('/') ? path : `${base}/${path}`
}

/** The server answered, and not as was hoped. */
export class Refused extends Error {
  readonly status: number
  constructor(r: Reply) {
    super(`The server answered ${r.status}: ${r.body.toString('utf8').slice(0, 200).trim()}`)
    this.status = r.status
  }
}
