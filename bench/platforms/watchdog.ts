/**
 * What the watchdogs of a site have in hand and are judged by (OpenLV I:0017, S:001, W:001): the relay in the computer's
 * supply, which they pull and which tells how that stands; somebody beyond the link who always answers; and a computer that
 * can be made to hang. The watchdog itself is the product's: a program on a host of its own.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { z } from 'zod'
import { GridproofError, messageOf } from '../../drivers/errors.ts'
import type { Host, Instant, Json, Proc, Realm } from '../../drivers/faces.ts'
import { duration } from '../../drivers/units.ts'
import type { Emit, Fault } from '../../sim/faces.ts'
import type { Series, Watchdog } from '../faces.ts'
import type { PlayedLink } from './link.ts'
import type { PlayedMains } from './mains.ts'

export interface WatchdogOptions {
  /** The hardware of the watchdog itself. */
  readonly host: Host
  /** At which the computer feeds it. */
  readonly port: number
  readonly relay: Realm
  readonly beyond: Realm
  readonly link: PlayedLink
  readonly mains: PlayedMains
  readonly defects: readonly string[]
  now(): Instant
  emitAs(src: string): Emit
}

export type PlayedWatchdog = Watchdog &
  AsyncDisposable & {
    /** What the platform is told of it. */
    readonly feed: { readonly address: string; readonly port: number }
    /** Starts it beside a computer; disposed, it ends. */
    begin(computer: Host): Promise<AsyncDisposable>
    /** An event of the mains: power of the computer goes, or comes. */
    see(data: Json): void
    /** Somebody takes the computer's power for so long, by the same relay. */
    cycle(off: string): Promise<void>
  }

/** What stands in the evidence when a watchdog resets the computer. */
export const watchdogEvents: Series = { src: 'watchdog', kind: 'host', select: 'watchdog.*' }

/** How long the relay takes the power of the computer, and how long its end is waited for, ms. Ours. */
const off = '2 s'
const patience = 5_000

const paramsOf = {
  hang: z.strictObject({ what: z.enum(['computer', 'marketplace']).default('computer') }).prefault({}),
  'slow-boot': z.strictObject({ for: z.string() }),
} as const
type FaultName = keyof typeof paramsOf

export async function playWatchdog(o: WatchdogOptions): Promise<PlayedWatchdog> {
  const { host, link, mains } = o
  const emit = o.emitAs('watchdog')
  let computer: Host | undefined
  let power: { readonly on: boolean; readonly since: Instant } = { on: true, since: o.now() }
  let cycling = false
  let slow = 0
  let count = 0
  /** What hangs: only its power helps. */
  const hung = new Map<string, { readonly params: Json; readonly cause: number }>()

  const wait = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      setTimeout(resolve, ms)
    })
  const cycle = async (lasts: string): Promise<void> => {
    // A relay makes no power where there is none.
    if (cycling || !power.on) return
    cycling = true
    try {
      await mains.cut()
      await wait(duration(lasts))
      power = { on: true, since: o.now() }
      // It has power, and nothing comes of it yet.
      if (slow > 0) {
        emit('host', { alias: 'watchdog.boots', what: `the computer takes ${slow / 1000} s longer to boot` })
        await wait(slow)
      }
      await mains.restore()
    } finally {
      cycling = false
    }
  }

  const relay = await serve(o.relay, (req, res) => {
    if (req.method === 'POST' && req.url === '/cycle') {
      emit('host', {
        alias: 'watchdog.reset',
        what: 'the watchdog takes the power of the computer',
        resets: 'computer',
      })
      res.writeHead(202).end()
      cycle(off).catch(
        (e: unknown) => void emit('note', { what: 'trouble at the relay', text: messageOf(e) }),
      )
      return
    }
    if (req.method === 'GET' && req.url === '/') {
      res.writeHead(200, { 'content-type': 'application/json' })
      res.end(JSON.stringify({ on: power.on, 'for [s]': (o.now() - power.since) / 1000 }))
      return
    }
    res.writeHead(404).end()
  })
  const beyond = await serve(o.beyond, (_req, res) => {
    res.writeHead(204).end()
  })
  link.share(host.address)
  const outside = await link.reach({ name: 'beyond', address: o.beyond.address, port: portOf(beyond) })

  const log = o.emitAs('log')
  const defect = o.emitAs('defect')
  host.onLog((name, entry) => {
    const named = typeof entry === 'object' && entry !== null && 'event' in entry ? entry['event'] : undefined
    const event = typeof named === 'string' ? named : 'line'
    if (event === 'defect') defect('note', { ...(entry as { [k: string]: Json }), proc: name })
    else log('seen', { alias: `log.${event}`, payload: entry, proc: name })
  })

  const hang = (params: Json): Fault => {
    const { what } = paramsOf.hang.parse(params)
    if (computer === undefined || !computer.can.has('hang'))
      throw new GridproofError('not-capable', 'the computer of this rig cannot be made to hang')
    // Whoever hangs already hangs no less.
    if (hung.size === 0 && !computer.hang(what === 'computer' ? undefined : what))
      throw new GridproofError('no-such', `nothing of the computer runs that could hang: ${what}`)
    const id = `watchdog/hang#${++count}`
    const cause = emit('fault', { phase: 'on', id, name: 'hang', params: { what } })
    hung.set(id, { params: { what }, cause })
    return {
      id,
      params: { what },
      lift() {
        // Somebody had to go there.
        if (!hung.has(id)) return
        emit('note', { what: 'the computer still hangs: its power is taken by hand' })
        cycle(off).catch((e: unknown) => void emit('note', { what: `it did not come up: ${messageOf(e)}` }))
      },
    }
  }
  const slowBoot = (params: Json): Fault => {
    const ms = duration(paramsOf['slow-boot'].parse(params).for)
    const id = `watchdog/slow-boot#${++count}`
    const cause = emit('fault', { phase: 'on', id, name: 'slow-boot', params })
    slow = ms
    let lifted = false
    return {
      id,
      params,
      lift() {
        if (lifted) return
        lifted = true
        slow = 0
        emit('fault', { phase: 'lifted', id, name: 'slow-boot', params }, { cause })
      },
    }
  }

  return {
    faults: Object.keys(paramsOf),
    events: watchdogEvents,
    inflict(name, params = {}) {
      if (!(name in paramsOf))
        throw new GridproofError(
          'no-such',
          `the computer has no fault '${name}'; there are: ${Object.keys(paramsOf).join(', ')}`,
        )
      const given = paramsOf[name as FaultName].safeParse(params)
      if (!given.success)
        throw new GridproofError('bad-value', `the fault '${name}': ${z.prettifyError(given.error)}`)
      return name === 'hang' ? hang(params) : slowBoot(params)
    },
    feed: { address: host.address, port: o.port },
    cycle,
    see(data) {
      const { alias, host: of } = (data ?? {}) as { readonly [k: string]: Json }
      if (computer === undefined || of !== computer.name) return
      if (alias === 'mains.cut') {
        power = { on: false, since: o.now() }
        for (const [id, f] of hung)
          emit('fault', { phase: 'lifted', id, name: 'hang', params: f.params }, { cause: f.cause })
        hung.clear()
      }
      if (alias === 'mains.restored' && !power.on) power = { on: true, since: o.now() }
    },
    async begin(of) {
      computer = of
      power = { on: true, since: o.now() }
      const proc: Proc = await host.start('watchdog', {
        entry: 'sim/defects/launch.ts',
        config: {
          app: 'sim/reference/lvcap/watchdog/main.ts',
          config: {
            port: o.port,
            computer: {
              address: of.address,
              relay: { address: o.relay.address, port: portOf(relay) },
            },
            router: {
              page: { address: link.router.address, port: link.router.port },
              relay: { ...link.outlet },
              beyond: { ...outside },
            },
          },
        },
        defects: o.defects,
      })
      void proc.ended.then((how) => emit('host', { what: 'the watchdog ended', how }))
      return {
        async [Symbol.asyncDispose]() {
          proc.signal('TERM')
          const late = setTimeout(() => proc.signal('KILL'), patience)
          await proc.ended
          clearTimeout(late)
        },
      }
    },
    async [Symbol.asyncDispose]() {
      for (const [realm, server] of [
        [o.relay, relay],
        [o.beyond, beyond],
      ] as const)
        await realm.run(
          () =>
            new Promise<void>((done) => {
              server.close(() => done())
              server.closeAllConnections()
            }),
        )
    },
  }
}

/** A small server of the site on a port of its own. */
function serve(realm: Realm, answer: (req: IncomingMessage, res: ServerResponse) => void): Promise<Server> {
  return realm.run(
    () =>
      new Promise<Server>((resolve, reject) => {
        const server = createServer((req, res) => {
          // Its clock is none of the bench's.
          res.sendDate = false
          req.resume()
          answer(req, res)
        })
        server.on('connection', (s) => s.on('error', () => undefined))
        server.once('error', (e) =>
          reject(
            new GridproofError(
              'rig-lacks',
              `the relay of the watchdog cannot listen at ${realm.address}: ${messageOf(e)}`,
              { cause: e },
            ),
          ),
        )
        server.listen({ host: realm.address, port: 0 }, () => resolve(server))
      }),
  )
}

const portOf = (s: Server): number => (s.address() as AddressInfo).port

/** A watchdog that has nothing to do, for a scenario that is tried on paper. */
export function idleWatchdog(): Watchdog {
  return {
    faults: Object.keys(paramsOf),
    events: watchdogEvents,
    inflict: (_, params = null) => ({ id: 'rehearsal', params, lift: () => undefined }),
  }
}
