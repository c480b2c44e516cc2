/**
 * The management server (OpenLV 3.11.3): takes data as the data centre does, and beside that tells each platform what it
 * is to fetch, serves that by range with a strong ETag and a digest, hears what became of it, takes notices, and knows
 * when each platform was heard of last.
 *
 *   GET  /jobs                what the platform that asks is to fetch
 *   GET  /downloads/<id>      Range, If-Range; ETag, Repr-Digest (RFC 9110, RFC 9530)
 *   POST /jobs/<id>           what became of it there
 *   POST /notices             { id, ... }: for whoever looks after the platforms
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Json } from '../../../drivers/faces.ts'
import type { Download, ManagementOptions, ManagementServer } from '../../faces.ts'
import { startCentre, type CentreSeams } from '../data-centre/centre.ts'
import { rangeOf } from './range.ts'
import { watchSilence } from './silence.ts'

/** Longest body of a report or a notice, in bytes. Ours. */
const longestBody = 65_536
/** A contact is told once in so long, ms: what follows belongs to it. Ours. */
const contactEvery = 60_000

/** Bytes of a download that are read at a time. Ours. */
const slice = 65_536

export async function startManagement(
  o: ManagementOptions & { readonly seams?: CentreSeams },
): Promise<ManagementServer> {
  const offers = new Map<string, Map<string, Download>>()
  const notices = new Set<string>()
  const told = new Map<string, number>()
  const silence = watchSilence({
    now: () => o.now(),
    raise: (rtu, days, heard) => o.tell({ kind: 'alert', rtu, days, heard }),
  })
  for (const rtu of o.deployed) silence.heard(rtu)

  const heard = (rtu: string): void => {
    silence.heard(rtu)
    const now = o.now()
    const before = told.get(rtu)
    if (before !== undefined && now - before < contactEvery) return
    told.set(rtu, now)
    o.tell({ kind: 'contact', rtu })
  }

  const { downloads = {}, ...others } = o
  const beside = (name: string, request: IncomingMessage, response: ServerResponse): boolean => {
    const rtu = o.rtuOf(name)
    if (rtu !== undefined) heard(rtu)
    const path = (request.url ?? '').split('?')[0] ?? ''
    const m = /^\/(jobs|downloads|notices)(?:\/([\w.-]{1,100}))?$/.exec(path)
    if (m === null) return false
    const [, part, id] = m
    if (rtu === undefined) {
      request.resume()
      response.writeHead(403).end()
      return true
    }
    const asked = `${request.method ?? ''} ${part}${id === undefined ? '' : '/'}`
    const offered = id === undefined ? undefined : offers.get(rtu)?.get(id)
    if (asked === 'GET jobs') list(rtu, response)
    else if (asked === 'GET downloads/' && offered !== undefined) serve(rtu, offered, request, response)
    else if (asked === 'POST jobs/' && offered !== undefined)
      take(request, response, (body) => {
        o.tell({ kind: 'reported', rtu, download: offered.id, body })
        return 204
      })
    else if (asked === 'POST notices')
      take(request, response, (body) => {
        const own = typeof body === 'object' && body !== null && 'id' in body ? body.id : undefined
        if (typeof own !== 'string') return 400
        const key = `${rtu} ${own}`
        o.tell({ kind: 'notice', rtu, again: notices.has(key), body })
        notices.add(key)
        return 204
      })
    else {
      request.resume()
      response.writeHead(404).end()
    }
    return true
  }

  const list = (rtu: string, response: ServerResponse): void => {
    const jobs = [...(offers.get(rtu)?.values() ?? [])].map((d) => ({
      id: d.id,
      kind: d.kind,
      name: d.name,
      size: d.size,
      sha256: d.sha256,
      path: `/downloads/${d.id}`,
    }))
    response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' })
    response.end(JSON.stringify({ jobs }))
  }

  const serve = (rtu: string, d: Download, request: IncomingMessage, response: ServerResponse): void => {
    const etag = `"${d.sha256.slice(0, 32)}"`
    const whole = { from: 0, to: d.size }
    const asked = rangeOf(request.headers, etag, d.size)
    const headers = {
      etag,
      'accept-ranges': 'bytes',
      'content-type': 'application/octet-stream',
      'repr-digest': `sha-256=:${Buffer.from(d.sha256, 'hex').toString('base64')}:`,
    }
    if (asked === 'none') {
      response.writeHead(416, { ...headers, 'content-range': `bytes */${d.size}` }).end()
      return
    }
    const { from, to } = asked ?? whole
    const cut = downloads.cut?.()
    const length = to - from
    const spoilt = downloads.spoils?.() === true
    // One bit in the midst: the length is right, and so is what is said of it.
    const read = spoilt ? withOneBitWrong(d, from + (length >> 1)) : d
    const leaves = cut === undefined ? length : Math.min(cut, length)
    o.tell({
      kind: 'served',
      rtu,
      download: d.id,
      digest: d.sha256,
      from,
      bytes: leaves,
      of: d.size,
      whole: leaves === length,
      spoilt,
    })
    response.writeHead(asked === undefined ? 200 : 206, {
      ...headers,
      'content-length': length,
      ...(asked === undefined ? {} : { 'content-range': `bytes ${from}-${to - 1}/${d.size}` }),
    })
    response.on('error', () => undefined)
    pour(response, read, from, from + leaves, (last) => {
      if (leaves === length) response.end(last)
      // What has left arrives: FIN follows it, and RST would overtake it.
      else response.write(last, () => request.socket.end())
    })
  }

  const take = (request: IncomingMessage, response: ServerResponse, act: (body: Json) => 204 | 400): void => {
    const parts: Buffer[] = []
    let size = 0
    request.on('error', () => undefined)
    request.on('data', (b: Buffer) => {
      size += b.length
      if (size <= longestBody) parts.push(b)
    })
    request.on('end', () => {
      const status = size > longestBody ? 413 : act(parsed(Buffer.concat(parts).toString('utf8')))
      response.writeHead(status).end()
    })
  }

  const centre = await startCentre(others, beside)
  return {
    get port() {
      return centre.port
    },
    open: () => centre.open(),
    shut: () => centre.shut(),
    offer(rtu, d) {
      const mine = offers.get(rtu) ?? new Map<string, Download>()
      mine.set(d.id, d)
      offers.set(rtu, mine)
    },
    withdraw(rtu, id) {
      offers.get(rtu)?.delete(id)
    },
    decommission: (rtu) => silence.forget(rtu),
    async [Symbol.asyncDispose]() {
      silence.end()
      await centre[Symbol.asyncDispose]()
    },
  }
}

/** Writes bytes `from` up to before `to` as fast as they are taken; `end` has the last of them. */
function pour(
  response: ServerResponse,
  d: Pick<Download, 'read'>,
  from: number,
  to: number,
  end: (last: Uint8Array) => void,
): void {
  let at = from
  const go = (): void => {
    while (!response.destroyed) {
      const next = Math.min(to, at + slice)
      const bytes = d.read(at, next)
      at = next
      if (at === to) {
        end(bytes)
        return
      }
      if (response.write(bytes)) continue
      response.once('drain', go)
      return
    }
  }
  go()
}

function withOneBitWrong(d: Pick<Download, 'read'>, at: number): Pick<Download, 'read'> {
  return {
    read(from, to) {
      const bytes = d.read(from, to)
      if (at < from || at >= to) return bytes
      const wrong = Buffer.from(bytes)
      wrong[at - from] = (wrong[at - from] ?? 0) ^ 1
      return wrong
    },
  }
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch {
    return null
  }
}
