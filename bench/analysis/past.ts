/**
 * The past load of a circuit, made for a predictor to learn from: half-hour means of a load profile up to now, and what
 * came of the 24 h after it. Times are Unix seconds, UTC.
 */
import { GridproofError } from '../../drivers/errors.ts'
import type { Instant } from '../../drivers/faces.ts'
import { duration } from '../../drivers/units.ts'
import { stream } from '../../drivers/random.ts'
import { profile } from '../../sim/truth.ts'
import type { LoadPast } from '../faces.ts'

export const halfHour = 1800

/** Of one circuit: the beginning of its first half-hour, the means of all up to now (null: not known), and of the next 48. */
export interface Past {
  readonly begins: number
  readonly transformer: readonly (number | null)[]
  readonly feeder: readonly (number | null)[]
  readonly next: { readonly transformer: readonly number[]; readonly feeder: readonly number[] }
}

/** The shared feeder carries this share of the transformer's load. Ours, as the feeder monitor's stand-in has it. */
const feederShare = 0.63

/**
 * What a profile of one weekday lacks, for there to be something to foretell. All ours: less load at weekends; a swing over
 * weeks, as of the weather; and half-hours that are never quite alike.
 */
const weekend = 0.86
const swing = { share: 0.07, days: 23 }
const scatter = 0.03

const day = 86_400

function uneven(t: number, random: () => number): number {
  const weekday = new Date(t * 1000).getUTCDay()
  const week = weekday === 0 || weekday === 6 ? weekend : 1
  const slow = 1 + swing.share * Math.sin((2 * Math.PI * t) / (swing.days * day))
  return week * slow * (1 + scatter * (2 * random() - 1))
}

/** Samples of a half-hour, at the middle of as many parts. */
const samples = 6

/** Throws `bad-value` for what does not fit; a rehearsal finds it before anything starts. */
export function checkPast(p: LoadPast): void {
  const bad = (why: string): never => {
    throw new GridproofError('bad-value', `the past '${p.name}': ${why}`)
  }
  if (!/^[a-z0-9-]{1,60}$/.test(p.name)) bad('expected a name of lower-case letters, digits and -')
  if (duration(p.span) < halfHour * 1000) bad(`${p.span} hold no half-hour`)
  if (p.later !== undefined && duration(p.later) % (day * 1000) !== 0)
    bad(`expected whole days, and not ${p.later}`)
  for (const c of p.changes ?? []) {
    if (duration(c.from) <= duration(c.to)) bad(`from ${c.from} to ${c.to} ago is no stretch`)
    if (c.times !== undefined && !(c.times >= 0 && c.times <= 1000)) bad(`${c.times} times the load`)
  }
}

/**
 * The past up to the half-hour of `now`. A series from a file is taken as it is; a profile, of which every day is alike, is
 * made uneven.
 */
export function pastOf(p: LoadPast, now: Instant, seed: number): Past {
  const ends = Math.floor(now / 1000 / halfHour) * halfHour
  checkPast(p)
  const count = Math.floor(duration(p.span) / 1000 / halfHour)
  const begins = ends - count * halfHour
  const later = p.later === undefined ? 0 : duration(p.later) / 1000
  const load = profile(p.load, seed, now)
  const random = stream(seed, 'past')
  const plain = 'csv' in p.load
  const mean = (start: number): number => {
    const t = start + later
    let sum = 0
    for (let i = 0; i < samples; i++) sum += load.amps(1000 * (t + ((i + 0.5) * halfHour) / samples))
    return Math.abs(sum / samples) * (plain ? 1 : uneven(t, random))
  }
  const round = (v: number): number => Math.round(v * 1000) / 1000
  const all = Array.from({ length: count + 48 }, (_, i) => mean(begins + i * halfHour))
  const changed = all.slice(0, count).map((v, i): number | null => {
    const ago = (ends - (begins + i * halfHour)) * 1000
    for (const c of p.changes ?? []) {
      if (ago > duration(c.from) || ago <= duration(c.to)) continue
      if (c.times === undefined) return null
      return v * c.times
    }
    return v
  })
  const of = (share: number): (number | null)[] => changed.map((v) => (v === null ? null : round(v * share)))
  const next = all.slice(count)
  return {
    begins,
    transformer: of(1),
    feeder: of(feederShare),
    next: { transformer: next.map(round), feeder: next.map((v) => round(v * feederShare)) },
  }
}

/** As the file that the reference platform's predictor imports: lines of `time,circuit,amps`. */
export function csvOf(past: Past): string {
  const lines = ['time,circuit,amps']
  for (const circuit of ['transformer', 'feeder'] as const)
    past[circuit].forEach((v, i) => {
      if (v !== null) lines.push(`${past.begins + i * halfHour},${circuit},${v}`)
    })
  return `${lines.join('\n')}\n`
}
