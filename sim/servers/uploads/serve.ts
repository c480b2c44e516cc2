/**
 * A resumable upload server over node:http: the protocol of ./protocol.ts on a store of ./store.ts.
 *
 * An offset is told when it is on the disk, and only then; so it can be believed, and never goes back. Of a PATCH that
 * breaks off what arrived is kept, unless a checksum was promised for all of it. One writer at a time: who asks for an
 * upload's offset, or appends to it, ends whatever connection still appends, for that one is a ghost of the same client.
 */
import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Instant } from '../../../drivers/faces.ts'
import type { UploadEvent } from '../../faces.ts'
import {
  agrees,
  answerOf,
  checksumAlgorithms,
  extensions,
  readRequest,
  tusVersion,
  type Answer,
  type Asked,
  type Limits,
  type Reading,
} from './protocol.ts'
import type { Upload, UploadStore } from './store.ts'

export interface UploadServerOptions {
  readonly store: UploadStore
  /** `/files` */
  readonly base: string
  readonly limits: Limits
  /** An upload that gets nothing for so long is forgotten, ms. */
  readonly expiresAfter: number
  now(): Instant
  /** Whether an owner may make this upload; a text says why not. */
  admits(owner: string, metadata: Readonly<Record<string, string>>): true | string
  /** All its bytes are on the disk. What it gives back becomes the answer; it may be asked again for the same upload. */
  complete(u: Upload): Answer
  /** For evidence. */
  tell?(what: UploadEvent): void
  readonly seams?: UploadSeams
}

/** What a server that is wrong, or a link that breaks, does otherwise. */
export interface UploadSeams {
  /** Called before an answer leaves; false: it is not sent, and the connection is broken instead. */
  answers?(asked: Reading['is'], answer: Answer): boolean
  /** Reads requests; `readRequest` unless given. */
  readonly read?: typeof readRequest
  /** What leaves instead of an answer; nothing: the client waits in vain. */
  alters?(reading: Reading, answer: Answer, asked: Asked): Answer | undefined
  /**
   * Somebody asks for an upload, or appends to it, while a connection still appends, which `end` ends. An answer: that is
   * given instead. Unless given it is ended.
   */
  second?(asked: 'offset' | 'append' | 'end', end: () => void): Answer | undefined
  /** How many bytes an upload still takes, in a request that begins at an offset. */
  room?(length: number, offset: number): number
}

export interface UploadServer {
  /** Whether the request was one of uploads; it is then answered. */
  handle(request: IncomingMessage, response: ServerResponse, owner: string): boolean
  /** Forgets what nobody has touched for too long. */
  expire(): void
}

export function serveUploads(o: UploadServerOptions): UploadServer {
  const touched = new Map<string, Instant>()
  /** The connection that appends to an upload at this moment. */
  const writers = new Map<string, () => void>()
  const tell = (e: UploadEvent): void => o.tell?.(e)

  const expiryOf = (id: string): Record<string, string> => ({
    'upload-expires': new Date((touched.get(id) ?? o.now()) + o.expiresAfter).toUTCString(),
  })

  const found = (id: string, owner: string): Upload | undefined => {
    const u = o.store.find(id)
    return u?.owner === owner ? u : undefined
  }

  const takeOver = (id: string, owner: string, asked: 'offset' | 'append' | 'end'): Answer | undefined => {
    const end = writers.get(id)
    if (end === undefined) return undefined
    const ended = (): void => {
      writers.delete(id)
      end()
      tell({ what: 'taken-over', id, owner })
    }
    if (o.seams?.second !== undefined) return o.seams.second(asked, ended)
    ended()
    return undefined
  }

  const create = (r: Extract<Reading, { is: 'create' }>, owner: string): Answer => {
    const admitted = o.admits(owner, r.metadata)
    if (admitted !== true) return answerOf(403, {}, admitted)
    const id = randomBytes(16).toString('hex')
    o.store.create({ id, length: r.length, owner, metadata: r.metadata, created: o.now() })
    touched.set(id, o.now())
    tell({ what: 'created', id, owner, length: r.length })
    if (r.length === 0) {
      const u = o.store.find(id)
      if (u !== undefined) o.complete(u)
    }
    return answerOf(201, { location: `${o.base}/${id}`, ...expiryOf(id) })
  }

  const offset = (id: string, owner: string): Answer => {
    const busy = takeOver(id, owner, 'offset')
    if (busy !== undefined) return busy
    const u = found(id, owner)
    if (u === undefined) return answerOf(404)
    const at = o.store.flush(id)
    touched.set(id, o.now())
    if (at === u.length) {
      // The last answer may have been lost, or the power before it was worked on: it counts when this has been done.
      const ended = o.complete({ ...u, offset: at })
      if (ended.status >= 300) return ended
    }
    return answerOf(200, {
      'upload-offset': String(at),
      'upload-length': String(u.length),
      ...expiryOf(id),
    })
  }

  /** Takes the body of a PATCH; resolves with the answer, or with nothing where the connection went. */
  const append = (
    request: IncomingMessage,
    r: Extract<Reading, { is: 'append' }>,
    owner: string,
  ): Promise<Answer | undefined> => {
    const busy = takeOver(r.id, owner, 'append')
    if (busy !== undefined) return Promise.resolve(busy)
    const u = found(r.id, owner)
    if (u === undefined) return Promise.resolve(answerOf(404))
    const began = o.store.flush(r.id)
    touched.set(r.id, o.now())
    const at = { 'upload-offset': String(began) }
    if (r.offset !== began) return Promise.resolve(answerOf(409, at, `The offset is ${began}.`))
    const room = o.seams?.room?.(u.length, began) ?? u.length - began
    if (announcedBy(request) > room)
      return Promise.resolve(answerOf(413, at, `Only ${room} bytes are left to come.`))
    return new Promise((resolve) => {
      // Of what has a checksum nothing is kept before all of it is there and right.
      const held: Buffer[] = []
      let size = 0
      let over = false
      const finish = (whole: boolean): void => {
        if (over) return
        over = true
        if (writers.get(r.id) === gone) writers.delete(r.id)
        resolve(settle(whole))
      }
      const gone = (): void => {
        finish(false)
        request.destroy()
      }
      const settle = (whole: boolean): Answer | undefined => {
        touched.set(r.id, o.now())
        if (!whole) {
          const kept = o.store.flush(r.id)
          tell({ what: 'broke-off', id: r.id, owner, offset: kept, bytes: size })
          return undefined
        }
        if (r.checksum !== undefined) {
          if (!agrees(held, r.checksum)) return answerOf(460, at, 'The checksum does not agree.')
          for (const b of held) o.store.append(r.id, b)
        }
        const now = o.store.flush(r.id)
        tell({ what: 'appended', id: r.id, owner, offset: now, bytes: size })
        const answer = answerOf(204, { 'upload-offset': String(now), ...expiryOf(r.id) })
        if (now < u.length) return answer
        const ended = o.complete({ ...u, offset: now })
        tell({ what: 'completed', id: r.id, owner, offset: now, status: ended.status })
        return ended.status < 300 ? { ...answer, headers: { ...answer.headers, ...ended.headers } } : ended
      }
      writers.set(r.id, gone)
      request.on('data', (b: Buffer) => {
        if (over) return
        size += b.length
        if (size > room) {
          over = true
          writers.delete(r.id)
          o.store.cut(r.id, began)
          resolve(answerOf(413, at, 'That was more than was announced for this upload.'))
          return
        }
        if (r.checksum === undefined) o.store.append(r.id, b)
        else held.push(b)
      })
      request.on('end', () => finish(true))
      request.on('error', () => finish(false))
      request.on('close', () => finish(request.complete))
    })
  }

  const end = (id: string, owner: string): Answer => {
    const busy = takeOver(id, owner, 'end')
    if (busy !== undefined) return busy
    if (found(id, owner) === undefined) return answerOf(404)
    o.store.remove(id)
    touched.delete(id)
    return answerOf(204)
  }

  const answered = async (
    request: IncomingMessage,
    r: Reading,
    owner: string,
  ): Promise<Answer | undefined> => {
    switch (r.is) {
      case 'options':
        return answerOf(204, {
          'tus-version': tusVersion,
          'tus-extension': extensions,
          'tus-max-size': String(o.limits.maxSize),
          'tus-checksum-algorithm': checksumAlgorithms.join(','),
        })
      case 'create':
        return create(r, owner)
      case 'offset':
        return offset(r.id, owner)
      case 'append':
        return append(request, r, owner)
      case 'end':
        return end(r.id, owner)
      case 'refused':
        return r.answer
      default:
        return r satisfies never
    }
  }

  return {
    handle(request, response, owner) {
      const path = (request.url ?? '').split('?')[0] ?? ''
      const headers = Object.fromEntries(
        Object.entries(request.headers).map(([k, v]) => [k, typeof v === 'string' ? v : v?.join(',')]),
      )
      const asked: Asked = { method: request.method ?? '', path, headers }
      const r = (o.seams?.read ?? readRequest)(asked, o.base, o.limits)
      if (r === undefined) return false
      void answered(request, r, owner).then(
        (due) => {
          if (due === undefined) return
          const a = o.seams?.alters === undefined ? due : o.seams.alters(r, due, asked)
          if (a === undefined) return
          // Of bytes that came for another offset nothing is kept; they came all the same.
          const bytes = a.status === 409 ? { bytes: announcedBy(request) } : {}
          if (a.status >= 400) tell({ what: 'refused', owner, status: a.status, ...bytes })
          if (o.seams?.answers?.(r.is, a) === false) response.destroy()
          else send(request, response, a)
        },
        () => {
          // The disk takes nothing: nothing is acknowledged.
          if (!response.headersSent) send(request, response, answerOf(507, {}, 'It cannot be kept now.'))
          else response.destroy()
        },
      )
      return true
    },
    expire() {
      const now = o.now()
      for (const u of o.store.all()) {
        const since = touched.get(u.id) ?? u.created
        touched.set(u.id, since)
        if (now - since < o.expiresAfter) continue
        takeOver(u.id, u.owner, 'end')
        o.store.remove(u.id)
        touched.delete(u.id)
        tell({ what: 'expired', id: u.id, owner: u.owner })
      }
    },
  }
}

/** Bytes that a request says it brings; none where it does not say. */
function announcedBy(request: IncomingMessage): number {
  const n = Number(request.headers['content-length'] ?? 0)
  return Number.isSafeInteger(n) && n > 0 ? n : 0
}

function send(request: IncomingMessage, response: ServerResponse, a: Answer): void {
  // What of a body was not read must not be taken for the next request.
  const length = request.headers['content-length']
  const unread =
    !request.complete && length !== '0' && (length ?? request.headers['transfer-encoding']) !== undefined
  const body = a.text === undefined || request.method === 'HEAD' ? undefined : `${a.text}\n`
  response.writeHead(a.status, {
    ...a.headers,
    ...(body === undefined
      ? a.status === 204
        ? {}
        : // To a HEAD too: Node's client takes a connection for spent on which an answer of no known length came.
          { 'content-length': '0' }
      : { 'content-type': 'text/plain; charset=utf-8', 'content-length': Buffer.byteLength(body) }),
    ...(unread ? { connection: 'close' } : {}),
  })
  response.end(body)
}
