/**
 * The configuration page (thesis SR-3.4): HTTPS, since passwords and keys pass it in a network where others listen; behind
 * a password, with lock-out; nothing is told before log-in.
 *
 * | request | answer |
 * |---|---|
 * | `GET /login` | the form for the password |
 * | `POST /login` | 303 to `/` with the session's cookie; 401; 429 with `Retry-After` while it is locked |
 * | `GET /` | the page; 303 to `/login` without a session |
 * | `POST /save` | 303 to `/?saved`; 422 with the page and what does not fit; 507 where the disk did not keep it |
 * | `POST /logout` | 303 to `/login` |
 *
 * A form from elsewhere is refused thrice: the cookie is `SameSite=Strict`, an `Origin` must be ours, and each form holds the
 * token of its session. Secrets go in and never out.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { Socket } from 'node:net'
import type { JsonObject } from '../lvcap/env.ts'
import { textOf } from '../lvcap/errors.ts'
import { addressOf } from '../lvcap/marketplace/peers.ts'
import { bodyOf } from '../lvcap/maintenance/body.ts'
import { afterTry, lockedFor, unlocked, type Lock, type LockPolicy } from '../lvcap/maintenance/lock.ts'
import { verifyPassword } from '../lvcap/maintenance/password.ts'
import type { Shown } from './certificate.ts'
import type { WebConfig } from './config.ts'
import { configPage, loginPage, type Problems, type State } from './page.ts'
import { noSettings, secrets, type Settings, settingsSchema } from './settings.ts'

/** The page in parts. */
export interface WebParts {
  verify(password: string, stored: string): Promise<boolean>
  lockedFor(lock: Lock, now: number): number
  afterTry(lock: Lock, right: boolean, now: number, policy: LockPolicy): Lock
  /** Whether a request needs a session. */
  guarded(method: string, path: string): boolean
  /** Whether a form of a session is its own. */
  genuine(given: string, token: string, origin: string | undefined, host: string | undefined): boolean
  /** What of the settings is put into the page. */
  shown(s: Settings): Settings
  cookie(session: string, seconds: number): string
}

export const webParts: WebParts = {
  verify: verifyPassword,
  lockedFor,
  afterTry,
  guarded: (_method, path) => path !== '/login',
  genuine: (given, token, origin, host) => sameText(given, token) && ours(origin, host),
  shown: (s) => ({ ...s, ...Object.fromEntries(secrets.map((k) => [k, ''])) }),
  cookie: (session, seconds) =>
    `__Host-session=${session}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=${seconds}`,
}

export interface WebOptions {
  readonly config: WebConfig
  readonly address: string
  readonly shown: Shown
  readonly parts: WebParts
  /** Serial ports of the meters, in their order. */
  readonly lines: readonly string[]
  settings(): Settings | undefined
  /** Keeps new settings and lets them take effect. Throws what the disk says. */
  save(s: Settings): void
  /** Why settings that fit by themselves cannot be used; undefined: they can. */
  refuses(s: Settings): string | undefined
  state(): State
  readonly log: (entry: JsonObject) => void
}

export interface Web {
  close(): void
}

/** Largest body, bytes: a certificate chain, each character as three. */
const longestBody = 128_000
const mostSessions = 8
/** A connection without a word for so long is closed, ms. */
const patience = 15_000

interface Session {
  readonly token: string
  readonly until: number
}

function sameText(a: string, b: string): boolean {
  const x = Buffer.from(a)
  const y = Buffer.from(b)
  return x.length === y.length && timingSafeEqual(x, y)
}

function ours(origin: string | undefined, host: string | undefined): boolean {
  return origin === undefined || (host !== undefined && origin === `https://${host}`)
}

/** Listens. Rejects where it cannot. */
export async function serveWeb(o: WebOptions): Promise<Web> {
  const { config, parts: p, log } = o
  const sessions = new Map<string, Session>()
  let lock = unlocked
  let turn: Promise<unknown> = Promise.resolve()

  /** One password at a time, so that many at once do not slip past the count. */
  const logIn = async (password: string, address: string): Promise<number | string> => {
    const locked = p.lockedFor(lock, performance.now())
    const tell = (what: string): void => log({ event: 'web-login', what, address })
    if (locked > 0) {
      tell('locked')
      return locked
    }
    const right = await p.verify(password, config.password)
    const now = performance.now()
    lock = p.afterTry(lock, right, now, config.lock)
    tell(right ? 'admitted' : 'wrong-password')
    if (!right) return p.lockedFor(lock, now)
    for (const [id, s] of sessions) if (s.until <= now || sessions.size >= mostSessions) sessions.delete(id)
    const id = randomBytes(32).toString('base64url')
    sessions.set(id, {
      token: randomBytes(32).toString('base64url'),
      until: now + config.sessionSeconds * 1000,
    })
    return id
  }
  const sessionOf = (request: IncomingMessage): readonly [string, Session] | undefined => {
    const id = /(?:^|;\s*)__Host-session=([\w-]{1,128})/.exec(request.headers.cookie ?? '')?.[1] ?? ''
    const s = sessions.get(id)
    return s === undefined || s.until <= performance.now() ? undefined : [id, s]
  }

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const method = request.method ?? ''
    const [path = '', query = ''] = (request.url ?? '').split('?')
    const reply = (status: number, html: string, headers: Record<string, string> = {}): void => {
      response.writeHead(status, {
        'content-type': 'text/html; charset=utf-8',
        'cache-control': 'no-store',
        'content-security-policy':
          "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'same-origin',
        ...headers,
      })
      response.end(method === 'HEAD' ? '' : html)
    }
    const to = (location: string, headers: Record<string, string> = {}): void =>
      reply(303, '', { location, ...headers })
    const body = await bodyOf(request, longestBody)
    if (body === undefined) return reply(413, 'Too long.', { connection: 'close' })
    const form = new URLSearchParams(body.toString('utf8'))

    if (path === '/login' && method === 'POST') {
      if (!ours(request.headers.origin, request.headers.host))
        return reply(403, loginPage('This form is not ours.'))
      const mine = turn.then(() => logIn(form.get('key') ?? '', addressOf(request.socket)))
      turn = mine.catch(() => undefined)
      const got = await mine
      if (typeof got === 'string')
        return to('/', { 'set-cookie': p.cookie(got, Math.ceil(config.sessionSeconds)) })
      return got > 0
        ? reply(429, loginPage(`Too many wrong passwords. Try again in ${got} s.`), {
            'retry-after': String(got),
          })
        : reply(401, loginPage('That is not the password.'))
    }
    if (path === '/login' && (method === 'GET' || method === 'HEAD')) return reply(200, loginPage())

    const known = sessionOf(request)
    if (known === undefined && p.guarded(method, path)) return to('/login')
    const [id, session] = known ?? ['', { token: '', until: 0 }]
    const kept = o.settings()
    const show = (settings: Settings, more: { problems?: Problems; said?: string }): string =>
      configPage({
        settings: p.shown(settings),
        lines: o.lines,
        set: new Set(secrets.filter((k) => (kept ?? noSettings)[k] !== '')),
        token: session.token,
        state: o.state(),
        ...more,
      })
    if (path === '/' && (method === 'GET' || method === 'HEAD'))
      return reply(
        200,
        show(
          kept ?? noSettings,
          query === 'saved' ? { said: 'Saved. The reader has begun anew with these settings.' } : {},
        ),
      )
    if (method !== 'POST' || (path !== '/save' && path !== '/logout'))
      return reply(404, 'There is no such thing.')
    if (!p.genuine(form.get('token') ?? '', session.token, request.headers.origin, request.headers.host)) {
      log({ event: 'web-refused', what: 'foreign-form', address: addressOf(request.socket) })
      return reply(403, loginPage('This form is not of your session. Log in again.'))
    }
    if (path === '/logout') {
      sessions.delete(id)
      return to('/login', { 'set-cookie': p.cookie('', 0) })
    }
    const wanted = settingsIn(form, kept ?? noSettings, o.lines.length)
    const { settings, problems } = wanted
    if (settings === undefined) return reply(422, show(wanted.shown, { problems }))
    const why = o.refuses(settings)
    if (why !== undefined) return reply(422, show(settings, { problems: { '': why } }))
    try {
      o.save(settings)
    } catch (e) {
      log({ event: 'disk', why: textOf(e) })
      return reply(507, show(settings, { problems: { '': 'The disk did not keep it.' } }))
    }
    to('/?saved')
  }

  const server = createServer(
    { cert: o.shown.cert, key: o.shown.key, minVersion: 'TLSv1.2', handshakeTimeout: 10_000 },
    (request, response) => {
      void answer(request, response).catch((e: unknown) => {
        log({ event: 'web-trouble', why: textOf(e) })
        response.destroy()
      })
    },
  )
  const open = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    open.add(socket)
    socket.on('close', () => open.delete(socket))
    socket.on('error', () => undefined)
  })
  server.setTimeout(patience)
  server.on('tlsClientError', (_e, socket) => socket.destroy())
  server.on('clientError', (_e, socket) => socket.destroy())
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(config.port, o.address, () => {
      server.off('error', reject)
      server.on('error', (e) => log({ event: 'web-trouble', why: textOf(e) }))
      resolve()
    })
  })
  log({
    event: 'web-listening',
    address: o.address,
    port: config.port,
    fingerprint: o.shown.fingerprint,
  })
  return {
    close() {
      server.close()
      for (const s of open) s.destroy()
    },
  }
}

interface Wanted {
  /** What was typed, to be shown again. */
  readonly shown: Settings
  /** Undefined where something does not fit. */
  readonly settings?: Settings
  readonly problems: Problems
}

/** A form as settings. A secret that is left empty stays as it was. */
function settingsIn(form: URLSearchParams, kept: Settings, lines: number): Wanted {
  const field = (name: string): string => (form.get(name) ?? '').trim()
  const typed: Record<string, string | string[]> = {}
  for (const name of Object.keys(noSettings)) {
    if (name === 'meterTypes') continue
    typed[name] = field(name)
  }
  for (const name of secrets) {
    // A password may begin or end with a blank.
    const given = form.get(name) ?? ''
    typed[name] = given !== '' ? given : form.get(`forget-${name}`) === 'yes' ? '' : kept[name]
  }
  typed['meterTypes'] = Array.from({ length: lines }, (_, i) => field(`meterType${i}`) || 'configured')
  const fit = settingsSchema.safeParse(typed)
  if (fit.success) return { shown: fit.data, settings: fit.data, problems: {} }
  const problems: Record<string, string> = {}
  for (const issue of fit.error.issues) {
    const [name = '', n] = issue.path.map(String)
    problems[name === 'meterTypes' ? `meterType${n ?? 0}` : name] ??=
      name === 'meterTypes' ? 'not a type that is known' : issue.message
  }
  return { shown: typed as unknown as Settings, problems }
}
