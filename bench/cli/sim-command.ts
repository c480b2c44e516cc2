/** The work of `gridproof sim`. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import type { Interface } from 'node:readline'
import { GridproofError, messageOf } from '../../drivers/errors.ts'
import type { Json } from '../../drivers/faces.ts'
import { duration } from '../../drivers/units.ts'
import { aloneKinds } from '../main/alone/kinds.ts'
import type { AloneKind, AloneOptions } from '../main/alone/kinds.ts'
import { createTeller } from '../main/alone/tell.ts'
import { play } from '../main/alone/play.ts'
import type { Door, News, Played } from '../main/alone/play.ts'
import { wordsOf } from '../main/alone/words.ts'
import { checkLoad } from '../main/devices.ts'
import { readLoad } from '../main/plan.ts'
import { nearest } from '../scenario/load.ts'
import { exitCodes } from '../verdicts/exit-code.ts'
import { doorGiven, doorText } from './door.ts'
import { onStop } from './on-stop.ts'
import type { SimCommandOptions } from './sim.ts'

/** Performs the command and returns its exit code. */
export async function performSim(name: string, o: SimCommandOptions): Promise<number> {
  if (name === '')
    throw new GridproofError('usage', `which device? there are: ${Object.keys(aloneKinds).join(', ')}`)
  const kind = Object.hasOwn(aloneKinds, name) ? aloneKinds[name] : undefined
  if (kind === undefined)
    throw new GridproofError('no-such', `device ${nearest(name, Object.keys(aloneKinds))}`)
  const door = doorOf(name, kind, o)
  const options = optionsOf(name, kind, o)
  const forMs = o.for === undefined ? undefined : duration(o.for)
  if (forMs !== undefined && forMs > 2 ** 31 - 1)
    throw new GridproofError('usage', `--for takes at most 24 d; leave it out to play until Ctrl-C`)
  for (const line of o.do) wordsOf(line)
  if (o.dryRun === true) {
    await kind.make(options)[Symbol.asyncDispose]()
    process.stdout.write(
      `${name}: ${kind.says}; would ${verb(kind)} ${doorText(door)}${unitText(kind, options)}\n`,
    )
    return exitCodes.ok
  }

  const show = createShow(o)
  const { promise: stopped, resolve: stop } = Promise.withResolvers<number>()
  let asked = false
  const forget = onStop(() => {
    if (asked) process.exit(exitCodes.aborted)
    asked = true
    stop(exitCodes.aborted)
  })
  const played = await play({
    name: `${name}/${door.kind === 'tcp' ? 'tcp' : 'serial'}`,
    kind,
    options,
    door,
    seed: o.seed,
    onNews: (n) => show.news(n),
  }).catch((e: unknown) => {
    forget()
    throw e
  })
  let timer: NodeJS.Timeout | undefined
  let console: { close(): void } | undefined
  let code: number = exitCodes.benchFault
  try {
    show.ready(played, `${name} (${kind.says}) ${verb(kind)}s at ${played.place}${unitText(kind, options)}.`)
    for (const line of o.do) show.reply(played.console.line(line))
    if (o.console) console = readConsole(played, show, stop)
    if (forMs !== undefined) timer = setTimeout(() => stop(exitCodes.ok), forMs)
    code = played.console.over ? exitCodes.ok : await stopped
  } finally {
    clearTimeout(timer)
    console?.close()
    show.close()
    await played[Symbol.asyncDispose]()
    forget()
  }
  if (o.json !== true)
    process.stdout.write(
      kind.speaks === 'lists'
        ? `${name} ended; it sent ${played.asked()} lists.\n`
        : `${name} ended; it was asked ${played.asked()} times.\n`,
    )
  return code
}

const verb = (kind: AloneKind): string => (kind.speaks === 'lists' ? 'talk' : 'answer')

function doorOf(name: string, kind: AloneKind, o: SimCommandOptions): Door {
  const fit = kind.wires
    .map((w) => (w === 'tcp' ? '--tcp host:port' : '--port /dev/... or --pty'))
    .join(' or ')
  return doorGiven(
    o,
    (d) => kind.wires.includes(d.kind === 'tcp' ? 'tcp' : 'serial'),
    `${name} is reached by ${fit}`,
  )
}

function unitText(kind: AloneKind, o: AloneOptions): string {
  const units = kind.units(o)
  return units.length === 0 ? '' : `, unit ${units.join(' and ')}`
}

/** Throws `usage` for an option that this device has not. */
function optionsOf(name: string, kind: AloneKind, o: SimCommandOptions): AloneOptions {
  for (const k of ['personality', 'load'] as const)
    if (o[k] !== undefined && !kind.takes.includes(k))
      throw new GridproofError('usage', `${name} has no --${k}`)
  const load = o.load === undefined ? undefined : readLoad(o.load)
  if (load !== undefined) checkLoad(load)
  return {
    ...(o.personality === undefined ? {} : { personality: here(o.personality) }),
    ...(load === undefined ? {} : { load: { ...load } }),
  }
}

/** A path as whoever types it means it: from where he stands. */
function here(name: string): string {
  return (name.includes('/') || name.endsWith('.yaml')) && existsSync(name) ? resolve(name) : name
}

interface Show {
  ready(played: Played, text: string): void
  reply(text: string): void
  complaint(e: unknown): void
  news(n: News): void
  /** Lines of the console are typed here; what is told meanwhile goes above them. */
  prompt(rl: Interface | undefined): void
  close(): void
}

function createShow(o: SimCommandOptions): Show {
  let rl: Interface | undefined
  const put = (text: string, to: NodeJS.WriteStream = process.stdout): void => {
    if (rl === undefined) {
      to.write(`${text}\n`)
      return
    }
    process.stdout.write('\r\u001b[K')
    to.write(`${text}\n`)
    rl.prompt(true)
  }
  const json = (what: Json): void => put(JSON.stringify(what))
  const teller = createTeller((text) => put(text))
  return {
    ready(played, text) {
      if (o.json === true) json({ what: 'ready', place: played.place })
      else {
        put(text)
        put(o.console ? 'Type help; Ctrl-C ends it.' : 'Ctrl-C ends it.')
      }
    },
    reply(text) {
      if (text !== '') put(text, o.json === true ? process.stderr : process.stdout)
    },
    complaint(e) {
      put(
        e instanceof GridproofError ? e.message : `a fault of the bench itself: ${messageOf(e)}`,
        process.stderr,
      )
    },
    news(n) {
      if (n.what === 'trouble') put(n.text, process.stderr)
      else if (o.quiet === true) return
      else if (o.json === true) json(n as unknown as Json)
      else teller.tell(n)
    },
    prompt(r) {
      rl = r
      rl?.prompt(true)
    },
    close() {
      teller.close()
      if (rl !== undefined) process.stdout.write('\r\u001b[K')
      rl = undefined
    },
  }
}

/** Reads commands: at a terminal with a prompt, whose end (Ctrl-D) ends the device; else to the end of what is piped. */
function readConsole(played: Played, show: Show, stop: (code: number) => void): { close(): void } {
  const tty = process.stdin.isTTY && process.stdout.isTTY
  const rl = createInterface({
    input: process.stdin,
    ...(tty ? { output: process.stdout } : {}),
    terminal: tty,
    prompt: '> ',
  })
  let open = true
  rl.on('line', (line) => {
    if (!open) return
    try {
      show.reply(played.console.line(line))
    } catch (e) {
      show.complaint(e)
    }
    if (played.console.over) stop(exitCodes.ok)
    else if (tty) rl.prompt()
  })
  rl.on('SIGINT', () => process.emit('SIGINT'))
  rl.on('close', () => {
    if (open && tty) stop(exitCodes.ok)
  })
  // A terminal that is gone tells so by SIGHUP too.
  process.stdin.on('error', () => rl.close())
  if (tty) show.prompt(rl)
  return {
    close() {
      open = false
      rl.close()
      // Else a pipe or terminal that stays open would keep the process.
      process.stdin.destroy()
    },
  }
}
