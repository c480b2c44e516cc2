/**
 * The one place where a check's own result becomes its verdict: rules that hold for all checks, and the same path for
 * a live run and for a replay.
 */
import { messageOf } from '../../drivers/errors.ts'
import type { Instant, Json } from '../../drivers/faces.ts'
import { durationText } from '../../drivers/units.ts'
import type { CheckEvent, Circumstances } from '../evidence/schema.ts'
import type { Check, Event, Result } from '../faces.ts'
import { inconclusive, steadyTime } from './check.ts'

/** Above this share of wall time stolen from the bench timing is not judged (design: 1 %). */
export const stolenLimit = 0.01

/** A run may fall short of `least` by this share: timers of a real clock wake a little early. Ours. */
const slack = 0.001

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
 * Else a failure stays a failure, also in a short run: what was seen was seen.
 */
export function judge(check: Check, at: Instant, watched: number, c: Circumstances = {}): Judged {
  let own: Result
  try {
    own = check.result(at)
  } catch (e) {
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
  const short = check.least !== undefined && watched < check.least * (1 - slack)
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
  readonly check: Check
  begin?: Instant
  broken?: string
}

/**
 * The checks of one scenario, fed with its events. A check sees every event from the one that declares it on
 * (that one included), in a live run and in a replay alike.
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
  const seats = new Map<string, Seat>(checks.map((check) => [check.id, { check }]))
  const active: Seat[] = []
  return {
    get checks() {
      return [...seats.values()].map((s) => s.check)
    },
    seat(check) {
      seats.set(check.id, { check })
    },
    see(e) {
      const id = e.kind === 'check' ? declaredId(e) : undefined
      const seat = id === undefined ? undefined : seats.get(id)
      if (seat !== undefined && seat.begin === undefined) {
        seat.begin = e.at
        active.push(seat)
      }
      for (const s of active) {
        if (s.broken !== undefined) continue
        try {
          s.check.see(e)
        } catch (x) {
          s.broken = `the check itself broke at event ${e.seq}: ${messageOf(x)}`
        }
      }
    },
    declared: () => active.map((s) => s.check.id),
    judge(id, at, c) {
      const seat = seats.get(id)
      const stopped =
        seat === undefined
          ? `there is no check '${id}'`
          : seat.begin === undefined
            ? 'it was never declared'
            : seat.broken
      if (seat?.begin === undefined || stopped !== undefined)
        return { result: inconclusive('bench', stopped ?? 'it was never declared'), at, beforehand: false }
      return judge(seat.check, at, at - seat.begin, c)
    },
  }
}

function declaredId(e: Event): string | undefined {
  const d = e.data as { readonly phase?: Json; readonly id?: Json } | null
  if (d === null || typeof d !== 'object' || d.phase !== 'declared') return undefined
  return typeof d.id === 'string' ? d.id : undefined
}
