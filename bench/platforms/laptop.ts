/**
 * Somebody's laptop at the platform's Ethernet port (S:009), trying its maintenance service: as a stranger who guesses, and
 * as the engineer who knows the password. How the service is asked is written down here once; another platform's differs.
 */
import { randomBytes, scryptSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Agent as PlainAgent, request as plainRequest } from 'node:http'
import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http'
import { Agent as TlsAgent, request as tlsRequest } from 'node:https'
import { join } from 'node:path'
import { messageOf } from '../../drivers/errors.ts'
import type { Json, Realm } from '../../drivers/faces.ts'
import type { Emit } from '../../sim/faces.ts'
import type { VisitOutcome } from '../evidence/schema.ts'
import type { Laptop, Visit } from '../faces.ts'

/** Common name in the service's certificate. */
const serverName = 'maintenance'
/** How long an answer may take, ms. Ours. */
const patience = 10_000

export interface LaptopOptions {
  readonly address: string
  readonly port: number
  readonly pki: string
  readonly realm: Realm
  readonly emit: Emit
  /** The engineer's password. It stands in no evidence. */
  readonly password: string
}

/** A password for one run: letters and digits, drawn by `random`. */
export function drawPassword(random: () => number): string {
  const letters = 'abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789'
  let text = ''
  for (let i = 0; i < 20; i++) text += letters[Math.floor(random() * letters.length)]
  return text
}

/**
 * What the platform is told of the password: its scrypt hash. The cost is the least that it takes (RFC 7914's N, here 1024),
 * so that a thousand guesses at a service without a lock are soon over; a real one has 32 times that.
 */
export function hashOf(password: string): string {
  const salt = randomBytes(16)
  const hash = scryptSync(password, salt, 32, { N: 1024, r: 8, p: 1 })
  return `scrypt:1024:8:1:${salt.toString('base64')}:${hash.toString('base64')}`
}

/** What came back of one request. */
interface Answer {
  readonly status: number
  readonly body: Json
  readonly retryAfter: number
}

type Failed = { readonly stage: 'tcp' | 'tls'; readonly reason: string }

export function makeLaptop(o: LaptopOptions): Laptop {
  return {
    outcomes: { src: 'laptop', kind: 'seen', select: 'laptop.*' },
    visit: (what) =>
      o.realm.run(async () => {
        const alias = `laptop.${what.name}`
        const cause = o.emit('sent', { alias, visit: what as unknown as Json })
        const outcome = await visit(o, what)
        const payload: Json = { ...outcome }
        o.emit('seen', { alias, payload }, { cause })
        return payload
      }),
  }
}

async function visit(o: LaptopOptions, what: Visit): Promise<VisitOutcome> {
  const line = connection(o, what)
  try {
    if (what.guesses !== undefined) return await guess(line, what.guesses)
    let token: string | undefined
    if (what.password !== undefined) {
      const given = await line.ask('POST', '/login', { Password: textOf(what.password, o.password) })
      if ('stage' in given) return given
      token = tokenOf(given)
      if (token === undefined) return turnedAway(given)
    }
    if (what.loggedOut === true) await line.ask('POST', '/logout', undefined, token)
    const state = await line.ask('GET', what.path ?? '/state', undefined, token)
    if ('stage' in state) return state
    return state.status === 200
      ? { stage: 'inside', status: 200, reason: 'it was told the state of the platform' }
      : turnedAway(state)
  } finally {
    line.close()
  }
}

/** Tries so many passwords on one connection, and goes on while it is locked out. */
async function guess(line: Line, n: number): Promise<VisitOutcome> {
  const counts = { checked: 0, locked: 0 }
  let retryAfter = 0
  for (let i = 0; i < n; i++) {
    const answer = await line.ask('POST', '/login', { Password: `guess-${String(i).padStart(4, '0')}` })
    if ('stage' in answer) return { ...answer, tried: i, ...counts }
    if (tokenOf(answer) !== undefined)
      return {
        stage: 'inside',
        status: answer.status,
        reason: 'a guess was admitted',
        tried: i + 1,
        ...counts,
      }
    if (answer.status === 429) counts.locked++
    else counts.checked++
    retryAfter = Math.max(retryAfter, answer.retryAfter)
  }
  const stage = counts.locked > 0 ? 'locked' : 'login'
  return { stage, reason: `${counts.checked} of ${n} guesses were heard`, tried: n, ...counts, retryAfter }
}

function turnedAway(a: Answer): VisitOutcome {
  // Whatever else is answered: it was heard, and not let in.
  return a.status === 429
    ? { stage: 'locked', status: a.status, reason: 'locked out for a while', retryAfter: a.retryAfter }
    : { stage: 'login', status: a.status, reason: `answered with ${a.status}` }
}

function tokenOf(a: Answer): string | undefined {
  const b = a.body
  if (a.status !== 200 || b === null || typeof b !== 'object' || Array.isArray(b)) return undefined
  const token = (b as { readonly Token?: Json }).Token
  return typeof token === 'string' ? token : undefined
}

function textOf(p: NonNullable<Visit['password']>, right: string): string {
  switch (p.is) {
    case 'right':
      return right
    case 'beginning':
      return right.slice(0, 8)
    case 'other-case':
      return right.replaceAll(/[a-z]/gi, (c) => (c === c.toUpperCase() ? c.toLowerCase() : c.toUpperCase()))
    case 'text':
      return p.text
    default:
      return p satisfies never
  }
}

interface Line {
  ask(method: string, path: string, body?: Json, token?: string): Promise<Answer | Failed>
  close(): void
}

/** One kept connection. Over HTTPS the service must prove itself by the platform's authority. */
function connection(o: LaptopOptions, what: Visit): Line {
  const plain = what.over === 'http'
  const agent = plain
    ? new PlainAgent({ keepAlive: true, maxSockets: 1 })
    : new TlsAgent({
        keepAlive: true,
        maxSockets: 1,
        ca: readFileSync(join(o.pki, 'ca.crt')),
        servername: serverName,
        ...(what.tlsMax === undefined
          ? {}
          : { maxVersion: what.tlsMax, minVersion: 'TLSv1' as const, ciphers: 'DEFAULT:@SECLEVEL=0' }),
      })
  const where = { host: o.address, port: what.port ?? o.port, agent }
  let reached = false
  return {
    ask(method, path, body, token) {
      const text = body === undefined ? '' : JSON.stringify(body)
      const options: RequestOptions = {
        ...where,
        method,
        path,
        timeout: patience,
        headers: {
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(text),
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        },
      }
      return new Promise((resolve) => {
        const done = (r: IncomingMessage): void => void read(r).then(resolve)
        const request: ClientRequest = plain ? plainRequest(options, done) : tlsRequest(options, done)
        request.on('socket', (socket) => {
          if (socket.connecting) socket.once('connect', () => (reached = true))
          else reached = true
        })
        request.on('timeout', () => request.destroy(new Error(`no answer in ${patience / 1000} s`)))
        request.on('error', (e) =>
          resolve({ stage: reached && !plain ? 'tls' : 'tcp', reason: withoutThread(messageOf(e)) }),
        )
        request.end(text)
      })
    },
    close: () => agent.destroy(),
  }
}

/** OpenSSL begins its errors with the number of its thread, which is another one in each process. */
function withoutThread(text: string): string {
  return text.replace(/\b[0-9A-F]{8,16}:error:/, 'error:')
}

async function read(r: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of r as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size <= 65_536) chunks.push(chunk)
    }
  } catch {
    // A torn answer is what came of it.
  }
  const retryAfter = Number(r.headers['retry-after'] ?? 0)
  let body: Json = null
  try {
    body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Json
  } catch {
    // No JSON: nothing that we understand was told.
  }
  return { status: r.statusCode ?? 0, body, retryAfter: Number.isFinite(retryAfter) ? retryAfter : 0 }
}
