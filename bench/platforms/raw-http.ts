/**
 * HTTP/1.1 by hand, for a client that misbehaves on purpose: it says what it likes, stops in the midst of it, breaks its
 * connection by RST, leaves one standing without a word. Answers are read by RFC 9112; any byte may come.
 */
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { messageOf } from '../../drivers/errors.ts'

/** An answer that has come whole. */
export interface HttpAnswer {
  readonly status: number
  /** Names in lower case; a field that came several times has its values joined by commas. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
  /** The server ends the connection after it. */
  readonly closes: boolean
}

/** `closed`: the server ended or broke the connection first. `odd`: what came is no answer of HTTP. */
export type Heard =
  | { readonly is: 'answer'; readonly answer: HttpAnswer }
  | { readonly is: 'silence' | 'closed' | 'odd'; readonly why: string }

/** Longest head and body of an answer that are read, in bytes; the body may be an object that is read back. Ours. */
const longestHead = 65_536
const longestBody = 512 * 1024 * 1024

type Body =
  | { readonly by: 'length'; readonly left: number }
  | { readonly by: 'chunks' }
  | { readonly by: 'end' }
  | { readonly by: 'none' }

interface Head {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly closes: boolean
  readonly body: Body
}

/** Reads answers out of bytes as they come. */
export interface AnswerReader {
  /** Gives the answer that is whole now, or what is wrong with what came. `bodiless`: it answers HEAD. */
  push(bytes: Uint8Array): Exclude<Heard, { is: 'silence' }> | undefined
  /** The server has ended the connection: an answer may be whole by that. */
  end(): Exclude<Heard, { is: 'silence' }>
}

/** Of one request; interim answers (1xx) are passed over. `bodiless`: the request was HEAD. */
export function answerReader(bodiless: boolean): AnswerReader {
  let held: Buffer = Buffer.alloc(0)
  let head: Head | undefined
  let over = false
  const pieces: Buffer[] = []
  let size = 0

  const odd = (why: string): Heard & { is: 'odd' } => {
    over = true
    return { is: 'odd', why }
  }
  const whole = (h: Head): Heard & { is: 'answer' } => {
    over = true
    const { status, headers, closes } = h
    return { is: 'answer', answer: { status, headers, closes, body: Buffer.concat(pieces) } }
  }
  const take = (b: Buffer): void => {
    pieces.push(b)
    size += b.length
  }
  /** One step; undefined: more must come. `again`: there is more to do with what came. */
  const step = (): (Heard & { is: 'answer' | 'odd' }) | 'again' | undefined => {
    if (head === undefined) {
      const at = held.indexOf('\r\n\r\n')
      if (at < 0)
        return held.length > longestHead ? odd(`a head of more than ${longestHead} bytes`) : undefined
      const h = readHead(held.toString('latin1', 0, at), bodiless)
      if (typeof h === 'string') return odd(h)
      held = held.subarray(at + 4)
      if (h.status >= 200) head = h
      return 'again'
    }
    const { body } = head
    if (size > longestBody) return odd(`a body of more than ${longestBody} bytes`)
    switch (body.by) {
      case 'none':
        return whole(head)
      case 'length': {
        const part = held.subarray(0, body.left)
        take(part)
        held = held.subarray(part.length)
        head = { ...head, body: { by: 'length', left: body.left - part.length } }
        return part.length === body.left ? whole(head) : undefined
      }
      case 'chunks': {
        const at = held.indexOf('\r\n')
        if (at < 0) return held.length > longestHead ? odd('a chunk without a length') : undefined
        const text = held.toString('latin1', 0, at).split(';')[0]?.trim() ?? ''
        if (!/^[0-9a-f]{1,8}$/i.test(text)) return odd(`a chunk of length '${text.slice(0, 20)}'`)
        const length = Number.parseInt(text, 16)
        if (length === 0) {
          const end = held.indexOf('\r\n\r\n', at)
          return end < 0 ? undefined : whole(head)
        }
        if (held.length < at + 2 + length + 2) return undefined
        take(held.subarray(at + 2, at + 2 + length))
        held = held.subarray(at + 2 + length + 2)
        return 'again'
      }
      case 'end':
        take(held)
        held = Buffer.alloc(0)
        return undefined
      default:
        return body satisfies never
    }
  }
  return {
    push(bytes) {
      if (over) return undefined
      held = Buffer.concat([held, bytes])
      let r = step()
      while (r === 'again') r = step()
      return r
    },
    end() {
      if (head?.body.by === 'end') return whole(head)
      over = true
      return {
        is: 'closed',
        why:
          head === undefined && held.length === 0
            ? 'the server ended the connection without an answer'
            : 'the server ended the connection in the midst of its answer',
      }
    },
  }
}

/** The head of an answer, or what is wrong with it. */
function readHead(text: string, bodiless: boolean): Head | string {
  const [first = '', ...lines] = text.split('\r\n')
  const m = /^HTTP\/1\.([01]) (\d{3})(?: .*)?$/.exec(first)
  if (m?.[2] === undefined) return `'${first.slice(0, 60)}' where the status line of an answer is due`
  const headers: Record<string, string> = Object.create(null) as Record<string, string>
  for (const line of lines) {
    const at = line.indexOf(':')
    if (at <= 0 || !/^[!#$%&'*+.^_`|~\w-]+$/.test(line.slice(0, at)))
      return `'${line.slice(0, 60)}' where a header is due`
    const name = line.slice(0, at).toLowerCase()
    const value = line.slice(at + 1).trim()
    headers[name] = name in headers ? `${headers[name]}, ${value}` : value
  }
  const status = Number(m[2])
  const connection = (headers['connection'] ?? '').toLowerCase()
  const closes = m[1] === '0' ? !connection.includes('keep-alive') : connection.includes('close')
  const body = bodyOf(status, headers, bodiless)
  if (typeof body === 'string') return body
  return { status, headers, closes: closes || body.by === 'end', body }
}

function bodyOf(status: number, headers: Readonly<Record<string, string>>, bodiless: boolean): Body | string {
  if (bodiless || status < 200 || status === 204 || status === 304) return { by: 'none' }
  if ((headers['transfer-encoding'] ?? '').toLowerCase().endsWith('chunked')) return { by: 'chunks' }
  const length = headers['content-length']
  if (length === undefined) return { by: 'end' }
  if (!/^\d{1,12}$/.test(length)) return `a Content-Length of '${length.slice(0, 20)}'`
  return Number(length) === 0 ? { by: 'none' } : { by: 'length', left: Number(length) }
}

export interface Door {
  readonly host: string
  readonly port: number
  /** As tls.connect takes them; without: plain TCP. */
  readonly tls?: {
    readonly ca?: string
    readonly cert?: string
    readonly key?: string
    readonly serverName?: string
  }
}

/** One connection; its requests go one after the other. */
export interface RawConnection {
  /** It has ended, whoever ended it. */
  readonly over: boolean
  /** Resolves when the system has taken the bytes; also when the connection breaks: the answer tells that. */
  send(bytes: Uint8Array | string): Promise<void>
  /** Waits for the answer to the request that was begun. */
  answer(o: { readonly bodiless: boolean; readonly within: number }): Promise<Heard>
  /** RST: what was not read at the other end yet is lost there. */
  reset(): void
  close(): void
}

/** Opens it. Rejects with what the system says, or after `within` ms. */
export function openRaw(door: Door, within: number): Promise<RawConnection> {
  const { host, port, tls } = door
  const carrier: Socket = connectTcp({ host, port, noDelay: true })
  const name = tls?.serverName ?? (isIP(host) === 0 ? host : undefined)
  const socket: Socket | TLSSocket =
    tls === undefined
      ? carrier
      : connectTls({
          socket: carrier,
          ...(tls.ca === undefined ? {} : { ca: tls.ca }),
          ...(tls.cert === undefined ? {} : { cert: tls.cert }),
          ...(tls.key === undefined ? {} : { key: tls.key }),
          ...(name === undefined ? {} : { servername: name }),
        })
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => {
      carrier.destroy()
      reject(new Error(`no connection to ${host}:${port} within ${within / 1000} s`))
    }, within)
    const failed = (e: Error): void => {
      clearTimeout(late)
      carrier.destroy()
      reject(e)
    }
    carrier.on('error', failed)
    if (socket !== carrier) socket.on('error', failed)
    socket.once(tls === undefined ? 'connect' : 'secureConnect', () => {
      clearTimeout(late)
      carrier.off('error', failed)
      socket.off('error', failed)
      resolve(raw(socket, carrier))
    })
  })
}

function raw(socket: Socket, carrier: Socket): RawConnection {
  let over = false
  let why = 'the server ended the connection without an answer'
  /** What came before anybody waited for it. */
  const before: Buffer[] = []
  let listener: { bytes(b: Buffer): void; end(): void } | undefined
  const ended = (e?: Error): void => {
    if (e !== undefined) why = `the connection broke: ${messageOf(e)}`
    if (over) return
    over = true
    listener?.end()
  }
  carrier.on('error', ended)
  if (socket !== carrier) socket.on('error', ended)
  socket.on('data', (b: Buffer) => (listener === undefined ? void before.push(b) : listener.bytes(b)))
  socket.on('end', () => ended())
  socket.on('close', () => ended())
  carrier.on('close', () => ended())
  return {
    get over() {
      return over
    },
    send: (bytes) =>
      new Promise((resolve) => {
        if (over || socket.destroyed) return resolve()
        const gone = (): void => resolve()
        socket.once('close', gone)
        socket.write(bytes, () => {
          socket.off('close', gone)
          resolve()
        })
      }),
    answer: ({ bodiless, within }) =>
      new Promise((resolve) => {
        const reader = answerReader(bodiless)
        const done = (h: Heard): void => {
          clearTimeout(late)
          listener = undefined
          resolve(h)
        }
        const late = setTimeout(
          () => done({ is: 'silence', why: `no answer within ${within / 1000} s` }),
          within,
        )
        const ends = (): void => {
          const h = reader.end()
          done(h.is === 'closed' ? { ...h, why: h.why.endsWith('without an answer') ? why : h.why } : h)
        }
        const bytes = (b: Buffer): void => {
          const h = reader.push(b)
          if (h !== undefined) done(h)
        }
        listener = { bytes, end: ends }
        for (const b of before.splice(0)) if (listener !== undefined) bytes(b)
        if (listener !== undefined && over) ends()
      }),
    reset() {
      over = true
      carrier.resetAndDestroy()
      socket.destroy()
    },
    close() {
      over = true
      socket.destroy()
      carrier.destroy()
    },
  }
}
