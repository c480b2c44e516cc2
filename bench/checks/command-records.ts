/** What the platform keeps of each command to a breaker (OpenLV M:0031 to M:0033, M:0037, I:0077, I:0078). */
import type { Instant, Json } from '../../drivers/faces.ts'
import { duration, durationText } from '../../drivers/units.ts'
import { matcher } from '../evidence/series.ts'
import type { Check, Event, Series } from '../faces.ts'
import { type CheckOptions, type Offences, type Watch, checkOf, into, offences } from './check.ts'
import {
  Breakers,
  commandReader,
  concluded,
  phaseIn,
  phases,
  type BreakersOptions,
  type Command,
  type Phase,
} from './commands.ts'
import { channelOf, field, objectOf, textOf } from './scalar.ts'

export interface RecordsCommandsOptions extends CheckOptions, BreakersOptions {
  /** Until when after a command all of it must be on record; `20 s` unless given (ours). */
  readonly within?: string
  /** Whether breakers are fitted; true unless given. */
  readonly fitted?: boolean
  /** What is judged: all unless given. `answered`: that states stand there where breakers answer, `unanswered`: the error where none does. */
  readonly only?: readonly Part[]
  /** Commands to close alone, or to open alone. */
  readonly direction?: 'close' | 'open'
}

/** `record`: that each command has its records, for storage. `before`, `after`: the states. `result`: what is said of it. `errno`. */
export type Part = 'record' | 'before' | 'after' | 'result' | 'errno'

/** What a unit shows of its state follows its contact by as much at most, and reading it takes a while, in ms. Ours. */
const lag = 3_500
/** By the API, table 11, or by its name there. */
const noDevice: ReadonlySet<Json> = new Set([4, 'ERRNO_NO_DEVICE'])
/** Of the record `result`: not obeyed. Ours. */
const notObeyed = 4

interface Told {
  readonly name: string
  readonly at: Instant
  readonly seq: number
  readonly value: Json | undefined
  readonly valid: Json | undefined
  readonly stored: boolean
  readonly errno: Json | undefined
}

interface Item {
  readonly command: Command
  readonly told: Map<string, Told>
  result?: Told
}

/**
 * Each command has its records, in its order: the command itself, how its breaker stood before and after, and what came of
 * it; and they agree with the breaker. `records`: `meshing.operation.*` at the marketplace.
 */
export function recordsEachCommand(commands: Series, records: Series, o: RecordsCommandsOptions): Check {
  const bound = duration(o.within ?? '20 s')
  const parts = new Set<Part>(o.only ?? ['record', 'before', 'after', 'result', 'errno'])
  return checkOf(o, {
    id: 'records-each-command',
    limit: `within ${durationText(bound)} on record for storage: ${[...parts].join(', ')}`,
    over: records,
    needs: [commands.src],
    fold: (watch) => {
      const breakers = new Breakers(o)
      const read = commandReader(commands)
      const fits = matcher(records)
      const items = new Map<Phase, Item[]>(phases.map((p) => [p, []]))
      /** When the app, or all of the platform, was ended: what it was about is nobody's to finish. */
      const ends: Instant[] = []
      /** The bench may hear a record before the command that it is of. */
      const records_: { readonly phase: Phase; readonly told: Told }[] = []
      return {
        see(e) {
          breakers.see(e)
          if (e.kind === 'host' && /killed|cut/.test(textOf(objectOf(e.data)?.['what']))) ends.push(e.at)
          const command = read(e)
          if (command !== undefined) items.get(command.phase)?.push({ command, told: new Map() })
          if (!fits(e)) return command !== undefined
          const [, , phase, name] = channelOf(e).split('.')
          const p = phaseIn(phase)
          if (p !== undefined && name !== undefined && name !== 'signal')
            records_.push({ phase: p, told: toldOf(e, name) })
          return true
        },
        result(at) {
          const found = offences()
          for (const list of items.values())
            for (const item of list) {
              item.told.clear()
              delete item.result
            }
          for (const { phase, told } of records_) assign(items.get(phase) ?? [], told, ends)
          let judged = 0
          for (const list of items.values())
            for (const item of list) {
              const { command: c } = item
              if (c.at + bound > at || c.at < watch.begin) continue
              if (item.result === undefined && ends.some((t) => t > c.at - 1_000 && t < c.at + bound))
                continue
              if (o.direction !== undefined && c.close !== (o.direction === 'close')) continue
              judged++
              judge(item, { parts, breakers, fitted: o.fitted !== false, found, watch, bound })
            }
          return concluded(o, {
            found,
            observed: { 'commands judged [1]': judged, 'records [1]': records_.length },
            judged,
            nothing: 'no command could be judged',
            because: records_.slice(-20).map((r) => r.told.seq),
          })
        },
      }
    },
  })
}

function toldOf(e: Event, name: string): Told {
  return {
    name,
    at: e.at,
    seq: e.seq,
    value: field(e, 'Value'),
    valid: field(e, 'Valid'),
    stored: field(e, 'ToStore') === true,
    errno: field(e, 'Errno'),
  }
}

/** A record may be heard a little before the command that it is of, in ms. Ours. */
const heardLate = 2_000

/**
 * Records of one phase come in the order of its commands; what is refused is told of at once, and so is a command that a
 * newer one has overtaken while it waited for the one that runs.
 */
function assign(list: readonly Item[], told: Told, ends: readonly Instant[]): void {
  const known = list.filter(
    ({ command: { at } }) =>
      at <= told.at + heardLate && !ends.some((end) => at < end + heardLate && end < told.at),
  )
  const open = known.filter((i) => i.result === undefined)
  const [running, waiting] = open.filter((i) => i.command.good)
  const item =
    told.name === 'command'
      ? known.find((i) => !i.told.has('command'))
      : told.name === 'result' && told.value === notObeyed
        ? (open.find((i) => !i.command.good) ?? waiting ?? running)
        : running
  if (item === undefined) return
  item.told.set(told.name, told)
  if (told.name === 'result') item.result = told
}

interface Bench {
  readonly parts: ReadonlySet<Part>
  readonly breakers: Breakers
  readonly fitted: boolean
  readonly found: Offences
  readonly watch: Watch
  readonly bound: number
}

function judge({ command: c, told, result }: Item, b: Bench): void {
  const { parts, found } = b
  const of = `${c.phase}, commanded ${into(b.watch, c.at)}`
  const has = (name: string): Told | undefined => {
    const t = told.get(name)
    if (t === undefined || t.at > c.at + b.bound) {
      if (parts.has('record')) found.add('not recorded', `${of}: there is no record of ${name}`, c.seq)
      return undefined
    }
    if (parts.has('record') && !t.stored)
      found.add('not for storage', `${of}: the record of ${name} is not to be stored`, t.seq)
    return t
  }
  const command = has('command')
  if (parts.has('record') && command !== undefined && c.close !== undefined && command.value !== c.close)
    found.add(
      'another command',
      `${of}: ${textOf(command.value)} is recorded for ${String(c.close)}`,
      command.seq,
    )
  const outcome = has('result')
  const refused = result?.value === notObeyed
  // What was not obeyed has moved nothing, so that there are no states around it.
  if (!c.good || refused) {
    if (parts.has('result') && outcome !== undefined && outcome.value !== notObeyed)
      found.add(
        'wrong result',
        `${of}: it was not to be obeyed, and ${textOf(outcome.value)} is recorded`,
        outcome.seq,
      )
    return
  }
  const end = outcome?.at ?? c.at + b.bound
  const silent = !b.fitted || b.breakers.silent(c.phase, c.at - 1_000, end)
  const disturbed = !b.fitted || b.breakers.disturbed(c.phase, c.at - lag, end)
  const lies = b.breakers.hadFault('lying', c.phase, c.at - lag, end)
  for (const name of ['before', 'after'] as const) {
    const t = has(name)
    if (t === undefined) continue
    if (silent && parts.has('errno')) {
      if (t.valid !== false || t.errno === undefined || !noDevice.has(t.errno))
        found.add('no error code', `${of}: nobody could answer, and ${name} is ${words(t)}`, t.seq)
    }
    if (silent || !parts.has(name)) continue
    if (t.valid !== true) {
      if (!disturbed)
        found.add('no state', `${of}: the breaker could answer, and ${name} is ${words(t)}`, t.seq)
    } else if (!lies && !b.breakers.stood(c.phase, t.value === true, t.at - lag, t.at))
      found.add('wrong state', `${of}: ${name} is ${words(t)}, and the breaker stood otherwise`, t.seq)
  }
  if (!parts.has('result') || outcome === undefined) return
  const stands = !silent && b.breakers.closedAt(c.phase, outcome.at) === c.close
  if (outcome.value === 0 && !stands && !lies)
    found.add('wrong result', `${of}: it is recorded as done, and the breaker does not stand so`, outcome.seq)
  if (outcome.value !== 0 && stands && !disturbed)
    found.add('wrong result', `${of}: it was done, and ${textOf(outcome.value)} is recorded`, outcome.seq)
}

function words(t: Told): string {
  if (t.valid !== true) return `not valid${t.errno === undefined ? '' : `, Errno ${textOf(t.errno)}`}`
  return t.value === true ? 'closed' : t.value === false ? 'open' : JSON.stringify(t.value ?? null)
}
