/** Judges a scenario's log once more, by the same path as the live run, and compares. */
import { isDeepStrictEqual } from 'node:util'
import type { Json } from '../../drivers/faces.ts'
import { jury } from '../checks/judge.ts'
import type { Check, Event, Result } from '../faces.ts'
import { gapOf } from './gap.ts'
import type { Gap } from './gap.ts'
import type { CheckEvent, ScenarioEnd } from './schema.ts'

export interface Rejudged {
  readonly id: string
  /** Nothing: the log has no verdict of it. */
  readonly stored: Result | undefined
  readonly now: Result
  /**
   * `same`: to the last figure. `figures`: the same verdict and blame from other figures, reasons or events. `cut short`:
   * the run ended before the check was judged, so there is nothing to compare.
   */
  readonly compared: 'same' | 'figures' | 'verdict' | 'not stored' | 'not declared' | 'cut short'
}

/** How often the bench was away while a log was written: so many sets of checks `replay` needs beside the first. */
export function gapsIn(events: Iterable<Event>): readonly Gap[] {
  const gaps: Gap[] = []
  for (const e of events) {
    const gap = gapOf(e)
    if (gap !== undefined) gaps.push(gap)
  }
  return gaps
}

/**
 * Feeds a log to checks, each from the event that declares it, judges each where the log did (same time, same
 * circumstances), and compares. Checks that the log never judged are judged at its last event, as cut short.
 * A check that the log does not know is `not declared`, where the scenario came to its end; a verdict for which there is no check is left out, and told by
 * `unknown`. `later`: for each gap in the log the checks of the stretch that follows.
 */
export function replay(
  events: Iterable<Event>,
  checks: readonly Check[],
  later: readonly (readonly Check[])[] = [],
): { readonly checks: readonly Rejudged[]; readonly unknown: readonly string[] } {
  const bench = jury(checks)
  const ids = new Set(checks.map((c) => c.id))
  const done = new Map<string, Rejudged>()
  const unknown = new Set<string>()
  let last = 0
  let stretch = 0
  let outcome: ScenarioEnd['outcome'] | undefined
  for (const e of events) {
    last = e.at
    if (e.kind === 'end' && e.src === 'bench')
      outcome = (e.data as Partial<Pick<ScenarioEnd, 'outcome'>> | null)?.outcome
    const judged = judgedOf(e)
    if (judged === undefined) {
      bench.see(e)
      if (gapOf(e) !== undefined) for (const c of later[stretch++] ?? []) bench.seat(c)
      continue
    }
    if (!ids.has(judged.id)) {
      unknown.add(judged.id)
      continue
    }
    const now = bench.judge(judged.id, judged.at ?? e.at, judged.circumstances).result
    done.set(judged.id, { id: judged.id, stored: judged.result, now, compared: compare(judged.result, now) })
    bench.see(e)
  }
  const declared = new Set(bench.declared())
  const all = checks.map((c): Rejudged => {
    const known = done.get(c.id)
    if (known !== undefined) return known
    const cut = { blame: 'bench', why: 'the log was cut short' } as const
    const now = bench.judge(c.id, last, { cut }).result
    // Declared checks are judged however a scenario ends, unless its log does.
    const early = outcome === undefined || (outcome !== 'finished' && !declared.has(c.id))
    const compared = early ? 'cut short' : declared.has(c.id) ? 'not stored' : 'not declared'
    return { id: c.id, stored: undefined, now, compared }
  })
  return { checks: all, unknown: [...unknown] }
}

function judgedOf(e: Event): Extract<CheckEvent, { phase: 'judged' }> | undefined {
  if (e.kind !== 'check' || e.src !== 'bench') return undefined
  const d = e.data as { readonly phase?: Json } | null
  if (d === null || typeof d !== 'object' || d.phase !== 'judged') return undefined
  return d as unknown as Extract<CheckEvent, { phase: 'judged' }>
}

function compare(stored: Result, now: Result): Rejudged['compared'] {
  if (stored.verdict !== now.verdict || stored.blame !== now.blame) return 'verdict'
  // The log keeps JSON: what JSON cannot tell apart is no difference.
  return isDeepStrictEqual(stored, JSON.parse(JSON.stringify(now))) ? 'same' : 'figures'
}
