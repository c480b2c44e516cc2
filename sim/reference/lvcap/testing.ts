/**
 * For tests: runs the platform's programs in this process, in real time, on loopback ports of their own; and listens at
 * the Data Marketplace. Every wait is for an event, with a deadline that only a broken program reaches.
 */
import { EventEmitter } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, type IClientOptions, type MqttClient } from 'mqtt'
import { readFileSync } from 'node:fs'
import { isObject, type Message } from './api.ts'
import type { Json, JsonObject, Proc, Program, ProgramEnv } from './env.ts'

export interface Logged {
  readonly proc: string
  readonly entry: JsonObject
}

export interface TestHost {
  readonly logs: readonly Logged[]
  start(name: string, program: Program): Promise<Proc>
  /** The first log entry, past or to come, that fits. */
  logged(fits: (l: Logged) => boolean, what: string): Promise<Logged>
  /** Ends all that runs, and waits for it. */
  stop(): Promise<void>
}

type Main = (env: ProgramEnv) => Promise<number | void>

/** `load` finds the `main` of an entry; by default the module of that path from the project's root. */
export function testHost(disk: string, load: (entry: string) => Promise<Main> = loadMain): TestHost {
  const logs: Logged[] = []
  const events = new EventEmitter()
  events.setMaxListeners(0)
  const running = new Set<Proc>()
  const tops = new Set<Proc>()

  const begin = async (name: string, program: Program): Promise<Proc> => {
    const abort = new AbortController()
    const children: Proc[] = []
    const env: ProgramEnv = {
      name,
      address: '127.0.0.1',
      disk,
      config: program.config,
      defects: program.defects,
      term: abort.signal,
      log: (entry) => {
        const l = { proc: name, entry: isObject(entry) ? entry : { text: entry } }
        logs.push(l)
        events.emit('log', l)
      },
      start: async (childName, child) => {
        const proc = await begin(childName, child)
        children.push(proc)
        return proc
      },
    }
    const main = await load(program.entry)
    const killed = Promise.withResolvers<string>()
    const ended = Promise.race([
      killed.promise,
      main(env).then(
        (code) => code ?? 0,
        (error: unknown) => {
          env.log({ event: 'threw', text: String(error) })
          return 1
        },
      ),
    ])
    const proc: Proc = {
      name,
      ended,
      signal: (s) => {
        abort.abort()
        // A process of the test cannot be killed inside: it is told to finish, and counts as gone.
        if (s === 'KILL') killed.resolve('KILL')
      },
    }
    running.add(proc)
    void ended.then(() => {
      running.delete(proc)
      tops.delete(proc)
      for (const child of children) child.signal('TERM')
    })
    return proc
  }

  return {
    logs,
    start: async (name, program) => {
      const proc = await begin(name, program)
      tops.add(proc)
      return proc
    },
    logged: (fits, what) => {
      const past = logs.find(fits)
      if (past !== undefined) return Promise.resolve(past)
      return eventually(what, (resolve) => {
        const listener = (l: Logged): void => {
          if (!fits(l)) return
          events.off('log', listener)
          resolve(l)
        }
        events.on('log', listener)
      })
    },
    async stop() {
      // Children are their parents' to end. Last started, first ended.
      for (const p of [...tops].toReversed()) {
        p.signal('TERM')
        await p.ended
      }
      await Promise.all([...running].map((p) => p.ended))
    },
  }
}

async function loadMain(entry: string): Promise<Main> {
  const module: { main: Main } = await import(new URL(`../../../${entry}`, import.meta.url).href)
  return module.main
}

/** A promise with a deadline of 20 s, far beyond what anything here takes. */
export function eventually<T>(what: string, wait: (resolve: (value: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`waited in vain for ${what}`)), 20_000)
    wait((value) => {
      clearTimeout(timer)
      resolve(value)
    })
  })
}

export function tempFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'lvcap-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

/** Configuration of a marketplace on this machine, for these apps and the platform's own parts. */
export function marketplaceConfig(
  pki: string,
  port: number,
  apps: readonly { readonly apid: string; readonly iid: string }[],
  revoked: readonly string[] = [],
): JsonObject {
  return {
    iid: 'eatl_marketplace_00',
    pki,
    address: '127.0.0.1',
    port,
    managerIid: 'eatl_containermanager_00',
    apps: apps.map(({ apid, iid }) => ({ apid, iid })),
    revoked,
  }
}

/** A TCP port that was free a moment ago. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}

export interface Heard {
  readonly topic: string
  /** Parsed; a payload that is no JSON as text. */
  readonly payload: Json
  readonly retain: boolean
  /** ms of performance.now(). */
  readonly at: number
}

export interface Listener {
  readonly client: MqttClient
  readonly heard: readonly Heard[]
  /** The first message, past or to come, that fits. */
  hears(fits: (m: Heard) => boolean, what: string): Promise<Heard>
  publish(message: Pick<Message, 'topic' | 'payload'> & { retain?: boolean }): Promise<void>
  close(): Promise<void>
}

/** Connects as somebody and subscribes to everything. Rejects where it is refused. */
export async function listen(
  pki: string,
  name: string,
  port: number,
  more: IClientOptions = {},
): Promise<Listener> {
  const client = connect(clientOptions(pki, name, port, more))
  const heard: Heard[] = []
  const events = new EventEmitter()
  events.setMaxListeners(0)
  client.on('message', (topic, payload, packet) => {
    const m = { topic, payload: parsed(payload.toString()), retain: packet.retain, at: performance.now() }
    heard.push(m)
    events.emit('message', m)
  })
  await new Promise<void>((resolve, reject) => {
    client.once('connect', () => resolve())
    client.once('error', reject)
    client.once('close', () => reject(new Error('closed')))
  })
  client.on('error', () => {})
  await client.subscribeAsync('#', { qos: 1 })
  return {
    client,
    heard,
    hears: (fits, what) => {
      const past = heard.find(fits)
      if (past !== undefined) return Promise.resolve(past)
      return eventually(what, (resolve) => {
        const listener = (m: Heard): void => {
          if (!fits(m)) return
          events.off('message', listener)
          resolve(m)
        }
        events.on('message', listener)
      })
    },
    publish: async ({ topic, payload, retain }) => {
      await client.publishAsync(topic, JSON.stringify(payload), { qos: 1, retain: retain ?? false })
    },
    close: () => client.endAsync(true),
  }
}

/** Options of a client that shows the certificate `<name>.crt`. */
export function clientOptions(
  pki: string,
  name: string,
  port: number,
  more: IClientOptions = {},
): IClientOptions {
  const options = {
    protocol: 'mqtts' as const,
    host: '127.0.0.1',
    port,
    servername: 'marketplace',
    ca: readFileSync(join(pki, 'ca.crt')),
    cert: readFileSync(join(pki, `${name}.crt`)),
    key: readFileSync(join(pki, `${name}.key`)),
    clientId: name,
    username: name,
    reconnectPeriod: 0,
    ...more,
  }
  return options
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch {
    return text
  }
}
