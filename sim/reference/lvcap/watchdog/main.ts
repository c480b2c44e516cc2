/**
 * The watchdogs of the device, as the firmware of a small controller on hardware of its own. The computer feeds it over the
 * inner network; the router is asked for its page, and somebody beyond it whether anything passes. Whoever is silent for too
 * long is reset by his power (relay: `POST /cycle`; `GET /` tells `{"on", "for [s]"}`).
 *
 * A sign of life is a line `alive` and whatever else stands behind it. Nothing is ever answered.
 */
import { request } from 'node:http'
import { createServer, type Server, type Socket } from 'node:net'
import { parseObject } from '../api.ts'
import { parseConfig } from '../config.ts'
import { aborted, type Json, type ProgramEnv } from '../env.ts'
import { LvcapError, textOf } from '../errors.ts'
import { watchdogSchema, type Place, type WatchdogConfig } from './config.ts'
import { initial, step, type Effect, type Input, type Policy, type State } from './machine.ts'

/** The watchdog in parts. */
export interface WatchdogParts {
  policy(config: WatchdogConfig): Policy
  decide(state: State, input: Input, now: number, policy: Policy): readonly [State, readonly Effect[]]
  /** Whether a line on the computer's connection is a sign of life. */
  isLife(line: string): boolean
  /** Whether somebody answers at all; any answer will do. */
  answers(place: Place): Promise<boolean>
  /** How a supply stands; throws where its relay does not tell. */
  supply(relay: Place): Promise<{ readonly on: boolean; readonly forMs: number }>
  /** Takes somebody's power for a moment. Throws where the relay does not say that it does. */
  pull(relay: Place): Promise<void>
}

/** How often it looks at its clock, ms; how long an answer may take, ms; how long a line may be, and how many may be connected. Ours. */
const lookEvery = 1_000
const answerWithin = 4_000
const longestLine = 200
const longestAnswer = 4_096
const mostConnections = 4

export function parts(_config: Json): WatchdogParts {
  return {
    policy: ({ computer, router, most }) => ({
      computer: { silence: computer.silence * 1_000, boot: computer.boot * 1_000 },
      router: { silence: router.silence * 1_000, boot: router.boot * 1_000, link: router.link * 1_000 },
      most: most * 1_000,
    }),
    decide: step,
    isLife: (line) => /^alive(?: |$)/.test(line),
    async answers(place) {
      try {
        await ask(place, 'GET', '/')
        return true
      } catch {
        return false
      }
    },
    async supply(relay) {
      const said = parseObject(Buffer.from((await ask(relay, 'GET', '/')).body))
      const on = said?.['on']
      const lasted = said?.['for [s]']
      if (typeof on !== 'boolean' || typeof lasted !== 'number' || !(lasted >= 0))
        throw new LvcapError('link', `The relay at ${relay.address}:${relay.port} says what it should not.`)
      return { on, forMs: lasted * 1_000 }
    },
    async pull(relay) {
      const { status } = await ask(relay, 'POST', '/cycle')
      if (status !== 202)
        throw new LvcapError(
          'link',
          `The relay at ${relay.address}:${relay.port} answered ${status} to a reset.`,
        )
    },
  }
}

export async function main(env: ProgramEnv): Promise<number> {
  return run(parts(env.config), env)
}

/** Watches until `env.term`; 0 then, 1 if its port cannot be had. */
export async function run(p: WatchdogParts, env: ProgramEnv): Promise<number> {
  const config = parseConfig(watchdogSchema, env.config, 'the configuration of the watchdog')
  const policy = p.policy(config)
  const { computer, router } = config
  let state = initial(performance.now())

  const take = (input: Input): void => {
    const [next, effects] = p.decide(state, input, performance.now(), policy)
    state = next
    for (const effect of effects) perform(effect)
  }
  const perform = (effect: Effect): void => {
    if (effect.do === 'log') env.log(effect.entry)
    else if (effect.do === 'look') void look()
    else
      p.pull(effect.of === 'computer' ? computer.relay : router.relay).catch((error: unknown) =>
        env.log({ event: 'trouble', text: `The ${effect.of} was not reset: ${textOf(error)}` }),
      )
  }
  const look = async (): Promise<void> => {
    try {
      const { on, forMs } = await p.supply(computer.relay)
      take({ kind: 'supply', state: on ? 'on' : 'off', forMs })
    } catch {
      take({ kind: 'supply', state: 'unknown', forMs: 0 })
    }
  }
  const probe = async (place: Place, kind: 'page' | 'beyond'): Promise<void> => {
    if (await p.answers(place)) take({ kind })
  }

  const feeding = listen(p, env.address, config, () => take({ kind: 'fed' }))
  const failed = await feeding.listening
  if (failed !== undefined) {
    env.log({ event: 'failed', text: `Cannot listen: ${textOf(failed)}` })
    return 1
  }
  const timers = [
    setInterval(() => take({ kind: 'tick' }), lookEvery),
    setInterval(() => void probe(router.page, 'page'), router.every * 1_000),
    setInterval(() => void probe(router.beyond, 'beyond'), router.reach * 1_000),
  ]
  await aborted(env.term)
  for (const t of timers) clearInterval(t)
  feeding.close()
  return 0
}

/** Where the computer feeds. Whoever else connects is not heard; of the computer's connections the last few stay. */
function listen(
  p: WatchdogParts,
  address: string,
  config: WatchdogConfig,
  fed: () => void,
): { readonly listening: Promise<Error | undefined>; close(): void } {
  const open: Socket[] = []
  const server: Server = createServer((socket) => {
    socket.on('error', () => {})
    if (!isFrom(socket, config.computer.address)) {
      socket.destroy()
      return
    }
    open.push(socket)
    // A computer that hangs leaves its connection standing.
    if (open.length > mostConnections) open.shift()?.destroy()
    let rest = ''
    socket.setEncoding('latin1')
    socket.on('data', (text: string) => {
      const lines = (rest + text).split('\n')
      rest = (lines.pop() ?? '').slice(0, longestLine)
      if (lines.some((line) => p.isLife(line))) fed()
    })
    socket.on('close', () => {
      const at = open.indexOf(socket)
      if (at >= 0) open.splice(at, 1)
    })
  })
  const listening = new Promise<Error | undefined>((resolve) => {
    server.once('error', resolve)
    server.listen(config.port, address, () => resolve(undefined))
  })
  return {
    listening,
    close() {
      server.close()
      for (const socket of open) socket.destroy()
    },
  }
}

/** IPv4 addresses may come as mapped into IPv6 (RFC 4291, section 2.5.5.2). */
function isFrom(socket: Socket, address: string): boolean {
  return socket.remoteAddress?.replace(/^::ffff:/, '') === address
}

/** One question by HTTP. @throws LvcapError `link` where no whole answer comes in time. */
function ask(
  place: Place,
  method: 'GET' | 'POST',
  path: string,
): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve, reject) => {
    const lost = (why: string): void =>
      reject(new LvcapError('link', `${place.address}:${place.port} does not answer: ${why}`))
    const req = request({ host: place.address, port: place.port, method, path, agent: false }, (res) => {
      let body = ''
      res.setEncoding('latin1')
      res.on('data', (text: string) => {
        if (body.length < longestAnswer) body += text
      })
      res.on('error', (error) => lost(textOf(error)))
      res.on('end', () => {
        clearTimeout(late)
        resolve({ status: res.statusCode ?? 0, body })
      })
    })
    const late = setTimeout(() => {
      req.destroy()
      lost('no answer in time')
    }, answerWithin)
    req.on('error', (error) => {
      clearTimeout(late)
      lost(textOf(error))
    })
    req.end()
  })
}
