/** Strangers stay outside, and the platform says so in its log (LV-CAP API 8.1). */
import type { Instant } from '../../drivers/faces.ts'
import { duration, durationText } from '../../drivers/units.ts'
import type { AttemptOutcome, IntruderStage } from '../evidence/schema.ts'
import { matcher } from '../evidence/series.ts'
import type { Check, Event, Series } from '../faces.ts'
import {
  type CheckOptions,
  checkOf,
  inconclusive,
  offences,
  pass,
  seconds,
  stallShare,
  steadyTime,
} from './check.ts'
import { channelOf, objectOf, payloadOf, textOf } from './scalar.ts'

export interface RefusedOptions extends CheckOptions {
  /** Observation point where nothing of theirs may be seen; `marketplace` unless given. */
  readonly seenAt?: string
}

/** What strangers announced to publish, so that it is recognised where it comes out. */
interface Announced {
  readonly attempt: string
  readonly topic: string
  readonly payload: string
  readonly seq: number
}

/**
 * Each named attempt must have been made, and turned away at one of the stages given for it; what it meant to publish
 * must not come out at the marketplace. The series holds the outcomes: `seen`, src `intruder`, alias
 * `intruder.<attempt>`, payload AttemptOutcome.
 */
export function refused(
  series: Series,
  attempts: Readonly<
    Record<string, Exclude<IntruderStage, 'inside'> | readonly Exclude<IntruderStage, 'inside'>[]>
  >,
  o: RefusedOptions,
): Check {
  const at = o.seenAt ?? 'marketplace'
  const wanted = new Map(Object.entries(attempts).map(([name, s]) => [name, typeof s === 'string' ? [s] : s]))
  const words = [...wanted].map(([name, s]) => `${name} at ${s.join(' or ')}`)
  return checkOf(o, {
    id: 'refused',
    limit: `refused: ${words.join(', ')}; nothing of it at the ${at}`,
    over: series,
    needs: [at],
    fold: () => {
      const fits = matcher(series)
      const found = offences()
      const stages: Record<string, string> = {}
      const decisive: number[] = []
      const announced: Announced[] = []
      return {
        see(e) {
          if (e.kind === 'sent') announce(e, announced, wanted)
          if (e.kind === 'seen' && e.src === at && announced.length > 0) {
            const a = announced.find((x) => isOf(x, e))
            if (a !== undefined)
              found.add('let through', `${a.attempt}: what it published came out at the ${at}`, a.seq, e.seq)
          }
          if (!fits(e)) return false
          const name = attemptName(e)
          const stage = (objectOf(payloadOf(e)) as Partial<AttemptOutcome> | undefined)?.stage
          const legal = wanted.get(name)
          if (legal === undefined) return false
          stages[name] = String(stage)
          if (decisive.length < 24) decisive.push(e.seq)
          if (stage === 'inside') found.add('let in', `${name}: it was let in`, e.seq)
          else if (stage === undefined || !(legal as readonly string[]).includes(stage))
            found.add(
              'other stage',
              `${name}: turned away at '${String(stage)}', not at ${legal.join(' or ')}`,
              e.seq,
            )
          return true
        },
        result() {
          const observed = { stages: { ...stages }, ...found.counts() }
          const failed = found.result(observed)
          if (failed !== undefined) return failed
          const untried = [...wanted.keys()].filter((n) => !Object.hasOwn(stages, n))
          if (untried.length > 0)
            return inconclusive('bench', `not tried: ${untried.join(', ')}`, observed, decisive)
          return pass(observed, decisive)
        },
      }
    },
  })
}

/** `intruder.expired`: `expired`. */
function attemptName(e: Event): string {
  return channelOf(e).replace(/^(?:intruder|laptop)\./, '')
}

/** Attempts of other checks are not ours to judge. A last will is a message too. */
function announce(e: Event, list: Announced[], wanted: ReadonlyMap<string, unknown>): void {
  const attempt = objectOf(objectOf(e.data)?.['attempt'])
  const publish = objectOf(attempt?.['publish']) ?? objectOf(attempt?.['will'])
  if (!wanted.has(textOf(attempt?.['name']))) return
  if (publish === undefined || typeof publish['topic'] !== 'string' || list.length >= 1000) return
  list.push({
    attempt: textOf(attempt?.['name']),
    topic: publish['topic'],
    payload: canonical(publish['payload']),
    seq: e.seq,
  })
}

function isOf(a: Announced, e: Event): boolean {
  return objectOf(e.data)?.['topic'] === a.topic && canonical(payloadOf(e)) === a.payload
}

/** JSON with sorted keys: brokers and parsers may change their order. */
function canonical(j: unknown): string {
  return (
    JSON.stringify(j, (_, v: unknown) =>
      v !== null && typeof v === 'object' && !Array.isArray(v)
        ? Object.fromEntries(Object.entries(v).sort(([a], [b]) => (a < b ? -1 : 1)))
        : v,
    ) ?? ''
  )
}

export interface LoggedOptions extends CheckOptions {
  /** Within which time of the outcome the entry must stand in the log: `10 s`. */
  readonly within: string
  /** The outcomes that the entries belong to; `seen`, src `intruder`, `intruder.*` unless given. */
  readonly after?: Series
}

/**
 * Each named attempt must be followed, within a bound, by an entry of the platform's log (the series, usually port
 * `log`) that holds all of its words somewhere, without regard to case: its reason and the identity it claimed. One
 * entry serves one attempt. An entry may come up to the same bound before the outcome: the platform knows first.
 */
export function logged(
  series: Series,
  attempts: Readonly<Record<string, readonly string[]>>,
  o: LoggedOptions,
): Check {
  const bound = duration(o.within)
  const after = o.after ?? { src: 'intruder', kind: 'seen', select: 'intruder.*' }
  const words = Object.entries(attempts).map(([name, w]) => `${name} (${w.join(', ')})`)
  return checkOf(o, {
    id: 'logged',
    limit: `each refusal in the log within ${durationText(bound)}: ${words.join(', ')}`,
    over: series,
    needs: [steadyTime],
    bears: () => bound * stallShare,
    fold: () => {
      const isEntry = matcher(series)
      const isOutcome = matcher(after)
      const outcomes: { readonly name: string; readonly at: Instant; readonly seq: number }[] = []
      let entries: { readonly at: Instant; readonly seq: number; readonly text: string }[] = []
      const found = new Map<string, { readonly took: number; readonly seqs: readonly number[] }>()
      const open = (): typeof outcomes => outcomes.filter((x) => !found.has(x.name))
      const settle = (): void => {
        for (const x of open()) {
          const need = (attempts[x.name] ?? []).map((w) => w.toLowerCase())
          const hit = entries.find(
            (n) => Math.abs(n.at - x.at) <= bound && need.every((w) => n.text.includes(w)),
          )
          if (hit === undefined) continue
          found.set(x.name, { took: Math.max(0, hit.at - x.at), seqs: [x.seq, hit.seq] })
          entries = entries.filter((n) => n !== hit)
        }
      }
      return {
        see(e) {
          if (isOutcome(e)) {
            const name = attemptName(e)
            if (!Object.hasOwn(attempts, name) || outcomes.some((x) => x.name === name)) return false
            outcomes.push({ name, at: e.at, seq: e.seq })
            settle()
            return true
          }
          if (!isEntry(e)) return false
          // Entries too old to belong to anything still to come are let go.
          entries = entries.filter((n) => n.at >= e.at - 2 * bound).slice(-1000)
          entries.push({ at: e.at, seq: e.seq, text: JSON.stringify(payloadOf(e) ?? e.data).toLowerCase() })
          settle()
          return true
        },
        result(at) {
          const missing = offences()
          for (const x of open())
            if (at - x.at > bound)
              missing.add(
                'not logged',
                `${x.name}: no entry with ${attempts[x.name]?.join(', ')} in the log`,
                x.seq,
              )
          const slowest = Math.max(0, ...[...found.values()].map((f) => f.took))
          const observed = {
            'attempts [1]': outcomes.length,
            'logged [1]': found.size,
            'slowest entry [s]': seconds(slowest),
            ...missing.counts(),
          }
          const failed = missing.result(observed)
          if (failed !== undefined) return failed
          const untried = Object.keys(attempts).filter((n) => !outcomes.some((x) => x.name === n))
          if (untried.length > 0) return inconclusive('bench', `not tried: ${untried.join(', ')}`, observed)
          if (found.size < outcomes.length)
            return inconclusive(
              'bench',
              `the watch ended within ${durationText(bound)} of the last attempt`,
              observed,
            )
          return pass(
            observed,
            [...found.values()].flatMap((f) => f.seqs),
          )
        },
      }
    },
  })
}
