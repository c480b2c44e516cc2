/** What a device answered (`said`), sorted to the channels on which a platform shows it. */
import type { Instant, Json } from '../../drivers/faces.ts'
import type { Event } from '../faces.ts'
import { objectOf, textOf } from './scalar.ts'

/** The device that a check compares with: its role, and where it states one its accuracy. */
export interface Oracle {
  readonly role: string
  /** Half-width of the legal band about a value, by quantity with its unit. */
  accuracy?(quantity: string, value: number): number
  /** By how much a platform may alter a reading, by quantity with its unit; not at all where it states none. */
  resolution?(quantity: string): number
}

export interface Answer {
  readonly at: Instant
  readonly seq: number
  /** Nothing: the device's own answer said that it has no value. */
  readonly answered: number | null
  readonly truth: number
}

/** `feeder1.l1.current [A]` split into name and unit. */
export function quantityName(quantity: string): { readonly name: string; readonly unit: string } {
  const m = /^(.*?)\s*\[([^\]]*)\]\s*$/.exec(quantity)
  return m === null ? { name: quantity, unit: '' } : { name: m[1] ?? '', unit: m[2] ?? '' }
}

/**
 * Calls `each` for every answer of a `said` event of that role, on the channel `<role>.<name>` made by `channel`
 * (nothing: not of interest). Returns false for other events.
 */
export function answerReader<C>(
  role: string,
  channel: (alias: string, quantity: string) => C | undefined,
): (e: Event, each: (c: C, answered: number | null, truth: number) => void) => boolean {
  const byQuantity = new Map<string, C | null>()
  return (e, each) => {
    if (e.kind !== 'said' || e.src !== role) return false
    const answers = objectOf(objectOf(e.data)?.['answers'])
    if (answers === undefined) return true
    for (const quantity of Object.keys(answers)) {
      let c = byQuantity.get(quantity)
      if (c === undefined) {
        c = channel(`${role}.${quantityName(quantity).name}`, quantity) ?? null
        byQuantity.set(quantity, c)
      }
      if (c === null) continue
      const pair = answers[quantity]
      if (!Array.isArray(pair)) continue
      const [answered, truth] = pair as readonly Json[]
      each(
        c,
        typeof answered === 'number' && Number.isFinite(answered) ? answered : null,
        typeof truth === 'number' ? truth : Number.NaN,
      )
    }
    return true
  }
}

/** Faults in force, from `fault` events of any source, and since when nothing was disturbed. */
export interface Faults {
  see(e: Event): void
  /** Whether any fault was in force at some moment from `since` until now. */
  disturbed(since: Instant): boolean
  /** Names of faults of `src` that were in force all the time from `since` until now. */
  throughout(src: string, since: Instant): readonly string[]
  /** Whether any fault of `src` is in force now. */
  inForce(src: string): boolean
}

export function faultTracker(): Faults {
  const active = new Map<string, { readonly src: string; readonly name: string; readonly at: Instant }>()
  let lifted = Number.NEGATIVE_INFINITY
  return {
    see(e) {
      if (e.kind !== 'fault') return
      const d = objectOf(e.data)
      const key = `${e.src}\u0000${textOf(d?.['id'])}`
      if (d?.['phase'] === 'on' && !active.has(key))
        active.set(key, { src: e.src, name: textOf(d['name']), at: e.at })
      if (d?.['phase'] === 'lifted' && active.delete(key)) lifted = e.at
    },
    disturbed: (since) => active.size > 0 || lifted >= since,
    throughout: (src, since) =>
      [...active.values()].filter((f) => f.src === src && f.at <= since).map((f) => f.name),
    inForce: (src) => active.size > 0 && [...active.values()].some((f) => f.src === src),
  }
}
