/** What all checks share: how one is put together, how results are worded, how offences are gathered. */
import type { Instant, Json } from '../../drivers/faces.ts'
import { duration, durationText } from '../../drivers/units.ts'
import type { Blame, Check, Event, Result, Series, VerdictWord } from '../faces.ts'

/** A passed check that used more than this share of a limit is marginal. Ours. */
export const marginalShare = 0.8

/** A need of checks that judge time: on a machine that steals more than 1 % of it, they are inconclusive. */
export const steadyTime = 'steady-time'

/** Share of a tolerance that a stall of the bench may take without bearing on the verdict. Ours. */
export const stallShare = 0.25

/** What each check takes beside its own options. */
export interface CheckOptions {
  /** Unique in the scenario; each check has a short one of its own to begin with. */
  readonly id?: string
  /** Clauses `M:0023/period`, or an ID alone for all its clauses. */
  readonly verifies: readonly string[]
  /** The least span that it can judge, such as `24 h`. */
  readonly least?: string
  /** Capabilities of the platform beyond the observation point of its series. */
  readonly needs?: readonly string[]
}

/** When the check began to look: the moment of its declaration. */
export interface Watch {
  readonly begin: Instant
}

/** The fold inside a check. */
export interface Fold {
  /** True if the event was something to judge. */
  see(e: Event): boolean
  /** Changes nothing: it may be asked early and more than once. */
  result(at: Instant): Result
}

/** Observation points that a platform lists in `can`. */
const ports: ReadonlySet<string> = new Set([
  'marketplace',
  'server',
  'host',
  'storage',
  'upload',
  'log',
  'config',
  'csv',
  'maintenance',
])

/** Whether a source is such a point: a series of another one needs nothing of the platform. */
export const isPort = (src: string): boolean => ports.has(src)

/**
 * Puts a check together. Its watch begins with the event that declares it (kind `check`, its own id); in a history
 * without one, with the first event. A check that saw nothing to judge never passes.
 */
export function checkOf(
  o: CheckOptions,
  more: {
    readonly id: string
    readonly limit: string
    readonly over?: Series
    readonly needs?: readonly string[]
    readonly bears?: (watchedMs: number) => number
    readonly fold: (watch: Watch) => Fold
  },
): Check {
  const id = o.id ?? more.id
  const watch = { begin: Number.NaN }
  const fold = more.fold(watch)
  let judgeable = 0
  const port = more.over !== undefined && ports.has(more.over.src) ? [more.over.src] : []
  const needs = [...new Set([...port, ...(more.needs ?? []), ...(o.needs ?? [])])]
  return {
    id,
    verifies: o.verifies,
    limit: more.limit,
    needs,
    ...(o.least === undefined ? {} : { least: duration(o.least) }),
    ...(more.bears === undefined ? {} : { bears: more.bears }),
    ...(more.over === undefined ? {} : { over: more.over }),
    see(e) {
      if (Number.isNaN(watch.begin)) watch.begin = e.at
      if (e.kind === 'check') {
        if (declares(e, id)) watch.begin = e.at
        return
      }
      if (fold.see(e)) judgeable++
    },
    result(at) {
      if (Number.isNaN(watch.begin)) return inconclusive('bench', 'it saw no event at all')
      const r = fold.result(at)
      if (judgeable > 0 || (r.verdict !== 'pass' && r.verdict !== 'marginal')) return r
      return inconclusive('bench', 'it saw nothing that it could judge', r.observed)
    },
  }
}

function declares(e: Event, id: string): boolean {
  const d = e.data as { readonly phase?: Json; readonly id?: Json } | null
  return d !== null && typeof d === 'object' && d.phase === 'declared' && d.id === id
}

export function pass(observed: Json, because: readonly number[] = []): Result {
  return { verdict: 'pass', observed, because }
}

export function marginal(why: string, observed: Json, because: readonly number[]): Result {
  return { verdict: 'marginal', blame: 'product', why, observed, because }
}

export function fail(why: string, observed: Json, because: readonly number[]): Result {
  return { verdict: 'fail', blame: 'product', why, observed, because }
}

export function inconclusive(
  blame: Blame,
  why: string,
  observed: Json = {},
  because: readonly number[] = [],
): Result {
  return { verdict: 'inconclusive', blame, why, observed, because }
}

/**
 * Who is to blame where a check was not shown what it judges: a scenario that has time enough for it; in one that says
 * beforehand how long it needs (`least`), the length of the run.
 */
export function notShown(o: CheckOptions): Blame {
  return o.least === undefined ? 'bench' : 'rig'
}

/** Sequence numbers that a result gives at most. */
const mostBecause = 24
/** And of one sort of offence. */
const mostOfOneSort = 6

/** Offences by sort, bounded: each is counted, the first few are kept with their events. */
export interface Offences {
  readonly count: number
  /** `sort` is a word of the history: lost, late, duplicated, stale ... */
  add(sort: string, text: string, ...because: readonly number[]): void
  /** `lost: 3, late: 1` */
  counts(): Record<string, number>
  /** A failure, or nothing if there was no offence. */
  result(observed: Json): Result | undefined
  copy(): Offences
}

interface Sort {
  count: number
  readonly first: string
  readonly because: number[]
}

export function offences(from?: ReadonlyMap<string, Sort>): Offences {
  const sorts = new Map<string, Sort>()
  let total = 0
  for (const [k, s] of from ?? []) {
    sorts.set(k, { ...s, because: [...s.because] })
    total += s.count
  }
  return {
    get count() {
      return total
    },
    add(sort, text, ...because) {
      total++
      let s = sorts.get(sort)
      if (s === undefined) {
        s = { count: 0, first: text, because: [] }
        sorts.set(sort, s)
      }
      s.count++
      if (s.because.length < mostOfOneSort) s.because.push(...because)
    },
    counts: () => Object.fromEntries([...sorts].map(([k, s]) => [k, s.count])),
    result(observed) {
      const first = [...sorts.values()][0]
      if (first === undefined) return undefined
      const others = [...sorts].map(([k, s]) => `${s.count} ${k}`)
      const tail = total > 1 ? ` (in all: ${others.join(', ')})` : ''
      const because = [...new Set([...sorts.values()].flatMap((s) => s.because))]
      return fail(`${first.first}${tail}`, observed, because.sort((a, b) => a - b).slice(0, mostBecause))
    },
    copy: () => offences(sorts),
  }
}

/** `3 h 20 min into the watch`: how far after the declaration. */
export function into(watch: Watch, at: Instant): string {
  return `${durationText(Math.max(0, at - watch.begin))} into the watch`
}

/** Seconds, rounded for a reader: 60.02. */
export function seconds(ms: number): number {
  return Number((ms / 1000).toFixed(3))
}

/** A number with as many digits as a reader needs. */
export function short(n: number): number {
  return Number(n.toPrecision(6))
}

/** Verdict words for a share of a limit. */
export function byShare(share: number): VerdictWord {
  return share > 1 ? 'fail' : share > marginalShare ? 'marginal' : 'pass'
}
