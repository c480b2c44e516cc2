/** The work of `gridproof sim link`. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { GridproofError, messageOf } from '../../drivers/errors.ts'
import type { Json } from '../../drivers/faces.ts'
import { streams } from '../../drivers/random.ts'
import { benchNow } from '../../drivers/real/clock.ts'
import { createProxy, type Proxy } from '../../drivers/real/proxy.ts'
import { duration } from '../../drivers/units.ts'
import type { PlayedLinkModel } from '../../sim/faces.ts'
import { makeLink } from '../../sim/link/make.ts'
import { wordsOf } from '../main/alone/words.ts'
import { exitCodes } from '../verdicts/exit-code.ts'
import { hostAndPort } from './door.ts'
import { onStop } from './on-stop.ts'
import type { LinkCommandOptions } from './sim-link.ts'

const help = `drop <duration>                       no carrier for so long
profile <name>                        from now on it behaves like this
fault <name> [parameter=value ...]    a fault; for=10s lifts it by itself
lift [<id>]                           one fault, or all of them
faults                                what there is, and what is in force
counters                              bytes by direction
help, quit`

/** Performs the command and returns its exit code. */
export async function performLink(o: LinkCommandOptions): Promise<number> {
  const listen = hostAndPort(o.listen)
  const to = hostAndPort(o.to)
  if (to.port === 0) throw new GridproofError('usage', '--to needs the port of a server')
  const everyMs = duration(o.every)
  const forMs = o.for === undefined ? undefined : duration(o.for)
  if (everyMs < 100 || everyMs > 2 ** 31 - 1 || (forMs ?? 0) > 2 ** 31 - 1)
    throw new GridproofError('usage', '--every and --for take 100 ms to 24 d')
  const began = benchNow()
  const random = streams(o.seed)
  const model = makeLink({ profile: here(o.profile), random: (s) => random(`link/${s}`), began })
  const put = (text: string): void => void process.stdout.write(`${text}\n`)
  const { promise: stopped, resolve: stop } = Promise.withResolvers<number>()
  let asked = false
  const forget = onStop(() => {
    if (asked) process.exit(exitCodes.aborted)
    asked = true
    stop(exitCodes.aborted)
  })
  const tell = (what: Readonly<Record<string, Json>>): void => {
    if (o.json === true) put(JSON.stringify({ 'after [s]': (benchNow() - began) / 1000, ...what }))
    else put(`${((benchNow() - began) / 1000).toFixed(3)} s  ${textOf(what)}`)
  }
  const timers: NodeJS.Timeout[] = []
  let console: { close(): void } | undefined
  try {
    await using proxy = createProxy({ name: 'link', model, onTell: tell })
    const at = await proxy.open({
      peer: 'server',
      listen: { address: listen.host, port: listen.port },
      to: { address: to.host, port: to.port },
    })
    const place = `${at.address.includes(':') ? `[${at.address}]` : at.address}:${at.port}`
    if (o.json === true) put(JSON.stringify({ what: 'ready', place }))
    else
      put(
        `A link like ${o.profile} from ${place} to ${o.to}${o.console ? '. Type help;' : ';'} Ctrl-C ends it.`,
      )
    const line = commands(proxy, model, stop)
    for (const l of o.do) {
      const said = line(l)
      if (said !== '' && o.json !== true) put(said)
    }
    if (o.console) console = readLines(line, put)
    timers.push(
      setInterval(() => {
        if (o.json === true) tell({ what: 'figures', ...figures(model) })
        else if (proxy.connections > 0) put(`${figuresText(model)}; ${proxy.connections} connected`)
      }, everyMs),
    )
    if (forMs !== undefined) timers.push(setTimeout(() => stop(exitCodes.ok), forMs))
    const code = await stopped
    if (o.json === true) tell({ what: 'figures', ...figures(model) })
    else put(`It ended. ${figuresText(model)}`)
    return code
  } finally {
    for (const t of timers) clearTimeout(t)
    console?.close()
    forget()
  }
}

const figures = (m: PlayedLinkModel): { readonly [k: string]: Json } =>
  m.counters(benchNow()) as unknown as { readonly [k: string]: Json }

function figuresText(m: PlayedLinkModel): string {
  const c = m.counters(benchNow())
  const server = c.peers['server']
  const one = (way: 'up' | 'down'): string => {
    const b = server?.[way]
    if (b === undefined) return `${way} 0 B`
    const odd = [
      ...(b['resent [B]'] > 0 ? [`${b['resent [B]']} sent again`] : []),
      ...(b['lost [B]'] > 0 ? [`${b['lost [B]']} lost`] : []),
      ...(b['offered [B]'] > b['passed [B]'] + b['lost [B]']
        ? [`${b['offered [B]'] - b['passed [B]'] - b['lost [B]']} held`]
        : []),
    ]
    return `${way} ${b['passed [B]']} B${odd.length > 0 ? ` (${odd.join(', ')})` : ''}`
  }
  return `${one('up')}, ${one('down')}, ${c['carrier drops [1]']} drops, ${c['down [s]'].toFixed(1)} s without carrier`
}

/** What happened, for a person. */
function textOf(what: Readonly<Record<string, Json>>): string {
  const { alias, ...rest } = what
  const shown = Object.entries(rest).map(
    ([k, v]) => `${k} ${typeof v === 'object' ? JSON.stringify(v) : String(v)}`,
  )
  return `${typeof alias === 'string' ? alias.replace('link.', '') : 'link'}: ${shown.join(', ')}`
}

/** Does what a line says; what there is to answer. Throws where it cannot be done. */
function commands(proxy: Proxy, model: PlayedLinkModel, stop: (code: number) => void): (l: string) => string {
  const inForce = new Map<string, string>()
  let count = 0
  const lift = (id: string): void => {
    if (!inForce.delete(id)) throw new GridproofError('no-such', `no fault '${id}' is in force`)
    proxy.order({ do: 'lift', id })
  }
  return (text) => {
    const { plain, named } = wordsOf(text)
    const [verb, ...rest] = plain
    switch (verb) {
      case undefined:
        return ''
      case 'help':
        return help
      case 'quit':
      case 'exit':
        stop(exitCodes.ok)
        return ''
      case 'drop':
        proxy.order({ do: 'drop', for: rest.join(' ') })
        return ''
      case 'profile':
        proxy.order({ do: 'profile', name: here(rest[0] ?? '') })
        return ''
      case 'fault': {
        const name = rest[0] ?? ''
        const id = `${name}#${++count}`
        proxy.order({ do: 'inflict', id, fault: name, params: named })
        inForce.set(id, name)
        return `${id} is in force`
      }
      case 'lift':
        for (const id of rest.length === 0 ? inForce.keys() : rest) lift(id)
        return ''
      case 'faults':
        return `there are: ${model.faults.join(', ')}; in force: ${[...inForce.keys()].join(', ') || 'none'}`
      case 'counters':
        return figuresText(model)
      default:
        throw new GridproofError('usage', `'${verb}' is no command; type help`)
    }
  }
}

/** A path as whoever types it means it: from where he stands. */
function here(name: string): string {
  return (name.includes('/') || name.endsWith('.yaml')) && existsSync(name) ? resolve(name) : name
}

/** Longest line that is taken for a command, in characters. Ours. */
const longestLine = 10_000

function readLines(line: (l: string) => string, put: (text: string) => void): { close(): void } {
  const complain = (e: unknown): void =>
    void process.stderr.write(
      `${e instanceof GridproofError ? e.message : `a fault of the bench itself: ${messageOf(e)}`}\n`,
    )
  let rest = ''
  process.stdin.setEncoding('utf8')
  process.stdin.on('data', (text: string) => {
    const lines = (rest + text).split(/\r?\n/)
    rest = lines.pop() ?? ''
    if (rest.length > longestLine) {
      rest = ''
      complain(new GridproofError('usage', `a line of more than ${longestLine} characters is no command`))
      process.stdin.pause()
    }
    for (const l of lines) {
      try {
        const said = line(l)
        if (said !== '') put(said)
      } catch (e) {
        complain(e)
      }
    }
  })
  process.stdin.on('error', () => undefined)
  return {
    close: () => void process.stdin.destroy(),
  }
}
