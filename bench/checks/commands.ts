/**
 * What checks on commanded breakers share: which messages are commands to be obeyed (OpenLV M:0035; the minute that one may
 * be old is ours), and where each breaker has stood, by what it told of its contacts.
 */
import type { Instant, Json } from '../../drivers/faces.ts'
import { matcher } from '../evidence/series.ts'
import type { Event, Result, Series } from '../faces.ts'
import { type CheckOptions, inconclusive, notShown, type Offences, pass } from './check.ts'
import { channelOf, field, objectOf, textOf } from './scalar.ts'

export const phases = ['l1', 'l2', 'l3'] as const
export type Phase = (typeof phases)[number]

/** How old a command may be, and how far ahead it may be dated, in ms. Ours. */
const oldest = 60_000
const earliest = 2_000

/** A message on a control topic. */
export interface Command {
  readonly phase: Phase
  /** Nothing: it says neither. */
  readonly close: boolean | undefined
  readonly at: Instant
  readonly seq: number
  /** Fresh, valid and new: to be obeyed. */
  readonly good: boolean
}

/** The phase that an alias or topic names at the place given, or at its end. */
export function phaseIn(name: string | undefined): Phase | undefined {
  return phases.find((p) => p === name)
}

/** Reads commands off LoadSense's control topics, as they are seen at a marketplace (`loadsense.control.l1`). */
export function commandReader(series: Series): (e: Event) => Command | undefined {
  const fits = matcher(series)
  const obeyed = new Map<string, Instant>()
  /** What the bench sent for the marketplace to keep, while nobody listened: nobody who comes later may obey it. */
  const kept = new Set<string>()
  return (e) => {
    if (e.kind === 'sent') {
      const d = objectOf(e.data)
      if (d?.['form'] === 'retained' && typeof d['text'] === 'string') kept.add(compact(d['text']))
      return undefined
    }
    if (!fits(e)) return undefined
    const phase = phaseIn(channelOf(e).split('.').at(-1))
    if (phase === undefined || kept.has(JSON.stringify(objectOf(e.data)?.['payload'] ?? null)))
      return undefined
    const value = field(e, 'Value')
    const stamp = field(e, 'Timestamp')
    const close = typeof value === 'boolean' ? value : undefined
    const key = `${phase} ${String(close)} ${textOf(stamp)}`
    for (const [k, at] of obeyed) if (e.at - at > 2 * oldest) obeyed.delete(k)
    const good =
      close !== undefined &&
      field(e, 'Valid') === true &&
      typeof stamp === 'number' &&
      Number.isSafeInteger(stamp) &&
      e.at - stamp * 1000 <= oldest &&
      stamp * 1000 - e.at <= earliest &&
      objectOf(e.data)?.['retain'] !== true &&
      !obeyed.has(key)
    if (good) obeyed.set(key, e.at)
    return { phase, close, at: e.at, seq: e.seq, good }
  }
}

function compact(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text))
  } catch {
    return text
  }
}

export interface Operation {
  readonly phase: Phase
  readonly closed: boolean
  readonly by: string
  readonly at: Instant
  readonly seq: number
}

export interface BreakersOptions {
  /** Role of the breakers; `alvin` unless given. */
  readonly breakers?: string
  /** How they stand when the check begins; open unless given. */
  readonly initially?: 'open' | 'closed'
}

/** Faults in which a unit says nothing, or nothing that its master may take. */
const silencing: ReadonlySet<string> = new Set([
  'no-reply',
  'unplugged',
  'crc-error',
  'wrong-unit',
  'truncated',
])
/** Faults that leave alone what a command does. */
const harmless: ReadonlySet<string> = new Set(['uptime-tear', 'hot', 'split'])

interface Spell {
  readonly id: string
  readonly phase: Phase | undefined
  readonly name: string
  readonly silent: boolean
  readonly from: Instant
  to: Instant
}

/** Follows breakers by what they tell: operations, faults, isolator, local control. */
export class Breakers {
  readonly role: string
  readonly #initially: boolean
  readonly operations: Operation[] = []
  readonly #spells: Spell[] = []
  /** Whether anything of them was heard at all. */
  heard = false

  constructor(o: BreakersOptions) {
    this.role = o.breakers ?? 'alvin'
    this.#initially = o.initially === 'closed'
  }

  /** The operation that an event tells of. */
  see(e: Event): Operation | undefined {
    if (e.src !== this.role) return undefined
    this.heard = true
    const d = objectOf(e.data) ?? {}
    if (e.kind === 'fault') this.#fault(e, d)
    if (e.kind !== 'note') return undefined
    const about = channelOf(e).slice(this.role.length + 1)
    const phase = phaseIn(typeof d['phase'] === 'string' ? d['phase'] : undefined)
    if (about === 'isolator' && typeof d['engaged'] === 'boolean')
      this.#spell('isolator', undefined, 'isolator', true, d['engaged'], e.at)
    if (about === 'breaker' && phase !== undefined) {
      if (d['what'] === 'local control' || d['what'] === 'remote control')
        this.#spell(`local ${phase}`, phase, 'local', false, d['what'] === 'local control', e.at)
      if (d['what'] === 'lockout' || d['what'] === 'lockout-reset')
        this.#spell(`lockout ${phase}`, phase, 'lockout', false, d['what'] === 'lockout', e.at)
    }
    if (about !== 'operated' || phase === undefined) return undefined
    const operation: Operation = {
      phase,
      closed: d['to'] === 'closed',
      by: typeof d['by'] === 'string' ? d['by'] : 'nobody',
      at: e.at,
      seq: e.seq,
    }
    this.operations.push(operation)
    return operation
  }

  #fault(e: Event, d: NonNullable<ReturnType<typeof objectOf>>): void {
    const id = textOf(d['id'])
    if (d['phase'] === 'lifted') {
      const s = this.#spells.find((x) => x.id === id)
      if (s !== undefined) s.to = e.at
      return
    }
    const name = textOf(d['name'])
    if (harmless.has(name)) return
    const of = objectOf(d['params'])?.['phase']
    this.#spell(id, phaseIn(typeof of === 'string' ? of : undefined), name, silencing.has(name), true, e.at)
  }

  #spell(
    id: string,
    phase: Phase | undefined,
    name: string,
    silent: boolean,
    on: boolean,
    at: Instant,
  ): void {
    const standing = this.#spells.findLast((s) => s.id === id && s.to === Infinity)
    if (on && standing === undefined)
      this.#spells.push({ id, phase, name, silent, from: at, to: Number.POSITIVE_INFINITY })
    if (!on && standing !== undefined) standing.to = at
  }

  /** Whether anything was wrong with a breaker, or its line, in a span. */
  disturbed(phase: Phase, from: Instant, to: Instant): boolean {
    return this.#spells.some(
      (s) => (s.phase === undefined || s.phase === phase) && s.from <= to && s.to >= from,
    )
  }

  /** Whether a breaker could say nothing throughout a span. */
  silent(phase: Phase, from: Instant, to: Instant): boolean {
    return this.#spells.some(
      (s) => s.silent && (s.phase === undefined || s.phase === phase) && s.from <= from && s.to >= to,
    )
  }

  /** Whether a fault of this name was in force at any time of a span. */
  hadFault(name: string, phase: Phase, from: Instant, to: Instant): boolean {
    return this.#spells.some(
      (s) => s.name === name && (s.phase === undefined || s.phase === phase) && s.from <= to && s.to >= from,
    )
  }

  /** Whether the main contact was closed. */
  closedAt(phase: Phase, at: Instant): boolean {
    const mine = this.operations.filter((op) => op.phase === phase)
    const [first] = mine
    // Before it first moved it stood the other way.
    const before = first === undefined ? this.#initially : !first.closed
    return mine.findLast((op) => op.at <= at)?.closed ?? before
  }

  /** Whether it stood so at any time of a span. */
  stood(phase: Phase, closed: boolean, from: Instant, to: Instant): boolean {
    return (
      this.closedAt(phase, from) === closed ||
      this.operations.some((op) => op.phase === phase && op.closed === closed && op.at >= from && op.at <= to)
    )
  }
}

export interface Conclusion {
  readonly found: Offences
  readonly observed: Readonly<Record<string, Json>>
  /** How many of what is to be judged there were, and what is said where there was none. */
  readonly judged: number
  readonly nothing: string
  readonly because?: readonly number[]
}

/** What came of it: the first offence, or that nothing could be judged, or passed. */
export function concluded(o: CheckOptions, c: Conclusion): Result {
  const observed = { ...c.observed, ...c.found.counts() }
  const failed = c.found.result(observed)
  if (failed !== undefined) return failed
  return c.judged === 0 ? inconclusive(notShown(o), c.nothing, observed) : pass(observed, c.because)
}

/** The same of all operations of breakers: also no offence counts where nothing was heard of them. */
export function concludedOf(
  breakers: Breakers,
  o: CheckOptions,
  c: Pick<Conclusion, 'found' | 'observed'>,
): Result {
  const observed = { ...c.observed, ...c.found.counts() }
  if (!breakers.heard) return inconclusive(notShown(o), 'nothing was heard of the breakers', observed)
  const because = breakers.operations.map((op) => op.seq)
  return c.found.result(observed) ?? pass(observed, because)
}
