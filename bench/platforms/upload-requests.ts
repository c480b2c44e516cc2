/**
 * Requests of a client of resumable uploads, one after the other over a connection that is kept for the next one, or side by
 * side over several.
 */
import { messageOf } from '../../drivers/errors.ts'
import type { Instant } from '../../drivers/faces.ts'
import { openRaw, type Door, type Heard, type RawConnection } from './raw-http.ts'

/** Of the protocol. */
export const version = '1.0.0'
/** Bytes of one request. Ours. */
export const piece = 65_536
/** How long an answer may take, and a connection, ms. Ours. */
export const answerWithin = 15_000
/** A connection that stood idle for longer is not used again, for the server may be about to end it, ms. Ours. */
const idleFor = 1_000

export interface Requests {
  /** One request with an answer, or why there was none; and how many bytes of its body left. */
  request(
    method: string,
    path: string,
    headers: Readonly<Record<string, string>>,
    body?: Buffer,
    slices?: { readonly bytes: number; readonly every: number },
  ): Promise<{ readonly heard: Heard; readonly sent: number }>
  /** The head of a request as it leaves. */
  head(method: string, path: string, headers: Readonly<Record<string, string>>): string
  /** One that nobody uses. Rejects with what the system says. */
  connection(): Promise<RawConnection>
  /** It is not used any more, and ended in one way or another. */
  drop(c: RawConnection, how: 'reset' | 'close'): void
  /** All of them. */
  dropAll(how: 'reset' | 'close'): void
}

export function uploadRequests(o: {
  readonly site: { readonly door: Door; readonly headers: Readonly<Record<string, string>> }
  now(): Instant
}): Requests {
  const { site } = o
  const open = new Set<RawConnection>()
  let idle: { readonly connection: RawConnection; readonly since: Instant } | undefined

  const connection = async (): Promise<RawConnection> => {
    const kept = idle
    idle = undefined
    if (kept !== undefined && !kept.connection.over && o.now() - kept.since <= idleFor) return kept.connection
    kept?.connection.close()
    const made = await openRaw(site.door, answerWithin)
    open.add(made)
    return made
  }
  const put = (c: RawConnection, reusable: boolean): void => {
    if (reusable && !c.over && idle === undefined) idle = { connection: c, since: o.now() }
    else {
      c.close()
      open.delete(c)
    }
  }
  const head = (method: string, path: string, headers: Readonly<Record<string, string>>): string => {
    const { host, port } = site.door
    const all = {
      Host: `${host.includes(':') ? `[${host}]` : host}:${port}`,
      'Tus-Resumable': version,
      ...site.headers,
      ...headers,
    }
    const lines = Object.entries(all).flatMap(([k, v]) => (v === '' ? [] : [`${k}: ${v}\r\n`]))
    return `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`
  }
  const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

  /** One request with an answer, or why there was none. */
  const request = async (
    method: string,
    path: string,
    headers: Readonly<Record<string, string>>,
    body: Buffer = Buffer.alloc(0),
    slices: { readonly bytes: number; readonly every: number } = { bytes: piece, every: 0 },
  ): Promise<{ readonly heard: Heard; readonly sent: number }> => {
    let c: RawConnection
    try {
      c = await connection()
    } catch (e) {
      return { heard: { is: 'closed', why: messageOf(e) }, sent: 0 }
    }
    const paced = slices.every * Math.ceil(body.length / slices.bytes)
    const answered = { yet: false }
    const heard = c.answer({ bodiless: method === 'HEAD', within: answerWithin + paced }).then((h) => {
      answered.yet = true
      return h
    })
    await c.send(head(method, path, headers))
    let sent = 0
    // A server may answer before it has heard all: the rest need not leave.
    while (sent < body.length && !answered.yet && !c.over) {
      // Before the first one too: requests that go at once have all begun by then.
      if (slices.every > 0) await wait(slices.every)
      const part = body.subarray(sent, sent + slices.bytes)
      await c.send(part)
      sent += part.length
    }
    const h = await heard
    put(c, h.is === 'answer' && !h.answer.closes && sent === body.length)
    return { heard: h, sent }
  }

  const drop = (c: RawConnection, how: 'reset' | 'close'): void => {
    open.delete(c)
    c[how]()
  }
  return {
    request,
    head,
    connection,
    drop,
    dropAll(how) {
      idle = undefined
      for (const c of open) drop(c, how)
    },
  }
}
