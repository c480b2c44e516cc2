/**
 * The maintenance service: what an engineer reaches who plugs a laptop into the device's Ethernet port (S:009). HTTPS with a
 * certificate of the platform's authority, TLS 1.2 or later; nothing is told before log-in.
 *
 * | request | answer |
 * |---|---|
 * | `POST /login` `{"Password": "..."}` | 200 `{"Token", "Seconds"}`; 401; 429 with `Retry-After` while it is locked |
 * | `GET /state` with `Authorization: Bearer <Token>` | 200 `{"Time", "Apps"}` |
 * | `POST /logout` with it | 200 |
 *
 * Without a good token everything but the log-in is answered with 401, whether it exists or not. Passwords and tokens are
 * in no log.
 */
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer as createWeb, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { createServer as createTlsServer, type TlsOptions } from 'node:tls'
import { parseObject } from '../api.ts'
import { parseConfig } from '../config.ts'
import { aborted, wallClock, type Json, type JsonObject, type ProgramEnv } from '../env.ts'
import { textOf } from '../errors.ts'
import { addressOf, reasonOfHandshake } from '../marketplace/peers.ts'
import { bodyOf } from './body.ts'
import { maintenanceSchema, type MaintenanceConfig } from './config.ts'
import { afterTry, lockedFor, unlocked, type Lock, type LockPolicy } from './lock.ts'
import { verifyPassword } from './password.ts'

/** One try to log in, for the log. */
export interface Try {
  readonly address: string
  readonly what: 'admitted' | 'wrong-password' | 'locked'
  /** As it was given. Never to be written. */
  readonly password: string
}

/** The maintenance service in parts. */
export interface MaintenanceParts {
  ports(config: MaintenanceConfig): readonly number[]
  tls(read: (file: string) => string): TlsOptions
  /** What becomes of a new connection: TLS, always. */
  accept(socket: Socket, toTls: (socket: Socket) => void, toWeb: (socket: Socket) => void): void
  verify(password: string, stored: string): Promise<boolean>
  lockedFor(lock: Lock, now: number): number
  afterTry(lock: Lock, right: boolean, now: number, policy: LockPolicy): Lock
  /** Whether a request must show a token. */
  guarded(method: string, path: string): boolean
  token(): string
  /** Whether a token is forgotten at log-out. */
  forgets(): boolean
  /** What is written of a try; null: nothing. */
  record(t: Try): JsonObject | null
}

export function parts(_config: Json): MaintenanceParts {
  return {
    ports: (config) => [config.port],
    tls: (read) => ({
      cert: read('maintenance.crt'),
      key: read('maintenance.key'),
      minVersion: 'TLSv1.2',
      handshakeTimeout: 10_000,
    }),
    accept: (socket, toTls) => toTls(socket),
    verify: verifyPassword,
    lockedFor,
    afterTry,
    guarded: (method, path) => !(method === 'POST' && path === '/login'),
    token: () => randomBytes(32).toString('base64url'),
    forgets: () => true,
    record: ({ address, what }) => ({ event: 'maintenance-login', what, address }),
  }
}

export async function main(env: ProgramEnv): Promise<number> {
  return run(parts(env.config), env)
}

/** Largest request body, bytes; a password is no book. */
const longestBody = 4_096
/** Log-ins at a time. */
const mostSessions = 8
/** A connection without a word for so long is closed, ms. */
const patience = 15_000

/** Serves until `env.term`; 0 then, 1 if a port cannot be had. */
export async function run(p: MaintenanceParts, env: ProgramEnv): Promise<number> {
  const config = parseConfig(maintenanceSchema, env.config, 'the configuration of the maintenance service')
  const log = (entry: JsonObject): void => env.log(entry)
  const door = guard(p, config, log)
  const open = new Set<Socket>()

  const web = createWeb((request, response) => {
    void answer(p, config, door, request, response).catch((error: unknown) => {
      log({ event: 'trouble', text: textOf(error) })
      response.destroy()
    })
  })
  web.on('clientError', (_error, socket) => socket.destroy())
  const tls = createTlsServer(p.tls((file) => readFileSync(join(config.pki, file), 'utf8')))
  tls.on('secureConnection', (socket) => void web.emit('connection', socket))
  tls.on('tlsClientError', (error: Error, socket) => {
    log({ event: 'maintenance-refused', reason: reasonOfHandshake(error), address: addressOf(socket) })
    socket.destroy()
  })

  const servers = p.ports(config).map((port) => ({
    port,
    server: createServer((socket) => {
      open.add(socket)
      socket.on('close', () => open.delete(socket))
      socket.on('error', () => {})
      socket.setTimeout(patience, () => socket.destroy())
      p.accept(
        socket,
        (s) => tls.emit('connection', s),
        (s) => web.emit('connection', s),
      )
    }),
  }))
  const close = (): void => {
    for (const { server } of servers) server.close()
    for (const s of open) s.destroy()
  }
  try {
    for (const { port, server } of servers) {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject)
        server.listen(port, config.address, () => {
          server.off('error', reject)
          server.on('error', (error) => log({ event: 'trouble', text: textOf(error) }))
          resolve()
        })
      })
      log({ event: 'maintenance-listening', address: config.address, port })
    }
  } catch (error) {
    log({ event: 'failed', text: `Cannot listen: ${textOf(error)}` })
    close()
    return 1
  }
  await aborted(env.term)
  close()
  return 0
}

type Admission =
  | { readonly ok: true; readonly token: string }
  | { readonly ok: false; readonly lockedFor: number }

interface Guard {
  logIn(password: string, address: string): Promise<Admission>
  knows(token: string): boolean
  logOut(token: string): void
}

/** Sessions and the lock. One password is tried at a time, so that many at once do not slip past the count. */
function guard(p: MaintenanceParts, config: MaintenanceConfig, log: (entry: JsonObject) => void): Guard {
  const sessions = new Map<string, number>()
  let lock = unlocked
  let turn: Promise<unknown> = Promise.resolve()
  const tell = (t: Try): void => {
    const entry = p.record(t)
    if (entry !== null) log(entry)
  }
  const tryIt = async (password: string, address: string): Promise<Admission> => {
    const locked = p.lockedFor(lock, performance.now())
    if (locked > 0) {
      tell({ address, what: 'locked', password })
      return { ok: false, lockedFor: locked }
    }
    const right = await p.verify(password, config.password)
    const now = performance.now()
    lock = p.afterTry(lock, right, now, config.lock)
    tell({ address, what: right ? 'admitted' : 'wrong-password', password })
    if (!right) return { ok: false, lockedFor: p.lockedFor(lock, now) }
    const token = p.token()
    for (const [t, until] of sessions) if (until <= now || sessions.size >= mostSessions) sessions.delete(t)
    sessions.set(token, now + config.sessionSeconds * 1_000)
    return { ok: true, token }
  }
  return {
    logIn(password, address) {
      const mine = turn.then(() => tryIt(password, address))
      turn = mine.catch(() => undefined)
      return mine
    },
    // Tokens are random and found by hash: the time that it takes tells nothing of them.
    knows: (token) => (sessions.get(token) ?? Number.NEGATIVE_INFINITY) > performance.now(),
    logOut: (token) => {
      if (p.forgets()) sessions.delete(token)
    },
  }
}

async function answer(
  p: MaintenanceParts,
  config: MaintenanceConfig,
  door: Guard,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const method = request.method ?? ''
  const path = (request.url ?? '').split('?')[0] ?? ''
  const reply = (status: number, body: JsonObject, headers: Record<string, string> = {}): void => {
    response.writeHead(status, {
      'content-type': 'application/json',
      'cache-control': 'no-store',
      ...headers,
    })
    response.end(`${JSON.stringify(body)}\n`)
  }
  const body = await bodyOf(request, longestBody)
  if (body === undefined) {
    reply(413, { Message: 'Too long.' }, { connection: 'close' })
    return
  }
  if (method === 'POST' && path === '/login') {
    const password = parseObject(body)?.['Password']
    const admitted = await door.logIn(typeof password === 'string' ? password : '', addressOf(request.socket))
    if (admitted.ok) reply(200, { Token: admitted.token, Seconds: config.sessionSeconds })
    else if (admitted.lockedFor > 0)
      reply(
        429,
        { Message: `Locked for ${admitted.lockedFor} s.` },
        { 'retry-after': String(admitted.lockedFor) },
      )
    else reply(401, { Message: 'Not admitted.' })
    return
  }
  const token = /^Bearer ([\w-]{1,128})$/.exec(request.headers.authorization ?? '')?.[1] ?? ''
  if (p.guarded(method, path) && !door.knows(token)) {
    reply(401, { Message: 'Log in first.' })
    return
  }
  if (method === 'GET' && path === '/state')
    reply(200, { Time: new Date(wallClock()).toISOString(), Apps: config.apps })
  else if (method === 'POST' && path === '/logout') {
    door.logOut(token)
    reply(200, {})
  } else reply(404, { Message: 'There is no such thing.' })
}
