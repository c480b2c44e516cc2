/**
 * The one place where a check's own result becomes its verdict: rules that hold for all checks, and the same path for
 * a live run and for a replay.
 */
import { messageOf } from '../../drivers/errors.ts'
import type { Instant, Json } from '../../drivers/faces.ts'
import { durationText } from '../../drivers/units.ts'
import { gapOf, steadinessOf } from '../evidence/gap.ts'
import type { Gap, Steadiness } from '../evidence/gap.ts'
import type { CheckEvent, Circumstances } from '../evidence/schema.ts'
import type { Check, Event, Result } from '../faces.ts'
import { inconclusive, steadyTime } from './check.ts'
import { fallsShort, overStretches, stretchOf } from './stretches.ts'
import type { Stretch } from './stretches.ts'

/** Above this share of wall time stolen from the bench timing is not judged (design: 1 %). */
export const stolenLimit = 0.01

export interface Judged {
  readonly result: Result
  /** When it was judged, on the bench clock. */
  readonly at: Instant
  /** Inconclusive only because the run is shorter than the check needs: known beforehand. */
  readonly beforehand: boolean
}

/** The needs of a check that are not there. `can` lists what the platform has. */
export function lacking(check: Check, can: ReadonlySet<string>): readonly string[] {
  return check.needs.filter((n) => n !== steadyTime && !can.has(n))
}

/**
 * The verdict of a check after `watched` ms, at `at`.
 * - A need that is not there: inconclusive (rig), whatever was seen.
 * - Time stolen above 1 %, for a check that judges time: inconclusive (rig), unless it passed and its tolerance is far
 *   wider than the longest stall of the bench.
 * - A pass in a scenario that did not run to its end: inconclusive, with the blame for that.
 * - A pass in a run shorter than `least`, or what such a run leaves open: inconclusive (rig), known beforehand.
 * - A failure in a scenario that broke by the fault of rig or bench: inconclusive, with that blame.
 * - Nothing seen to judge in a scenario that did not run to its end: inconclusive, with the blame for that.
 * Else a failure stays a failure, also in a short run: what was seen was seen.
 */
export function judge(check: Check, at: Instant, watched: number, c: Circumstances = {}): Judged {
  let own: Result
  let broken = false
  try {
    own = check.result(at)
  } catch (e) {
    broken = true
    own = inconclusive('bench', `the check itself broke: ${messageOf(e)}`)
  }
  const not = (result: Result, beforehand = false): Judged => ({ result, at, beforehand })
  if (c.lacks !== undefined && c.lacks.length > 0)
    return not(inconclusive('rig', `not to be observed here: no ${c.lacks.join(', no ')}`, own.observed))
  if (c.stolen !== undefined && c.stolen > stolenLimit && matters(check, own, watched, c)) {
    const stall = c.stalledMs === undefined ? '' : `, for up to ${durationText(c.stalledMs)} at a time`
    const share = `${(c.stolen * 100).toFixed(1)} %`
    return not(
      inconclusive(
        'rig',
        `${share} of the time was stolen from the bench (limit 1 %)${stall}`,
        own.observed,
        own.because,
      ),
    )
  }
  if (own.verdict === 'fail' && c.cut !== undefined && c.cut.blame !== 'product') {
    const why = `${own.why ?? 'it failed'}; but the run ended early (${c.cut.blame}): ${c.cut.why}`
    return not(inconclusive(c.cut.blame, why, own.observed, own.because))
  }
  // What a scenario had no time to show is not the bench's fault where something else cut it short.
  if (own.verdict === 'inconclusive' && own.blame === 'bench' && c.cut !== undefined && !broken) {
    const why = `the scenario did not run to its end: ${c.cut.why}; until then ${own.why ?? 'nothing could be judged'}`
    return not(inconclusive(c.cut.blame, why, own.observed, own.because))
  }
  const short = fallsShort(check, watched)
  // What the rig leaves open in too short a run is open because the run is short.
  if (own.verdict === 'fail' || (own.verdict === 'inconclusive' && !(short && own.blame === 'rig')))
    return not(own)
  if (c.cut !== undefined)
    return not(inconclusive(c.cut.blame, `the scenario did not run to its end: ${c.cut.why}`, own.observed))
  if (check.least !== undefined && short) {
    const why = `needs ${durationText(check.least)}, this run has ${durationText(watched)}`
    return not(inconclusive('rig', why, own.observed), true)
  }
  return not(own)
}

/**
 * Whether time stolen from the bench bears on a verdict: not on a pass whose tolerance is far wider than the longest
 * stall that was seen.
 */
function matters(check: Check, own: Result, watched: number, c: Circumstances): boolean {
  if (!check.needs.includes(steadyTime)) return false
  if (check.bears === undefined || c.stalledMs === undefined) return true
  return own.verdict === 'fail' || c.stalledMs > check.bears(watched)
}

/** Data of the event that declares a check. */
export function declaredEvent(c: Check): Extract<CheckEvent, { phase: 'declared' }> {
  return {
    phase: 'declared',
    id: c.id,
    verifies: c.verifies,
    limit: c.limit,
    ...(c.needs.length === 0 ? {} : { needs: c.needs }),
    ...(c.least === undefined ? {} : { least: c.least }),
    ...(c.over === undefined ? {} : { over: c.over }),
  }
}

/** Data of the event that tells a check's verdict. */
export function judgedEvent(
  id: string,
  j: Judged,
  c: Circumstances = {},
): Extract<CheckEvent, { phase: 'judged' }> {
  const told = c.lacks?.length || c.stolen !== undefined || c.stalledMs !== undefined || c.cut !== undefined
  return {
    phase: 'judged',
    id,
    result: j.result,
    at: j.at,
    ...(j.beforehand ? { beforehand: true } : {}),
    ...(told ? { circumstances: c } : {}),
  }
}

interface Seat {
  check: Check
  /** It has not been declared since it was given. */
  fresh: boolean
  begin?: Instant
  broken?: string
  /** Of a resumed run: what came of it before each gap. */
  readonly stretches: Stretch[]
}

/**
 * The checks of one scenario, fed with its events. A check sees every event from the one that declares it on
 * (that one included), in a live run and in a replay alike. A gap ends what it sees: it is judged there, and after the
 * gap another one of the same id is seated and declared.
 */
export interface Jury {
  /** Checks in the order of their seats. */
  readonly checks: readonly Check[]
  /** Gives a check its seat; it sees nothing until the event that declares it. */
  seat(c: Check): void
  see(e: Event): void
  /** Ids that have been declared. */
  declared(): readonly string[]
  judge(id: string, at: Instant, c?: Circumstances): Judged
}

export function jury(checks: readonly Check[] = []): Jury {
  const seats = new Map<string, Seat>()
  const active: Seat[] = []
  const declared = new Set<string>()
  const gaps: Gap[] = []
  let steady: Steadiness | undefined
  let horizonMs: number | undefined
  const seat = (check: Check): void => {
    const s = seats.get(check.id)
    if (s === undefined) seats.set(check.id, { check, fresh: true, stretches: [] })
    else [s.check, s.fresh] = [check, true]
  }
  const away = (gap: Gap): void => {
    gaps.push(gap)
    for (const s of active.splice(0)) {
      const ms = gap.from - (s.begin ?? gap.from)
      s.stretches.push(
        s.broken === undefined
          ? stretchOf(s.check, { ms, steady, result: (c) => judge(s.check, gap.from, Infinity, c).result })
          : { ms, result: inconclusive('bench', s.broken), excused: false },
      )
      delete s.begin
      delete s.broken
      s.fresh = false
    }
    steady = undefined
  }
  for (const c of checks) seat(c)
  return {
    get checks() {
      return [...seats.values()].map((s) => s.check)
    },
    seat,
    see(e) {
      if (e.kind === 'run' && e.src === 'bench') horizonMs = lengthIn(e)
      steady = steadinessOf(e) ?? steady
      const gap = gapOf(e)
      if (gap !== undefined) away(gap)
      const id = e.kind === 'check' ? declaredId(e) : undefined
      const s = id === undefined ? undefined : seats.get(id)
      if (s?.fresh === true && s.begin === undefined) {
        s.begin = e.at
        active.push(s)
        declared.add(s.check.id)
      }
      for (const x of active) {
        if (x.broken !== undefined) continue
        try {
          x.check.see(e)
        } catch (error) {
          x.broken = `the check itself broke at event ${e.seq}: ${messageOf(error)}`
        }
      }
    },
    declared: () => [...declared],
    judge(id, at, c = {}) {
      const s = seats.get(id)
      const open = (why: string): Judged => ({ result: inconclusive('bench', why), at, beforehand: false })
      if (s === undefined) return open(`there is no check '${id}'`)
      if (s.broken !== undefined) return open(s.broken)
      if (s.stretches.length === 0)
        return s.begin === undefined ? open('it was never declared') : judge(s.check, at, at - s.begin, c)
      const ms = s.begin === undefined ? 0 : at - s.begin
      const result =
        s.begin !== undefined
          ? judge(s.check, at, Infinity, c).result
          : inconclusive(
              c.cut?.blame ?? 'bench',
              `it was not declared again after the gap: ${c.cut?.why ?? 'the scenario did not'}`,
            )
      return {
        at,
        ...overStretches(s.check, s.stretches, { ms, result }, { gaps, horizonMs, lacks: c.lacks ?? [] }),
      }
    },
  }
}

/** The horizon that a scenario's header tells. */
function lengthIn(e: Event): number | undefined {
  const ms = (e.data as { readonly horizonMs?: Json } | null)?.horizonMs
  return typeof ms === 'number' ? ms : undefined
}

function declaredId(e: Event): string | undefined {
  const d = e.data as { readonly phase?: Json; readonly id?: Json } | null
  if (d === null || typeof d !== 'object' || d.phase !== 'declared') return undefined
  return typeof d.id === 'string' ? d.id : undefined
}
