/**
 * The verdict of a check over a run whose bench was away for a while. Nothing was observed in a gap, so each stretch
 * between gaps is judged by itself, by a check of its own, and the worst counts: what happened in a gap neither passes
 * nor fails. What needs a length of time (`least`) needs it at a stretch.
 */
import type { Json } from '../../drivers/faces.ts'
import { durationText } from '../../drivers/units.ts'
import type { Gap, Steadiness } from '../evidence/gap.ts'
import type { Circumstances } from '../evidence/schema.ts'
import type { Check, Result } from '../faces.ts'
import { worst } from '../verdicts/order.ts'
import { inconclusive, seconds, steadyTime } from './check.ts'

/** A run may fall short of `least` by this share: timers of a real clock wake a little early. Ours. */
const slack = 0.001

/** Sequence numbers that a result gives at most, as in one stretch. */
const mostBecause = 24

/** What came of a check between its declaration and the gap that followed. */
export interface Stretch {
  /** How long it watched. */
  readonly ms: number
  readonly result: Result
  /** It was too short to be judged, or it is not known whether time was steady: it counts as not observed. */
  readonly excused: boolean
}

/** Whether a span is too short for a check. */
export function fallsShort(check: Check, ms: number): boolean {
  return check.least !== undefined && ms < check.least * (1 - slack)
}

/**
 * The stretch of a check that a gap ended. `steady`: what was known of the bench's time last before it; nothing, where
 * the bench was gone before it could tell: then what judges time cannot be judged.
 */
export function stretchOf(
  check: Check,
  o: {
    readonly ms: number
    readonly steady: Steadiness | undefined
    result(c: Circumstances): Result
  },
): Stretch {
  const { ms, steady } = o
  if (steady === undefined && check.needs.includes(steadyTime))
    return { ms, result: inconclusive('rig', 'it is not known how steady time was'), excused: true }
  const result = o.result({ ...steady })
  return { ms, result, excused: result.verdict === 'inconclusive' && result.blame === 'bench' }
}

/** The verdict over all stretches; `last` is the one in which the run came to its end. */
export function overStretches(
  check: Check,
  earlier: readonly Stretch[],
  last: Omit<Stretch, 'excused'>,
  o: {
    readonly gaps: readonly Gap[]
    readonly horizonMs: number | undefined
    readonly lacks: readonly string[]
  },
): { readonly result: Result; readonly beforehand: boolean } {
  const all = [...earlier, { ...last, excused: false }]
  const observed = observedIn(all, o.gaps)
  if (o.lacks.length > 0) return { result: { ...last.result, observed }, beforehand: false }
  // What a check with a least length left open in a shorter stretch is open because of that.
  const judged = all
    .map((s, i) => ({ ...s, of: `stretch ${i + 1} of ${all.length}` }))
    .filter((s) => !s.excused && !(s.result.verdict === 'inconclusive' && fallsShort(check, s.ms)))
  const found = worst(judged)
  if (found !== undefined && (found.result.verdict === 'fail' || found.result.verdict === 'inconclusive'))
    return { result: told(found, judged, observed), beforehand: false }
  const longest = Math.max(...all.map((s) => s.ms))
  if (check.least !== undefined && fallsShort(check, longest)) {
    const beforehand = o.horizonMs !== undefined && fallsShort(check, o.horizonMs)
    const why = beforehand
      ? `needs ${durationText(check.least)}, this run has ${durationText(o.horizonMs ?? longest)}`
      : `needs ${durationText(check.least)} at a stretch; the bench was away, and the longest stretch without a gap was ${durationText(longest)}`
    return { result: inconclusive('rig', why, observed), beforehand }
  }
  return {
    result: found === undefined ? { ...last.result, observed } : told(found, judged, observed),
    beforehand: false,
  }
}

/** The worst of them, with the events of all that are as bad. */
function told(
  found: { readonly result: Result; readonly of: string },
  judged: readonly { readonly result: Result }[],
  observed: Json,
): Result {
  const because = judged
    .filter((s) => s.result.verdict === found.result.verdict)
    .flatMap((s) => s.result.because)
    .slice(0, mostBecause)
  const { why } = found.result
  return { ...found.result, ...(why === undefined ? {} : { why: `${why} (${found.of})` }), observed, because }
}

/** Figures of each stretch by its number, and how much was not observed. */
function observedIn(all: readonly Stretch[], gaps: readonly Gap[]): Json {
  const figures: Record<string, Json> = {
    'gaps [1]': gaps.length,
    'not observed [s]': seconds(gaps.reduce((n, g) => n + g.to - g.from, 0)),
  }
  for (const [i, s] of all.entries()) {
    const name = `stretch ${i + 1}`
    figures[`${name}: watched [s]`] = seconds(s.ms)
    const { observed } = s.result
    if (observed !== null && typeof observed === 'object' && !Array.isArray(observed))
      for (const [key, value] of Object.entries(observed)) figures[`${name}: ${key}`] = value
  }
  return figures
}
