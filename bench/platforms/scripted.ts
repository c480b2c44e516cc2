/**
 * Scripted apps (sim/apps/scripted): apps that the bench controls and the platform under test runs like any other. Each
 * tells the bench over a line of its own what it meets, and the line's end tells that it is gone. What the platform is
 * owed is thus known without asking the platform.
 */
import { messageOf } from '../../drivers/errors.ts'
import type { Conn, Instant, Json, Wire } from '../../drivers/faces.ts'
import type { AppAction, AppBehaviour, Emit } from '../../sim/faces.ts'
import type { Scripted, ScriptedApp, ScriptedName } from '../faces.ts'

/**
 * What is installed, in this order: certificate name (APID) and instance (IID). `guid` is an app of the old form, whose
 * GUID is both (LV-CAP API 4.2.1). `bare` has no configuration. Identifiers and figures are ours.
 */
export const scriptedApps = {
  first: { apid: 'thirdparty_first_1.0', iid: 'thirdparty_first_01', config: { name: 'first', pulse: 10 } },
  second: {
    apid: 'thirdparty_second_2.1.3',
    iid: 'thirdparty_second_07',
    config: { name: 'second', pulse: 11 },
  },
  third: { apid: 'thirdparty_third_1.0', iid: 'thirdparty_third_99', config: { name: 'third', pulse: 12 } },
  guid: {
    apid: '0ca2eadb-b128-4dff-9bd7-cbb15e21b8b1',
    iid: '0ca2eadb-b128-4dff-9bd7-cbb15e21b8b1',
    config: { name: 'guid', pulse: 13 },
  },
  bare: { apid: 'thirdparty_bare_1.0', iid: 'thirdparty_bare_01', config: null },
} as const satisfies Record<ScriptedName, object>

/** Another version of `first`, which is enrolled too. */
export const scriptedUpdate = 'thirdparty_first_1.1'

const names = Object.keys(scriptedApps) as readonly ScriptedName[]

/** Module that the Container Manager starts for each. */
export const scriptedEntry = 'sim/apps/scripted/main.ts'

/** A status request younger than this when an app is stopped, in ms, does not count as left unanswered. Ours. */
const young = 2_000
/** How long an older line has for its answer when the same app starts again, in ms. Ours. */
const pongWithin = 3_000
/** Longest line, in characters. Ours. */
const longest = 1_000_000

/** One run of an app, from its hello to the end of its line. */
interface Run {
  readonly conn: Conn
  readonly app: App
  readonly n: number
  readonly started: Instant
  /** At its start. */
  readonly behaviour: AppBehaviour
  configured: boolean
  /** Status requests not answered since the last answer, in this run. */
  unanswered: Instant[]
  commanded?: Instant
  said?: { readonly status: Json; readonly at: Instant }
  stopAsked?: Instant
  code?: Json
  over: boolean
}

interface App {
  readonly name: ScriptedName
  readonly iid: string
  behaviour: AppBehaviour
  queue: AppBehaviour[]
  runs: number
  /** Unanswered in the runs before, in a row. */
  before: number
  current: Run | undefined
}

export interface PlayedScripted {
  readonly role: Scripted
}

/** Listens for the apps on a wire, and plays the role. */
export async function playScripted(o: {
  readonly wire: Wire
  readonly now: () => Instant
  readonly emit: Emit
  /** Runs something as the role itself, who owns the lines. */
  readonly run: (f: () => void) => void
}): Promise<PlayedScripted & AsyncDisposable> {
  const apps = new Map<ScriptedName, App>(
    names.map((name) => [
      name,
      {
        name,
        iid: scriptedApps[name].iid,
        behaviour: {},
        queue: [],
        runs: 0,
        before: 0,
        current: undefined,
      },
    ]),
  )
  const byIid = new Map([...apps.values()].map((a) => [a.iid, a]))
  const pings = new Map<number, () => void>()
  let pinged = 0

  const tell = (app: App, event: string, payload: Json): void => {
    o.emit('seen', { alias: `scripted.${app.name}.${event}`, app: app.name, iid: app.iid, payload })
  }
  const order = (run: Run, what: Json): void => {
    if (!run.over) void run.conn.send(Buffer.from(`${JSON.stringify(what)}\n`)).catch(() => undefined)
  }

  /** What led to this moment, for whoever judges it. */
  const story = (run: Run, now: Instant): { readonly [k: string]: Json } => {
    const left = run.unanswered.filter((t) => now - t > young).length
    const since = (t: Instant | undefined): Json => (t === undefined ? null : (now - t) / 1000)
    return {
      run: run.n,
      'up [s]': (now - run.started) / 1000,
      'unanswered [1]': left,
      'unanswered in a row [1]': run.app.before + left,
      'since command [s]': since(run.commanded),
      said: run.said?.status ?? null,
      'since said [s]': since(run.said?.at),
      payloads: run.behaviour.payloads ?? 'full',
    }
  }

  const end = (run: Run, how: 'ended' | 'lost'): void => {
    if (run.over) return
    const now = o.now()
    if (run.stopAsked === undefined) tell(run.app, 'stopped', { by: 'end', ...story(run, now) })
    tell(run.app, how, {
      ...story(run, now),
      code: run.code ?? null,
      'since stop asked [s]': run.stopAsked === undefined ? null : (now - run.stopAsked) / 1000,
    })
    run.over = true
    run.app.before += run.unanswered.filter((t) => now - t > young).length
    if (run.app.current === run) run.app.current = undefined
  }

  /** The same app again while its last line stands: it runs twice, or the last one went without a word (power). */
  const challenge = async (old: Run, fresh: Run): Promise<void> => {
    const n = ++pinged
    const answered = new Promise<boolean>((resolve) => {
      const t = setTimeout(() => resolve(false), pongWithin)
      pings.set(n, () => {
        clearTimeout(t)
        resolve(true)
      })
    })
    order(old, { order: 'ping', n })
    const lives = await answered
    pings.delete(n)
    if (lives && !old.over && !fresh.over) tell(fresh.app, 'twice', { runs: [old.n, fresh.n] })
    else if (!lives) end(old, 'lost')
  }

  const begin = (conn: Conn, iid: string, apid: Json): Run | undefined => {
    const app = byIid.get(iid)
    if (app === undefined) return undefined
    const behaviour = app.queue.shift() ?? app.behaviour
    const run: Run = {
      conn,
      app,
      n: ++app.runs,
      started: o.now(),
      behaviour,
      configured: false,
      unanswered: [],
      over: false,
    }
    const old = app.current
    app.current = run
    tell(app, 'started', { run: run.n, apid, behaviour: behaviour as unknown as Json })
    order(run, { order: 'behave', behaviour: behaviour as unknown as Json })
    if (old !== undefined && !old.over) void challenge(old, run)
    return run
  }

  const hear = (run: Run, event: string, more: { readonly [k: string]: Json }): void => {
    const now = o.now()
    switch (event) {
      case 'pong':
        pings.get(Number(more['n']))?.()
        return
      case 'asked':
        run.unanswered.push(now)
        break
      case 'tells': {
        const status = more['status'] ?? null
        run.said = { status, at: now }
        if (more['as'] !== run.app.iid) break
        // Unknown codes and what is no JSON are no answers (API 8.2.2), nor is the word at a start, unasked.
        if ((status === 1 || status === 5) && run.unanswered.length > 0) {
          run.app.before = 0
          run.unanswered = []
        }
        break
      }
      case 'configured': {
        run.configured = more['config'] !== null
        // How many of them run at this moment, each with a configuration.
        const running = [...apps.values()].filter((a) => a.current?.configured === true).length
        tell(run.app, event, { run: run.n, ...more, 'running together [1]': running })
        return
      }
      case 'commanded':
        if (more['command'] === 1) run.commanded ??= now
        break
      case 'stop-asked':
        run.stopAsked ??= now
        tell(run.app, 'stopped', { by: 'stop', ...story(run, now) })
        return
      case 'ending':
        run.code = more['code'] ?? null
        return
      default:
    }
    tell(run.app, event, { run: run.n, ...more })
  }

  const accept = (conn: Conn): void => {
    let run: Run | undefined
    let text = ''
    const decoder = new TextDecoder()
    const take = (line: string): void => {
      let body: { readonly [k: string]: Json }
      try {
        body = JSON.parse(line) as { readonly [k: string]: Json }
        if (typeof body !== 'object' || body === null) throw new Error('no object')
      } catch (e) {
        o.emit('note', { what: 'a scripted app said what is no report', why: messageOf(e) })
        return
      }
      const { event, ...more } = body
      if (run !== undefined) hear(run, typeof event === 'string' ? event : 'unknown', more)
      else if (event === 'started' && typeof more['iid'] === 'string')
        run = begin(conn, more['iid'], more['apid'] ?? null)
      if (run === undefined) conn.end('fin')
    }
    conn.onBytes((bytes) => {
      text += decoder.decode(bytes, { stream: true })
      for (let i = text.indexOf('\n'); i >= 0; i = text.indexOf('\n')) {
        const line = text.slice(0, i)
        text = text.slice(i + 1)
        take(line)
      }
      if (text.length > longest) conn.end('rst')
    })
    conn.onEnd(() => {
      if (run !== undefined) end(run, 'ended')
    })
  }

  const port = await o.wire.open(accept)
  const appOf = (name: ScriptedName): App => {
    const app = apps.get(name)
    if (app === undefined) throw new TypeError(`there is no scripted app '${name}'`)
    return app
  }
  const face = (name: ScriptedName): ScriptedApp => {
    const app = appOf(name)
    return {
      name,
      iid: app.iid,
      saw: (event) => sawBy(name, event),
      behave(now, ...next) {
        o.emit('sent', {
          alias: `scripted.${name}.behave`,
          payload: { now, next } as unknown as Json,
        })
        app.behaviour = now
        app.queue = [...next]
        const run = app.current
        if (run !== undefined) o.run(() => order(run, { order: 'behave', behaviour: now as unknown as Json }))
      },
      act(action: AppAction) {
        o.emit('sent', { alias: `scripted.${name}.act`, payload: action as unknown as Json })
        const run = app.current
        if (run !== undefined) o.run(() => order(run, { order: 'act', action: action as unknown as Json }))
      },
    }
  }
  return {
    role: { app: face, all: names.map((n) => face(n)), saw: (event) => sawBy('*', event) },
    async [Symbol.asyncDispose]() {
      await port[Symbol.asyncDispose]()
    },
  }
}

/** The series of an event of one app, or of all (`*`). */
export function sawBy(name: ScriptedName | '*', event: string): ReturnType<Scripted['saw']> {
  return { src: 'scripted', kind: 'seen', select: `scripted.${name}.${event}` }
}

/** Scripted apps that do nothing, for rehearsals. */
export function idleScripted(): Scripted {
  const face = (name: ScriptedName): ScriptedApp => ({
    name,
    iid: scriptedApps[name].iid,
    saw: (event) => sawBy(name, event),
    behave: () => undefined,
    act: () => undefined,
  })
  return { app: face, all: names.map((n) => face(n)), saw: (event) => sawBy('*', event) }
}
