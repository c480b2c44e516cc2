/**
 * The 4G router of a site, played by the bench (OpenLV M:003, M:0010, W:001): a page with a log-in of its own, by password
 * and token; its status and address table; a restart of itself; and a reset of the site's computer by its power. It can
 * freeze: then nothing passes, its page does not answer, and only its power helps; or its modem can: nothing passes, and the
 * page answers. Beside it stands an outlet by which its
 * power is cut from the site's own network, as a watchdog would.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { z } from 'zod'
import { GridproofError, messageOf } from '../../drivers/errors.ts'
import type { Json, Realm } from '../../drivers/faces.ts'
import { duration } from '../../drivers/units.ts'
import type { Emit, Fault } from '../../sim/faces.ts'
import type { LinkCounters, Router, RouterVisit } from '../faces.ts'

export interface RouterOptions {
  readonly realm: Realm
  readonly port: number
  /** The right one. It stands in no evidence. */
  readonly password: string
  now(): number
  readonly emit: Emit
  readonly link: {
    order(o: Json): void
    counters(): LinkCounters
    readonly host: string
  }
  resetComputer(): Promise<void>
}

export interface PlayedRouter extends Router, AsyncDisposable {
  /** A port on the site's network: `POST /cycle` takes the router's power for a moment. */
  readonly outlet: { readonly address: string; readonly port: number }
}

/** From power until it works, and how long its power is taken unless told otherwise, ms. Ours. */
const booting = 20_000
const usualOff = '5 s'
/** Wrong passwords before it hears nobody for a while, and that while, ms. Ours. */
const tries = 5
const lockout = 60_000
/** Longest request body, octets; how long a visitor waits for an answer, ms. Ours. */
const longestBody = 4096
const patience = 15_000
const nothing = z.strictObject({})

export async function playRouter(o: RouterOptions): Promise<PlayedRouter> {
  const { realm, emit } = o
  const tokens = new Set<string>()
  const sockets = new Set<Socket>()
  const timers = new Set<NodeJS.Timeout>()
  /** `deaf`: its modem hangs, and its page answers. */
  let state: 'works' | 'frozen' | 'deaf' | 'off' = 'works'
  let since = o.now()
  let wrong = 0
  let lockedUntil = 0
  let count = 0
  const frozen = new Map<string, Frozen>()

  const become = (next: typeof state): void => {
    if (state === next) return
    state = next
    o.link.order({ do: 'router', state: next === 'deaf' ? 'frozen' : next })
    emit('link', { alias: 'link.router', state: next })
  }
  const later = (ms: number, f: () => void): void => {
    const t = setTimeout(() => {
      timers.delete(t)
      f()
    }, ms)
    timers.add(t)
  }
  const powerCycle = (off: string = usualOff): void =>
    realm.run(() => {
      const ms = duration(off)
      for (const [id, f] of frozen) lifted(id, f)
      for (const s of sockets) s.destroy()
      tokens.clear()
      become('off')
      later(ms + booting, () => {
        since = o.now()
        wrong = 0
        become('works')
      })
    })
  const lifted = (id: string, { name, params, cause }: Frozen): void => {
    if (frozen.delete(id)) emit('fault', { phase: 'lifted', id, name, params }, { cause })
  }

  const handle = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    // It hangs: the connection stands, and no answer comes.
    if (state === 'frozen') return
    if (state === 'off') {
      req.socket.destroy()
      return
    }
    const say = (status: number, body: Json | string, more: Record<string, string> = {}): void => {
      const text = typeof body === 'string' ? body : JSON.stringify(body)
      res.writeHead(status, {
        'content-type': typeof body === 'string' ? 'text/html; charset=utf-8' : 'application/json',
        'cache-control': 'no-store',
        ...more,
      })
      res.end(text)
    }
    const path = (req.url ?? '').split('?')[0] ?? ''
    if (req.method === 'GET' && path === '/') {
      say(200, page)
      return
    }
    const given = passwordOf(req)
    if (path === '/api/login' && req.method === 'POST') {
      const body = await bodyOf(req)
      if (body === undefined) {
        say(413, { error: 'too long' })
        return
      }
      enter(passwordIn(body), say)
      return
    }
    const token = /^Bearer ([\w-]{1,200})$/.exec(req.headers.authorization ?? '')?.[1]
    if (token === undefined ? given === undefined || !admits(given) : !tokens.has(token)) {
      say(401, { error: 'log in' }, { 'www-authenticate': 'Basic realm="router"' })
      return
    }
    if (path === '/api/status' && req.method === 'GET') {
      const c = o.link.counters()
      say(200, { 'up [s]': Math.round((o.now() - since) / 1000), drops: c['carrier drops [1]'] })
    } else if (path === '/api/addresses' && req.method === 'GET')
      say(200, {
        lan: [
          { address: realm.address, name: 'router' },
          { address: o.link.host, name: 'computer' },
        ],
      })
    else if (path === '/api/reset-computer' && req.method === 'POST') {
      emit('link', { alias: 'link.router', resets: 'computer' })
      say(202, { does: 'takes the power of the computer' })
      await o.resetComputer()
    } else if (path === '/api/restart' && req.method === 'POST') {
      say(202, { does: 'restarts' })
      later(100, () => powerCycle('1 s'))
    } else say(404, { error: 'there is no such thing' })
  }
  const enter = (given: string | undefined, say: (status: number, body: Json) => void): void => {
    if (o.now() < lockedUntil) {
      say(429, { error: 'too many wrong passwords' })
      return
    }
    if (given === undefined || !same(given, o.password)) {
      if (++wrong >= tries) {
        lockedUntil = o.now() + lockout
        wrong = 0
      }
      say(401, { error: 'wrong password' })
      return
    }
    wrong = 0
    const token = randomBytes(16).toString('hex')
    tokens.add(token)
    say(200, { token })
  }
  const admits = (given: string): boolean => {
    if (o.now() < lockedUntil) return false
    if (same(given, o.password)) return true
    if (++wrong >= tries) {
      lockedUntil = o.now() + lockout
      wrong = 0
    }
    return false
  }

  const serve = (port: number, f: typeof handle): Promise<Server> =>
    realm.run(
      () =>
        new Promise((resolve, reject) => {
          const server = createServer((req, res) => {
            void f(req, res).catch((e: unknown) => {
              emit('note', { what: 'trouble at the router', text: messageOf(e) })
              res.destroy()
            })
          })
          // Its clock is none of the bench's.
          server.on('connection', (s) => {
            sockets.add(s)
            s.on('close', () => sockets.delete(s))
            s.on('error', () => undefined)
          })
          server.once('error', (e) =>
            reject(
              new GridproofError(
                'rig-lacks',
                `the router cannot listen at ${realm.address}:${port} (${messageOf(e)}): give roles.link.router another port`,
                { cause: e },
              ),
            ),
          )
          server.listen({ host: realm.address, port }, () => resolve(server))
        }),
    )
  const server = await serve(o.port, async (req, res) => {
    res.sendDate = false
    await handle(req, res)
  })
  const outlet = await serve(0, async (req, res) => {
    res.sendDate = false
    const cycles = req.method === 'POST' && req.url === '/cycle'
    res.writeHead(cycles ? 202 : 404).end()
    if (cycles) {
      emit('link', { alias: 'link.router', resets: 'router' })
      powerCycle()
    }
  })
  const portOf = (s: Server): number => (s.address() as AddressInfo).port

  const ask = (method: string, path: string, headers: Record<string, string>, body?: Json): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const req = request(
        {
          host: realm.address,
          port: portOf(server),
          method,
          path,
          agent: false,
          headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
          timeout: patience,
        },
        (res) => {
          let text = ''
          res.setEncoding('utf8')
          res.on('data', (t: string) => (text += t))
          res.on('error', reject)
          res.on('end', () => resolve({ status: res.statusCode ?? 0, body: parsed(text) }))
        },
      )
      req.on('timeout', () => req.destroy(new Error(`no answer in ${patience / 1000} s`)))
      req.on('error', reject)
      req.end(body === undefined ? undefined : JSON.stringify(body))
    })
  const visit = async (what: RouterVisit): Promise<Json> => {
    let headers: Record<string, string> = {}
    if (what.gives !== 'none') {
      const password = what.gives === 'right' ? o.password : `${o.password.slice(0, -1)}!`
      const login = await ask('POST', '/api/login', {}, { password })
      if (login.status !== 200)
        return { stage: login.status === 429 ? 'locked' : 'login', status: login.status }
      headers = { authorization: `Bearer ${(login.body as { token: string }).token}` }
    }
    const reads = what.asks === 'status' || what.asks === 'addresses'
    const answer = await ask(reads ? 'GET' : 'POST', `/api/${what.asks}`, headers)
    return {
      stage: answer.status === 401 ? 'login' : 'inside',
      status: answer.status,
      answer: answer.body,
    }
  }

  return {
    faults: ['freeze', 'modem'],
    address: realm.address,
    port: portOf(server),
    outlet: { address: realm.address, port: portOf(outlet) },
    outcomes: { src: 'router', kind: 'seen', select: 'router.*' },
    powerCycle,
    inflict(name, params = {}): Fault {
      if (name !== 'freeze' && name !== 'modem')
        throw new GridproofError('no-such', `the router has no fault '${name}'; there are: freeze, modem`)
      if (!nothing.safeParse(params).success)
        throw new GridproofError('bad-value', `the router's fault '${name}' takes no parameters`)
      const id = `router/${name}#${++count}`
      const cause = emit('fault', { phase: 'on', id, name, params })
      frozen.set(id, { name, params, cause })
      // A router that hangs as a whole answers no better for its modem.
      if (name === 'freeze' || state === 'works') become(name === 'freeze' ? 'frozen' : 'deaf')
      // Whoever lifts it has cut its power.
      return { id, params, lift: () => (frozen.has(id) ? powerCycle() : undefined) }
    },
    visit: (what) =>
      realm.run(async () => {
        const alias = `router.${what.name}`
        const cause = emit('sent', { alias, visit: { ...what } })
        let payload: Json
        try {
          payload = await visit(what)
        } catch (e) {
          payload = { stage: 'tcp', reason: messageOf(e) }
        }
        emit('seen', { alias, payload }, { cause })
        return payload
      }),
    async [Symbol.asyncDispose]() {
      for (const t of timers) clearTimeout(t)
      await realm.run(async () => {
        for (const s of sockets) s.destroy()
        await Promise.all(
          [server, outlet].map((s) => new Promise<void>((done) => void s.close(() => done()))),
        )
      })
    },
  }
}

interface Frozen {
  readonly name: string
  readonly params: Json
  readonly cause: number
}

interface Answer {
  readonly status: number
  readonly body: Json
}

const page = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Router</title>
<h1>Router</h1><form id="f"><label>Password <input type="password" name="password" autocomplete="current-password"></label>
<button>Log in</button></form><p>POST /api/login with {"password"} gives a token; then, as Bearer: GET /api/status,
GET /api/addresses, POST /api/reset-computer, POST /api/restart. Basic authentication with any user name works too.</p>
<pre id="o"></pre><script>f.onsubmit = async (e) => { e.preventDefault()
const r = await fetch('/api/login', { method: 'POST', body: JSON.stringify({ password: f.password.value }) })
if (!r.ok) { o.textContent = 'No.'; return }
const { token } = await r.json()
o.textContent = await (await fetch('/api/status', { headers: { authorization: 'Bearer ' + token } })).text() }</script></html>`

/** Compared without telling by the time it takes how much was right. */
function same(a: string, b: string): boolean {
  const hash = (t: string): Buffer => createHash('sha256').update(t).digest()
  return timingSafeEqual(hash(a), hash(b))
}

function passwordOf(req: IncomingMessage): string | undefined {
  const basic = /^Basic ([A-Za-z0-9+/=]{1,400})$/.exec(req.headers.authorization ?? '')?.[1]
  if (basic === undefined) return undefined
  const text = Buffer.from(basic, 'base64').toString('utf8')
  return text.slice(text.indexOf(':') + 1)
}

function passwordIn(body: string): string | undefined {
  const o = parsed(body)
  const p =
    typeof o === 'object' && o !== null && !Array.isArray(o)
      ? (o as { [k: string]: Json })['password']
      : undefined
  return typeof p === 'string' ? p : undefined
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch {
    return text.slice(0, 200)
  }
}

/** Nothing where it is too long. */
function bodyOf(req: IncomingMessage): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = []
    let n = 0
    req.on('data', (b: Buffer) => {
      n += b.length
      if (n <= longestBody) parts.push(b)
    })
    req.on('error', reject)
    req.on('end', () => resolve(n > longestBody ? undefined : Buffer.concat(parts).toString('utf8')))
  })
}
